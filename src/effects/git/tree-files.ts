import { runGit, type GitContext } from "./git.ts";
import { zeroOid } from "./object-id.ts";
import type { ObjectStore } from "./scratch.ts";

/** Makes the tree of `base` with these files in it, by an index of its own: no checkout, no filter, no stat. */
export async function buildTreeWith(
  context: GitContext,
  { format }: Pick<ObjectStore, "format">,
  base: string,
  files: readonly { readonly path: string; readonly text: string | null }[],
): Promise<string> {
  await runGit(context, "read-tree", [base]);
  const entries: string[] = [];
  for (const { path, text } of files) {
    if (text === null) {
      entries.push(`0 ${zeroOid(format)}\t${path}\0`);
      continue;
    }
    const blob = await runGit(context, "hash-object", ["-w", "--no-filters", "--stdin"], { stdin: text });
    entries.push(`100644 ${blob.stdout.toString("latin1").trim()}\t${path}\0`);
  }
  await runGit(context, "update-index", ["-z", "--index-info"], { stdin: entries.join("") });
  return (await runGit(context, "write-tree", [])).stdout.toString("latin1").trim();
}
