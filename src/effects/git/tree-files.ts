import { writeLooseObject } from "./loose-objects.ts";
import { StoreSource } from "./object-source.ts";
import { parseTree, type TreeEntry } from "./read-objects.ts";
import type { ObjectStore } from "./scratch.ts";
import { ForgedObjectError } from "./tree-changes.ts";

const TREE_BYTES_MAX = 64 * 1024 * 1024;
const FOLDER = "40000";
const FILE = "100644";

/** A file as a tree is to have it; gone when it has no text. */
interface PlacedFile {
  readonly path: string;
  readonly text: string | null;
}

/** Makes the tree of `base`, a tree, with these files in it; no process, no index, no checkout. Only what differs is written. */
export async function buildTreeWith(store: ObjectStore, base: string, files: readonly PlacedFile[]): Promise<string> {
  await using source = new StoreSource(store);
  return (await placeFiles(store, source, base, files)) ?? writeTree(store, []);
}

/** The tree with the files, or nothing when none is left: git knows no empty folders. */
async function placeFiles(
  store: ObjectStore,
  source: StoreSource,
  tree: string | undefined,
  files: readonly PlacedFile[],
): Promise<string | undefined> {
  const entries = new Map<string, TreeEntry>();
  for (const entry of tree === undefined ? [] : await readEntries(store, source, tree))
    entries.set(entry.name.toString("latin1"), entry);
  for (const [name, inside] of byFirstName(files)) {
    const key = name.toString("latin1");
    const before = entries.get(key);
    // A file that is to be gone while others are to lie below its name: they make it a folder.
    const here = inside.find(({ path, text }) => path === "" && (text !== null || inside.length === 1));
    const isFolder = before?.mode === FOLDER;
    const mode = here === undefined ? FOLDER : FILE;
    const oid =
      here === undefined
        ? await placeFiles(store, source, isFolder ? before.oid : undefined, below(inside))
        : writeText(store, here.text);
    // What is to be gone is gone only where it is what was meant; what is to be there takes the place of anything.
    if (oid !== undefined) entries.set(key, { mode, name, oid });
    else if (isFolder === (mode === FOLDER)) entries.delete(key);
  }
  return entries.size === 0 ? undefined : writeTree(store, [...entries.values()]);
}

function below(files: readonly PlacedFile[]): readonly PlacedFile[] {
  return files.filter(({ path }) => path !== "");
}

function writeText({ objects, format }: ObjectStore, text: string | null): string | undefined {
  return text === null ? undefined : writeLooseObject(objects, format, "blob", Buffer.from(text));
}

async function readEntries({ format }: ObjectStore, source: StoreSource, tree: string): Promise<TreeEntry[]> {
  const object = await source.read(tree, TREE_BYTES_MAX);
  if (object?.type !== "tree" || !object.sound || object.bytes === undefined) throw new ForgedObjectError(tree);
  return [...parseTree(object.bytes, format)];
}

/** Files by the first name of their paths, which are then what is left of them; nothing is left of a file that lies here. */
function byFirstName(files: readonly PlacedFile[]): Iterable<readonly [Buffer, readonly PlacedFile[]]> {
  const groups = new Map<string, PlacedFile[]>();
  for (const { path, text } of files) {
    const [name = "", ...rest] = path.split("/");
    groups.set(name, [...(groups.get(name) ?? []), { path: rest.join("/"), text }]);
  }
  return [...groups].map(([name, inside]) => [Buffer.from(name), inside]);
}

function writeTree({ objects, format }: ObjectStore, entries: readonly TreeEntry[]): string {
  // Git sorts a folder as if its name ended in a slash.
  const keyOf = ({ mode, name }: TreeEntry): Buffer =>
    mode === FOLDER ? Buffer.concat([name, Buffer.from("/")]) : name;
  const sorted = entries.toSorted((left, right) => Buffer.compare(keyOf(left), keyOf(right)));
  const parts = sorted.flatMap(({ mode, name, oid }) => [
    Buffer.from(`${mode} `),
    name,
    Buffer.from([0]),
    Buffer.from(oid, "hex"),
  ]);
  return writeLooseObject(objects, format, "tree", Buffer.concat(parts));
}
