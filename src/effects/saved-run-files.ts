import { readFileSync } from "node:fs";
import { readdir, rename } from "node:fs/promises";
import { dirname, join } from "node:path";
import {
  NORMALIZED_PLAN_FILE,
  parseSavedRun,
  POLICY_FILE,
  type SavedRun,
  type SavedRunFault,
} from "../domain/saved-run.ts";
import type { Result } from "../domain/result.ts";
import { removeTree } from "./git/remove-tree.ts";
import { guardWrite, makeFolderDurably, syncFolder } from "./durable-files.ts";
import { CHECKPOINT_FILE, JOURNAL_FILE, listRunFiles, readIfFile, TEMPORARY_SUFFIX } from "./run-files.ts";

/** Reads a saved run, changing nothing. A journal that is no plain file counts as missing: it could be changed from elsewhere. */
export function readSavedRun(folder: string): Result<SavedRun, SavedRunFault> {
  return parseSavedRun({
    journal: readIfFile(join(folder, JOURNAL_FILE)),
    plan: readIfFile(join(folder, NORMALIZED_PLAN_FILE)),
    policy: readIfFile(join(folder, POLICY_FILE)),
  });
}

/** The checkpoint's text, or nothing. */
export function readCheckpoint(folder: string): string | undefined {
  const bytes = readIfFile(join(folder, CHECKPOINT_FILE));
  return bytes === undefined ? undefined : Buffer.from(bytes).toString("utf8");
}

/** Bytes of the journal after its last newline. */
export function readTornTail(folder: string, validBytes: number): Uint8Array {
  return readFileSync(join(folder, JOURNAL_FILE)).subarray(validBytes);
}

/** Files of a run folder that events should name, and those that were being written. */
export function listSavedFiles(folder: string): { files: string[]; temporaryFiles: string[] } {
  const all = listRunFiles(folder);
  return {
    files: all.filter((path) => !path.endsWith(TEMPORARY_SUFFIX)),
    temporaryFiles: all.filter((path) => path.endsWith(TEMPORARY_SUFFIX)),
  };
}

/** Moves a file within the run folder, durably. */
export async function moveSavedFile(folder: string, from: string, to: string): Promise<void> {
  const target = join(folder, to);
  makeFolderDurably(dirname(target));
  await rename(join(folder, from), target);
  guardWrite(target, () => {
    syncFolder(dirname(target));
    syncFolder(dirname(join(folder, from)));
  });
}

/** Removes the folders a finished run needs no more: homes, scratch, caches; and its own folder when that is empty. */
export async function removeRunCache(folder: string): Promise<void> {
  await removeTree(folder);
}

/** True when something stands where a new folder shall be made: a folder with something in it, or no folder. */
export async function isOccupied(folder: string): Promise<boolean> {
  try {
    return (await readdir(folder)).length > 0;
  } catch (fault) {
    return (fault as NodeJS.ErrnoException).code !== "ENOENT";
  }
}
