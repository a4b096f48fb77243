import type { OptionValue } from "../domain/journal.ts";
import type { TrustSource } from "../kernel/run-context.ts";
import type { Github } from "../ports/github.ts";

/** What an invocation reads of GitHub, and by which way; the door found out. */
export interface GithubAccess {
  readonly github: Github | undefined;
  readonly trust: TrustSource;
  /** What the journal keeps of it: the preflight document, and the workflow run where there is one. */
  readonly option: Readonly<Record<string, OptionValue>>;
  /** Workflow runs that handed the run on, as GitHub vouches for their artifact. */
  readonly workflowRuns: readonly number[];
}
