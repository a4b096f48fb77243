import { closeSync, existsSync, lstatSync, openSync, readdirSync, readSync, statSync, writeFileSync } from "node:fs";
import { basename, dirname, join, relative, resolve, sep } from "node:path";
import { sha256 } from "../domain/digest.ts";
import { buildRunId, isRunId, timeOfRunId } from "../domain/ids.ts";
import type { Clock, Randomness } from "../ports.ts";
import { findCacheRoot } from "./cache-root.ts";
import { makeFolderDurably } from "./durable-files.ts";
import { isBelow, realPathOf } from "./real-path.ts";
import { CHECKPOINT_FILE, JOURNAL_FILE, REPOSITORY_FOLDER } from "./run-files.ts";

/** Where runs of a checkout lie, and where their worktrees do. */
export interface RunPlaces {
  /** Top folder of the checkout. */
  readonly root: string;
  /** `.conveyor/runs` of the checkout. */
  readonly runsFolder: string;
  /** Folder of worktrees, homes and prepare cache of all runs; never inside the checkout. */
  readonly cacheRoot: string;
  /** The cache lies where every user of the machine can write. */
  readonly cacheIsShared: boolean;
}

/** Finds the places of a checkout from the environment of the process. */
export function findRunPlaces(root: string, env: Readonly<Record<string, string | undefined>>): RunPlaces {
  const cache = findCacheRoot(root, env);
  return { root, runsFolder: join(root, ".conveyor", "runs"), cacheRoot: cache.path, cacheIsShared: cache.isShared };
}

/** Where the parts of one run lie. All paths are absolute. */
export interface RunFolders {
  readonly runFolder: string;
  /** The private repository. */
  readonly gitDir: string;
  /** Homes, scratch folders and temporary folders of programs, and what follows. */
  readonly cache: string;
  readonly worktrees: string;
  readonly homes: string;
  readonly prepareCache: string;
}

/**
 * Finds the folders of a run. Each run folder has a cache of its own: a copy of a run, gone on with beside the
 * original, must not share its worktrees.
 */
export function findRunFolders(places: RunPlaces, runFolder: string, runId: string): RunFolders {
  const own = basename(runFolder) === runId && resolve(runFolder) === join(places.runsFolder, runId);
  const cache = join(places.cacheRoot, own ? runId : `${runId}-${sha256(resolve(runFolder)).slice(0, 12)}`);
  return {
    runFolder,
    gitDir: join(runFolder, REPOSITORY_FOLDER),
    cache,
    worktrees: join(cache, "worktrees"),
    homes: join(cache, "homes"),
    prepareCache: join(cache, "prepare"),
  };
}

/** A new run's id and folder: the one asked for, or its place among the runs of the checkout. */
export function nameRun(
  places: RunPlaces,
  outputDir: string | undefined,
  ports: { clock: Clock; randomness: Randomness },
): { runId: string; runFolder: string } {
  const runId = buildRunId(ports.clock.now(), ports.randomness.hex(4));
  return { runId, runFolder: outputDir ?? join(places.runsFolder, runId) };
}

/** Makes the folder of runs. In a checkout git ignores it by a file of its own, so that no run makes it dirty. */
export function makeRunsFolder(places: RunPlaces): void {
  makeFolderDurably(places.runsFolder);
  const state = join(places.root, ".conveyor");
  const ignore = join(state, ".gitignore");
  if (isBelow(state, places.runsFolder) && !existsSync(ignore)) writeFileSync(ignore, "*\n");
}

/** Folders of the checkout that a start left which was killed before its first event. */
export function listStartFolders(places: RunPlaces): string[] {
  // A link leads to something that is no start of ours.
  return listNamedFolders(places).filter((folder) => !isLink(folder) && !holdsRun(folder));
}

/** Run folders of the checkout, newest last. */
export function listRunFolders(places: RunPlaces): string[] {
  return listNamedFolders(places)
    .filter(holdsRun)
    .map((folder) => ({ folder, at: readCreatedAt(folder) }))
    .sort((left, right) => (left.at < right.at ? -1 : left.at > right.at ? 1 : 0))
    .map(({ folder }) => folder);
}

/** True when a folder is reached by a link that lies among the runs. */
export function isLink(folder: string): boolean {
  return lstatSync(folder, { throwIfNoEntry: false })?.isSymbolicLink() === true;
}

function listNamedFolders({ runsFolder }: RunPlaces): string[] {
  if (statSync(runsFolder, { throwIfNoEntry: false })?.isDirectory() !== true) return [];
  return readdirSync(runsFolder)
    .filter((name) => isRunId(name))
    .map((name) => join(runsFolder, name))
    .filter((path) => statSync(path, { throwIfNoEntry: false })?.isDirectory() === true);
}

/** The folder that a run id or a path to a run folder names, when it holds a run. */
export function findRunFolder(places: RunPlaces, cwd: string, name: string): string | undefined {
  const candidates = isRunId(name) ? [join(places.runsFolder, name)] : [resolve(cwd, name)];
  return candidates.find(holdsRun);
}

/**
 * Path relative to the checkout's top with `/`, or nothing when it lies outside. Git names the top by its real path, a
 * person may come by a link: the folder is compared by its real path, the last name as the repository has it.
 */
export function toRepositoryPath(root: string, cwd: string, path: string): string | undefined {
  const named = resolve(cwd, path);
  const absolute = isBelow(root, named) ? named : join(realPathOf(dirname(named)), basename(named));
  return isBelow(root, absolute) ? relative(root, absolute).split(sep).join("/") : undefined;
}

/**
 * A run exists with its first event: a folder without one is what a start left that was killed before. Where a
 * checkpoint stands there was an event, so a journal that is gone is a fault to report, not a run that never was.
 */
function holdsRun(folder: string): boolean {
  return existsSync(join(folder, CHECKPOINT_FILE)) || hasLine(join(folder, JOURNAL_FILE));
}

/** Bytes that are looked at in one go: journals may be long, and there may be many. */
const CHUNK_BYTES = 65_536;

function hasLine(path: string): boolean {
  for (let at = 0; ; at += CHUNK_BYTES) {
    const chunk = readChunk(path, at);
    if (chunk.includes(0x0a)) return true;
    if (chunk.length < CHUNK_BYTES) return false;
  }
}

/** A piece of a plain file; nothing where there is none, also below what is no folder. */
function readChunk(path: string, at: number): Buffer {
  if (!existsSync(path)) return Buffer.alloc(0);
  if (lstatSync(path, { throwIfNoEntry: false })?.isFile() !== true) return Buffer.alloc(0);
  const file = openSync(path, "r");
  try {
    const buffer = Buffer.alloc(CHUNK_BYTES);
    return buffer.subarray(0, readSync(file, buffer, 0, CHUNK_BYTES, at));
  } finally {
    closeSync(file);
  }
}

/** When a run was created, to the millisecond: run ids of the same second have no order. */
function readCreatedAt(folder: string): string {
  const head = readChunk(join(folder, JOURNAL_FILE), 0).toString("latin1", 0, 4096);
  // The id of a run whose journal does not say: after all that were created in the same second.
  return /"at":"([^"]+)"/.exec(head)?.[1] ?? timeOfRunId(basename(folder));
}
