import { basename } from "node:path";
import { openForReading, readResumeFacts } from "../compose/read-run.ts";
import { openUpkeep } from "../compose/upkeep.ts";
import type { Workplace } from "../compose/workplace.ts";
import { world } from "../compose/world.ts";
import { buildCheckpoint, judgeCheckpoint } from "../domain/checkpoint.ts";
import { DEFAULT_CONFIG_PATH } from "../domain/run-choices.ts";
import {
  buildUnsafe,
  findSettledWorktrees,
  judgeDoctorRun,
  pinnedBase,
  type DoctorFinding,
  type SafeRepair,
} from "../domain/doctor.ts";
import { showText } from "../domain/visible-text.ts";
import { checkSavedRun, finishSealing } from "../kernel/resume-run.ts";
import { isReportFile } from "../kernel/report-files.ts";
import { verifyRun } from "../kernel/verify-run.ts";
import { EXIT } from "../domain/run-stop.ts";
import type { Io } from "./io.ts";
import { openRunLocked } from "./open-run.ts";

/** Looks at a run without changing anything. */
export async function examineRun(workplace: Workplace, runFolder: string): Promise<DoctorFinding[]> {
  const show = (finding: DoctorFinding): DoctorFinding => ({ ...finding, message: showText(finding.message) });
  const read = world.readSavedRun(runFolder);
  if (!read.ok) {
    const { code, path, message } = read.error;
    return [show(buildUnsafe(code, `${basename(runFolder)}: ${path}`, message))];
  }
  const run = read.value;
  const { state, journal } = run;
  const reading = openForReading(workplace, runFolder, state.runId);
  const checkpoint = judgeCheckpoint(reading.checkpoint, buildCheckpoint(state, journal.head), {
    seq: state.seq,
    headAt: (seq) => journal.events[seq]?.prev,
  });
  const { digest, repository } = reading;
  const checked = await checkSavedRun(run, { files: { digestSaved: digest, read: reading.read }, repository }, reading);
  const configPath = state.created.config.path ?? DEFAULT_CONFIG_PATH;
  const verified = await verifyRun(run, { ...reading, configPath });
  const facts = readResumeFacts(runFolder, run);
  const unnamed = await listUnnamed(facts.files, state.files, digest);
  const upkeep = openUpkeep(workplace, runFolder, state.runId);
  return judgeDoctorRun({
    state,
    holder: world.readHolder(runFolder)?.holder,
    checkpoint,
    tornBytes: journal.tornBytes,
    leftoverFiles: unnamed,
    temporaryFiles: facts.temporaryFiles,
    refused: checked.ok ? undefined : checked.error,
    mismatches: verified.mismatches,
    basePin: await workplace.user.readRef(`refs/conveyor/base/${state.runId}`),
    baseExists: (await workplace.user.readRef(pinnedBase(state))) !== undefined,
    worktrees: upkeep.worktrees(),
    processes: upkeep.processes().length,
  }).map(show);
}

/**
 * Does safe repairs of a run, under its lock. Programs are ended and interrupted sealing is finished whenever a run is
 * opened. Gives an exit code when it could not be opened after all.
 */
export async function repairRun(
  io: Io,
  workplace: Workplace,
  runFolder: string,
  repairs: readonly SafeRepair[],
): Promise<number | undefined> {
  const read = world.readSavedRun(runFolder);
  if (!read.ok) return EXIT.failed;
  const opened = await openRunLocked(
    io,
    { workplace, runFolder, run: read.value },
    { quiet: true, checkpointCopy: undefined, interrupt: io.interrupt },
  );
  if (typeof opened === "number") return opened;
  const { open, run, facts } = opened;
  const { runId } = run.state;
  const upkeep = openUpkeep(workplace, runFolder, runId);
  const isInside = (repair: SafeRepair): boolean =>
    ["torn_tail", "temporary_files", "leftover_files", "checkpoint"].includes(repair);
  if (repairs.some(isInside)) await finishSealing(open.ports, run, facts);
  if (repairs.includes("base_pin")) await workplace.user.pinBase(runId, pinnedBase(run.state));
  if (repairs.includes("worktrees")) {
    await upkeep.removeWorktrees(findSettledWorktrees(run.state, upkeep.worktrees()));
  }
  await open.close(false);
  return undefined;
}

/** Plain files that no event names; links and other odd entries cannot be named either, and are left to `verify`. */
async function listUnnamed(
  files: readonly string[],
  named: { has(path: string): boolean },
  digest: (path: string) => Promise<unknown>,
): Promise<string[]> {
  const unnamed: string[] = [];
  for (const path of files) {
    // A run that is not sealed writes its reports again.
    if (named.has(path) || isReportFile(path)) continue;
    if ((await digest(path)) !== undefined) unnamed.push(path);
  }
  return unnamed;
}
