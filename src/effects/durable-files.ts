import { closeSync, constants, fsyncSync, openSync, renameSync, rmSync, writeSync } from "node:fs";
import { dirname } from "node:path";
import { makeFolders } from "./make-folders.ts";

/**
 * A write to the run folder failed: `STATE_WRITE_FAILED`. After a failed fsync nothing is known of what reached the
 * disk, so it is fatal and never tried again.
 */
export class StateWriteError extends Error {
  readonly path: string;
  constructor(path: string, cause: unknown) {
    super(`could not write ${path}: ${cause instanceof Error ? cause.message : String(cause)}`, { cause });
    this.name = "StateWriteError";
    this.path = path;
  }
}

/** A disk that is full, broken or read-only, wherever it shows. */
const DISK_FAULTS: ReadonlySet<unknown> = new Set(["ENOSPC", "EDQUOT", "EIO", "EROFS"]);

/**
 * The failure of a write to the run folder, or of a disk elsewhere, that is behind a fault (`STATE_WRITE_FAILED`):
 * worktrees, homes and logs are written with plain calls. A fault while something was put away hides the one before it.
 */
export function findStateWriteFault(fault: unknown): Error | undefined {
  if (fault instanceof SuppressedError)
    return findStateWriteFault(fault.suppressed) ?? findStateWriteFault(fault.error);
  const isOne =
    fault instanceof StateWriteError || (fault instanceof Error && "code" in fault && DISK_FAULTS.has(fault.code));
  return isOne ? fault : undefined;
}

/** Runs a write and turns its failure into a `StateWriteError` that names the path. */
export function guardWrite<T>(path: string, write: () => T): T {
  try {
    return write();
  } catch (cause) {
    throw cause instanceof StateWriteError ? cause : new StateWriteError(path, cause);
  }
}

/**
 * Folders in which names were made that no event tells of yet. They are synced together before the next event is
 * written, each once: several files of one folder would otherwise have it synced for each of them.
 */
export class PendingFolders {
  readonly #folders = new Set<string>();

  add(folder: string): void {
    this.#folders.add(folder);
  }

  sync(): void {
    for (const folder of this.#folders) guardWrite(folder, () => syncFolder(folder));
    this.#folders.clear();
  }
}

/** Makes a folder and its parents, so that they survive a power cut as soon as something in them is synced. */
export function makeFolderDurably(folder: string, pending?: PendingFolders): void {
  guardWrite(folder, () => {
    const first = makeFolders(folder, 0o700);
    if (first === undefined) return;
    for (let made = folder; made.length >= first.length; made = dirname(made)) nameIsNew(made, pending);
  });
}

/** Has the folder of a new name synced: now, or with the others that are pending. */
export function nameIsNew(path: string, pending: PendingFolders | undefined): void {
  if (pending === undefined) syncFolder(dirname(path));
  else pending.add(dirname(path));
}

/**
 * Replaces a file: old or new, never half. `durable` also syncs the file before and the folder after the rename, the
 * latter together with what is `pending` when that is given.
 */
export function replaceFile(
  path: string,
  bytes: Uint8Array | string,
  options: { durable: boolean; temporary: string; pending?: PendingFolders | undefined },
): void {
  guardWrite(path, () => {
    const { temporary } = options;
    rmSync(temporary, { force: true });
    const file = openSync(
      temporary,
      constants.O_WRONLY | constants.O_CREAT | constants.O_EXCL | constants.O_NOFOLLOW,
      0o600,
    );
    try {
      writeFully(file, typeof bytes === "string" ? Buffer.from(bytes) : bytes);
      if (options.durable) fsyncSync(file);
    } finally {
      closeSync(file);
    }
    renameSync(temporary, path);
    if (options.durable) nameIsNew(path, options.pending);
  });
}

/** Writes all bytes: a single write may be short, for example when the disk is nearly full. */
export function writeFully(file: number, bytes: Uint8Array): void {
  let written = 0;
  while (written < bytes.length) written += writeSync(file, bytes, written);
}

/** Syncs a folder, so that the names in it survive a power cut. */
export function syncFolder(folder: string): void {
  const handle = openSync(folder, "r");
  try {
    fsyncSync(handle);
  } finally {
    closeSync(handle);
  }
}
