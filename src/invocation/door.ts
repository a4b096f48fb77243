import type { Redactor } from "../compose/world.ts";
import type { ProgressLine } from "../ports.ts";

/** What every door brings to an invocation, be it a command line or a step of a workflow. */
export interface Door {
  /** The environment of the process, with a `PATH` that no checkout has a say in. */
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly version: string;
  /** Aborted by SIGINT or SIGTERM; the reason is the signal's name. */
  readonly interrupt: AbortSignal;
  /** Takes secrets out of everything that is printed and kept. */
  readonly redactor: Redactor;
}

/** How an invocation is followed. */
export interface Follower extends Pick<Door, "redactor"> {
  /** Follows the run for people; never decides anything. */
  readonly progress: (line: ProgressLine) => void;
  /** Something to know that stops nothing. */
  readonly warn: (text: string) => void;
}
