import { createHash } from "node:crypto";
import { constants, lstatSync, type Stats } from "node:fs";
import { chmod, open, rm } from "node:fs/promises";
import { dirname, join } from "node:path";
import { pipeline } from "node:stream/promises";
import { createInflate } from "node:zlib";
import type { TamperFinding } from "../../domain/candidate.ts";
import { readLooseObject } from "./loose-objects.ts";
import type { ObjectFormat } from "./object-id.ts";
import { StoreFolders } from "./store-folders.ts";

/** A file of the object store as it was. `digest` is set for what is no loose object and so proves itself by nothing. */
interface StoredFile {
  readonly ino: number;
  readonly size: number;
  readonly ctimeMs: number;
  readonly isFile: boolean;
  readonly digest: string | undefined;
}

/** Files of an object store by path relative to it. */
export type ObjectListing = ReadonlyMap<string, StoredFile>;

const LOOSE = /^([0-9a-f]{2})\/([0-9a-f]{38}|[0-9a-f]{62})$/;

/** The object store of a run, looked at before and after each program that could have reached it. */
export class StoredObjects {
  readonly #objects: string;
  readonly #format: ObjectFormat;
  readonly #folders: StoreFolders;
  #known: ObjectListing = new Map();

  constructor(objects: string, format: ObjectFormat) {
    this.#objects = objects;
    this.#format = format;
    this.#folders = new StoreFolders(objects);
  }

  /**
   * Lists the store: a stat for each file that is new, content only of packs and the like, of which a run makes none. What
   * is known from the comparison before keeps its facts: nobody but us was there since, and a change in between must show.
   */
  async list(): Promise<ObjectListing> {
    const paths = this.#folders.listPaths();
    const fresh = paths.filter((path) => !this.#known.has(path));
    const isComplete = paths.length - fresh.length === this.#known.size;
    if (isComplete && fresh.length === 0) return this.#known;
    const listing = new Map(isComplete ? this.#known : pickKnown(this.#known, paths));
    for (const path of fresh) {
      const stat = lstatSync(join(this.#objects, path), { throwIfNoEntry: false });
      if (stat === undefined) continue;
      const isDigested = !LOOSE.test(path) && stat.isFile();
      listing.set(path, toStored(stat, isDigested ? await digestFile(join(this.#objects, path)) : undefined));
    }
    return listing;
  }

  /**
   * Compares the store with what it was and removes what is new. Git freshens the times of an object that is added a
   * second time, so a file whose stat differs is judged by its content. A new object whose bytes are not those its name
   * promises is a forgery; a new sound one is what a plain `git add` leaves.
   */
  async compare(before: ObjectListing): Promise<TamperFinding[]> {
    const { removed, changed, added } = this.#findDifferences(before);
    const details = removed.map((path) => `${path} removed`);
    const freshened = new Map<string, StoredFile>();
    for (const { path, old, stat } of changed) {
      if (await this.#isUnchanged(path, old, stat)) freshened.set(path, toStored(stat, old.digest));
      else details.push(`${path} changed`);
    }
    for (const { path, stat } of added) {
      const isLoose = LOOSE.test(path);
      if (isLoose && !(stat.isFile() && (await isSoundLoose(this.#objects, path, this.#format))))
        details.push(`${path} forged`);
      if (!isLoose && !stat.isFile()) details.push(`${path} added`);
      if (!(await removeFile(join(this.#objects, path)))) details.push(`${path} cannot be removed`);
    }
    this.#known = freshened.size === 0 ? before : new Map([...before, ...freshened]);
    return details.map((detail) => ({ kind: "objects", detail: `objects/${detail}` }));
  }

  #findDifferences(before: ObjectListing): Differences {
    const [changed, added]: [Differences["changed"], Differences["added"]] = [[], []];
    let same = 0;
    for (const path of this.#folders.listPaths()) {
      // No `join`: it looks at every letter again, for thousands of paths after each program.
      const stat = lstatSync(`${this.#objects}/${path}`, { throwIfNoEntry: false });
      const old = before.get(path);
      if (stat === undefined) continue;
      if (old === undefined) added.push({ path, stat });
      else if (isSame(old, stat)) same += 1;
      else changed.push({ path, old, stat });
    }
    return { changed, added, removed: same + changed.length === before.size ? [] : this.#findRemoved(before) };
  }

  #findRemoved(before: ObjectListing): string[] {
    const isThere = (path: string): boolean => lstatSync(`${this.#objects}/${path}`, { throwIfNoEntry: false }) !== undefined;
    const present = new Set(this.#folders.listPaths().filter(isThere));
    return [...before.keys()].filter((path) => !present.has(path));
  }

  async #isUnchanged(path: string, old: StoredFile, stat: Stats): Promise<boolean> {
    if (!stat.isFile() || !old.isFile) return false;
    if (LOOSE.test(path)) return isSoundLoose(this.#objects, path, this.#format);
    return old.digest !== undefined && old.digest === (await digestFile(join(this.#objects, path)));
  }
}

/** How a store differs from what it was. */
interface Differences {
  readonly removed: string[];
  readonly changed: { readonly path: string; readonly old: StoredFile; readonly stat: Stats }[];
  readonly added: { readonly path: string; readonly stat: Stats }[];
}

function pickKnown(known: ObjectListing, paths: readonly string[]): [string, StoredFile][] {
  return paths.flatMap((path) => {
    const file = known.get(path);
    return file === undefined ? [] : [[path, file]];
  });
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
  for (const path of new StoreFolders(objects).listPaths()) {
    const stat = lstatSync(join(objects, path), { throwIfNoEntry: false });
    if (stat === undefined) continue;
    if (!stat.isFile()) unsound.push(LOOSE.test(path) ? path.replace("/", "") : path);
    else if (path.endsWith(".pack")) packs.push(join(objects, path));
    else if (LOOSE.test(path) && !(await isSoundLoose(objects, path, format))) unsound.push(path.replace("/", ""));
  }
  return { unsound, packs };
}

/** Ids of all loose objects, by their names alone. */
export function listLooseIds(objects: string): string[] {
  return new StoreFolders(objects)
    .listPaths()
    .filter((path) => LOOSE.test(path))
    .map((path) => path.replace("/", ""));
}

/** True for a folder that is none by a link. */
export function isPlainFolder(path: string): boolean {
  try {
    return lstatSync(path).isDirectory();
  } catch {
    return false;
  }
}

function toStored(stat: Stats, digest: string | undefined): StoredFile {
  return { ino: stat.ino, size: stat.size, ctimeMs: stat.ctimeMs, isFile: stat.isFile(), digest };
}

function isSame(old: StoredFile, stat: Stats): boolean {
  return old.ino === stat.ino && old.size === stat.size && old.ctimeMs === stat.ctimeMs && old.isFile === stat.isFile();
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
