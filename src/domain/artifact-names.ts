import { isRunId } from "./ids.ts";

/** Names of what a run hands on, alone in their folder (docs/artifacts.md). */

export const REPORT_JSON = "orchestrator_run_report.json";
export const REPORT_MARKDOWN = "report.md";
export const REPORT_HTML = "report.html";
/** Digests of every other file of the folder, as `sha256sum -c` reads them. */
export const SUMS_FILE = "SHA256SUMS";
/** Everything else of the run. */
export const ARCHIVE_FILE = "run.tar";

/** Git bundle of the run branch and of every commit and tree that `verify` and `resume` read; lies in the archive. */
export const BUNDLE_FILE = "run.bundle";
/** What was left out of the archive for its size; lies in the archive, and after that in the run folder. */
export const LEFT_OUT_FILE = "left-out.json";

/** Which invocation of a run this is, from 1: the start, then each resume that did something. */
export function legOf({ resumes }: { readonly resumes: number }): number {
  return resumes + 1;
}

/** Name of the artifact that a leg of a run uploads: one for each leg, because artifacts are never overwritten. */
export function artifactName(runId: string, leg: number): string {
  return `conveyor-${runId}-leg${leg}`;
}

/** The run and leg that an artifact's name tells of, or nothing when it is no artifact of ours. */
export function parseArtifactName(name: string): { readonly runId: string; readonly leg: number } | undefined {
  const [, runId = "", leg = ""] = /^conveyor-(RUN_[0-9A-Za-z_]+)-leg([1-9][0-9]{0,5})$/.exec(name) ?? [];
  return isRunId(runId) ? { runId, leg: Number(leg) } : undefined;
}
