import { existsSync, readFileSync, statSync } from "node:fs";
import { readdir, rename } from "node:fs/promises";
import { dirname, join } from "node:path";
import {
  NORMALIZED_PLAN_FILE,
  parseSavedRun,
  POLICY_FILE,
  type SavedRun,
  type SavedRunFault,
} from "../domain/saved-run.ts";
import { ARCHIVE_FILE, SUMS_FILE } from "../domain/artifact-names.ts";
import { err, type Result } from "../domain/result.ts";
import { removeTree } from "./git/remove-tree.ts";
import { guardWrite, makeFolderDurably, syncFolder } from "./durable-files.ts";
import { CHECKPOINT_FILE, JOURNAL_FILE, listRunFiles, readIfFile, TEMPORARY_SUFFIX } from "./run-files.ts";

/**
 * The largest file of a run that is read at once; a foreign one must not end every command of the checkout. The journal
 * is decoded line by line, the others as a whole.
 */
const FILE_BYTES_MAX = {
  [JOURNAL_FILE]: 1024 * 1024 * 1024,
  [NORMALIZED_PLAN_FILE]: 256 * 1024 * 1024,
  [POLICY_FILE]: 256 * 1024 * 1024,
};

/** Reads a saved run, changing nothing. A journal that is no plain file counts as missing: it could be changed from elsewhere. */
export function readSavedRun(folder: string): Result<SavedRun, SavedRunFault> {
  for (const [path, bytesMax] of Object.entries(FILE_BYTES_MAX)) {
    const bytes = statSync(join(folder, path), { throwIfNoEntry: false })?.size ?? 0;
    if (bytes <= bytesMax) continue;
    return err({ code: "JOURNAL_CORRUPT", path, message: `is larger than ${bytesMax} bytes: no run writes that` });
  }
  return parseSavedRun({
    journal: readIfFile(join(folder, JOURNAL_FILE)),
    plan: readIfFile(join(folder, NORMALIZED_PLAN_FILE)),
    policy: readIfFile(join(folder, POLICY_FILE)),
  });
}

const CHECKPOINT_BYTES_MAX = 256 * 1024 * 1024;

/** The checkpoint's text, or nothing. */
export function readCheckpoint(folder: string): string | undefined {
  const path = join(folder, CHECKPOINT_FILE);
  // One that no run could have written counts like one that cannot be read.
  if ((statSync(path, { throwIfNoEntry: false })?.size ?? 0) > CHECKPOINT_BYTES_MAX) return "";
  const bytes = readIfFile(path);
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

/** True for a folder that looks like what `conveyor pack` makes, whatever else is wrong with it. */
export function isPackedFolder(path: string): boolean {
  return (
    [SUMS_FILE, ARCHIVE_FILE].some((name) => existsSync(join(path, name))) && !existsSync(join(path, JOURNAL_FILE))
  );
}
