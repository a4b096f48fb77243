import { createHash } from "node:crypto";
import { constants, lstatSync, readdirSync, type BigIntStats, type Dirent } from "node:fs";
import { chmod, open, rm } from "node:fs/promises";
import { dirname, join } from "node:path";
import { pipeline } from "node:stream/promises";
import { createInflate } from "node:zlib";
import type { TamperFinding } from "../../domain/candidate.ts";
import { readLooseObject } from "./loose-objects.ts";
import type { ObjectFormat } from "./object-id.ts";

/** A file of the object store as it was. `digest` is set for what is no loose object and so proves itself by nothing. */
interface StoredFile {
  readonly ino: bigint;
  readonly size: bigint;
  readonly ctimeNs: bigint;
  readonly isFile: boolean;
  readonly digest: string | undefined;
}

/** Files of an object store by path relative to it. */
export type ObjectListing = ReadonlyMap<string, StoredFile>;

const LOOSE = /^([0-9a-f]{2})\/([0-9a-f]{38}|[0-9a-f]{62})$/;
/** Judged with the other metadata, by content. */
const JUDGED_ELSEWHERE = new Set(["info/alternates", "info/http-alternates"]);

/**
 * Lists an object store: a stat for each file, content only of packs and the like, of which a run makes none. What is
 * `known` from the comparison before keeps its facts: nobody but us was there since, and a change in between must show.
 */
export async function listObjects(objects: string, known: ObjectListing): Promise<ObjectListing> {
  const listing = new Map<string, StoredFile>();
  for (const path of walkNames(objects, "")) {
    const file = known.get(path) ?? (await describeStored(objects, path));
    if (file !== undefined) listing.set(path, file);
  }
  return listing;
}

async function describeStored(objects: string, path: string): Promise<StoredFile | undefined> {
  const stat = lstatSync(join(objects, path), { bigint: true, throwIfNoEntry: false });
  if (stat === undefined) return undefined;
  return pick(stat, LOOSE.test(path) || !stat.isFile() ? undefined : await digestFile(join(objects, path)));
}

/**
 * Compares an object store with what it was and removes what is new. Git freshens the times of an object that is
 * added a second time, so a file whose stat differs is judged by its content. A new object whose bytes are not those
 * its name promises is a forgery; a new sound one is what a plain `git add` leaves. Gives the listing as it is now, too.
 */
export async function compareObjects(
  objects: string,
  before: ObjectListing,
  format: ObjectFormat,
): Promise<{ findings: TamperFinding[]; listing: ObjectListing }> {
  const findings: TamperFinding[] = [];
  const find = (detail: string): void => void findings.push({ kind: "objects", detail });
  const now = new Map(walk(objects, ""));
  const listing = new Map(before);
  for (const [path, old] of before) {
    const stat = now.get(path);
    if (stat === undefined) find(`objects/${path} removed`);
    else if (isSame(old, stat)) continue;
    else if (await isUnchanged(objects, path, old, stat, format)) listing.set(path, pick(stat, old.digest));
    else find(`objects/${path} changed`);
  }
  for (const [path, stat] of now) {
    if (before.has(path)) continue;
    const isLoose = LOOSE.test(path);
    if (isLoose && !(stat.isFile() && (await isSoundLoose(objects, path, format)))) find(`objects/${path} forged`);
    if (!isLoose && !stat.isFile()) find(`objects/${path} added`);
    if (!(await removeFile(join(objects, path)))) find(`objects/${path} cannot be removed`);
  }
  return { findings, listing };
}

/**
 * Loose objects whose bytes are not those their names promise, whatever is no file, links in place of folders too, since
 * nobody would see what changes behind them; and paths of all pack files.
 */
export async function inspectObjects(
  objects: string,
  format: ObjectFormat,
): Promise<{ unsound: string[]; packs: string[] }> {
  const unsound: string[] = [];
  const packs: string[] = [];
  if (lstatSync(objects, { throwIfNoEntry: false })?.isDirectory() === false) unsound.push("objects");
  for (const [path, stat] of walk(objects, "")) {
    if (!stat.isFile()) unsound.push(LOOSE.test(path) ? path.replace("/", "") : path);
    else if (path.endsWith(".pack")) packs.push(join(objects, path));
    else if (LOOSE.test(path) && !(await isSoundLoose(objects, path, format))) unsound.push(path.replace("/", ""));
  }
  return { unsound, packs };
}

/** Ids of all loose objects, by their names alone. */
export function listLooseIds(objects: string): string[] {
  return [...walkNames(objects, "")].filter((path) => LOOSE.test(path)).map((path) => path.replace("/", ""));
}

/** Everything below that is no folder; a link is an entry of its own and never followed. */
function* walk(root: string, folder: string): Generator<[string, BigIntStats]> {
  for (const path of walkNames(root, folder)) {
    // No `join`: it looks at every letter again, for thousands of paths after each program.
    const stat = lstatSync(`${root}/${path}`, { bigint: true, throwIfNoEntry: false });
    if (stat !== undefined) yield [path, stat];
  }
}

function* walkNames(root: string, folder: string): Generator<string> {
  const isRoot = folder === "";
  // What its parent lists as a folder is no link; of the root nobody has said so yet.
  const entries = isRoot && !isPlainFolder(root) ? [] : listEntries(isRoot ? root : `${root}/${folder}`);
  for (const entry of entries) {
    const path = isRoot ? entry.name : `${folder}/${entry.name}`;
    if (JUDGED_ELSEWHERE.has(path)) continue;
    if (entry.isDirectory()) yield* walkNames(root, path);
    else yield path;
  }
}

/** A folder that cannot be read holds nothing, so that the objects known to lie in it count as removed. */
function listEntries(folder: string): Dirent[] {
  try {
    return readdirSync(folder, { withFileTypes: true });
  } catch {
    return [];
  }
}

/** True for a folder that is none by a link. */
export function isPlainFolder(path: string): boolean {
  try {
    return lstatSync(path).isDirectory();
  } catch {
    return false;
  }
}

function pick(stat: BigIntStats, digest: string | undefined): StoredFile {
  return { ino: stat.ino, size: stat.size, ctimeNs: stat.ctimeNs, isFile: stat.isFile(), digest };
}

function isSame(old: StoredFile, stat: BigIntStats): boolean {
  return old.ino === stat.ino && old.size === stat.size && old.ctimeNs === stat.ctimeNs && old.isFile === stat.isFile();
}

async function isUnchanged(
  objects: string,
  path: string,
  old: StoredFile,
  stat: BigIntStats,
  format: ObjectFormat,
): Promise<boolean> {
  if (!stat.isFile() || !old.isFile) return false;
  if (LOOSE.test(path)) return isSoundLoose(objects, path, format);
  return old.digest !== undefined && old.digest === (await digestFile(join(objects, path)));
}

async function isSoundLoose(objects: string, path: string, format: ObjectFormat): Promise<boolean> {
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

async function digestFile(path: string): Promise<string | undefined> {
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

async function removeFile(path: string): Promise<boolean> {
  try {
    await rm(path, { force: true });
  } catch {
    await chmod(dirname(path), 0o755).catch(() => undefined);
    await rm(path, { force: true }).catch(() => undefined);
  }
  return lstatSync(path, { throwIfNoEntry: false }) === undefined;
}
