import { copyFile, mkdir, readdir, rename, rm, stat, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { buildPrivateContext, quotePath, runGit } from "./git.ts";
import type { ObjectFormat } from "./object-id.ts";
import { removeTree } from "./remove-tree.ts";

/** Overrules every `.gitattributes` of the tree, so that files are checked out and taken in byte by byte. */
const ATTRIBUTES = "* -text -filter -ident -working-tree-encoding\n";

/** The same for our own calls; no `-diff` of a tree may make a text count as binary either. */
export const SCRATCH_ATTRIBUTES = "* -text -filter -ident -working-tree-encoding !diff\n";

/** Configuration of the private repository, or of a scratch git dir that has a worktree. */
export function buildConfig(format: ObjectFormat, bare: boolean): string {
  return [
    "[core]",
    `\trepositoryformatversion = ${format === "sha1" ? 0 : 1}`,
    `\tbare = ${bare}`,
    "\tfilemode = true",
    "\tsymlinks = true",
    "\tautocrlf = false",
    "\tignorecase = false",
    "\tfsmonitor = false",
    "\tuntrackedCache = false",
    ...(format === "sha1" ? [] : ["[extensions]", `\tobjectformat = ${format}`]),
    // A session's own `git commit` must not start a collection that moves the stored objects.
    "[gc]",
    "\tauto = 0",
    "[maintenance]",
    "\tauto = false",
    "",
  ].join("\n");
}

/** Makes the private bare repository, whole or not at all: it gets its name when it is complete. */
export async function makePrivateRepository(input: {
  gitDir: string;
  userGitCommonDir: string;
  format: ObjectFormat;
  searchPath: string;
}): Promise<void> {
  const partial = `${input.gitDir}.partial`;
  await removeTree(partial);
  await mkdir(partial, { recursive: true });
  const context = buildPrivateContext({ gitDir: partial, searchPath: input.searchPath });
  await runGit(context, "init", ["--bare", "--quiet", "--template=", `--object-format=${input.format}`]);
  await mkdir(join(partial, "worktrees"), { recursive: true });
  await writeOwnMetadata(partial, input.userGitCommonDir, input.format);
  const shallow = join(input.userGitCommonDir, "shallow");
  if (await isFile(shallow)) await copyFile(shallow, join(partial, "shallow"));
  await rename(partial, input.gitDir);
}

/**
 * Writes what belongs to the orchestrator alone as it must be: configuration, attributes, alternates, no hooks, no
 * grafts. Redone whenever a repository is opened, because a session that was killed together with the orchestrator
 * left no snapshot to compare with.
 */
export async function writeOwnMetadata(gitDir: string, userGitCommonDir: string, format: ObjectFormat): Promise<void> {
  for (const name of ["hooks", "info", "objects/info", "branches", "remotes", "config.worktree", "commondir"]) {
    await removeTree(join(gitDir, name));
  }
  for (const name of await readdir(gitDir)) {
    if (name.endsWith(".lock")) await removeTree(join(gitDir, name));
  }
  await mkdir(join(gitDir, "hooks"), { recursive: true });
  await mkdir(join(gitDir, "info"), { recursive: true });
  await mkdir(join(gitDir, "objects", "info"), { recursive: true });
  await replaceFile(join(gitDir, "config"), buildConfig(format, true));
  await replaceFile(join(gitDir, "HEAD"), "ref: refs/heads/none\n");
  await replaceFile(join(gitDir, "info", "attributes"), ATTRIBUTES);
  const objects = join(userGitCommonDir, "objects");
  const line = objects.includes("\n") ? quotePath(objects) : objects;
  await replaceFile(join(gitDir, "objects", "info", "alternates"), `${line}\n`);
}

/** True when the path names a folder. */
export async function isFolder(path: string): Promise<boolean> {
  return (await stat(path).catch(() => undefined))?.isDirectory() ?? false;
}

async function isFile(path: string): Promise<boolean> {
  return (await stat(path).catch(() => undefined))?.isFile() ?? false;
}

/** Rename replaces a link that was planted at the path, where writing would follow it. */
async function replaceFile(path: string, text: string): Promise<void> {
  const next = `${path}.conveyor`;
  await rm(next, { recursive: true, force: true });
  await writeFile(next, text, { flag: "wx" });
  await rename(next, path);
}
