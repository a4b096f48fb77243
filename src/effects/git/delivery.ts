import { pipeline } from "node:stream/promises";
import { buildPrivateContext, GitError, startGit, type GitContext } from "./git.ts";

/** Copies the objects of `head` that `base` lacks from the private repository into another. No hook runs. */
export async function copyObjects(input: {
  privateGitDir: string;
  searchPath: string;
  into: GitContext;
  base: string;
  head: string;
}): Promise<void> {
  const { privateGitDir: gitDir, searchPath } = input;
  const pack = startGit(buildPrivateContext({ gitDir, searchPath }), "pack-objects", ["--revs", "--stdout", "-q"]);
  // Each object is hashed while it is unpacked, so the name of a forged one is never taken on trust.
  const unpack = startGit(input.into, "unpack-objects", ["-q"]);
  pack.stdin.end(`${input.head}\n^${input.base}\n`);
  unpack.stdout.resume();
  // Unpacking ends at the pack's checksum and may close its input before the stream has ended: not a failure.
  const copied = pipeline(pack.stdout, unpack.stdin).catch(() => undefined);
  const ended = await Promise.allSettled([pack.done, unpack.done, copied]);
  const failures = ended.flatMap((end): unknown[] => (end.status === "rejected" ? [end.reason] : []));
  if (failures.length === 0) return;
  // One side that fails takes the other with it by a broken pipe; the one with an exit code says why.
  throw failures.find((failure) => failure instanceof GitError && failure.exitCode !== undefined) ?? failures[0];
}
