import type { ObjectFormat } from "./object-id.ts";
import type { StoreSource } from "./object-source.ts";
import { parseTree, type TrackedFile, type TreeEntry } from "./read-objects.ts";
import { ForgedObjectError } from "./tree-changes.ts";

const TREE_BYTES_MAX = 64 * 1024 * 1024;
/** Entries that are kept in memory; a repository with more is read again each time. */
const ENTRIES_MAX = 300_000;
const FOLDER = "40000";
const SLASH = Buffer.from("/");

/**
 * Lists what is tracked in trees that have most folders in common, as the commits of a run have: a folder that was read
 * before is not read again. Every tree is hashed when it is read.
 */
export class TreeListing {
  readonly #folders = new Map<string, readonly TreeEntry[]>();
  readonly #format: ObjectFormat;
  #entries = 0;

  constructor(format: ObjectFormat) {
    this.#format = format;
  }

  /** Every tracked file of a tree, in git's order. Throws `ForgedObjectError` for a tree that is missing or not sound. */
  async list(source: Pick<StoreSource, "read">, tree: string): Promise<TrackedFile[]> {
    const files: TrackedFile[] = [];
    const folders = await this.#read(source, tree);
    // Asked for together, so that one conversation with git answers them all.
    const below = await Promise.all(
      folders.map(async (entry) => (entry.mode === FOLDER ? this.list(source, entry.oid) : undefined)),
    );
    for (const [index, { mode, name, oid }] of folders.entries()) {
      const inside = below[index];
      if (inside === undefined) files.push({ mode, oid, path: name });
      else for (const file of inside) files.push({ ...file, path: Buffer.concat([name, SLASH, file.path]) });
    }
    return files;
  }

  async #read(source: Pick<StoreSource, "read">, tree: string): Promise<readonly TreeEntry[]> {
    const known = this.#folders.get(tree);
    if (known !== undefined) return known;
    const object = await source.read(tree, TREE_BYTES_MAX);
    if (object?.type !== "tree" || !object.sound || object.bytes === undefined) throw new ForgedObjectError(tree);
    const entries = [...parseTree(Buffer.from(object.bytes), this.#format)];
    if (this.#entries > ENTRIES_MAX) {
      this.#folders.clear();
      this.#entries = 0;
    }
    this.#entries += entries.length;
    this.#folders.set(tree, entries);
    return entries;
  }
}
