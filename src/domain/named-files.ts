import type { FileDigest } from "./journal.ts";

/**
 * The files that events name, the newest digest of a path counting. Each event adds a few; the whole is put together
 * only when somebody asks, so that a fold of many events does not copy it for each of them.
 */
export class NamedFiles {
  readonly #before: NamedFiles | undefined;
  readonly #added: readonly FileDigest[];
  #byPath: ReadonlyMap<string, FileDigest> | undefined;

  constructor(added: readonly FileDigest[], before?: NamedFiles) {
    this.#added = added;
    this.#before = before;
  }

  /** The same files and some more; this value stays as it is. */
  with(added: readonly FileDigest[]): NamedFiles {
    return added.length === 0 ? this : new NamedFiles(added, this);
  }

  get size(): number {
    return this.#all().size;
  }

  has(path: string): boolean {
    return this.#all().has(path);
  }

  get(path: string): FileDigest | undefined {
    return this.#all().get(path);
  }

  paths(): Iterable<string> {
    return this.#all().keys();
  }

  values(): Iterable<FileDigest> {
    return this.#all().values();
  }

  #all(): ReadonlyMap<string, FileDigest> {
    if (this.#byPath !== undefined) return this.#byPath;
    const parts = [this.#added];
    let at = this.#before;
    for (; at !== undefined && at.#byPath === undefined; at = at.#before) parts.push(at.#added);
    const byPath = new Map(at === undefined ? [] : at.#byPath);
    for (const part of parts.toReversed()) for (const file of part) byPath.set(file.path, file);
    this.#byPath = byPath;
    return byPath;
  }
}
