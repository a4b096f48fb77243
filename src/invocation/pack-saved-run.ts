import { packOpenRun } from "../compose/pack.ts";
import { artifactName, legOf, REPORT_HTML } from "../domain/artifact-names.ts";
import { HANDED_BYTES_MAX, type PackFault, type SecretLook } from "../domain/packed-run.ts";
import { err, ok, type Result } from "../domain/result.ts";
import { buildSavedReport } from "../domain/saved-report.ts";
import { showText } from "../domain/visible-text.ts";
import { readLeftOut } from "../kernel/named-files.ts";
import { buildReportFiles, isReportFile } from "../kernel/report-files.ts";
import type { Follower } from "./door.ts";
import { openSavedRun, type FoundRun, type LockedRun } from "./open-saved-run.ts";
import { refusedPack, type Refused } from "./refused.ts";

/** What a run hands on, and what it is called. */
export interface PackedRun {
  readonly runId: string;
  readonly leg: number;
  readonly artifactName: string;
  readonly packSha256: string;
  readonly files: readonly { readonly path: string; readonly bytes: number }[];
  readonly leftOut: readonly { readonly path: string; readonly bytes: number }[];
  /** Places that a rule of the secret scan takes for a secret. */
  readonly looks: readonly SecretLook[];
}

/**
 * Writes what a stopped run hands on into the new folder `target`. Reason codes: LOCKED (exit 73), ARTIFACT_TAMPERED and
 * what else a resume would refuse, SECRET_IN_DIFF.
 */
export async function packSavedRun(
  found: FoundRun,
  follower: Follower & { readonly interrupt: AbortSignal },
  { target, bytesMax = HANDED_BYTES_MAX }: { readonly target: string; readonly bytesMax?: number | undefined },
): Promise<Result<PackedRun, Refused>> {
  const opened = await openSavedRun(found, { ...follower, checkpointCopy: undefined, github: undefined });
  if (!opened.ok) return opened;
  const { open, run } = opened.value;
  try {
    const unnamed = judgeUnnamed(opened.value);
    if (unnamed.fault !== undefined) return err(refusedPack(unnamed.fault));
    for (const path of unnamed.passedOver) follower.warn(showText(`${path} is named by no event and was not packed`));
    const leftOutBefore = await readLeftOut(run.state, open.ports.files);
    if (!leftOutBefore.ok) throw new Error("the run was re-verified, its list of what was left out was not");
    const packed = await packOpenRun(found.workplace, open, {
      run,
      leftOutBefore: leftOutBefore.value,
      reports: await buildReports(opened.value, leftOutBefore.value.size > 0),
      target,
      bytesMax,
      redactor: follower.redactor,
    });
    if (!packed.ok) return err(refusedPack(packed.error));
    for (const { path, line, rule } of packed.value.looks) {
      follower.warn(showText(`${path}: line ${line} looks like a secret, by rule ${rule}; see to it before others do`));
    }
    const { runId } = run.state;
    const leg = legOf(run.state);
    return ok({ runId, leg, artifactName: artifactName(runId, leg), ...packed.value });
  } finally {
    await open.close(false);
  }
}

/** A page that shows what this copy of the run came without cannot be made again: the saved one is handed on. */
async function buildReports({ open, run }: LockedRun, isWithout: boolean): ReturnType<typeof buildReportFiles> {
  const { files } = open.ports;
  const reports = await buildReportFiles(buildSavedReport(run), files.readEnds);
  const page = isWithout && run.state.sealed ? await files.read(REPORT_HTML) : undefined;
  if (page === undefined) return reports;
  const text = new TextDecoder().decode(page);
  return reports.map((report) => (report.path === REPORT_HTML ? { path: REPORT_HTML, text } : report));
}

/**
 * Files that no event names: in a run that is sealed nobody but a stranger put them there; in one that was cut short
 * they are what the step left that a resume does again, and stay behind.
 */
function judgeUnnamed({ run, facts }: LockedRun): { fault?: PackFault; passedOver: readonly string[] } {
  const unnamed = facts.files.filter((path) => !run.state.files.has(path) && !isReportFile(path));
  const [path] = unnamed;
  if (path === undefined || !run.state.sealed) return { passedOver: unnamed };
  const message = "stands in the run folder, and no event names it";
  return { fault: { code: "ARTIFACT_TAMPERED", path, message }, passedOver: [] };
}
