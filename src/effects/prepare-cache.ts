import { mkdir, mkdtemp, rename, rm } from "node:fs/promises";
import { join } from "node:path";
import { copyFiles, expandPaths, fingerprint, leadsBack } from "./file-copies.ts";

/**
 * Results of `prepare` on disk. Only what this process stored itself is ever handed out, and only while every file
 * is as it was stored: an executor may write to the folder, and gains nothing by it.
 */
export interface PrepareCache {
  /** Copies a result into a worktree and gives its paths, or does nothing when there is none that can be trusted. */
  handOut(key: string, worktreePath: string): Promise<readonly string[] | undefined>;
  /** Keeps a copy of what prepare added to a worktree, when a copy of it means the same in another one. */
  store(key: string, worktreePath: string, preparedPaths: readonly string[]): Promise<void>;
}

interface Stored {
  /** As the repository listed them. */
  readonly preparedPaths: readonly string[];
  readonly files: readonly string[];
  /** In memory alone: on disk it could be written to like the files themselves. */
  readonly fingerprint: readonly string[];
}

/** Opens the cache in a folder that is made when it is needed. */
export function openPrepareCache(folder: string): PrepareCache {
  const results = new Map<string, Stored>();
  const isUntouched = async (key: string, stored: Stored) =>
    isEqual(await fingerprint(join(folder, key), stored.files), stored.fingerprint);
  return {
    async handOut(key, worktreePath) {
      const stored = results.get(key);
      if (stored === undefined) return undefined;
      if (await isUntouched(key, stored)) {
        if ((await copyFiles(join(folder, key), worktreePath, stored.files)) === "conflict") return undefined;
        // Looked at once more, so that nothing written during the copying gets through either.
        if (await isUntouched(key, stored)) return stored.preparedPaths;
        await removeFiles(worktreePath, stored.files);
      }
      results.delete(key);
      await rm(join(folder, key), { recursive: true, force: true });
      return undefined;
    },
    async store(key, worktreePath, preparedPaths) {
      const files = await expandPaths(worktreePath, preparedPaths);
      // An executor works in that worktree: a link, a script's first line or an editable install that names it would
      // have another worktree load what is written there.
      if (files === undefined || (await leadsBack(worktreePath, files))) return;
      await mkdir(folder, { recursive: true, mode: 0o700 });
      const unfinished = await mkdtemp(join(folder, "unfinished-"));
      if ((await copyFiles(worktreePath, unfinished, files)) === "conflict") {
        await rm(unfinished, { recursive: true, force: true });
        return;
      }
      await rm(join(folder, key), { recursive: true, force: true });
      await rename(unfinished, join(folder, key));
      results.set(key, { preparedPaths, files, fingerprint: await fingerprint(join(folder, key), files) });
    },
  };
}

async function removeFiles(root: string, files: readonly string[]): Promise<void> {
  for (const file of files) await rm(join(root, file), { force: true });
}

function isEqual(left: readonly string[], right: readonly string[]): boolean {
  return left.length === right.length && left.every((entry, index) => entry === right[index]);
}
