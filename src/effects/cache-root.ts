import { lstatSync, statSync } from "node:fs";
import { homedir, tmpdir } from "node:os";
import { isAbsolute, join } from "node:path";
import { err, ok, type Result } from "../domain/result.ts";
import { makeFolders } from "./make-folders.ts";
import { isBelow, realPathOf } from "./real-path.ts";

/** Folder of worktrees, homes and prepare caches of all runs. */
export interface CacheRoot {
  readonly path: string;
  /** It lies in a folder that every user of the machine can write to. */
  readonly isShared: boolean;
}

/** Finds the cache root: in the user's cache folder, or in the temporary one where that lies inside the checkout. */
export function findCacheRoot(root: string, env: Readonly<Record<string, string | undefined>>): CacheRoot {
  const configured = env["XDG_CACHE_HOME"];
  const home = configured !== undefined && isAbsolute(configured) ? configured : findHomeCache();
  const wanted = home === undefined ? undefined : join(home, "conveyor");
  // A worktree inside the checkout would find the user's node_modules above it, also when a link leads there.
  return wanted === undefined || isBelow(realPathOf(root), realPathOf(wanted))
    ? { path: join(tmpdir(), `conveyor-${process.getuid?.() ?? 0}`), isShared: true }
    : { path: wanted, isShared: false };
}

function findHomeCache(): string | undefined {
  try {
    const home = homedir();
    return isAbsolute(home) ? join(home, ".cache") : undefined;
  } catch {
    // A user without HOME and without an entry among the users, as in some containers.
    return undefined;
  }
}

/**
 * Makes the cache root. Among other users' folders it must be ours alone: whoever can write there could put files of
 * their own into every worktree.
 */
export function makeCacheRoot({ path, isShared }: CacheRoot): Result<undefined, { message: string }> {
  const act = "set XDG_CACHE_HOME to a folder of your own, outside the checkout";
  try {
    makeFolders(path, 0o700);
    const stats = isShared ? lstatSync(path) : statSync(path);
    const isOurs = stats.isDirectory() && stats.uid === (process.getuid?.() ?? stats.uid) && (stats.mode & 0o022) === 0;
    if (!isShared || isOurs) return ok(undefined);
    const found = `uid ${stats.uid}, mode ${(stats.mode & 0o7777).toString(8)}`;
    return err({
      message: `expected a cache folder at ${path} that is yours and that nobody else can write to, found ${stats.isDirectory() ? found : "no folder"}; ${act}`,
    });
  } catch (fault) {
    const why = fault instanceof Error ? fault.message : String(fault);
    return err({ message: `expected a cache folder at ${path} that can be made, found: ${why}; ${act}` });
  }
}
