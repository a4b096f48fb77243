import type { TamperFinding } from "../../domain/candidate.ts";
import type { RunRepository, Worktree } from "../../ports/git.ts";
import type { KnownFacts } from "./known-facts.ts";
import type { TrackedFile } from "./read-objects.ts";
import { ForgedObjectError } from "./tree-changes.ts";
import { findWrongFile } from "./untouched.ts";
import { copyPathsFrom, makeWorktree, readWorktreeCommit, type WorktreePlaces } from "./worktrees.ts";

/**
 * Checkouts of a run, each compared with the bytes that its commit names as soon as it is made: git believes what object
 * stores say, and the user's own, which a run borrows and a program can write to, is not watched. What is wrong with a
 * checkout is a finding of the comparison that follows the programs in it (`GIT_TAMPERED`): nothing passes there.
 */
export class ProvenCheckouts {
  readonly #places: WorktreePlaces;
  readonly #facts: KnownFacts;
  readonly #wrong = new Map<string, string>();

  constructor(places: WorktreePlaces, facts: KnownFacts) {
    this.#places = places;
    this.#facts = facts;
  }

  readonly openWorktree: RunRepository["openWorktree"] = async (name, commit) => {
    const { worktree, unreadable } = await makeWorktree(this.#places, name, commit);
    this.#wrong.delete(name);
    await this.#prove(worktree, () => this.#facts.tracked(commit));
    if (unreadable !== undefined) this.#wrong.set(name, unreadable);
    return worktree;
  };

  readonly copyPaths: RunRepository["copyPaths"] = async (worktree, commit, paths) => {
    await copyPathsFrom(this.#places, worktree, commit, paths);
    await this.#prove(worktree, async () => {
      const own = await this.#facts.tracked(await readWorktreeCommit(this.#places, worktree.name));
      return replacePaths(own, await this.#facts.tracked(commit), new Set(paths));
    });
  };

  /** What is wrong with the checkout itself, whatever programs did to it. */
  findingsOf({ name }: Worktree): TamperFinding[] {
    const what = this.#wrong.get(name);
    return what === undefined
      ? []
      : [{ kind: "objects", detail: `the checkout ${name} is not what its commit names: ${what}` }];
  }

  async #prove({ name, path }: Worktree, list: () => Promise<readonly TrackedFile[]>): Promise<void> {
    try {
      const wrong = findWrongFile(path, await list(), this.#places.store.format);
      if (wrong !== undefined) this.#wrong.set(name, wrong);
    } catch (fault) {
      if (!(fault instanceof ForgedObjectError)) throw fault;
      this.#wrong.set(name, fault.message);
    }
  }
}

/** What is tracked when these paths are as in another commit. A file takes the place of a folder, and the other way round. */
function replacePaths(
  own: readonly TrackedFile[],
  other: readonly TrackedFile[],
  paths: ReadonlySet<string>,
): TrackedFile[] {
  const copied = other.filter(({ path }) => paths.has(path.toString("utf8")));
  const files = new Set(copied.map(({ path }) => path.toString("utf8")));
  const folders = new Set([...files].flatMap(listFoldersAbove));
  const isKept = ({ path }: TrackedFile): boolean => {
    const text = path.toString("utf8");
    return !paths.has(text) && !folders.has(text) && !listFoldersAbove(text).some((folder) => files.has(folder));
  };
  return [...own.filter(isKept), ...copied];
}

function listFoldersAbove(path: string): string[] {
  const parts = path.split("/");
  return parts.slice(1).map((_, index) => parts.slice(0, index + 1).join("/"));
}
