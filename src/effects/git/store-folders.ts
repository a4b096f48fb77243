import { lstatSync, readdirSync } from "node:fs";
import { isLongAgo } from "../clock.ts";

/** What one folder of a store holds, by path relative to the store; links and the like are files here. */
interface Folder {
  readonly ino: number;
  readonly ctimeMs: number;
  readonly files: readonly string[];
  readonly folders: readonly string[];
}

/** Judged with the other metadata, by content. */
const JUDGED_ELSEWHERE = new Set(["info/alternates", "info/http-alternates"]);

/**
 * The names in an object store. A folder is read again only when its own stat says that something came, went or took
 * another's place: the kernel notes that, and nobody can take it back. One that changed a moment ago is always read, for
 * the clock of a file system may be coarse.
 */
export class StoreFolders {
  readonly #root: string;
  readonly #known = new Map<string, Folder>();

  constructor(root: string) {
    this.#root = root;
  }

  /** Paths of everything below that is no folder; a link is an entry of its own and never followed. */
  listPaths(): string[] {
    const paths: string[] = [];
    this.#collect("", paths);
    return paths;
  }

  #collect(path: string, paths: string[]): void {
    const folder = this.#read(path);
    if (folder === undefined) return;
    for (const file of folder.files) paths.push(file);
    for (const inner of folder.folders) this.#collect(inner, paths);
  }

  /** A folder that is none, or cannot be read, holds nothing: what is known to lie in it counts as removed. */
  #read(path: string): Folder | undefined {
    const full = path === "" ? this.#root : `${this.#root}/${path}`;
    try {
      // Before its names: what comes in between gives it another time, and it is read again.
      const stat = lstatSync(full);
      if (!stat.isDirectory()) return undefined;
      const { ino, ctimeMs } = stat;
      const known = this.#known.get(path);
      if (known?.ino === ino && known.ctimeMs === ctimeMs) return known;
      const folder = { ino, ctimeMs, ...readNames(full, path) };
      if (isLongAgo(ctimeMs)) this.#known.set(path, folder);
      return folder;
    } catch {
      return undefined;
    }
  }
}

function readNames(full: string, path: string): Pick<Folder, "files" | "folders"> {
  const files: string[] = [];
  const folders: string[] = [];
  for (const entry of readdirSync(full, { withFileTypes: true })) {
    const name = path === "" ? entry.name : `${path}/${entry.name}`;
    if (JUDGED_ELSEWHERE.has(name)) continue;
    (entry.isDirectory() ? folders : files).push(name);
  }
  return { files, folders };
}
