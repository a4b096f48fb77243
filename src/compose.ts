import { basename, join, resolve } from "node:path";
import { sha256 } from "./domain/digest.ts";
import { buildRunId, isRunId } from "./domain/ids.ts";
import { JOURNAL_START } from "./domain/journal.ts";
import { err, ok, type Result } from "./domain/result.ts";
import type { SavedRun } from "./domain/saved-run.ts";
import { systemClock } from "./effects/clock.ts";
import { StateWriteError } from "./effects/durable-files.ts";
import { checkArtifacts, noteArtifacts } from "./effects/expected-artifacts.ts";
import { openUserRepository, type OpenedUserRepository } from "./effects/git/user-repository.ts";
import { createRunRepository, inspectRunRepository, openRunRepository } from "./effects/git/run-repository.ts";
import { systemRandomness } from "./effects/ids.ts";
import { inspectArtifact } from "./effects/inspect-artifact.ts";
import { cutTornTail, openJournal, type JournalPosition } from "./effects/journal-store.ts";
import { takeLock, type HeldLock } from "./effects/lock.ts";
import { createPreparer } from "./effects/prepare.ts";
import { createProcesses } from "./effects/process.ts";
import { createEnvironments } from "./effects/program-environments.ts";
import { createRunFiles, REPOSITORY_FOLDER } from "./effects/run-files.ts";
import { findRunPlaces, makeRunsFolder, type RunPlaces } from "./effects/run-places.ts";
import { isOccupied, listSavedFiles, moveSavedFile, readCheckpoint, readTornTail, removeRunCache } from "./effects/saved-run-files.ts";
import type { Ports, ProgressLine, RunRepository } from "./ports.ts";

export { readHolder } from "./effects/lock.ts";
export { findRunFolder, listRunFolders, toRepositoryPath } from "./effects/run-places.ts";
export { readLocalFile, listPlanFiles, writeLocalFile } from "./effects/local-files.ts";
export { readSavedRun } from "./effects/saved-run-files.ts";
export { probeEnvironment } from "./effects/environment-probe.ts";
export { makeDemoRepository } from "./effects/demo-repository.ts";
export { CHECKPOINT_FILE } from "./effects/run-files.ts";

/** A checkout to work in. */
export interface Workplace {
  readonly user: OpenedUserRepository;
  readonly places: RunPlaces;
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly cwd: string;
}

/** Opens the checkout that a folder lies in; a refusal says why there is none. */
export async function openWorkplace(
  cwd: string,
  env: Readonly<Record<string, string | undefined>>,
): Promise<Result<Workplace, { kind: string; message: string }>> {
  const opened = await openUserRepository(cwd, { env });
  if (!opened.ok) return opened;
  const user = opened.value;
  return ok({ user, places: findRunPlaces(user.root, env), env, cwd });
}

/** What the caller brings to a run. */
export interface RunWiring {
  readonly interrupt: AbortSignal;
  readonly progress: (line: ProgressLine) => void;
  readonly checkpointCopy: string | undefined;
}

/** A run whose lock this process holds. */
export interface OpenRun {
  readonly runId: string;
  readonly runFolder: string;
  readonly ports: Ports;
  /** Closes the journal; when nothing will be gone on with, removes worktrees, homes and caches too. */
  close(removeWorktrees: boolean): Promise<void>;
}

/** Makes the folder of a new run, takes its lock, makes its private repository. The run exists with its first event. */
export async function openNewRun(
  workplace: Workplace,
  wiring: RunWiring,
  input: { outputDir: string | undefined; planId: string },
): Promise<Result<OpenRun, { message: string }>> {
  const runId = buildRunId(systemClock.now(), systemRandomness.hex(4));
  makeRunsFolder(workplace.places);
  const runFolder = input.outputDir ?? join(workplace.places.runsFolder, runId);
  if (await isOccupied(runFolder)) return err({ message: `--output-dir: expected a new or empty folder, found files in ${runFolder}` });
  const lock = takeLock(runFolder, runId, { clock: systemClock, randomness: systemRandomness });
  if (!lock.ok) return err({ message: `held by ${lock.error.holder}` });
  const repository = await createRunRepository({ ...repositoryPlaces(workplace, runFolder, runId), baseCommit: workplace.user.headCommit });
  return ok(
    assemble(workplace, wiring, { runId, planId: input.planId, runFolder, repository, lock: lock.value, seq: 0, head: JOURNAL_START }),
  );
}

/** Takes the lock of a saved run. Reason code: LOCKED. */
export function lockRun(runFolder: string, runId: string): Result<HeldLock, { holder: string }> {
  return takeLock(runFolder, runId, { clock: systemClock, randomness: systemRandomness });
}

/** Opens a saved run, whose lock is held, to go on with it. */
export async function openLockedRun(
  workplace: Workplace,
  wiring: RunWiring,
  input: { run: SavedRun; runFolder: string; lock: HeldLock },
): Promise<OpenRun | undefined> {
  const { state, journal } = input.run;
  const places = repositoryPlaces(workplace, input.runFolder, state.runId);
  const repository = await openRunRepository(places);
  if (repository === undefined) return undefined;
  return assemble(workplace, wiring, {
    runId: state.runId,
    planId: state.planId,
    runFolder: input.runFolder,
    repository,
    lock: input.lock,
    seq: state.seq,
    head: journal.head,
  });
}

/** What a resume finds in a run folder besides journal and inputs. */
export function readResumeFacts(runFolder: string, run: SavedRun) {
  return {
    checkpoint: readCheckpoint(runFolder),
    ...listSavedFiles(runFolder),
    tornTail: readTornTail(runFolder, run.journal.validBytes),
    cutTornTail: () => cutTornTail(runFolder, run.journal.validBytes),
    moveFile: (from: string, to: string) => moveSavedFile(runFolder, from, to),
  };
}

/** What `verify` reads of a run folder: it writes nothing. */
export function openForReading(workplace: Workplace, runFolder: string, runId: string) {
  const files = createRunFiles(runFolder);
  return {
    repository: inspectRunRepository(repositoryPlaces(workplace, runFolder, runId)),
    checkpoint: readCheckpoint(runFolder),
    files: listSavedFiles(runFolder).files,
    digest: (path: string) => files.digest(path),
    read: (path: string) => files.read(path),
  };
}

/** True for the failure of a write to the run folder (`STATE_WRITE_FAILED`). */
export function isStateWriteError(fault: unknown): fault is Error & { path: string } {
  return fault instanceof StateWriteError;
}

function repositoryPlaces(workplace: Workplace, runFolder: string, runId: string) {
  return {
    gitDir: join(runFolder, REPOSITORY_FOLDER),
    userGitCommonDir: workplace.user.gitCommonDir,
    worktreesRoot: join(cacheFolder(workplace, runFolder, runId), "worktrees"),
    objectFormat: workplace.user.objectFormat,
    searchPath: workplace.env["PATH"],
  };
}

/** One folder for each run folder: a copy of a run, gone on with beside the original, must not share its worktrees. */
function cacheFolder(workplace: Workplace, runFolder: string, runId: string): string {
  const own = isRunId(basename(runFolder)) && resolve(runFolder) === join(workplace.places.runsFolder, runId);
  return join(workplace.places.cacheRoot, own ? runId : `${runId}-${sha256(resolve(runFolder)).slice(0, 12)}`);
}

function assemble(
  workplace: Workplace,
  wiring: RunWiring,
  run: Pick<JournalPosition, "runFolder" | "runId" | "planId" | "seq" | "head" | "lock"> & { repository: RunRepository },
): OpenRun {
  const cache = cacheFolder(workplace, run.runFolder, run.runId);
  const journal = openJournal({ ...run, clock: systemClock, checkpointCopy: wiring.checkpointCopy });
  const processes = createProcesses({ clock: systemClock, randomness: systemRandomness });
  const ports: Ports = {
    clock: systemClock,
    journal,
    files: createRunFiles(run.runFolder),
    repository: run.repository,
    user: workplace.user,
    processes,
    preparer: createPreparer({ processes, repository: run.repository, cacheFolder: join(cache, "prepare") }),
    environments: createEnvironments({
      folder: cache,
      orchestratorEnv: workplace.env,
      forbiddenPathRoots: [workplace.places.root, run.runFolder, cache],
    }),
    artifacts: { note: noteArtifacts, check: checkArtifacts, inspect: inspectArtifact },
    interrupt: wiring.interrupt,
    progress: wiring.progress,
  };
  return {
    runId: run.runId,
    runFolder: run.runFolder,
    ports,
    async close(removeWorktrees) {
      journal.close();
      if (!removeWorktrees) return;
      await run.repository.removeWorktrees();
      await removeRunCache(cache);
    },
  };
}
