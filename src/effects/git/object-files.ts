import { createHash } from "node:crypto";
import { constants, lstatSync, unlinkSync, type Stats } from "node:fs";
import { chmod, open, rm } from "node:fs/promises";
import { dirname, join } from "node:path";
import { pipeline } from "node:stream/promises";
import { createInflate } from "node:zlib";
import { showName } from "../folder-names.ts";
import { readLooseObject } from "./loose-objects.ts";
import type { ObjectFormat } from "./object-id.ts";
import type { OddName } from "./store-folders.ts";

/** Path of a loose object in its store. */
export const LOOSE = /^([0-9a-f]{2})\/([0-9a-f]{38}|[0-9a-f]{62})$/;

/** True for a folder that is none by a link. */
export function isPlainFolder(path: string): boolean {
  try {
    return lstatSync(path).isDirectory();
  } catch {
    return false;
  }
}

/** The stat of a path below a store; nothing when there is none, or the machine does not give it. */
export function lookAt(objects: string, path: string): Stats | undefined {
  try {
    // No `join`: it looks at every letter again, for thousands of paths after each program.
    return lstatSync(`${objects}/${path}`, { throwIfNoEntry: false });
  } catch {
    return undefined;
  }
}

/** The path of what has no name in text, as a message shows it. */
export function showOdd({ folder, name }: OddName): string {
  return folder === "" ? showName(name) : `${folder}/${showName(name)}`;
}

/** True when a loose object, of whatever size, is the bytes that its name promises and ends there. */
export async function isSoundLoose(objects: string, path: string, format: ObjectFormat): Promise<boolean> {
  // Small ones in one piece: a stream for each of thousands costs more than all the rest.
  const small = readLooseObject(objects, format, path.replace("/", ""), 0);
  if (small !== undefined) return small.sound;
  const hash = createHash(format);
  try {
    await using file = await openPlain(join(objects, path));
    const inflate = createInflate();
    await pipeline(file.createReadStream({ autoClose: false }), inflate, hash);
    // What follows the end would be passed over here, and is refused by git.
    if (inflate.bytesWritten !== (await file.stat()).size) return false;
  } catch {
    return false;
  }
  return hash.digest("hex") === path.replace("/", "");
}

/** SHA-256 of a regular file; nothing when it cannot be read. */
export async function digestFile(path: string): Promise<string | undefined> {
  const hash = createHash("sha256");
  try {
    await using file = await openPlain(path);
    await pipeline(file.createReadStream({ autoClose: false }), hash);
  } catch {
    return undefined;
  }
  return hash.digest("hex");
}

function openPlain(path: string): ReturnType<typeof open> {
  return open(path, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK);
}

/** Removes a file whose name is no text. A folder of such a name stays: git looks into none. */
export function removeOdd(objects: string, { folder, name }: OddName): void {
  try {
    unlinkSync(Buffer.concat([Buffer.from(`${objects}/${folder}/`), name]));
  } catch {
    // It was told of; and whoever looks the next time finds it again.
  }
}

/** Removes a file, also from a folder that may not be written; whether it is gone. */
export async function removeFile(path: string): Promise<boolean> {
  try {
    await rm(path, { force: true });
  } catch {
    await chmod(dirname(path), 0o755).catch(() => undefined);
    await rm(path, { force: true }).catch(() => undefined);
  }
  return lstatSync(path, { throwIfNoEntry: false }) === undefined;
}
