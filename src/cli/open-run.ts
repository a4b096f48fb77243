import { lockRun, openLockedRun, readResumeFacts, world, type OpenRun, type RunLock } from "../compose.ts";
import { EXIT } from "../domain/run-stop.ts";
import { isWhole, type SavedRun, type SavedRunFault } from "../domain/saved-run.ts";
import { checkSavedRun, finishSealing, type ResumeFacts } from "../kernel/resume-run.ts";
import { refuse, type FoundRun } from "./answer.ts";
import type { Io } from "./io.ts";
import { createProgress } from "./progress.ts";

/** A saved run that this process holds, read again under its lock and re-verified. */
export interface LockedRun {
  readonly open: OpenRun;
  readonly run: SavedRun;
  readonly facts: ResumeFacts;
  readonly warnings: readonly string[];
}

interface Wishes {
  readonly interrupt: AbortSignal;
  readonly quiet: boolean;
  readonly checkpointCopy: string | undefined;
}

/**
 * Takes the lock of a saved run and opens it; what a process that was killed while sealing had begun is ended first.
 * Gives the exit code when another process holds it, or when it cannot be believed. Reason codes: LOCKED,
 * CHECKPOINT_CORRUPT, JOURNAL_CORRUPT, ARTIFACT_TAMPERED, GIT_TAMPERED.
 */
export async function openRunLocked(io: Io, found: FoundRun, wishes: Wishes): Promise<LockedRun | number> {
  const { runFolder, workplace } = found;
  if (workplace.user.tooOld !== undefined) return refuse(io, "REPOSITORY_UNSUPPORTED", workplace.user.tooOld);
  const cache = world.makeCacheRoot(workplace.places);
  if (!cache.ok) return refuse(io, "USAGE", cache.error.message);
  const lock = lockRun(runFolder, found.run.state.runId);
  if (!lock.ok) {
    io.note(`LOCKED ${found.run.state.runId} is held by ${lock.error.holder}; nothing was changed`);
    return EXIT.locked;
  }
  const opened = await openChecked(io, found, lock.value, wishes);
  if (typeof opened === "number") return opened;
  const stopped = opened.run.state.stop !== undefined;
  if (!stopped || isWhole(opened.run, world.readCheckpoint(runFolder))) return opened;
  const torn = await finishSealing(opened.open.ports, opened.run, opened.facts);
  for (const warning of torn) printWarning(io, warning);
  await opened.open.close(false);
  const reopened = await openChecked(io, found, lock.value, wishes);
  return typeof reopened === "number" ? reopened : { ...reopened, warnings: [...opened.warnings, ...torn] };
}

/** Prints a warning on stderr. */
export function printWarning(io: Io, warning: string): void {
  io.note(`${io.style("yellow", "warning:")} ${warning}`);
}

async function openChecked(io: Io, found: FoundRun, lock: RunLock, wishes: Wishes): Promise<LockedRun | number> {
  const { workplace, runFolder } = found;
  const read = world.readSavedRun(runFolder);
  if (!read.ok) return fail(io, read.error);
  const run = read.value;
  const wiring = {
    interrupt: wishes.interrupt,
    progress: createProgress(io, wishes.quiet),
    checkpointCopy: wishes.checkpointCopy,
  };
  const open = await openLockedRun(workplace, wiring, { run, runFolder, lock });
  if (open === undefined) return fail(io, { code: "ARTIFACT_TAMPERED", path: "repo.git", message: "is missing" });
  const facts = readResumeFacts(runFolder, run);
  const checked = await checkSavedRun(run, open.ports, facts);
  if (!checked.ok) {
    await open.close(false);
    return fail(io, checked.error);
  }
  for (const warning of checked.value.warnings) printWarning(io, warning);
  return { open, run, facts, warnings: checked.value.warnings };
}

function fail(io: Io, fault: SavedRunFault): number {
  io.note(`${io.style("red", fault.code)} ${fault.path}: ${fault.message}`);
  return EXIT.failed;
}
