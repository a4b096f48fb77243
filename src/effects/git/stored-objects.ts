import { createHash } from "node:crypto";
import { constants, lstatSync, readdirSync, type BigIntStats } from "node:fs";
import { chmod, open, rm } from "node:fs/promises";
import { dirname, join } from "node:path";
import { pipeline } from "node:stream/promises";
import { createInflate } from "node:zlib";
import type { TamperFinding } from "../../domain/candidate.ts";
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

/** Lists an object store: a stat for each file, content only of packs and the like, of which a run makes none. */
export async function listObjects(objects: string): Promise<ObjectListing> {
  const listing = new Map<string, StoredFile>();
  for (const [path, stat] of walk(objects, "")) {
    const digest = LOOSE.test(path) || !stat.isFile() ? undefined : await digestFile(join(objects, path));
    listing.set(path, pick(stat, digest));
  }
  return listing;
}

/**
 * Compares an object store with what it was and removes what is new. Git freshens the times of an object that is
 * added a second time, so a file whose stat differs is judged by its content. A new object whose bytes are not those
 * its name promises is a forgery; a new sound one is what a plain `git add` leaves.
 */
export async function compareObjects(
  objects: string,
  before: ObjectListing,
  format: ObjectFormat,
): Promise<TamperFinding[]> {
  const findings: TamperFinding[] = [];
  const find = (detail: string): void => void findings.push({ kind: "objects", detail });
  const now = new Map(walk(objects, ""));
  for (const [path, old] of before) {
    const stat = now.get(path);
    if (stat === undefined) find(`objects/${path} removed`);
    else if (!isSame(old, stat) && !(await isUnchanged(objects, path, old, stat, format))) {
      find(`objects/${path} changed`);
    }
  }
  for (const [path, stat] of now) {
    if (before.has(path)) continue;
    const isLoose = LOOSE.test(path);
    if (isLoose && !(stat.isFile() && (await isSoundLoose(objects, path, format)))) find(`objects/${path} forged`);
    if (!isLoose && !stat.isFile()) find(`objects/${path} added`);
    if (!(await removeFile(join(objects, path)))) find(`objects/${path} cannot be removed`);
  }
  return findings;
}

/** Loose objects whose bytes are not those their names promise, and paths of all pack files. */
export async function inspectObjects(
  objects: string,
  format: ObjectFormat,
): Promise<{ unsound: string[]; packs: string[] }> {
  const unsound: string[] = [];
  const packs: string[] = [];
  for (const [path, stat] of walk(objects, "")) {
    if (path.endsWith(".pack")) packs.push(join(objects, path));
    if (!LOOSE.test(path)) continue;
    if (!stat.isFile() || !(await isSoundLoose(objects, path, format))) unsound.push(path.replace("/", ""));
  }
  return { unsound, packs };
}

/** Everything below that is no folder; a link is an entry of its own and never followed. */
function* walk(root: string, folder: string): Generator<[string, BigIntStats]> {
  for (const name of listNames(join(root, folder))) {
    const path = folder === "" ? name : `${folder}/${name}`;
    const stat = lstatSync(join(root, path), { bigint: true, throwIfNoEntry: false });
    if (stat === undefined || JUDGED_ELSEWHERE.has(path)) continue;
    if (stat.isDirectory()) yield* walk(root, path);
    else yield [path, stat];
  }
}

/** A folder that cannot be read holds nothing, so that the objects known to lie in it count as removed. */
function listNames(folder: string): string[] {
  try {
    return lstatSync(folder).isDirectory() ? readdirSync(folder) : [];
  } catch {
    return [];
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
  const hash = createHash(format);
  try {
    await using file = await openPlain(join(objects, path));
    await pipeline(file.createReadStream({ autoClose: false }), createInflate(), hash);
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
