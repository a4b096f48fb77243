import { lstat, writeFile } from "node:fs/promises";
import { lstatSync, type Stats } from "node:fs";
import { join } from "node:path";
import type { TreeChange } from "../../domain/candidate.ts";
import type { CandidateLimits, CandidateTree, Worktree } from "../../ports/git.ts";
import { findFlood } from "./flood.ts";
import { decodePath, joinNul, splitNul } from "./bytes.ts";
import { runGit, type GitContext } from "./git.ts";
import { isRefusedByGit } from "./git-names.ts";
import { zeroOid } from "./object-id.ts";
import { openScratch, type ObjectStore } from "./scratch.ts";
import { areAllChanges } from "./proven-trees.ts";
import type { TrackedFile } from "./read-objects.ts";
import { ForgedObjectError, readChanges } from "./tree-changes.ts";

const SUBMODULE_MODE = "160000";

/**
 * Builds the candidate tree of a worktree that was made from `tip`. The index is new and holds no stat data, so that
 * every tracked file is hashed again: a copy of the session's index would bring its skip-worktree bits along, and
 * would miss an edit of the same size within one second.
 */
export async function buildCandidateTree(input: {
  store: ObjectStore;
  worktree: Worktree;
  tip: string;
  /** Content of the exclude file that decides about untracked files. */
  ignoreRules: Buffer;
  excluded: readonly string[];
  limits?: CandidateLimits | undefined;
  /** What a commit or tree tracks, by trees that were hashed. */
  listTracked: (oid: string) => Promise<readonly TrackedFile[]>;
}): Promise<CandidateTree> {
  const { path: root } = input.worktree;
  if (!(await lstat(root)).isDirectory()) throw new Error(`${root} is not a folder`);
  await using scratch = await openScratch(input.store);
  const context = scratch.context(root);
  const excludeFile = join(scratch.folder, "exclude");
  await writeFile(excludeFile, input.ignoreRules);
  const before = await input.listTracked(input.tip);
  // What has grown too large is found before git hashes it.
  const grown =
    input.limits &&
    (await findFlood(
      context,
      input.tip,
      { root, tracked: before.map((file) => file.path), offered: [] },
      input.limits,
    ));
  if (grown !== undefined) return { kind: "refused", code: "DIFF_LIMIT_EXCEEDED", detail: grown };
  await runGit(context, "read-tree", [input.tip]);
  const { tracked, untracked, changed } = await listFilesToTake(context, root, excludeFile);
  const isExcluded = buildExclusion(input.excluded);
  const offered = untracked.filter((file) => !isExcluded(file.toString("utf8")));
  const flood = input.limits && (await findFlood(context, input.tip, { root, tracked, offered }, input.limits));
  if (flood !== undefined) return { kind: "refused", code: "DIFF_LIMIT_EXCEEDED", detail: flood };
  const { accepted, refused } = sortOffered(root, offered, input.store);
  if (changed.length + accepted.length > 0) {
    const stdin = joinNul([...changed, ...accepted]);
    await runGit(context, "update-index", ["-z", "--add", "--remove", "--replace", "--stdin"], { stdin });
  }
  const tree = (await runGit(context, "write-tree", [])).stdout.toString("latin1").trim();
  const changes = await readChanges(scratch.context(), input.store.format, input.tip, tree, tree);
  if (!areAllChanges(changes, before, await input.listTracked(tree))) throw new ForgedObjectError(tree);
  const nested = findNestedGit(root, [...tracked, ...offered]).filter((path) => !isExcluded(path));
  return {
    kind: "built",
    tree,
    trackedPaths: tracked.map((path) => path.toString("utf8")),
    changes: [...changes, ...refused, ...nested.map((path) => nestedChange(path, input.store))],
  };
}

/**
 * Whether a worktree would give the tree of `tip` again: every tracked file is hashed, and nothing lies beside them but
 * what the rules ignore and `excluded` lists. Half the questions of a candidate, and the same answer.
 */
export async function isUntouchedTree(
  input: Omit<Parameters<typeof buildCandidateTree>[0], "listTracked">,
): Promise<boolean> {
  const { path: root } = input.worktree;
  if (!(await lstat(root)).isDirectory()) return false;
  await using scratch = await openScratch(input.store);
  const context = scratch.context(root);
  const excludeFile = join(scratch.folder, "exclude");
  await writeFile(excludeFile, input.ignoreRules);
  await runGit(context, "read-tree", [input.tip]);
  const { tracked, untracked, changed } = await listFiles(context, excludeFile);
  const isExcluded = buildExclusion(input.excluded);
  return (
    changed.length === 0 &&
    untracked.every((path) => isExcluded(path.toString("utf8"))) &&
    !hasLinkedFolder(root, tracked) &&
    findNestedGit(root, tracked).every((path) => isExcluded(path))
  );
}

/** Every untracked file of a worktree, ignored or not; a nested repository is one path that ends in `/`. */
export async function listUntrackedFiles(store: ObjectStore, worktree: Worktree, tip: string): Promise<string[]> {
  await using scratch = await openScratch(store);
  const context = scratch.context(worktree.path);
  await runGit(context, "read-tree", [tip]);
  const { tracked, untracked } = await listFiles(context, undefined);
  const files = untracked.map((path) => path.toString("utf8"));
  return [...files, ...findNestedGit(worktree.path, [...tracked, ...untracked]).map((path) => `${path}/`)];
}

/** Tracked files whose content, mode or presence in the worktree is not that of `commit`. */
export async function listChangedFiles(store: ObjectStore, worktree: Worktree, commit: string): Promise<string[]> {
  await using scratch = await openScratch(store);
  const context = scratch.context(worktree.path);
  await runGit(context, "read-tree", [commit]);
  const flags = ["--name-only", "-z", "--no-renames", "--no-ext-diff", "--no-textconv", "--ignore-submodules=none"];
  return splitNul((await runGit(context, "diff", flags)).stdout).map((path) => path.toString("utf8"));
}

interface ListedFiles {
  readonly tracked: readonly Buffer[];
  readonly untracked: readonly Buffer[];
  /** Tracked paths whose content, mode or presence differs; one is there twice when it is gone. */
  readonly changed: readonly Buffer[];
}

/** What an index lists and what the worktree holds beside it; an index that knows no times has every file hashed. */
async function listFiles(context: GitContext, excludeFile: string | undefined): Promise<ListedFiles> {
  const exclude = excludeFile === undefined ? [] : [`--exclude-from=${excludeFile}`];
  const flags = ["-z", "-t", "--cached", "--others", "--modified", "--deleted", ...exclude];
  const found: Record<string, Buffer[]> = {};
  for (const record of splitNul((await runGit(context, "ls-files", flags)).stdout)) {
    (found[record.toString("latin1", 0, 1)] ??= []).push(record.subarray(2));
  }
  return {
    tracked: found["H"] ?? [],
    untracked: found["?"] ?? [],
    changed: [...(found["C"] ?? []), ...(found["R"] ?? [])],
  };
}

/**
 * The same for what is about to be taken into the index. Behind a link that took a folder's place `ls-files` compares
 * with what the link leads to, where nothing is tracked, and a folder that took a file's place may be a repository:
 * then `add -u`, which sees both, takes in what is tracked.
 */
async function listFilesToTake(context: GitContext, root: string, excludeFile: string): Promise<ListedFiles> {
  const listed = await listFiles(context, excludeFile);
  const isFolder = (path: Buffer): boolean => lstatOf(root, path.toString("latin1"))?.isDirectory() === true;
  if (!hasLinkedFolder(root, listed.tracked) && !listed.changed.some(isFolder)) return listed;
  await runGit(context, "add", ["-u"]);
  const { untracked } = await listFiles(context, excludeFile);
  return { tracked: listed.tracked, untracked, changed: [] };
}

function hasLinkedFolder(root: string, tracked: readonly Buffer[]): boolean {
  return listFolders(tracked).some((folder) => lstatOf(root, folder)?.isSymbolicLink() === true);
}

/** Entries are exact paths, or folders with `/` at the end that stand for everything beneath. */
function buildExclusion(excluded: readonly string[]): (path: string) => boolean {
  const entries = new Set(excluded);
  const folders = excluded.some((entry) => entry.endsWith("/"));
  return (path) => {
    if (entries.has(path) || entries.has(`${path}/`)) return true;
    for (let at = path.indexOf("/"); folders && at !== -1; at = path.indexOf("/", at + 1)) {
      if (entries.has(path.slice(0, at + 1))) return true;
    }
    return false;
  };
}

/** Splits untracked paths into those git takes in and those that scope must see although no tree can hold them. */
function sortOffered(
  root: string,
  offered: readonly Buffer[],
  store: ObjectStore,
): { accepted: Buffer[]; refused: TreeChange[] } {
  const accepted: Buffer[] = [];
  const refused: TreeChange[] = [];
  for (const path of offered) {
    if (path.at(-1) === 0x2f) {
      refused.push(nestedChange(path.subarray(0, -1).toString("utf8"), store));
      continue;
    }
    const stat = lstatSync(Buffer.concat([Buffer.from(`${root}/`), path]), { throwIfNoEntry: false });
    const isLink = stat?.isSymbolicLink() ?? false;
    if (isRefusedByGit(path.toString("utf8"), isLink)) {
      refused.push({
        ...buildAddition(store, isLink ? "120000" : "100644"),
        ...decodePath(path),
        new_bytes: stat?.size ?? 0,
      });
    } else {
      accepted.push(path);
    }
  }
  return { accepted, refused };
}

/** `.git` in a folder that holds tracked or new files: git passes over it in silence, and people's tools do not. */
function findNestedGit(root: string, paths: readonly Buffer[]): string[] {
  // A path that ends in `/` is a nested repository already.
  const reported = new Set(paths.filter((path) => path.at(-1) === 0x2f).map((path) => path.toString("latin1")));
  return listFolders(paths)
    .filter((folder) => !reported.has(`${folder}/`) && lstatOf(root, `${folder}/.git`) !== undefined)
    .map((folder) => Buffer.from(`${folder}/.git`, "latin1").toString("utf8"));
}

/** Every folder that a path leads through, each byte as one character: names need not be UTF-8. */
function listFolders(paths: readonly Buffer[]): string[] {
  const folders = new Set<string>();
  for (const path of paths) {
    const text = path.toString("latin1");
    for (let at = text.lastIndexOf("/"); at > 0; at = text.lastIndexOf("/", at - 1)) {
      const folder = text.slice(0, at);
      if (folders.has(folder)) break;
      folders.add(folder);
    }
  }
  return [...folders];
}

function lstatOf(root: string, path: string): Stats | undefined {
  try {
    return lstatSync(Buffer.concat([Buffer.from(`${root}/`), Buffer.from(path, "latin1")]), { throwIfNoEntry: false });
  } catch {
    // Below a folder that is now a file, or cannot be entered, nothing is that git would read.
    return undefined;
  }
}

function nestedChange(path: string, store: ObjectStore): TreeChange {
  return { ...buildAddition(store, SUBMODULE_MODE), path };
}

function buildAddition(store: ObjectStore, mode: string): Omit<TreeChange, "path"> {
  const none = zeroOid(store.format);
  return {
    status: "added",
    old_mode: "000000",
    new_mode: mode,
    old_oid: none,
    new_oid: none,
    added_lines: 0,
    deleted_lines: 0,
    new_bytes: 0,
  };
}
