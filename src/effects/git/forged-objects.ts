import { basename } from "node:path";
import { runGit, type GitContext } from "./git.ts";
import type { ObjectStore } from "./scratch.ts";
import { inspectObjects } from "./inspect-objects.ts";

/**
 * Objects of the private store that are not what their names promise: loose ones by id, a pack by its file's name.
 * For resume, where a session that was killed together with the orchestrator left no snapshot to compare with.
 */
export async function findForged(store: ObjectStore, context: GitContext): Promise<string[]> {
  const { unsound, packs } = await inspectObjects(store.objects, store.format);
  const forged: string[] = [];
  // A run makes a pack only for a very large file, so there is hardly ever one to verify.
  for (const pack of packs) {
    const { code } = await runGit(context, "index-pack", ["--verify", pack], { accept: [0, 1, 128] });
    if (code !== 0) forged.push(basename(pack));
  }
  return [...unsound, ...forged];
}
