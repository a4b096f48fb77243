import type { Result } from "./domain/result.ts";
import type { SandboxFacts, SandboxLevel } from "./domain/sandbox.ts";
import type { SavedRun } from "./domain/saved-run.ts";
import { makeCacheRoot } from "./effects/cache-root.ts";
import { systemClock, timeBefore } from "./effects/clock.ts";
import { findStateWriteFault, makeFolderDurably, PendingFolders } from "./effects/durable-files.ts";
import { checkArtifacts, noteArtifacts, readArtifact } from "./effects/expected-artifacts.ts";
import { GitError } from "./effects/git/git.ts";
import { openUserRepository, type OpenedUserRepository } from "./effects/git/user-repository.ts";
import { createRunRepository, inspectRunRepository, openRunRepository } from "./effects/git/run-repository.ts";
import { makeDemoRepository } from "./effects/demo-repository.ts";
import { shieldSearchPath } from "./effects/environment.ts";
import { probeEnvironment } from "./effects/environment-probe.ts";
import { systemRandomness } from "./effects/ids.ts";
import {
  isFolder,
  listFolder,
  listPlanFiles,
  readEvidence,
  readLocalFile,
  writeNewFile,
} from "./effects/local-files.ts";
import { inspectArtifact } from "./effects/inspect-artifact.ts";
import { readJournalLines } from "./effects/journal-lines.ts";
import { cutTornTail, openJournal, type JournalPosition } from "./effects/journal-store.ts";
import { readHolder, takeLock, type HeldLock } from "./effects/lock.ts";
import { createPreparer } from "./effects/prepare.ts";
import { createProcesses } from "./effects/process.ts";
import { createBubblewrap } from "./effects/sandbox/bubblewrap.ts";
import { findSystemTool } from "./effects/sandbox/limits.ts";
import { createSandboxProbes } from "./effects/sandbox/probe.ts";
import { makeTrialPlaces } from "./effects/sandbox/trial-places.ts";
import type { SandboxPlaces } from "./effects/sandbox/view.ts";
import { hostTable } from "./effects/process-tree.ts";
import { killLeftovers, listLeftovers } from "./effects/leftover-processes.ts";
import { agents } from "./effects/executor/agents.ts";
import { probeAgents } from "./effects/executor/probe.ts";
import { createEnvironments } from "./effects/program-environments.ts";
import { createRunFiles, digestSavedFile } from "./effects/run-files.ts";
import {
  findRunFolder,
  findRunFolders,
  findRunPlaces,
  isLink,
  listRunFolders,
  listStartFolders,
  makeRunsFolder,
  nameRun,
  toRepositoryPath,
  type RunFolders,
  type RunPlaces,
} from "./effects/run-places.ts";
import {
  isOccupied,
  listSavedFiles,
  moveSavedFile,
  readCheckpoint,
  readSavedRun,
  readTornTail,
  removeRunCache,
} from "./effects/saved-run-files.ts";
import {
  listCaches,
  listHalfRemoved,
  listNames,
  listRunIds,
  listWorktreeNames,
  removeRunFolder,
  removeWorktreesNamed,
} from "./effects/run-upkeep.ts";
import type { Environments, Ports, ProgressLine, RunRepository } from "./ports.ts";

/** Small readings of the machine that commands need beside the ports of a run. */
export const world = {
  findStateWriteFault,
  isOutsideFault,
  isLink,
  readHolder,
  findRunFolder,
  listRunFolders,
  toRepositoryPath,
  readLocalFile,
  readEvidence,
  listFolder,
  isFolder,
  listPlanFiles,
  writeNewFile,
  readCheckpoint,
  readSavedRun,
  probeEnvironment,
  probeAgents,
  shieldSearchPath,
  makeDemoRepository,
  makeCacheRoot: ({ cacheRoot, cacheIsShared }: RunPlaces) =>
    makeCacheRoot({ path: cacheRoot, isShared: cacheIsShared }),
  listStartFolders,
  listHalfRemoved,
  listNames,
  listRunIds,
  removeRunFolder,
  timeBefore,
  listCaches: (places: RunPlaces) => listCaches(places, hostTable),
  removeCache: removeRunCache,
  readJournal: readJournalLines,
};

/** True for what the machine or git refused: no fault of ours, so nobody needs our stack. */
function isOutsideFault(fault: unknown): fault is Error {
  return fault instanceof GitError || (fault instanceof Error && "syscall" in fault);
}

const machine = { clock: systemClock, randomness: systemRandomness };

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
  return { ok: true, value: { user, places: findRunPlaces(user.root, env), env, cwd } };
}

/** What the caller brings to a run. */
export interface RunWiring {
  readonly interrupt: AbortSignal;
  readonly progress: (line: ProgressLine) => void;
  readonly checkpointCopy: string | undefined;
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
  return { ok: true, value: assemble(workplace, wiring, { ...position, folders, repository }) };
}

/** Takes the lock of a saved run. Reason code: LOCKED. */
export function lockRun(runFolder: string, runId: string): Result<RunLock, { holder: string }> {
  return takeLock(runFolder, runId, machine);
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

/** What a resume finds in a run folder besides journal and inputs. */
export function readResumeFacts(runFolder: string, run: SavedRun) {
  const saved = listSavedFiles(runFolder);
  // What an event names was written to its end, whatever a program called it.
  const isNamed = (path: string): boolean => run.state.files.has(path);
  return {
    checkpoint: readCheckpoint(runFolder),
    files: [...saved.files, ...saved.temporaryFiles.filter(isNamed)],
    temporaryFiles: saved.temporaryFiles.filter((path) => !isNamed(path)),
    tornTail: readTornTail(runFolder, run.journal.validBytes),
    cutTornTail: () => cutTornTail(runFolder, run.journal.validBytes),
    moveFile: (from: string, to: string) => moveSavedFile(runFolder, from, to),
  };
}

/** What `verify` reads of a run folder: it writes nothing. */
export function openForReading(workplace: Workplace, runFolder: string, runId: string) {
  const files = createRunFiles(runFolder);
  const saved = listSavedFiles(runFolder);
  return {
    agents,
    repository: inspectRunRepository(repositoryOptions(workplace, findRunFolders(workplace.places, runFolder, runId))),
    checkpoint: readCheckpoint(runFolder),
    // Nothing is being written in a sealed run, whatever a file is called.
    files: [...saved.files, ...saved.temporaryFiles],
    digest: async (path: string) => digestSavedFile(runFolder, path),
    read: (path: string) => files.read(path),
  };
}

/** What lies around a run folder: its worktrees, the programs it left, its cache. Nothing is changed until asked for. */
export function openUpkeep(workplace: Workplace, runFolder: string, runId: string) {
  const folders = findRunFolders(workplace.places, runFolder, runId);
  return {
    worktrees: () => listWorktreeNames(folders),
    processes: () => listLeftovers(hostTable, folders.homes),
    removeWorktrees: (names: readonly string[]) => removeWorktreesNamed(folders, names),
    removeCache: () => removeRunCache(folders.cache),
  };
}

/** Finds out what this machine offers to hold programs with, without a run. */
export async function probeSandboxHere(input: {
  readonly level: SandboxLevel;
  readonly root: string | undefined;
  readonly env: Workplace["env"];
  readonly interrupt: AbortSignal;
}): Promise<SandboxFacts> {
  await using trial = await makeTrialPlaces(input.root, input.env);
  const { places } = trial;
  const forbiddenPathRoots = [places.root, places.runFolder];
  const environments = createEnvironments({ folder: places.cache, orchestratorEnv: input.env, forbiddenPathRoots });
  return await assembleProcesses(environments, input.interrupt, places).sandbox.probe(input.level);
}

/** The one runner of programs, and what tries how far it can hold them. */
function assembleProcesses(environments: Environments, interrupt: AbortSignal, places: SandboxPlaces) {
  const [bubblewrap, prlimit] = [findSystemTool("bwrap"), findSystemTool("prlimit")];
  const processes = createProcesses({
    ...machine,
    prlimit,
    bubblewrap:
      bubblewrap === undefined || prlimit === undefined ? undefined : createBubblewrap({ bubblewrap, prlimit }, places),
  });
  const setpriv = async (): Promise<boolean> => (await processes.probeParentDeath()).kind === "setpriv";
  const tools = { bubblewrap, prlimit, setpriv };
  const sandbox = createSandboxProbes({ processes, environments, ...machine, places, tools, interrupt });
  return { processes, sandbox };
}

function repositoryOptions(workplace: Workplace, folders: RunFolders) {
  return {
    gitDir: folders.gitDir,
    userGitCommonDir: workplace.user.gitCommonDir,
    worktreesRoot: folders.worktrees,
    objectFormat: workplace.user.objectFormat,
    searchPath: workplace.env["PATH"] ?? "",
  };
}

function assemble(
  workplace: Workplace,
  wiring: RunWiring,
  run: Pick<JournalPosition, "runFolder" | "runId" | "planId" | "seq" | "head" | "lock"> & {
    folders: RunFolders;
    repository: RunRepository;
  },
): OpenRun {
  const { cache, prepareCache } = run.folders;
  const { gitDir } = run.folders;
  const pending = new PendingFolders();
  const journal = openJournal({ ...run, pending, clock: systemClock, checkpointCopy: wiring.checkpointCopy });
  const places = { ...workplace.places, runFolder: run.runFolder, cache, gitDir };
  const environments = createEnvironments({
    folder: cache,
    orchestratorEnv: workplace.env,
    forbiddenPathRoots: [workplace.places.root, run.runFolder, cache],
  });
  const { processes, sandbox } = assembleProcesses(environments, wiring.interrupt, {
    ...places,
    userGitCommonDir: workplace.user.gitCommonDir,
    orchestratorEnv: workplace.env,
  });
  const ports: Ports = {
    clock: systemClock,
    randomness: systemRandomness,
    journal,
    files: createRunFiles(run.runFolder, pending),
    repository: run.repository,
    user: workplace.user,
    processes,
    agents,
    sandbox,
    preparer: createPreparer({ processes, repository: run.repository, cacheFolder: prepareCache }),
    environments,
    artifacts: { note: noteArtifacts, check: checkArtifacts, read: readArtifact, inspect: inspectArtifact },
    interrupt: wiring.interrupt,
    progress: wiring.progress,
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
