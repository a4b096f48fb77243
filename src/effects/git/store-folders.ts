import { chmodSync, lstatSync } from "node:fs";
import { isLongAgo } from "../clock.ts";
import { isLocked, readFolderNames } from "../folder-names.ts";

/** What one folder of a store holds, by path relative to the store; links and the like are files here. */
interface Folder {
  readonly dev: number;
  readonly ino: number;
  readonly ctimeMs: number;
  readonly files: readonly string[];
  readonly folders: readonly string[];
  readonly odd: readonly OddName[];
}

/** A file or folder whose name is no text. */
export interface OddName {
  readonly folder: string;
  readonly name: Buffer;
}

/** What a store holds. */
export interface StoreNames {
  /** Paths of everything that is no folder; a link is an entry of its own and never followed. */
  readonly paths: string[];
  readonly odd: OddName[];
  /** Folders that their owner may not read and enter: git can use what we cannot list. The store itself is "". */
  readonly locked: string[];
}

/** Judged with the other metadata, by content. */
const JUDGED_ELSEWHERE = new Set(["info/alternates", "info/http-alternates"]);

/**
 * The names in an object store. A folder is read again only when its own stat says that something came, went or took
 * another's place: the kernel notes that at a time that no program can set. One that changed a moment ago is always read,
 * for the clock of a file system may be coarse.
 */
export class StoreFolders {
  readonly #root: string;
  readonly #known = new Map<string, Folder>();

  constructor(root: string) {
    this.#root = root;
  }

  list(): StoreNames {
    const names: StoreNames = { paths: [], odd: [], locked: [] };
    this.#collect("", names);
    return names;
  }

  /** Lets the owner, which is us, read and enter a folder again. */
  unlock(path: string): void {
    try {
      chmodSync(this.#place(path), 0o755);
    } catch {
      // It stays as it is, and counts as locked again.
    }
  }

  #place(path: string): string {
    return path === "" ? this.#root : `${this.#root}/${path}`;
  }

  #collect(path: string, names: StoreNames): void {
    const folder = this.#read(path);
    if (folder === "locked") names.locked.push(path);
    if (folder === "locked" || folder === "none") return;
    for (const file of folder.files) names.paths.push(file);
    names.odd.push(...folder.odd);
    for (const inner of folder.folders) this.#collect(inner, names);
  }

  #read(path: string): Folder | "locked" | "none" {
    const full = this.#place(path);
    try {
      // Before its names: what comes in between gives it another time, and it is read again.
      const stat = lstatSync(full, { throwIfNoEntry: false });
      if (stat?.isDirectory() !== true) return "none";
      if (isLocked(stat)) return "locked";
      const { dev, ino, ctimeMs } = stat;
      const known = this.#known.get(path);
      if (known?.dev === dev && known.ino === ino && known.ctimeMs === ctimeMs) return known;
      this.#known.delete(path);
      const isSettled = isLongAgo(ctimeMs);
      const folder = { dev, ino, ctimeMs, ...readFolder(full, path) };
      if (isSettled) this.#known.set(path, folder);
      return folder;
    } catch {
      return "locked";
    }
  }
}

function readFolder(full: string, path: string): Pick<Folder, "files" | "folders" | "odd"> {
  const { files, folders, odd } = readFolderNames(full);
  const pathOf = (name: string): string => (path === "" ? name : `${path}/${name}`);
  return {
    files: files.map(pathOf).filter((file) => !JUDGED_ELSEWHERE.has(file)),
    folders: folders.map(pathOf),
    odd: odd.map((name) => ({ folder: path, name })),
  };
}
