import { GitError, runGit, type GitContext } from "./git.ts";
import { splitNul } from "./bytes.ts";
import type { ObjectFormat } from "./object-id.ts";
import type { StoredObject } from "./object-reader.ts";
import { ObjectSource } from "./object-source.ts";

const METADATA_BYTES_MAX = 64 * 1024 * 1024;
const FILE_BYTES_MAX = 1024 * 1024 * 1024;

/** What of a commit decides anything. */
export interface CommitFacts {
  readonly tree: string;
  readonly parents: readonly string[];
  /** The whole object, as UTF-8. */
  readonly text: string;
}

/** One tracked file of a tree. */
export interface TrackedFile {
  readonly mode: string;
  readonly oid: string;
  readonly path: Buffer;
}

/** A commit's tree and parents, or nothing when it is missing, no commit, or not the bytes its name promises. */
export function readCommit(context: GitContext, format: ObjectFormat, oid: string): Promise<CommitFacts | undefined> {
  return readThrough(context, format, (reader) => readCommitWith(reader, oid));
}

/** Content of a file at a commit or tree, by walking the trees, since no spelling of a path can mislead that. */
export function readFileAt(
  context: GitContext,
  format: ObjectFormat,
  commit: string,
  path: string,
): Promise<Buffer | undefined> {
  return readThrough(context, format, async (reader) => {
    let oid: string | undefined = (await readCommitWith(reader, commit))?.tree ?? commit;
    const names = path.split("/").map((name) => Buffer.from(name));
    for (const name of names) {
      const tree = await reader.read(oid, METADATA_BYTES_MAX);
      if (tree?.type !== "tree" || !tree.sound || tree.bytes === undefined) return undefined;
      oid = findInTree(tree.bytes, name, format);
      if (oid === undefined) return undefined;
    }
    const file = await reader.read(oid, FILE_BYTES_MAX);
    return file?.type === "blob" && file.sound ? file.bytes : undefined;
  });
}

/** Every tracked file at a commit or tree. */
export async function listTracked(context: GitContext, commit: string): Promise<TrackedFile[]> {
  const { stdout } = await runGit(context, "ls-tree", ["-r", "-z", "--full-tree", commit]);
  return splitNul(stdout).map((record) => {
    const tab = record.indexOf(0x09);
    const [mode = "", , oid = ""] = record.subarray(0, tab).toString("latin1").split(" ");
    return { mode, oid, path: record.subarray(tab + 1) };
  });
}

async function readCommitWith(reader: ObjectSource, oid: string): Promise<CommitFacts | undefined> {
  return parseCommit(await reader.read(oid, METADATA_BYTES_MAX));
}

/** What of a commit decides anything, or nothing when the object is none or not sound. */
export function parseCommit(object: StoredObject | undefined): CommitFacts | undefined {
  if (object?.type !== "commit" || !object.sound || object.bytes === undefined) return undefined;
  const text = object.bytes.toString("latin1");
  const head = text.slice(0, text.indexOf("\n\n") + 1);
  const tree = /^tree ([0-9a-f]+)\n/.exec(head)?.[1];
  const parents = [...head.matchAll(/^parent ([0-9a-f]+)$/gm)].map((match) => match[1] ?? "");
  return tree === undefined ? undefined : { tree, parents, text: object.bytes.toString("utf8") };
}

async function readThrough<T>(
  context: GitContext,
  format: ObjectFormat,
  act: (reader: ObjectSource) => Promise<T>,
): Promise<T | undefined> {
  await using reader = new ObjectSource(context, format);
  try {
    return await act(reader);
  } catch (error) {
    // Git gives up on an object whose file it cannot even unpack: such an object is as good as missing.
    if (error instanceof GitError && error.exitCode !== undefined) return undefined;
    throw error;
  }
}

function findInTree(tree: Buffer, name: Buffer, format: ObjectFormat): string | undefined {
  for (const entry of parseTree(tree, format)) if (entry.name.equals(name)) return entry.oid;
  return undefined;
}

/** One name in a tree object. */
export interface TreeEntry {
  /** As git spells it: `40000` for a folder, also where an old tool has put a zero before it. */
  readonly mode: string;
  readonly name: Buffer;
  readonly oid: string;
}

/** Reads a tree object entry by entry; ends where the bytes are no entry any more. */
export function* parseTree(tree: Buffer, format: ObjectFormat): Generator<TreeEntry> {
  const oidBytes = format === "sha1" ? 20 : 32;
  for (let at = 0; at < tree.length;) {
    const space = tree.indexOf(0x20, at);
    const nul = tree.indexOf(0, space);
    if (space === -1 || nul === -1) return;
    const oid = tree.subarray(nul + 1, nul + 1 + oidBytes).toString("hex");
    yield { mode: tree.toString("latin1", at, space).replace(/^0+/, ""), name: tree.subarray(space + 1, nul), oid };
    at = nul + 1 + oidBytes;
  }
}
