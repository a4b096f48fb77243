import { mkdirSync, writeFileSync } from "node:fs";
import { readFile, readdir } from "node:fs/promises";
import { join } from "node:path";
import type { Worktree } from "../../ports/git.ts";
import { runGit } from "./git.ts";
import { sayWrongObject } from "./wrong-object.ts";
import { isOid, zeroOid } from "./object-id.ts";
import { removeTree } from "./remove-tree.ts";
import { openScratch, type ObjectStore } from "./scratch.ts";
import { isPlainFolder } from "./object-files.ts";

/** Where worktrees and what git knows about them lie. */
export interface WorktreePlaces {
  readonly gitDir: string;
  /** Absolute; belongs to this run alone. */
  readonly worktreesRoot: string;
  readonly store: ObjectStore;
}

/** What names of worktrees are made of: `encodeName` and separators; never a path. */
const NAME = /^[A-Za-z0-9_%][A-Za-z0-9_%.-]*$/;

/**
 * Makes a worktree detached at `commit`. The metadata that `git worktree add` would write is written here: one process
 * instead of three, and the checkout runs under our own configuration rather than that of the private repository. An object
 * that git finds to be wrong while it checks out is told of as `unreadable`: the worktree is then not whole.
 */
export async function makeWorktree(
  places: WorktreePlaces,
  name: string,
  commit: string,
): Promise<{ worktree: Worktree; unreadable: string | undefined }> {
  const worktree = locate(places, name);
  const metadata = join(places.gitDir, "worktrees", name);
  await removeTree(worktree.path);
  await removeTree(metadata);
  mkdirSync(metadata, { recursive: true });
  mkdirSync(worktree.path, { recursive: true });
  writeFileSync(join(metadata, "HEAD"), `${commit}\n`);
  writeFileSync(join(metadata, "commondir"), "../..\n");
  writeFileSync(join(metadata, "gitdir"), `${worktree.path}/.git\n`);
  writeFileSync(join(metadata, "locked"), "a run works here\n");
  await using scratch = await openScratch(places.store);
  const context = scratch.context(worktree.path, join(metadata, "index"));
  const unreadable = await runGit(context, "read-tree", ["-m", "-u", commit]).then(
    () => undefined,
    (fault: unknown) => sayWrongObject(fault),
  );
  // The pointer comes last: a worktree that has one was checked out to the end.
  writeFileSync(join(worktree.path, ".git"), pointerTo(places, name), { flag: "wx" });
  return { worktree, unreadable };
}

/** The worktree of that name when folder and metadata exist and point at each other. */
export async function findWorktree(places: WorktreePlaces, name: string): Promise<Worktree | undefined> {
  const worktree = locate(places, name);
  const metadata = join(places.gitDir, "worktrees", name);
  const [pointer, back] = await Promise.all([
    readText(join(worktree.path, ".git")),
    readText(join(metadata, "gitdir")),
  ]);
  return pointer === pointerTo(places, name) && back === `${worktree.path}/.git\n` ? worktree : undefined;
}

/** The commit a worktree was made from. */
export async function readWorktreeCommit(places: WorktreePlaces, name: string): Promise<string> {
  const head = (await readFile(join(places.gitDir, "worktrees", name, "HEAD"), "utf8")).trim();
  if (!isOid(head)) throw new Error(`HEAD of worktree ${name} names no commit`);
  return head;
}

/** Makes the files of a worktree those of `tree`; its HEAD and its index stay, untracked files are left alone. */
export async function checkOutTree(places: WorktreePlaces, worktree: Worktree, tree: string): Promise<void> {
  await using scratch = await openScratch(places.store);
  const context = scratch.context(worktree.path);
  // An index of the commit without stat data: whatever the worktree holds in its place is written anew.
  await runGit(context, "read-tree", [await readWorktreeCommit(places, worktree.name)]);
  await runGit(context, "read-tree", ["--reset", "-u", tree]);
}

/**
 * Makes these files of a worktree what they are at a commit, gone when they are not there; every other file stays as it
 * is at the worktree's own.
 */
export async function copyPathsFrom(
  places: WorktreePlaces,
  worktree: Worktree,
  commit: string,
  paths: readonly string[],
): Promise<void> {
  if (paths.length === 0) return;
  await using scratch = await openScratch(places.store);
  const context = scratch.context();
  await runGit(context, "read-tree", [await readWorktreeCommit(places, worktree.name)]);
  const { stdout } = await runGit(context, "ls-tree", ["-r", "-z", "--full-tree", commit, "--", ...paths]);
  const gone = paths.map((path) => `0 ${zeroOid(places.store.format)}\t${path}\0`);
  const stdin = Buffer.concat([Buffer.from(gone.join("")), stdout]);
  await runGit(context, "update-index", ["-z", "--replace", "--index-info"], { stdin });
  const tree = (await runGit(context, "write-tree", [])).stdout.toString("latin1").trim();
  await checkOutTree(places, worktree, tree);
}

/**
 * Has git forget a worktree that nothing is built on any more; its folder stays. What git knows is looked at before and
 * after every program, so a run would otherwise get slower with each item.
 */
export async function forgetWorktree(places: WorktreePlaces, { name }: Worktree): Promise<void> {
  await removeTree(join(places.gitDir, "worktrees", locate(places, name).name));
}

/** Removes every worktree the private repository knows. Other folders beside them, such as caches, stay. */
export async function removeAllWorktrees(places: WorktreePlaces): Promise<void> {
  const metadata = join(places.gitDir, "worktrees");
  // What a link leads to is not ours to empty.
  if (!isPlainFolder(metadata)) return;
  for (const name of await readdir(metadata)) {
    if (NAME.test(name)) await removeTree(join(places.worktreesRoot, name));
    await removeTree(join(metadata, name));
  }
}

function locate(places: WorktreePlaces, name: string): Worktree {
  if (!NAME.test(name)) throw new Error(`expected a name of letters, digits and _%.-, found ${JSON.stringify(name)}`);
  return { name, path: join(places.worktreesRoot, name) };
}

function pointerTo(places: WorktreePlaces, name: string): string {
  return `gitdir: ${join(places.gitDir, "worktrees", name)}\n`;
}

async function readText(path: string): Promise<string | undefined> {
  return readFile(path, "utf8").catch(() => undefined);
}
