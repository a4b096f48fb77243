import { readIgnoreRules } from "./ignore-rules.ts";
import { readLooseObject } from "./loose-objects.ts";
import { StoreSource } from "./object-source.ts";
import { parseCommit, readCommit, type CommitFacts, type TrackedFile } from "./read-objects.ts";
import { withScratch, type ObjectStore } from "./scratch.ts";
import { ForgedObjectError } from "./tree-changes.ts";
import { TreeListing } from "./tree-listing.ts";

const COMMIT_BYTES_MAX = 64 * 1024 * 1024;
/** How many commits are remembered: the base, the tip and the candidate are all that a run asks for. */
const COMMITS_MAX = 4;

/**
 * What is known of commits and trees already. An object's name is the digest of what it holds, so what was read and
 * hashed once cannot become wrong, whatever is done to the store afterwards.
 */
export class KnownFacts {
  readonly #store: ObjectStore;
  readonly #listing: TreeListing;
  readonly #tracked = new Map<string, Promise<readonly TrackedFile[]>>();
  /** Commits of the user's own repository. */
  readonly #borrowed = new Map<string, CommitFacts>();
  readonly #rules = new Map<string, Buffer>();

  constructor(store: ObjectStore) {
    this.#store = store;
    this.#listing = new TreeListing(store.format);
  }

  /** Tree and parents of a commit, or nothing when it is missing or not the bytes its name promises. */
  async commit(oid: string): Promise<CommitFacts | undefined> {
    const { objects, format } = this.#store;
    const loose = readLooseObject(objects, format, oid, COMMIT_BYTES_MAX);
    if (loose !== undefined) return parseCommit(loose);
    const known = this.#borrowed.get(oid);
    if (known !== undefined) return known;
    const facts = await withScratch(this.#store, (scratch) => readCommit(scratch.context(), format, oid));
    if (facts !== undefined) remember(this.#borrowed, oid, facts);
    return facts;
  }

  /** Every tracked file of a commit. */
  async tracked(oid: string): Promise<readonly TrackedFile[]> {
    const known = this.#tracked.get(oid);
    if (known !== undefined) return known;
    const found = this.#list(oid);
    remember(this.#tracked, oid, found);
    found.catch(() => this.#tracked.delete(oid));
    return found;
  }

  /** The ignore rules of a commit, as the content of one exclude file. */
  async ignoreRules(oid: string): Promise<Buffer> {
    const tree = (await this.commit(oid))?.tree;
    if (tree === undefined) throw new ForgedObjectError(oid);
    const known = this.#rules.get(tree);
    if (known !== undefined) return known;
    const tracked = await this.tracked(oid);
    const rules = await readIgnoreRules(this.#store, tracked);
    this.setIgnoreRules(tree, rules);
    return rules;
  }

  /** Notes the rules of a tree that differs in no `.gitignore` from one whose rules are known. */
  setIgnoreRules(tree: string, rules: Buffer): void {
    remember(this.#rules, tree, rules);
  }

  async #list(oid: string): Promise<readonly TrackedFile[]> {
    const tree = (await this.commit(oid))?.tree ?? oid;
    await using source = new StoreSource(this.#store);
    return await this.#listing.list(source, tree);
  }
}

/** Keeps the newest alone. */
function remember<T>(map: Map<string, T>, key: string, value: T): void {
  map.delete(key);
  map.set(key, value);
  for (const oldest of map.keys()) {
    if (map.size <= COMMITS_MAX) break;
    map.delete(oldest);
  }
}
