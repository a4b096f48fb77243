import {
  closeSync,
  constants,
  existsSync,
  fchmodSync,
  fstatSync,
  fsyncSync,
  mkdirSync,
  openSync,
  readFileSync,
  renameSync,
  rmSync,
} from "node:fs";
import { join } from "node:path";
import { deflateSync, inflateSync } from "node:zlib";
import { syncFolder, writeFully } from "../durable-files.ts";
import { startObjectHash, type ObjectFormat } from "./object-id.ts";
import type { StoredObject } from "./object-reader.ts";

/** What is read in one piece, compressed and not; anything larger is left to git, which streams it. */
const FILE_BYTES_MAX = 1024 * 1024;
const OBJECT_BYTES_MAX = 8 * 1024 * 1024;
/** Longest header there is: a type, a size and a NUL. */
const HEADER_BYTES_MAX = 32;

/**
 * Reads a loose object of a store in process, hashed again: what we have just written ourselves need not cost a process.
 * Nothing when it is not there as a small loose file, so that git must be asked; bytes that are no object are unsound.
 */
export function readLooseObject(
  objects: string,
  format: ObjectFormat,
  oid: string,
  keepBytesMax: number,
): StoredObject | undefined {
  const file = readPlainFile(pathOf(objects, oid));
  if (file === undefined) return undefined;
  const unsound: StoredObject = { type: "", size: 0, bytes: undefined, sound: false, hasNul: false };
  let object: Buffer;
  try {
    // The types of Node do not know what `info` gives.
    const inflated: unknown = inflateSync(file, { maxOutputLength: OBJECT_BYTES_MAX, info: true });
    const { buffer, engine } = inflated as { buffer: Buffer; engine: { bytesWritten: number } };
    // What follows the end of an object is refused by git, as is a size that begins with zero.
    if (engine.bytesWritten !== file.length) return unsound;
    object = buffer;
  } catch (fault) {
    return (fault as NodeJS.ErrnoException).code === "ERR_BUFFER_TOO_LARGE" ? undefined : unsound;
  }
  const nul = object.subarray(0, HEADER_BYTES_MAX).indexOf(0);
  const [, type, digits] = /^([a-z]+) (\d+)$/.exec(object.toString("latin1", 0, Math.max(0, nul))) ?? [];
  if (type === undefined || digits !== String(object.length - nul - 1)) return unsound;
  const bytes = object.subarray(nul + 1);
  const sound = startObjectHash(format, type, bytes.length).update(bytes).digest("hex") === oid;
  const kept = bytes.length <= keepBytesMax ? bytes : undefined;
  return { type, size: bytes.length, bytes: kept, sound, hasNul: bytes.includes(0) };
}

/**
 * The same from the first folder that has the object loose. The last one is the user's: what is unsound there, as after a
 * power cut, may lie soundly in a pack, so that git must be asked.
 */
export function readLooseAmong(
  folders: readonly string[],
  format: ObjectFormat,
  oid: string,
  keepBytesMax: number,
): StoredObject | undefined {
  for (const folder of folders) {
    const object = readLooseObject(folder, format, oid, keepBytesMax);
    if (object !== undefined && (object.sound || folder !== folders.at(-1))) return object;
  }
  return undefined;
}

/**
 * Writes a loose object durably, as git does: under another name first, so that the right one is never half there. One
 * that is there already, and is what its name promises, stays.
 */
export function writeLooseObject(
  objects: string,
  format: ObjectFormat,
  type: "commit" | "blob" | "tree",
  bytes: Buffer,
): string {
  const oid = startObjectHash(format, type, bytes.length).update(bytes).digest("hex");
  const folder = join(objects, oid.slice(0, 2));
  if (readLooseObject(objects, format, oid, 0)?.sound === true) {
    // Whoever wrote it may have been killed before it was durable.
    syncFile(pathOf(objects, oid));
    syncFolder(folder);
    return oid;
  }
  if (!existsSync(folder)) {
    mkdirSync(folder);
    syncFolder(objects);
  }
  // Nobody else writes here while we do, and what a killed process left is replaced.
  const temporary = join(objects, `tmp_obj_${oid}`);
  rmSync(temporary, { force: true });
  const flags = constants.O_WRONLY | constants.O_CREAT | constants.O_EXCL | constants.O_NOFOLLOW;
  const file = openSync(temporary, flags, 0o444);
  try {
    writeFully(file, deflateSync(Buffer.concat([Buffer.from(`${type} ${bytes.length}\0`), bytes])));
    fchmodSync(file, 0o444);
    fsyncSync(file);
  } finally {
    closeSync(file);
  }
  renameSync(temporary, pathOf(objects, oid));
  syncFolder(folder);
  return oid;
}

function syncFile(path: string): void {
  const file = openSync(path, constants.O_RDONLY | constants.O_NOFOLLOW);
  try {
    fsyncSync(file);
  } finally {
    closeSync(file);
  }
}

function pathOf(objects: string, oid: string): string {
  return join(objects, oid.slice(0, 2), oid.slice(2));
}

/** Bytes of a small regular file, never through a link at its end; nothing for anything else, and no waiting for a pipe. */
export function readPlainFile(path: string): Buffer | undefined {
  let file: number;
  try {
    file = openSync(path, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK);
  } catch {
    return undefined;
  }
  try {
    const stat = fstatSync(file);
    return stat.isFile() && stat.size <= FILE_BYTES_MAX ? readFileSync(file) : undefined;
  } finally {
    closeSync(file);
  }
}
