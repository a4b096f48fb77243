import { existsSync, readdirSync, readFileSync, statSync } from "node:fs";
import { rename } from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import { isRunId } from "../domain/ids.ts";
import { removeTree } from "./git/remove-tree.ts";
import { UNPACKING } from "./packed-runs.ts";
import { listLeftovers } from "./leftover-processes.ts";
import type { ProcessTable } from "./process-list.ts";
import { listRunFolders, listStartFolders, type RunFolders, type RunPlaces } from "./run-places.ts";

/** Names of a run's worktrees: folders, and what the private repository knows of; either may be there alone. */
export function listWorktreeNames({ gitDir, worktrees }: Pick<RunFolders, "gitDir" | "worktrees">): string[] {
  return [...new Set([...listNames(worktrees), ...listNames(join(gitDir, "worktrees"))])].sort();
}

/** Removes worktrees of a run and what its repository knows of them. */
export async function removeWorktreesNamed(
  { gitDir, worktrees }: Pick<RunFolders, "gitDir" | "worktrees">,
  names: readonly string[],
): Promise<void> {
  for (const name of names) {
    // The folder first: metadata without one is found again, a folder without metadata looks like somebody's work.
    await removeTree(join(worktrees, basename(name)));
    await removeTree(join(gitDir, "worktrees", basename(name)));
  }
}

/** A folder below the cache root that is named like a run of any checkout. */
export interface CacheFolder {
  readonly path: string;
  readonly runId: string;
  /** True when a worktree in it belongs to a run folder that is there, or the run of that name is in this checkout. */
  readonly ownerExists: boolean;
  /** Programs that have their home in it. */
  readonly processes: number;
}

/** Lists the caches of runs, of this checkout and of all others. */
export function listCaches(places: RunPlaces, table: ProcessTable): CacheFolder[] {
  return listNames(places.cacheRoot).flatMap((name) => {
    const runId = name.replace(/-[0-9a-f]{12}$/, "");
    if (!isRunId(runId)) return [];
    const path = join(places.cacheRoot, name);
    const worktrees = join(path, "worktrees");
    const owned = listNames(worktrees).some((worktree) => existsSync(readGitDir(join(worktrees, worktree)) ?? ""));
    const ownerExists = owned || (name === runId && existsSync(join(places.runsFolder, runId)));
    return [{ path, runId, ownerExists, processes: listLeftovers(table, join(path, "homes")).length }];
  });
}

/** The private repository that a worktree points at. */
function readGitDir(worktree: string): string | undefined {
  try {
    const path = /^gitdir: (.+)\n$/.exec(readFileSync(join(worktree, ".git"), "utf8"))?.[1];
    return path === undefined ? undefined : dirname(dirname(path));
  } catch {
    return undefined;
  }
}

/** What the name of a run folder begins with that is being removed: no command takes it for a run any more. */
const REMOVING = ".pruned-";

/** Folders whose removal, or whose unpacking, was interrupted. */
export function listHalfRemoved({ runsFolder }: RunPlaces): string[] {
  return listNames(runsFolder)
    .filter((name) => name.startsWith(REMOVING) || name.startsWith(UNPACKING))
    .map((name) => join(runsFolder, name));
}

/** Removes a run folder: it stops being a run at once, so that whoever is killed here leaves no half of one. */
export async function removeRunFolder(folder: string): Promise<void> {
  const aside = join(dirname(folder), `${REMOVING}${basename(folder)}`);
  await removeTree(aside);
  await rename(folder, aside);
  await removeTree(aside);
}

/** Ids of the run folders and begun folders of a checkout. */
export function listRunIds(places: RunPlaces): string[] {
  return [...listRunFolders(places), ...listStartFolders(places)].map((folder) => basename(folder));
}

/** Names of what lies in a folder; none where there is no folder. */
export function listNames(path: string): string[] {
  return statSync(path, { throwIfNoEntry: false })?.isDirectory() === true ? readdirSync(path).sort() : [];
}
