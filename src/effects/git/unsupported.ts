import { lastName } from "./bytes.ts";
import { runGit, type GitContext } from "./git.ts";
import type { ObjectFormat } from "./object-id.ts";
import { ObjectSource } from "./object-source.ts";
import type { TrackedFile } from "./read-objects.ts";

const ATTRIBUTES_BYTES_MAX = 16 * 1024 * 1024;
const LFS = /^(?!\s*#).*\sfilter=lfs(?:\s|$)/m;
const PARTIAL_CLONE = String.raw`^(extensions\.partialclone|remote\..*\.(promisor|partialclonefilter))$`;

/** What makes a run impossible in a repository with these files, each with the path or reason in words. */
export async function listUnsupportedIn(
  context: GitContext,
  format: ObjectFormat,
  tracked: readonly TrackedFile[],
): Promise<string[]> {
  const partial = await runGit(context, "config", ["-z", "--get-regexp", PARTIAL_CLONE], { accept: [0, 1] });
  const submodules = tracked
    .filter((file) => file.mode === "160000" || file.path.equals(Buffer.from(".gitmodules")))
    .map((file) => `submodule: ${file.path.toString("utf8")}`);
  const lfs = (await findLfs(context, format, tracked)).map((path) => `Git LFS: ${path}`);
  return [...submodules, ...lfs, ...(partial.code === 0 ? ["partial clone: objects are missing"] : [])];
}

async function findLfs(context: GitContext, format: ObjectFormat, tracked: readonly TrackedFile[]): Promise<string[]> {
  const files = tracked.filter(
    (file) => file.mode.startsWith("100") && lastName(file.path).equals(Buffer.from(".gitattributes")),
  );
  if (files.length === 0) return [];
  await using source = new ObjectSource(context, format);
  const found = await Promise.all(
    files.map(async (file) => {
      const object = await source.read(file.oid, ATTRIBUTES_BYTES_MAX);
      return LFS.test(object?.bytes?.toString("latin1") ?? "") ? [file.path.toString("utf8")] : [];
    }),
  );
  return found.flat();
}
