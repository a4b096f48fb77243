import type { GitContext } from "./git.ts";
import { looseIn, openScratch, type ObjectStore, type Scratch } from "./scratch.ts";
import { readLooseAmong } from "./loose-objects.ts";
import type { ObjectFormat } from "./object-id.ts";
import { ObjectReader, type StoredObject } from "./object-reader.ts";

/**
 * Objects by id, each hashed again: in process when they lie loose where the context says, else through one `cat-file`
 * that is started when it is first needed.
 */
export class ObjectSource implements AsyncDisposable {
  readonly #context: GitContext;
  readonly #format: ObjectFormat;
  #git: ObjectReader | undefined;

  constructor(context: GitContext, format: ObjectFormat) {
    this.#context = context;
    this.#format = format;
  }

  /** The object of that id, or nothing; content beyond `keepBytesMax` is hashed and dropped. */
  async read(oid: string, keepBytesMax: number): Promise<StoredObject | undefined> {
    const loose = readLooseAmong(this.#context.looseIn ?? [], this.#format, oid, keepBytesMax);
    if (loose !== undefined) return loose;
    this.#git ??= new ObjectReader(this.#context, this.#format);
    return this.#git.read(oid, keepBytesMax);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#git?.[Symbol.asyncDispose]();
  }
}

/** The same over the objects of a run; not even a scratch git dir is made when all of them lie loose. */
export class StoreSource implements AsyncDisposable {
  readonly #store: ObjectStore;
  #git: Promise<{ readonly scratch: Scratch; readonly reader: ObjectReader }> | undefined;

  constructor(store: ObjectStore) {
    this.#store = store;
  }

  async read(oid: string, keepBytesMax: number): Promise<StoredObject | undefined> {
    const loose = readLooseAmong(looseIn(this.#store), this.#store.format, oid, keepBytesMax);
    if (loose !== undefined) return loose;
    this.#git ??= this.#start();
    return (await this.#git).reader.read(oid, keepBytesMax);
  }

  async #start() {
    const scratch = await openScratch(this.#store);
    return { scratch, reader: new ObjectReader(scratch.context(), this.#store.format) };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const git = await this.#git;
    await git?.reader[Symbol.asyncDispose]();
    await git?.scratch[Symbol.asyncDispose]();
  }
}
