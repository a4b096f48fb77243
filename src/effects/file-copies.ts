import { constants, type BigIntStats } from "node:fs";
import {
  chmod,
  copyFile,
  lstat,
  mkdir,
  readFile,
  readdir,
  readlink,
  realpath,
  rm,
  symlink,
  utimes,
} from "node:fs/promises";
import { dirname, isAbsolute, join, relative } from "node:path";

/** Files that are copied at a time. */
const COPIES_AT_ONCE = 32;

/** Larger files are copied, but not searched for a path. */
const SEARCH_BYTES_MAX = 16 * 1024 * 1024;

/**
 * The files and links that `paths` (relative to `root`) stand for: a path that ends with a slash is a folder with all
 * that is in it, which is how git lists a repository inside the worktree. Nothing when one is neither file nor link.
 */
export async function expandPaths(root: string, paths: readonly string[]): Promise<readonly string[] | undefined> {
  const files: string[] = [];
  for (const path of paths) {
    if (!path.endsWith("/")) {
      files.push(path);
      continue;
    }
    for (const entry of await readdir(join(root, path), { withFileTypes: true, recursive: true })) {
      if (entry.isDirectory()) continue;
      if (!entry.isFile() && !entry.isSymbolicLink()) return undefined;
      files.push(relative(root, join(entry.parentPath, entry.name)));
    }
  }
  return files;
}

/**
 * Copies files and links (verbatim) from one folder into another, with modes and times, sharing blocks where the file
 * system can; never by hard link, or whoever writes to the copy would write to the original. Nothing is overwritten
 * and no link is followed: `conflict` when something is in the way, and then nothing that it copied is left.
 */
export async function copyFiles(from: string, to: string, files: readonly string[]): Promise<"copied" | "conflict"> {
  const copied: string[] = [];
  const folders = new Map<string, number>();
  try {
    for (const folder of listFolders(files))
      folders.set(folder, await copyFolder(join(from, folder), join(to, folder)));
    await forEach(files, async (file) => {
      await copyEntry(join(from, file), join(to, file));
      copied.push(file);
    });
    // Last: a folder may be one that even we could not write into.
    for (const [folder, mode] of [...folders].reverse()) if (mode !== 0) await chmod(join(to, folder), mode);
    return "copied";
  } catch (error) {
    await forEach(copied, (file) => rm(join(to, file), { force: true }));
    if (isConflict(error)) return "conflict";
    throw error;
  }
}

/** What names each file's content without reading it; equal lists mean that nobody wrote in between. */
export async function fingerprint(root: string, files: readonly string[]): Promise<readonly string[]> {
  const marks = files.map(() => "");
  await forEach(files, async (file, index) => {
    const path = join(root, file);
    try {
      const stats = await lstat(path, { bigint: true });
      const target = stats.isSymbolicLink() ? await readlink(path) : "";
      marks[index] = [file, stats.size, stats.mtimeNs, stats.ctimeNs, stats.ino, stats.mode, target].join("\0");
    } catch {
      marks[index] = `${file}\0absent`;
    }
  });
  return marks;
}

/**
 * Whether a copy of the files would lead back to `root`: a link or any bytes that name it, or a link that leaves it by
 * a relative path.
 */
export async function leadsBack(root: string, files: readonly string[]): Promise<boolean> {
  const names = [root, await realpath(root)];
  let found = false;
  await forEach(files, async (file) => {
    if (found) return;
    const path = join(root, file);
    const stats = await lstat(path);
    if (stats.isSymbolicLink()) {
      const target = await readlink(path);
      const leaves = !isAbsolute(target) && join(dirname(file), target).startsWith("..");
      if (leaves || names.some((name) => target.includes(name))) found = true;
    } else if (stats.size <= SEARCH_BYTES_MAX) {
      const bytes = await readFile(path);
      if (names.some((name) => bytes.includes(name))) found = true;
    }
  });
  return found;
}

/** All folders of the files, outer before inner. */
function listFolders(files: readonly string[]): readonly string[] {
  const folders = new Set<string>();
  for (const file of files) {
    for (let folder = dirname(file); folder !== "." && !folders.has(folder); folder = dirname(folder)) {
      folders.add(folder);
    }
  }
  return [...folders].sort();
}

/** Gives the mode that the new folder shall get at the end, or 0 when the folder was there and keeps its own. */
async function copyFolder(from: string, to: string): Promise<number> {
  try {
    await mkdir(to);
    // Always writable for us, or it could not be removed again.
    return ((await lstat(from)).mode & 0o7777) | 0o700;
  } catch (error) {
    // A link to a folder is in the way too: what is copied would end up wherever it leads.
    if ((await lstat(to)).isDirectory()) return 0;
    throw error;
  }
}

async function copyEntry(from: string, to: string): Promise<void> {
  const stats: BigIntStats = await lstat(from, { bigint: true });
  if (stats.isSymbolicLink()) return symlink(await readlink(from), to);
  await copyFile(from, to, constants.COPYFILE_EXCL | constants.COPYFILE_FICLONE);
  // What builds by comparing times would otherwise build everything again.
  await utimes(to, seconds(stats.atimeNs), seconds(stats.mtimeNs));
}

function seconds(nanoseconds: bigint): number {
  return Number(nanoseconds) / 1e9;
}

function isConflict(error: unknown): boolean {
  const code = error instanceof Error && "code" in error ? error.code : undefined;
  return code === "EEXIST" || code === "ENOTDIR" || code === "ENOENT";
}

/** Acts on all items, some at a time. After a failure none is begun, and those that were have ended when it throws. */
async function forEach<T>(items: readonly T[], act: (item: T, index: number) => Promise<void>): Promise<void> {
  const queue = items.entries();
  const failures: unknown[] = [];
  const work = async () => {
    for (const [index, item] of queue) {
      if (failures.length > 0) return;
      await act(item, index).catch((error: unknown) => failures.push(error));
    }
  };
  await Promise.all(Array.from({ length: COPIES_AT_ONCE }, work));
  if (failures.length > 0) throw failures[0];
}
