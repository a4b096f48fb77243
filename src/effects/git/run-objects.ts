import { buildCommitText } from "../../domain/commit-message.ts";
import type { RunRepository } from "../../ports/git.ts";
import { secondsOf } from "../clock.ts";
import { buildCandidateTree, isUntouchedTree, listChangedFiles, listUntrackedFiles } from "./candidate.ts";
import { GitError, runGit, type GitContext } from "./git.ts";
import type { KnownFacts } from "./known-facts.ts";
import { writeLooseObject } from "./loose-objects.ts";
import { readFileAt } from "./read-objects.ts";
import { readCommitOfRef, swapRefIn } from "./refs.ts";
import { withScratch, type ObjectStore } from "./scratch.ts";
import { DIFF_FLAGS, ForgedObjectError, readChanges, readChangesOfPairs } from "./tree-changes.ts";
import { buildTreeWith } from "./tree-files.ts";
import { findWrongFile, isExactCheckout } from "./untouched.ts";
import { readWorktreeCommit, type WorktreePlaces } from "./worktrees.ts";
import { isWrongObject } from "./wrong-object.ts";

/** A larger patch is made again rather than kept. */
const PATCH_BYTES_KEPT_MAX = 4 * 1024 * 1024;

type Candidates = Pick<RunRepository, "buildCandidate" | "isUntouched" | "listUntracked" | "listTrackedChanges">;

export function buildCandidates(places: WorktreePlaces, facts: KnownFacts): Candidates {
  const { store } = places;
  const buildCandidate: Candidates["buildCandidate"] = async (worktree, baseCommit, excluded, limits) => {
    const ignoreRules = await facts.ignoreRules(baseCommit);
    const tip = await readWorktreeCommit(places, worktree.name);
    try {
      const listTracked = (oid: string) => facts.tracked(oid);
      const built = await buildCandidateTree({ store, worktree, tip, ignoreRules, excluded, limits, listTracked });
      if (built.kind === "refused") return built;
      const isRulesFile = ({ path }: { path: string }): boolean => /(^|\/)\.gitignore$/.test(path);
      if (tip === baseCommit && !built.changes.some(isRulesFile)) facts.setIgnoreRules(built.tree, ignoreRules);
      return built;
    } catch (fault) {
      if (fault instanceof ForgedObjectError) return { kind: "refused", code: "GIT_TAMPERED", detail: fault.message };
      if (isWrongObject(fault))
        return { kind: "refused", code: "GIT_TAMPERED", detail: `git cannot read an object: ${fault.stderr.trim()}` };
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
  };
  return {
    buildCandidate,
    async isUntouched(worktree, commit, excluded, limits) {
      const tip = await readWorktreeCommit(places, worktree.name);
      const tracked = await facts.tracked(commit);
      if (tip === commit && isExactCheckout(worktree.path, tracked, store.format)) return true;
      const ignoreRules = await facts.ignoreRules(commit);
      const isSaidToBe = tip === commit && (await isUntouchedTree({ store, worktree, tip, ignoreRules, excluded }));
      if (isSaidToBe && findWrongFile(worktree.path, tracked, store.format) === undefined) return true;
      // Something is there: what it comes to, the candidate says.
      const candidate = await buildCandidate(worktree, commit, excluded, limits);
      return candidate.kind === "built" && candidate.changes.length === 0;
    },
    async listUntracked(worktree) {
      return listUntrackedFiles(store, worktree, await readWorktreeCommit(places, worktree.name));
    },
    listTrackedChanges: (worktree, commit) => listChangedFiles(store, worktree, commit),
  };
}

type Writing = Pick<RunRepository, "buildTree" | "commitTree" | "swapRef" | "readRef">;

export function buildWriting(store: ObjectStore, facts: KnownFacts, own: GitContext): Writing {
  return {
    buildTree: async (base, files) => buildTreeWith(store, (await facts.commit(base))?.tree ?? base, files),
    async commitTree({ tree, parent, message, at }) {
      const text = buildCommitText({ tree, parent, message, seconds: secondsOf(at) });
      return writeLooseObject(store.objects, store.format, "commit", Buffer.from(text));
    },
    swapRef: (ref, from, to) => swapRefIn(own, ref, from, to),
    readRef: (ref) => readCommitOfRef(own, ref),
  };
}

type Reading = Pick<
  RunRepository,
  | "buildPatch"
  | "listChanges"
  | "listChangesOfPairs"
  | "readTreeOf"
  | "readParentsOf"
  | "readCommitText"
  | "readFileAt"
  | "listFilesAt"
>;

export function buildReading(store: ObjectStore, facts: KnownFacts): Reading {
  const { format } = store;
  let lastPatch: { readonly pair: string; readonly patch: Buffer } | undefined;
  return {
    async buildPatch(from, to) {
      const pair = `${from} ${to}`;
      // The packet holds the very patch that was made of the candidate a moment ago.
      if (lastPatch?.pair === pair) return lastPatch.patch;
      const args = ["-p", "--binary", "--no-color", "--src-prefix=a/", "--dst-prefix=b/", ...DIFF_FLAGS, from, to];
      const { stdout: patch } = await withScratch(store, (scratch) => runGit(scratch.context(), "diff-tree", args));
      lastPatch = patch.length > PATCH_BYTES_KEPT_MAX ? undefined : { pair, patch };
      return patch;
    },
    listChanges: (from, to) => withScratch(store, (scratch) => readChanges(scratch.context(), format, from, to)),
    listChangesOfPairs: (pairs) =>
      withScratch(store, (scratch) => readChangesOfPairs(scratch.context(), format, pairs)),
    readTreeOf: async (commit) => (await facts.commit(commit))?.tree,
    readParentsOf: async (commit) => (await facts.commit(commit))?.parents,
    readCommitText: async (commit) => (await facts.commit(commit))?.text,
    readFileAt: (commit, path) => withScratch(store, (scratch) => readFileAt(scratch.context(), format, commit, path)),
    listFilesAt: async (commit) => (await facts.tracked(commit)).map((file) => file.path.toString("utf8")),
  };
}
