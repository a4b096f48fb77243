import {
  closeSync,
  constants,
  fstatSync,
  fsyncSync,
  lstatSync,
  openSync,
  readdirSync,
  readFileSync,
  readSync,
  rmSync,
} from "node:fs";
import { dirname, join } from "node:path";
import { LEFT_OUT_FILE } from "../domain/artifact-names.ts";
import type { FileEnds } from "../domain/cut-text.ts";
import { sha256 } from "../domain/digest.ts";
import type { FileDigest } from "../domain/journal.ts";
import type { RunFiles } from "../ports.ts";
import type { Redactor } from "./redactor.ts";
import { guardWrite, makeFolderDurably, nameIsNew, type PendingFolders, replaceFile } from "./durable-files.ts";

/** Suffix of files that are being written; whoever finds one may remove it. */
export const TEMPORARY_SUFFIX = ".writing";

/**
 * Opens the files of a run folder. Every write is durable before the journal names it: the bytes at once, the name, when
 * `pending` is given, with the sync that comes before the next event. What is written has no secret that `redactor` knows,
 * neither in its bytes nor in its name.
 */
export function createRunFiles(root: string, redactor: Redactor, pending?: PendingFolders): RunFiles {
  const resolve = (path: string): string => {
    if (path.startsWith("/") || path.split("/").includes(".."))
      throw new Error(`not a path of the run folder: ${path}`);
    return join(root, path);
  };
  return {
    root,
    resolve,
    async write(path, given) {
      const named = redactor.text(path);
      const bytes = redactor.json(typeof given === "string" ? Buffer.from(given) : given);
      const target = resolve(named);
      makeFolderDurably(dirname(target), pending);
      replaceFile(target, bytes, { durable: true, temporary: `${target}${TEMPORARY_SUFFIX}`, pending });
      return digestOfBytes(named, bytes);
    },
    read: async (path) => readIfFile(resolve(path)),
    readEnds: async (path, headMax, tailMax) => readEndsIfFile(resolve(path), headMax, tailMax),
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

/** The ends of a regular file; what lies between them is never read. */
function readEndsIfFile(path: string, headMax: number, tailMax: number): FileEnds | undefined {
  if (!isFile(path)) return undefined;
  const file = openSync(path, constants.O_RDONLY | constants.O_NOFOLLOW);
  try {
    const bytes = fstatSync(file).size;
    const isShort = bytes <= headMax + tailMax;
    const head = readAt(file, 0, isShort ? bytes : headMax);
    return { bytes, head, tail: isShort ? new Uint8Array() : readAt(file, bytes - tailMax, tailMax) };
  } finally {
    closeSync(file);
  }
}

function readAt(file: number, from: number, length: number): Uint8Array {
  const bytes = new Uint8Array(length);
  let read = 0;
  while (read < length) {
    const more = readSync(file, bytes, read, length - read, from + read);
    if (more === 0) break;
    read += more;
  }
  return bytes.subarray(0, read);
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
 * hide from `verify`. Left out: the private repository, locks, supervision, the checkpoint, the list of what is missing.
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
    [JOURNAL_FILE, CHECKPOINT_FILE, LEFT_OUT_FILE, REPOSITORY_FOLDER, "supervision"].includes(name) ||
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
