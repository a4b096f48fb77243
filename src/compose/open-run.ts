import { assemblePrograms } from "./programs.ts";
import type { Result } from "../domain/result.ts";
import type { SavedRun } from "../domain/saved-run.ts";
import { makeCacheRoot } from "../effects/cache-root.ts";
import { systemClock } from "../effects/clock.ts";
import { PendingFolders, makeFolderDurably } from "../effects/durable-files.ts";
import { agents } from "../effects/executor/agents.ts";
import { createRunRepository, openRunRepository } from "../effects/git/run-repository.ts";
import { systemRandomness } from "../effects/ids.ts";
import { openJournal, type JournalPosition } from "../effects/journal-store.ts";
import { killLeftovers } from "../effects/leftover-processes.ts";
import { takeLock, type HeldLock } from "../effects/lock.ts";
import { hostTable } from "../effects/process-tree.ts";
import type { Redactor } from "../effects/redactor.ts";
import { createRunFiles } from "../effects/run-files.ts";
import { findRunFolders, makeRunsFolder, nameRun, type RunFolders } from "../effects/run-places.ts";
import { watchRunner } from "../effects/runner-watch.ts";
import { isOccupied, removeRunCache } from "../effects/saved-run-files.ts";
import { createSecrets } from "../effects/secret-scan.ts";
import type { Ports, ProgressLine } from "../ports.ts";
import type { RunRepository } from "../ports/git.ts";
import type { Github, GithubDelivery } from "../ports/github.ts";
import type { DeliveryAccess } from "./deliver.ts";
import { machine } from "./machine.ts";
import { repositoryOptions, type Workplace } from "./workplace.ts";

/** What the caller brings to a run. */
export interface RunWiring {
  readonly interrupt: AbortSignal;
  readonly progress: (line: ProgressLine) => void;
  readonly checkpointCopy: string | undefined;
  /** GitHub, for a run that delivers itself there. */
  readonly delivery?: DeliveryAccess | undefined;
  /** The repository on GitHub, when it is to be asked. */
  readonly github: Github | undefined;
  /** Takes secrets out of everything that is kept. */
  readonly redactor: Redactor;
}

/** A lock on a run that this process holds. */
export type RunLock = HeldLock;

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
  const cache = makeCacheRoot({ path: workplace.places.cacheRoot, isShared: workplace.places.cacheIsShared });
  if (!cache.ok) return cache;
  const { runId, runFolder } = nameRun(workplace.places, input.outputDir, machine);
  if (await isOccupied(runFolder)) {
    return {
      ok: false,
      error: { message: `--output-dir: expected a new or empty folder, found something at ${runFolder}` },
    };
  }
  makeRunsFolder(workplace.places);
  makeFolderDurably(runFolder);
  const lock = takeLock(runFolder, runId, machine);
  if (!lock.ok) return { ok: false, error: { message: `held by ${lock.error.holder}` } };
  const folders = findRunFolders(workplace.places, runFolder, runId);
  const repository = await createRunRepository({
    ...repositoryOptions(workplace, folders),
    baseCommit: workplace.user.headCommit,
  });
  const position = { runFolder, runId, planId: input.planId, seq: 0, head: undefined, lock: lock.value };
  return { ok: true, value: await assemble(workplace, wiring, { ...position, folders, repository }) };
}

/** Takes the lock of a saved run, whose journal was written up to the fence `after`. Reason code: LOCKED. */
export function lockRun(runFolder: string, runId: string, after = 0): Result<RunLock, { holder: string }> {
  return takeLock(runFolder, runId, machine, after);
}

/** Opens a saved run, whose lock is held, to go on with it. */
export async function openLockedRun(
  workplace: Workplace,
  wiring: RunWiring,
  input: { run: SavedRun; runFolder: string; lock: RunLock },
): Promise<OpenRun | undefined> {
  const { state, journal } = input.run;
  const folders = findRunFolders(workplace.places, input.runFolder, state.runId);
  // Whoever was left running by a killed orchestrator must not write into what is about to be built on.
  await killLeftovers(hostTable, folders.homes);
  const repository = await openRunRepository(repositoryOptions(workplace, folders));
  if (repository === undefined) return undefined;
  return assemble(workplace, wiring, {
    runId: state.runId,
    planId: state.planId,
    runFolder: input.runFolder,
    folders,
    repository,
    lock: input.lock,
    seq: state.seq,
    head: journal.head,
  });
}

async function assemble(
  workplace: Workplace,
  wiring: RunWiring,
  run: Pick<JournalPosition, "runFolder" | "runId" | "planId" | "seq" | "head" | "lock"> & {
    folders: RunFolders;
    repository: RunRepository;
  },
): Promise<OpenRun> {
  const { cache } = run.folders;
  const pending = new PendingFolders();
  const { redactor, checkpointCopy } = wiring;
  const journal = openJournal({ ...run, pending, redactor, clock: systemClock, checkpointCopy });
  const ports: Ports = {
    ...assemblePrograms(workplace, wiring, run),
    clock: systemClock,
    randomness: systemRandomness,
    journal,
    files: createRunFiles(run.runFolder, redactor, pending),
    repository: watchRunner(run.repository, workplace.env),
    user: workplace.user,
    agents,
    github: wiring.github,
    delivery: wiring.delivery && (await openDelivery(workplace, run.folders.gitDir, wiring.delivery)),
    interrupt: wiring.interrupt,
    progress: wiring.progress,
    secrets: createSecrets(redactor),
  };
  return {
    runId: run.runId,
    runFolder: run.runFolder,
    ports,
    async close(removeWorktrees) {
      journal.close();
      run.lock.release();
      if (!removeWorktrees) return;
      await run.repository.removeWorktrees();
      await removeRunCache(cache);
    },
  };
}

/** Few runs deliver themselves to GitHub: what it takes is loaded then. */
async function openDelivery(workplace: Workplace, gitDir: string, access: DeliveryAccess): Promise<GithubDelivery> {
  const { connectDelivery } = await import("./deliver.ts");
  return { ...connectDelivery(workplace, gitDir, access), profile: access.profile };
}
