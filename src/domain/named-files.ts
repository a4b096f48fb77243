import type { FileDigest } from "./journal.ts";

/** What was named under one path, the oldest first, each with the number of the addition that named it. */
type History = { readonly at: number; readonly file: FileDigest }[];

/** What all values that were made of each other share; only the newest of them adds to it. */
interface Shared {
  newest: number;
  readonly byPath: Map<string, History>;
}

/**
 * The files that events name, the newest digest of a path counting. A value: one that was made before stays as it is.
 * They share what they hold, so that neither a fold of many events nor a question about one path costs more, the more
 * files a run has.
 */
export class NamedFiles {
  readonly #shared: Shared;
  readonly #at: number;

  private constructor(shared: Shared) {
    this.#shared = shared;
    this.#at = shared.newest;
  }

  static of(files: readonly FileDigest[]): NamedFiles {
    return new NamedFiles(add({ newest: 0, byPath: new Map() }, files));
  }

  /** The same files and some more; this value stays as it is. */
  with(added: readonly FileDigest[]): NamedFiles {
    if (added.length === 0) return this;
    // Two values made of one that is not the newest must not see each other's files.
    if (this.#shared.newest !== this.#at) return NamedFiles.of([...this.values(), ...added]);
    return new NamedFiles(add(this.#shared, added));
  }

  get size(): number {
    return [...this.values()].length;
  }

  has(path: string): boolean {
    return this.get(path) !== undefined;
  }

  get(path: string): FileDigest | undefined {
    return this.#newestOf(this.#shared.byPath.get(path) ?? []);
  }

  *paths(): Iterable<string> {
    for (const [path, history] of this.#shared.byPath) if (this.#newestOf(history) !== undefined) yield path;
  }

  *values(): Iterable<FileDigest> {
    for (const history of this.#shared.byPath.values()) {
      const file = this.#newestOf(history);
      if (file !== undefined) yield file;
    }
  }

  #newestOf(history: History): FileDigest | undefined {
    return history.findLast(({ at }) => at <= this.#at)?.file;
  }
}

function add(shared: Shared, files: readonly FileDigest[]): Shared {
  shared.newest += 1;
  for (const file of files) {
    const history = shared.byPath.get(file.path);
    if (history === undefined) shared.byPath.set(file.path, [{ at: shared.newest, file }]);
    else history.push({ at: shared.newest, file });
  }
  return shared;
}
