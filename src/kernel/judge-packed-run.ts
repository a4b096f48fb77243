import { sha256 } from "../domain/digest.ts";
import { buildSavedReport } from "../domain/saved-report.ts";
import type { PackFault } from "../domain/packed-run.ts";
import type { SavedRun } from "../domain/saved-run.ts";
import { DEFAULT_CONFIG_PATH } from "../domain/run-choices.ts";
import { REPORT_HTML } from "../domain/artifact-names.ts";
import { readLeftOut } from "./named-files.ts";
import { buildReportFiles } from "./report-files.ts";
import { checkSavedRun } from "./resume-run.ts";
import { verifyRun, type VerifyPorts } from "./verify-run.ts";

/** How much of a packed run is derived again before it is believed. */
export type PackScrutiny = "read" | "go_on";

/**
 * Judges a packed run that was just unpacked. To be read, its reports must be what the journal gives, and checkpoint,
 * files and commits what a resume would build on. To be gone on with, every decision is derived again as well: whoever
 * packed it elsewhere may have written a journal that no run would. Gives the first thing that is wrong.
 */
export async function judgePackedRun(
  run: SavedRun,
  reports: ReadonlyMap<string, Uint8Array>,
  ports: Omit<VerifyPorts, "configPath">,
  scrutiny: PackScrutiny,
): Promise<PackFault | undefined> {
  const refused = await judgeReports(run, reports, ports);
  if (refused !== undefined) return refused;
  const files = { digestSaved: ports.digest, read: ports.read };
  const checked = await checkSavedRun(run, { files, repository: ports.repository }, ports);
  if (!checked.ok) return checked.error;
  if (scrutiny === "read") return undefined;
  const configPath = run.state.created.config.path ?? DEFAULT_CONFIG_PATH;
  const [mismatch] = (await verifyRun(run, { ...ports, configPath })).mismatches;
  if (mismatch === undefined) return undefined;
  return { code: "ARTIFACT_TAMPERED", path: mismatch.where, message: mismatch.message };
}

/** Reports beside the archive are for people and for programs that read nothing else: each follows from the journal. */
async function judgeReports(
  run: SavedRun,
  reports: ReadonlyMap<string, Uint8Array>,
  ports: Pick<VerifyPorts, "read" | "readEnds">,
): Promise<PackFault | undefined> {
  const built = await buildReportFiles(buildSavedReport(run), ports.readEnds);
  const expected = new Map(built.map(({ path, text }) => [path, sha256(text)]));
  const page = await readLeftOut(run.state, ports);
  // A page that showed what did not travel cannot be made again: the journal names its bytes.
  const named = run.state.files.get(REPORT_HTML);
  if (page.ok && page.value.size > 0 && named !== undefined) expected.set(REPORT_HTML, named.sha256);
  const fault = (path: string, message: string): PackFault => ({ code: "ARTIFACT_TAMPERED", path, message });
  for (const path of reports.keys()) if (!expected.has(path)) return fault(path, "is no report of this run");
  for (const [path, digest] of expected) {
    const bytes = reports.get(path);
    if (bytes === undefined) return fault(path, "is missing");
    if (digest !== sha256(bytes)) return fault(path, `is not the report that the journal of ${run.state.runId} gives`);
  }
  return undefined;
}
