import { lstatSync } from "node:fs";
import { isAbsolute, join } from "node:path";
import type { RunRepository, TamperSnapshot } from "../../ports/git.ts";
import { findForged } from "./forged-objects.ts";
import { buildPrivateContext } from "./git.ts";
import { KnownFacts } from "./known-facts.ts";
import { LentPacks } from "./lent-packs.ts";
import { isFolder, makePrivateRepository, writeOwnMetadata } from "./layout.ts";
import type { ObjectFormat } from "./object-id.ts";
import { buildCandidates, buildReading, buildWriting } from "./run-objects.ts";
import { withScratch, type ObjectStore } from "./scratch.ts";
import { isPlainFolder } from "./object-files.ts";
import { ProvenCheckouts } from "./proven-checkouts.ts";
import { StoredObjects } from "./stored-objects.ts";
import { compareMetadata, readMetadata, type MetadataFacts } from "./tamper.ts";
import { checkOutTree, findWorktree, forgetWorktree, removeAllWorktrees, type WorktreePlaces } from "./worktrees.ts";

/** Where a run's private repository lies and what it borrows. All paths are absolute. */
export interface RunRepositoryOptions {
  /** `<run>/repo.git`. */
  readonly gitDir: string;
  /** The common git dir of the user's repository (`OpenedUserRepository.gitCommonDir`). */
  readonly userGitCommonDir: string;
  /** Folder of this run's worktrees, outside every checkout and run folder. */
  readonly worktreesRoot: string;
  readonly objectFormat: ObjectFormat;
  /** The orchestrator's own `PATH`, where git is looked for; relative entries are left out. */
  readonly searchPath: string | undefined;
}

/**
 * Makes the private repository of a run, or completes it when an earlier try was killed. Throws when the base commit
 * cannot be read through it, since nothing could be built on that.
 */
export async function createRunRepository(
  options: RunRepositoryOptions & { readonly baseCommit: string },
): Promise<RunRepository> {
  assertAbsolute(options);
  const { gitDir, userGitCommonDir, objectFormat } = options;
  if (await isFolder(gitDir)) await writeOwnMetadata(gitDir, userGitCommonDir, objectFormat);
  else await makePrivateRepository({ ...options, format: objectFormat, searchPath: options.searchPath ?? "" });
  const repository = buildRepository(options);
  if ((await repository.readTreeOf(options.baseCommit)) === undefined) {
    throw new Error(`base commit ${options.baseCommit} cannot be read through ${gitDir}`);
  }
  return repository;
}

/**
 * Opens the private repository of an earlier process, or gives nothing when there is none, or a link in its place.
 * Alternates, configuration, attributes and hooks are written anew, so that a run folder may have been copied elsewhere;
 * refs and objects stay.
 */
export async function openRunRepository(options: RunRepositoryOptions): Promise<RunRepository | undefined> {
  assertAbsolute(options);
  // Nothing is written, or removed, behind a link that a session left: it may lead into the user's own repository.
  const isOther = (name: string): boolean =>
    lstatSync(join(options.gitDir, name), { throwIfNoEntry: false })?.isDirectory() === false;
  if (!isPlainFolder(options.gitDir) || ["objects", "refs", "worktrees"].some(isOther)) return undefined;
  await writeOwnMetadata(options.gitDir, options.userGitCommonDir, options.objectFormat);
  return buildRepository(options);
}

/**
 * The private repository as it lies there, for reading: nothing is written, not even alternates. The user's objects
 * are borrowed for each call instead, so that a run folder that was copied elsewhere can be read too.
 */
export function inspectRunRepository(options: RunRepositoryOptions): RunRepository {
  assertAbsolute(options);
  return buildRepository(options, join(options.userGitCommonDir, "objects"));
}

/** Where the objects of a private repository lie; `borrowed` is a folder of others to read beside them. */
export function storeOf(
  { gitDir, userGitCommonDir, objectFormat: format, searchPath = "" }: RunRepositoryOptions,
  borrowed?: string,
): ObjectStore {
  return { objects: join(gitDir, "objects"), lent: join(userGitCommonDir, "objects"), format, searchPath, borrowed };
}

function buildRepository(options: RunRepositoryOptions, borrowed?: string): RunRepository {
  const { gitDir } = options;
  const store = storeOf(options, borrowed);
  const { searchPath } = store;
  const facts = new KnownFacts(store);
  const places: WorktreePlaces = { gitDir, worktreesRoot: options.worktreesRoot, store };
  const checkouts = new ProvenCheckouts(places, facts);
  return {
    openWorktree: checkouts.openWorktree,
    copyPaths: checkouts.copyPaths,
    findWorktree: (name) => findWorktree(places, name),
    restoreTree: (worktree, tree) => checkOutTree(places, worktree, tree),
    forgetWorktree: (worktree) => forgetWorktree(places, worktree),
    removeWorktrees: () => removeAllWorktrees(places),
    ...buildSnapshots(places, checkouts),
    ...buildCandidates(places, facts),
    ...buildWriting(store, facts, buildPrivateContext({ gitDir, searchPath, borrowed })),
    ...buildReading(store, facts),
  };
}

type Snapshots = Pick<RunRepository, "snapshot" | "compareSnapshot" | "findForgedObjects">;

function buildSnapshots({ gitDir, store }: WorktreePlaces, checkouts: ProvenCheckouts): Snapshots {
  const taken = new WeakMap<TamperSnapshot, MetadataFacts>();
  const stored = new StoredObjects(store.objects, store.format);
  const lent = new LentPacks(store, gitDir);
  return {
    async snapshot(worktree) {
      const snapshot = Object.freeze({}) as TamperSnapshot;
      taken.set(snapshot, await readMetadata(gitDir, worktree, store.format, stored));
      return snapshot;
    },
    async compareSnapshot(before, worktree) {
      const facts = taken.get(before);
      if (facts === undefined) throw new Error("this snapshot was not taken by this repository");
      const changed = await compareMetadata(facts, gitDir, worktree, store.format, stored);
      const lies = (await lent.findLies()).map((detail) => ({ kind: "objects", detail }) as const);
      return [...checkouts.findingsOf(worktree), ...changed, ...lies];
    },
    async findForgedObjects() {
      const own = await withScratch(store, (scratch) => findForged(store, scratch.context()));
      return [...own, ...(await lent.findLies())];
    },
  };
}

function assertAbsolute(options: RunRepositoryOptions): void {
  for (const path of [options.gitDir, options.userGitCommonDir, options.worktreesRoot]) {
    if (!isAbsolute(path)) throw new Error(`expected an absolute path, found ${path}`);
  }
}
