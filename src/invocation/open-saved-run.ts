import type { DeliveryAccess } from "../compose/deliver.ts";
import { lockRun, openLockedRun, type OpenRun, type RunLock } from "../compose/open-run.ts";
import { readResumeFacts } from "../compose/read-run.ts";
import type { Workplace } from "../compose/workplace.ts";
import { world } from "../compose/world.ts";
import { buildPolicyFile } from "../domain/config.ts";
import { err, ok, type Result } from "../domain/result.ts";
import { EXIT } from "../domain/run-stop.ts";
import { isWhole, PLAN_FILE, type SavedRun, type SavedRunFault } from "../domain/saved-run.ts";
import { checkSavedRun, finishSealing, type ResumeFacts } from "../kernel/resume-run.ts";
import type { Github } from "../ports/github.ts";
import type { Follower } from "./door.ts";
import { decode, learnSecrets } from "./learn-secrets.ts";
import { refusal, type Refused } from "./refused.ts";

/** A saved run that a command is about. */
export interface FoundRun {
  readonly workplace: Workplace;
  readonly runFolder: string;
  readonly run: SavedRun;
  /** Where it was read from, when that is a packed folder. */
  readonly packed?: { readonly folder: string; readonly packSha256: string };
}

/** A saved run that this process holds, read again under its lock and re-verified. */
export interface LockedRun {
  readonly open: OpenRun;
  readonly run: SavedRun;
  readonly facts: ResumeFacts;
  readonly warnings: readonly string[];
}

interface Wishes extends Follower {
  readonly interrupt: AbortSignal;
  readonly checkpointCopy: string | undefined;
  /** GitHub, when the run is to ask it. */
  readonly github: Github | undefined;
  readonly delivery?: DeliveryAccess | undefined;
  /** Variables that a person gave to programs of the run. */
  readonly given?: Readonly<Record<string, string>>;
}

/**
 * Takes the lock of a saved run and opens it; what a process that was killed while sealing had begun is ended first.
 * Refuses when another process holds it, or when it cannot be believed. Reason codes: LOCKED, CHECKPOINT_CORRUPT,
 * JOURNAL_CORRUPT, ARTIFACT_TAMPERED, GIT_TAMPERED.
 */
export async function openSavedRun(found: FoundRun, wishes: Wishes): Promise<Result<LockedRun, Refused>> {
  const { runFolder, workplace } = found;
  if (workplace.user.tooOld !== undefined) return err(refusal("REPOSITORY_UNSUPPORTED", workplace.user.tooOld));
  const cache = world.makeCacheRoot(workplace.places);
  if (!cache.ok) return err(refusal("USAGE", cache.error.message));
  const { runId, fence } = found.run.state;
  const lock = lockRun(runFolder, runId, fence);
  if (!lock.ok) {
    const held = `${runId} is held by ${lock.error.holder}; nothing was changed`;
    return err(refusal("LOCKED", held, EXIT.locked));
  }
  const opened = await openChecked(found, lock.value, wishes);
  if (!opened.ok) return opened;
  const stopped = opened.value.run.state.stop !== undefined;
  if (!stopped || isWhole(opened.value.run, world.readCheckpoint(runFolder))) return opened;
  const torn = await finishSealing(opened.value.open.ports, opened.value.run, opened.value.facts);
  for (const warning of torn) wishes.warn(warning);
  await opened.value.open.close(false);
  const reopened = await openChecked(found, lock.value, wishes);
  return reopened.ok ? ok({ ...reopened.value, warnings: [...opened.value.warnings, ...torn] }) : reopened;
}

async function openChecked(found: FoundRun, lock: RunLock, wishes: Wishes): Promise<Result<LockedRun, Refused>> {
  const { workplace, runFolder } = found;
  const read = world.readSavedRun(runFolder);
  if (!read.ok) return err(notBelieved(read.error));
  const run = read.value;
  learnSecrets(wishes.redactor, run.config, {
    published: [decode(world.readLocalFile(`${runFolder}/${PLAN_FILE}`)), buildPolicyFile(run.config).text],
    given: wishes.given ?? {},
  });
  const open = await openLockedRun(workplace, wishes, { run, runFolder, lock });
  if (open === undefined)
    return err(notBelieved({ code: "ARTIFACT_TAMPERED", path: "repo.git", message: "is missing, or a link" }));
  const facts = readResumeFacts(runFolder, run);
  const checked = await checkSavedRun(run, open.ports, facts);
  if (!checked.ok) {
    await open.close(false);
    return err(notBelieved(checked.error));
  }
  for (const warning of checked.value.warnings) wishes.warn(warning);
  return ok({ open, run, facts, warnings: checked.value.warnings });
}

/** A saved run that cannot be gone on with as it is. Exit 1: it was begun, so usage is not what is wrong. */
export function notBelieved({ code, path, message }: SavedRunFault): Refused {
  return refusal(code, `${path}: ${message}`, EXIT.failed);
}
