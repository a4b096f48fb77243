import { lstatSync } from "node:fs";
import { join } from "node:path";
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
    const copied = new Set(paths);
    const isCopied = ({ path }: TrackedFile): boolean => copied.has(path.toString("utf8"));
    await this.#prove(worktree, async () => {
      const own = await this.#facts.tracked(await readWorktreeCommit(this.#places, worktree.name));
      const others = (await this.#facts.tracked(commit)).filter(isCopied);
      const there = new Set(others.map(({ path }) => path.toString("utf8")));
      for (const path of paths)
        if (!there.has(path) && lstatSync(join(worktree.path, path), { throwIfNoEntry: false })?.isFile() === true)
          this.#wrong.set(worktree.name, path);
      return [...own.filter((file) => !isCopied(file)), ...others];
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
