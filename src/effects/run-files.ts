import { closeSync, fsyncSync, openSync, readFileSync, readdirSync, rmSync, lstatSync } from "node:fs";
import { dirname, join } from "node:path";
import { sha256 } from "../domain/digest.ts";
import type { FileDigest } from "../domain/journal.ts";
import type { RunFiles } from "../ports.ts";
import { guardWrite, makeFolderDurably, nameIsNew, type PendingFolders, replaceFile } from "./durable-files.ts";

/** Suffix of files that are being written; whoever finds one may remove it. */
export const TEMPORARY_SUFFIX = ".writing";

/**
 * Opens the files of a run folder. Every write is durable before the journal names it: the bytes at once, the name, when
 * `pending` is given, with the sync that comes before the next event.
 */
export function createRunFiles(root: string, pending?: PendingFolders): RunFiles {
  const resolve = (path: string): string => {
    if (path.startsWith("/") || path.split("/").includes(".."))
      throw new Error(`not a path of the run folder: ${path}`);
    return join(root, path);
  };
  return {
    root,
    resolve,
    async write(path, bytes) {
      const target = resolve(path);
      makeFolderDurably(dirname(target), pending);
      replaceFile(target, bytes, { durable: true, temporary: `${target}${TEMPORARY_SUFFIX}`, pending });
      return digestOfBytes(path, typeof bytes === "string" ? Buffer.from(bytes) : bytes);
    },
    read: async (path) => readIfFile(resolve(path)),
    async digest(path) {
      const target = resolve(path);
      const bytes = readIfFile(target);
      if (bytes === undefined) return undefined;
      // A program wrote this file: its bytes and its name are synced here, before an event may name it.
      guardWrite(target, () => {
        const file = openSync(target, "r");
        try {
          fsyncSync(file);
        } finally {
          closeSync(file);
        }
        nameIsNew(target, pending);
      });
      return digestOfBytes(path, bytes);
    },
    digestSaved: async (path) => digestSavedFile(root, path),
    async makeFolder(path) {
      makeFolderDurably(resolve(path));
    },
    async remove(path) {
      rmSync(resolve(path), { recursive: true, force: true });
    },
  };
}

/** Bytes of a regular file, never through a symlink at its end; nothing when there is none. */
export function readIfFile(path: string): Uint8Array | undefined {
  return isFile(path) ? readFileSync(path) : undefined;
}

function isFile(path: string): boolean {
  try {
    return lstatSync(path, { throwIfNoEntry: false })?.isFile() === true;
  } catch (fault) {
    // Below something that is no folder there is no file either.
    if ((fault as NodeJS.ErrnoException).code === "ENOTDIR") return false;
    throw fault;
  }
}

/**
 * All files below a run folder, relative, with `/`: symlinks and other odd entries are listed too, so that nothing can
 * hide from `verify`. Left out: the private repository, locks, supervision, the checkpoint.
 */
export function listRunFiles(root: string): string[] {
  const found: string[] = [];
  const walk = (folder: string): void => {
    for (const entry of readdirSync(join(root, folder), { withFileTypes: true })) {
      const path = folder === "" ? entry.name : `${folder}/${entry.name}`;
      if (folder === "" && isUnnamed(entry.name)) continue;
      if (entry.isDirectory()) walk(path);
      else found.push(path);
    }
  };
  walk("");
  return found.sort();
}

export const JOURNAL_FILE = "run-events.jsonl";
export const CHECKPOINT_FILE = "orchestrator_checkpoint.json";
export const REPOSITORY_FOLDER = "repo.git";

function isUnnamed(name: string): boolean {
  return (
    [JOURNAL_FILE, CHECKPOINT_FILE, REPOSITORY_FOLDER, "supervision"].includes(name) ||
    // A lock that is being taken belongs to the process that takes it: whoever holds the run leaves it alone.
    /^lock\.\d+(\.[0-9a-f]+\.writing)?$/.test(name) ||
    name === `${CHECKPOINT_FILE}${TEMPORARY_SUFFIX}`
  );
}

/** Digest of a file as it lies there, for who only reads. */
export function digestSavedFile(root: string, path: string): FileDigest | undefined {
  const bytes = readIfFile(join(root, path));
  return bytes === undefined ? undefined : digestOfBytes(path, bytes);
}

function digestOfBytes(path: string, bytes: Uint8Array): FileDigest {
  return { path, sha256: sha256(bytes), bytes: bytes.length };
}
