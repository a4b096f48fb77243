/** What the kernel asks of git on this machine, as types. Nothing here is a value. */
import type { TamperFinding, TreeChange } from "../domain/candidate.ts";

/** A worktree of the run's private repository. */
export interface Worktree {
  /** Name under `worktrees/` of the private repository. */
  readonly name: string;
  /** Absolute path of its folder. */
  readonly path: string;
}

/** Opaque facts about git metadata before a session, to be compared after it. */
export interface TamperSnapshot {
  readonly opaque: unique symbol;
}

/** What a session left, as one tree that the orchestrator built itself, or why none can be built. */
export type CandidateTree =
  | {
      readonly kind: "built";
      readonly tree: string;
      readonly changes: readonly TreeChange[];
      /** All paths tracked at the commit that the worktree was made from. */
      readonly trackedPaths: readonly string[];
    }
  /** `GIT_TAMPERED`: an object that the session stored is not what its name promises. `DIFF_LIMIT_EXCEEDED`: a flood. */
  | {
      readonly kind: "refused";
      readonly code: "GIT_TAMPERED" | "PATH_UNSAFE" | "DIFF_LIMIT_EXCEEDED";
      readonly detail: string;
    };

/** How much a worktree may hold beyond its commit before it is refused unread; far above what scope allows. */
export interface CandidateLimits {
  readonly filesMax: number;
  readonly bytesMax: number;
}

/** The private bare repository of a run and its worktrees. */
export interface RunRepository {
  /** Opens or makes a worktree, detached at `commit`, byte-exact. An existing folder of that name is removed first. */
  openWorktree(name: string, commit: string): Promise<Worktree>;
  /** The worktree of that name when folder and metadata both still exist. */
  findWorktree(name: string): Promise<Worktree | undefined>;
  /** Makes these files of a worktree what they are at a commit; what is not there is removed. */
  copyPaths(worktree: Worktree, commit: string, paths: readonly string[]): Promise<void>;
  /** Makes the files of a worktree those of `tree`, HEAD and index staying at its commit. */
  restoreTree(worktree: Worktree, tree: string): Promise<void>;
  /** Has git forget a worktree that nothing is built on any more; its folder stays until the run is done. */
  forgetWorktree(worktree: Worktree): Promise<void>;
  /** Removes every worktree of the run, folders included. */
  removeWorktrees(): Promise<void>;
  /** Records HEAD, refs, hooks, config, info, alternates, index flags and stored objects. */
  snapshot(worktree: Worktree): Promise<TamperSnapshot>;
  /**
   * What differs from before, empty when nothing does. New objects that a session added to the private store are
   * removed, so that none of them can stand in for one that the orchestrator is about to write.
   */
  compareSnapshot(before: TamperSnapshot, worktree: Worktree): Promise<readonly TamperFinding[]>;
  /**
   * Builds the candidate tree of a worktree with the orchestrator's own index: tracked changes, and untracked files
   * that the ignore rules of `baseCommit` do not ignore and that `excluded` does not list. With `limits`, a worktree that
   * holds more is refused before any of it is read.
   */
  buildCandidate(
    worktree: Worktree,
    baseCommit: string,
    excluded: readonly string[],
    limits?: CandidateLimits,
  ): Promise<CandidateTree>;
  /** Whether a worktree is still exactly the checkout of `commit` and what `excluded` lists. */
  isUntouched(
    worktree: Worktree,
    commit: string,
    excluded: readonly string[],
    limits?: CandidateLimits,
  ): Promise<boolean>;
  /** Files that are untracked in a worktree: what its `prepare` added. */
  listUntracked(worktree: Worktree): Promise<readonly string[]>;
  /** Paths of tracked files whose content differs from `commit`. */
  listTrackedChanges(worktree: Worktree, commit: string): Promise<readonly string[]>;
  /** Makes a commit of exactly `tree`; no hook, no index, no branch moves. */
  commitTree(input: { tree: string; parent: string; message: string; at: string }): Promise<string>;
  /** Makes the tree of `base` with these files in it; a file without text is taken out of it. */
  buildTree(base: string, files: readonly { readonly path: string; readonly text: string | null }[]): Promise<string>;
  /** The patch from one commit or tree to another, with nothing hidden by attributes. */
  buildPatch(from: string, to: string): Promise<Uint8Array>;
  /** Changes between two trees or commits, one for each path. */
  listChanges(from: string, to: string): Promise<readonly TreeChange[]>;
  /** The same for many pairs of trees in one go; nothing for a pair that cannot be read whole. */
  listChangesOfPairs(
    pairs: readonly { readonly from: string; readonly to: string }[],
  ): Promise<(readonly TreeChange[] | undefined)[]>;
  /** The commit a ref of the private repository names. */
  readRef(ref: string): Promise<string | undefined>;
  /** Moves a ref from `from` to `to` by compare-and-swap; `undefined` means that the ref must not exist. */
  swapRef(ref: string, from: string | undefined, to: string): Promise<"moved" | "refused">;
  /** Type, or nothing when the object does not exist or its bytes are not those its name promises. */
  readTreeOf(commit: string): Promise<string | undefined>;
  readParentsOf(commit: string): Promise<readonly string[] | undefined>;
  /** The whole text of a commit, or nothing where `readTreeOf` gives nothing. */
  readCommitText(commit: string): Promise<string | undefined>;
  /** Bytes of a file at a commit or tree, or nothing. */
  readFileAt(commit: string, path: string): Promise<Uint8Array | undefined>;
  /** Ids of objects in the private store whose bytes are not those their names promise. */
  findForgedObjects(): Promise<readonly string[]>;
  /** All paths tracked at a commit. */
  listFilesAt(commit: string): Promise<readonly string[]>;
}

/** The repository the user works in; read at the start, written once. */
export interface UserRepository {
  /** Absolute path of the top folder. */
  readonly root: string;
  /** The commit that HEAD names. */
  readonly headCommit: string;
  /** Full ref name the checkout is on, or nothing when HEAD is detached. */
  readonly headRef: string | undefined;
  /** The commit a ref names now, or nothing. */
  readRef(ref: string): Promise<string | undefined>;
  isAncestor(commit: string, of: string): Promise<boolean>;
  readFileAt(commit: string, path: string): Promise<Uint8Array | undefined>;
  /** Tracked files whose content is not committed. */
  listUncommitted(): Promise<readonly string[]>;
  listFilesAt(commit: string): Promise<readonly string[]>;
  /** What makes a run impossible here: submodules, LFS, a partial clone. Empty when nothing does. */
  listUnsupported(commit: string): Promise<readonly string[]>;
  /** Makes `refs/conveyor/base/<RUN_ID>` name the base, so that no gc prunes it while the run lives. */
  pinBase(runId: string, commit: string): Promise<void>;
  /** Copies the objects of `head` that `base` lacks and makes `branch` name it by compare-and-swap. */
  deliverBranch(input: {
    privateGitDir: string;
    branch: string;
    base: string;
    head: string;
    from: string | undefined;
  }): Promise<"moved" | "refused">;
}
