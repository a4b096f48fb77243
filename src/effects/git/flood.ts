import { lstatSync } from "node:fs";
import type { CandidateLimits } from "../../ports/git.ts";
import { splitNul } from "./bytes.ts";
import { runGit, type GitContext } from "./git.ts";

/** Tracked files of a size that is looked up; more of them at once are a flood whatever they were. */
const LARGE_MAX = 1000;

/**
 * Says why a worktree holds far too much to be read, or nothing: git would hash and store every byte of it first. Files
 * are looked at by name and size alone; a tracked one counts when it is large and no longer of the size it had.
 */
export async function findFlood(
  context: GitContext,
  tip: string,
  files: { readonly root: string; readonly tracked: readonly Buffer[]; readonly offered: readonly Buffer[] },
  { filesMax, bytesMax }: CandidateLimits,
): Promise<string | undefined> {
  const { root, tracked, offered } = files;
  if (offered.length > filesMax) return `${offered.length} new files; more than ${filesMax} are not read`;
  const large = tracked.map((path) => ({ path, size: sizeOf(root, path) })).filter(({ size }) => size > bytesMax);
  if (large.length > LARGE_MAX) return `${large.length} tracked files are larger than ${bytesMax} bytes`;
  const before = await readSizes(context, tip, large);
  const grown = large.filter(({ path, size }) => before.get(path.toString("latin1")) !== size);
  const bytes = [...offered.map((path) => sizeOf(root, path)), ...grown.map(({ size }) => size)];
  const sum = bytes.reduce((total, each) => total + each, 0);
  return sum > bytesMax ? `${sum} bytes in new and grown files; more than ${bytesMax} are not read` : undefined;
}

/** Sizes that files have at a commit, by path in latin1. */
async function readSizes(
  context: GitContext,
  tip: string,
  files: readonly { readonly path: Buffer }[],
): Promise<Map<string, number>> {
  if (files.length === 0) return new Map();
  const paths = files.map(({ path }) => path.toString("utf8"));
  const { stdout } = await runGit(context, "ls-tree", ["-r", "-l", "-z", "--full-tree", tip, "--", ...paths]);
  return new Map(
    splitNul(stdout).map((record) => {
      const tab = record.indexOf(0x09);
      const size = record.subarray(0, tab).toString("latin1").split(" ").at(-1);
      return [record.subarray(tab + 1).toString("latin1"), Number(size)];
    }),
  );
}

/** Size of a regular file; a link is as long as its target's name, which no limit minds. */
function sizeOf(root: string, path: Buffer): number {
  try {
    const stat = lstatSync(Buffer.concat([Buffer.from(`${root}/`), path]), { throwIfNoEntry: false });
    return stat?.isFile() === true ? stat.size : 0;
  } catch {
    // A folder that is now a file: what lay in it is gone.
    return 0;
  }
}
