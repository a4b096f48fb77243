import type { Stats } from "node:fs";
import { join } from "node:path";
import type { TamperFinding } from "../../domain/candidate.ts";
import { digestFile, isSoundLoose, LOOSE, lookAt, removeFile, removeOdd, showOdd } from "./object-files.ts";
import type { ObjectFormat } from "./object-id.ts";
import { StoreFolders, type StoreNames } from "./store-folders.ts";

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
    const { paths } = this.#folders.list();
    const fresh = paths.filter((path) => !this.#known.has(path));
    const isComplete = paths.length - fresh.length === this.#known.size;
    if (isComplete && fresh.length === 0) return this.#known;
    const listing = new Map(isComplete ? this.#known : pickKnown(this.#known, paths));
    for (const path of fresh) {
      const stat = lookAt(this.#objects, path);
      if (stat === undefined) continue;
      const isDigested = !LOOSE.test(path) && stat.isFile();
      listing.set(path, toStored(stat, isDigested ? await digestFile(join(this.#objects, path)) : undefined));
    }
    return listing;
  }

  /**
   * Compares the store with what it was and removes what is new. Git freshens the times of an object that is added a
   * second time, so a file whose stat differs is judged by its content. A new object whose bytes are not those its name
   * promises is a forgery; a new sound one is what a plain `git add` leaves. What git could read and we could not is told
   * too: folders that are locked, names that are no text.
   */
  async compare(before: ObjectListing): Promise<TamperFinding[]> {
    const details: string[] = [];
    const { removed, unseen, changed, added } = this.#findDifferences(before, this.#openUp(details));
    details.push(...removed.map((path) => `${path} removed`), ...unseen.map((path) => `${path} cannot be looked at`));
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

  /** Lists the store as it lies there now; folders that are locked are told of and opened, files of odd names removed. */
  #openUp(details: string[]): StoreNames {
    const opened = new Set<string>();
    let names = this.#folders.list();
    // What lies in a folder that was locked may be locked in turn; one that cannot be opened is not tried twice.
    for (let { locked } = names; locked.length > 0; locked = names.locked.filter((path) => !opened.has(path))) {
      for (const path of locked) {
        opened.add(path);
        details.push(`${path} locked`);
        this.#folders.unlock(path);
      }
      names = this.#folders.list();
    }
    for (const odd of names.odd) {
      details.push(`${showOdd(odd)} has a name that is no text`);
      removeOdd(this.#objects, odd);
    }
    return names;
  }

  #findDifferences(before: ObjectListing, { paths }: StoreNames): Differences {
    const differences: Differences = { removed: [], unseen: [], changed: [], added: [] };
    const seen: string[] = [];
    for (const path of paths) {
      const stat = lookAt(this.#objects, path);
      const old = before.get(path);
      if (stat === undefined) differences.unseen.push(path);
      else if (old === undefined) differences.added.push({ path, stat });
      else if (!isSame(old, stat)) differences.changed.push({ path, old, stat });
      if (old !== undefined) seen.push(path);
    }
    if (seen.length === before.size) return differences;
    const present = new Set(seen);
    return { ...differences, removed: [...before.keys()].filter((path) => !present.has(path)) };
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
  /** Listed, and yet without a stat. */
  readonly unseen: string[];
  readonly changed: { readonly path: string; readonly old: StoredFile; readonly stat: Stats }[];
  readonly added: { readonly path: string; readonly stat: Stats }[];
}

function pickKnown(known: ObjectListing, paths: readonly string[]): [string, StoredFile][] {
  return paths.flatMap((path) => {
    const file = known.get(path);
    return file === undefined ? [] : [[path, file]];
  });
}

function toStored(stat: Stats, digest: string | undefined): StoredFile {
  return { ino: stat.ino, size: stat.size, ctimeMs: stat.ctimeMs, isFile: stat.isFile(), digest };
}

function isSame(old: StoredFile, stat: Stats): boolean {
  return old.ino === stat.ino && old.size === stat.size && old.ctimeMs === stat.ctimeMs && old.isFile === stat.isFile();
}
