import { timeBefore } from "../effects/clock.ts";
import { listLeftovers } from "../effects/leftover-processes.ts";
import { hostTable } from "../effects/process-tree.ts";
import { findRunFolders, listStartFolders, type RunPlaces } from "../effects/run-places.ts";
import {
  listCaches,
  listHalfRemoved,
  listNames,
  listRunIds,
  listWorktreeNames,
  removeRunFolder,
  removeWorktreesNamed,
} from "../effects/run-upkeep.ts";
import { removeRunCache } from "../effects/saved-run-files.ts";
import type { Workplace } from "./workplace.ts";

/** What lies around the runs of a checkout. Nothing is changed until asked for. */
export const upkeep = {
  listStartFolders,
  listHalfRemoved,
  listNames,
  listRunIds,
  removeRunFolder,
  timeBefore,
  listCaches: (places: RunPlaces) => listCaches(places, hostTable),
  removeCache: removeRunCache,
};

/** What lies around a run folder: its worktrees, the programs it left, its cache. Nothing is changed until asked for. */
export function openUpkeep(workplace: Workplace, runFolder: string, runId: string) {
  const folders = findRunFolders(workplace.places, runFolder, runId);
  return {
    worktrees: () => listWorktreeNames(folders),
    processes: () => listLeftovers(hostTable, folders.homes),
    removeWorktrees: (names: readonly string[]) => removeWorktreesNamed(folders, names),
    removeCache: () => removeRunCache(folders.cache),
  };
}
