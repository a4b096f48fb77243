import { isAbsolute, join } from "node:path";
import type { RunRepository, TamperSnapshot } from "../../ports.ts";
import { buildCandidateTree, listChangedFiles, listUntrackedFiles } from "./candidate.ts";
import { buildPrivateContext, GitError, runGit } from "./git.ts";
import { readIgnoreRules } from "./ignore-rules.ts";
import { isFolder, makePrivateRepository, writeOwnMetadata } from "./layout.ts";
import type { ObjectFormat } from "./object-id.ts";
import { listTracked, readCommit, readFileAt } from "./read-objects.ts";
import { readCommitOfRef, swapRefIn } from "./refs.ts";
import { findForged } from "./forged-objects.ts";
import { buildTreeWith } from "./tree-files.ts";
import { openScratch, type ObjectStore, type Scratch } from "./scratch.ts";
import { compareMetadata, readMetadata, type MetadataFacts } from "./tamper.ts";
import { DIFF_FLAGS, ForgedObjectError, readChanges } from "./tree-changes.ts";
import {
  checkOutTree,
  copyPathsFrom,
  findWorktree,
  makeWorktree,
  readWorktreeCommit,
  removeAllWorktrees,
  type WorktreePlaces,
} from "./worktrees.ts";

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

const AUTHOR_NAME = "Plan Conveyor";
const AUTHOR_EMAIL = "plan-conveyor@noreply.invalid";

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
 * Opens the private repository of an earlier process, or gives nothing when there is none. Alternates, configuration,
 * attributes and hooks are written anew, so that a run folder may have been copied elsewhere; refs and objects stay.
 */
export async function openRunRepository(options: RunRepositoryOptions): Promise<RunRepository | undefined> {
  assertAbsolute(options);
  if (!(await isFolder(options.gitDir))) return undefined;
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

function buildRepository(options: RunRepositoryOptions, borrowed?: string): RunRepository {
  const { gitDir, objectFormat: format } = options;
  const searchPath = options.searchPath ?? "";
  const store: ObjectStore = { objects: join(gitDir, "objects"), format, searchPath, borrowed };
  const places: WorktreePlaces = { gitDir, worktreesRoot: options.worktreesRoot, store };
  return {
    openWorktree: (name, commit) => makeWorktree(places, name, commit),
    findWorktree: (name) => findWorktree(places, name),
    copyPaths: (worktree, commit, paths) => copyPathsFrom(places, worktree, commit, paths),
    restoreTree: (worktree, tree) => checkOutTree(places, worktree, tree),
    removeWorktrees: () => removeAllWorktrees(places),
    ...buildSnapshots(places),
    ...buildCandidates(places),
    ...buildWriting(store, buildPrivateContext({ gitDir, searchPath, borrowed })),
    ...buildReading(store),
  };
}

type Snapshots = Pick<RunRepository, "snapshot" | "compareSnapshot" | "findForgedObjects">;

function buildSnapshots({ gitDir, store }: WorktreePlaces): Snapshots {
  const taken = new WeakMap<TamperSnapshot, MetadataFacts>();
  return {
    async snapshot(worktree) {
      const snapshot = Object.freeze({}) as TamperSnapshot;
      taken.set(snapshot, await readMetadata(gitDir, worktree, store.format));
      return snapshot;
    },
    compareSnapshot(before, worktree) {
      const facts = taken.get(before);
      if (facts === undefined) throw new Error("this snapshot was not taken by this repository");
      return compareMetadata(facts, gitDir, worktree, store.format);
    },
    findForgedObjects: () => withScratch(store, (scratch) => findForged(store, scratch.context())),
  };
}

type Candidates = Pick<RunRepository, "buildCandidate" | "listUntracked" | "listTrackedChanges">;

function buildCandidates(places: WorktreePlaces): Candidates {
  const { store } = places;
  // A run has one base commit, so its rules are read once for all of its candidates.
  const rules = new Map<string, Promise<Buffer>>();
  const rulesOf = (commit: string): Promise<Buffer> => {
    const known =
      rules.get(commit) ?? withScratch(store, (scratch) => readIgnoreRules(scratch.context(), store.format, commit));
    rules.set(commit, known);
    known.catch(() => rules.delete(commit));
    return known;
  };
  return {
    async buildCandidate(worktree, baseCommit, excluded, limits) {
      const ignoreRules = await rulesOf(baseCommit);
      const tip = await readWorktreeCommit(places, worktree.name);
      try {
        return await buildCandidateTree({ store, worktree, tip, ignoreRules, excluded, limits });
      } catch (fault) {
        if (fault instanceof ForgedObjectError) return { kind: "refused", code: "GIT_TAMPERED", detail: fault.message };
        // What a session left may be unreadable for us: that is its doing, and no failure of ours.
        if (fault instanceof GitError && ["add", "update-index"].includes(fault.verb)) {
          return {
            kind: "refused",
            code: "PATH_UNSAFE",
            detail: `git cannot take it in: ${fault.stderr.trim().slice(0, 500)}`,
          };
        }
        throw fault;
      }
    },
    async listUntracked(worktree) {
      return listUntrackedFiles(store, worktree, await readWorktreeCommit(places, worktree.name));
    },
    listTrackedChanges: (worktree, commit) => listChangedFiles(store, worktree, commit),
  };
}

type Writing = Pick<RunRepository, "buildTree" | "commitTree" | "swapRef" | "readRef">;

function buildWriting(store: ObjectStore, own: ReturnType<typeof buildPrivateContext>): Writing {
  return {
    buildTree: (base, files) => withScratch(store, (scratch) => buildTreeWith(scratch.context(), store, base, files)),
    commitTree: ({ tree, parent, message, at }) =>
      withScratch(store, async (scratch) => {
        const context = scratch.context(undefined, undefined, buildIdentity(at));
        const answer = await runGit(context, "commit-tree", [tree, "-p", parent, "-F", "-"], { stdin: message });
        return answer.stdout.toString("latin1").trim();
      }),
    swapRef: (ref, from, to) => swapRefIn(own, ref, from, to),
    readRef: (ref) => readCommitOfRef(own, ref),
  };
}

type Reading = Pick<
  RunRepository,
  "buildPatch" | "listChanges" | "readTreeOf" | "readParentsOf" | "readFileAt" | "listFilesAt"
>;

function buildReading(store: ObjectStore): Reading {
  const { format } = store;
  const commitOf = (oid: string): ReturnType<typeof readCommit> =>
    withScratch(store, (scratch) => readCommit(scratch.context(), format, oid));
  return {
    buildPatch: (from, to) =>
      withScratch(store, async (scratch) => {
        const args = ["-p", "--binary", "--no-color", "--src-prefix=a/", "--dst-prefix=b/", ...DIFF_FLAGS, from, to];
        return (await runGit(scratch.context(), "diff-tree", args)).stdout;
      }),
    listChanges: (from, to) => withScratch(store, (scratch) => readChanges(scratch.context(), format, from, to)),
    readTreeOf: async (commit) => (await commitOf(commit))?.tree,
    readParentsOf: async (commit) => (await commitOf(commit))?.parents,
    readFileAt: (commit, path) => withScratch(store, (scratch) => readFileAt(scratch.context(), format, commit, path)),
    listFilesAt: (commit) =>
      withScratch(store, async (scratch) =>
        (await listTracked(scratch.context(), commit)).map((file) => file.path.toString("utf8")),
      ),
  };
}

async function withScratch<T>(store: ObjectStore, act: (scratch: Scratch) => Promise<T>): Promise<T> {
  await using scratch = await openScratch(store);
  return await act(scratch);
}

function buildIdentity(at: string): Record<string, string> {
  const seconds = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?=(?:\.\d+)?Z$)/.exec(at)?.[0];
  if (seconds === undefined) throw new Error(`expected a UTC time such as 2026-03-25T12:00:00.000Z, found ${at}`);
  const date = `${seconds}Z`;
  return {
    GIT_AUTHOR_NAME: AUTHOR_NAME,
    GIT_AUTHOR_EMAIL: AUTHOR_EMAIL,
    GIT_AUTHOR_DATE: date,
    GIT_COMMITTER_NAME: AUTHOR_NAME,
    GIT_COMMITTER_EMAIL: AUTHOR_EMAIL,
    GIT_COMMITTER_DATE: date,
  };
}

function assertAbsolute(options: RunRepositoryOptions): void {
  for (const path of [options.gitDir, options.userGitCommonDir, options.worktreesRoot]) {
    if (!isAbsolute(path)) throw new Error(`expected an absolute path, found ${path}`);
  }
}
