import type { TreeChange } from "../../domain/candidate.ts";
import { decodePath, splitNul } from "./bytes.ts";
import { runGit, type GitContext } from "./git.ts";
import type { ObjectFormat } from "./object-id.ts";
import type { StoredObject } from "./object-reader.ts";
import { ObjectSource } from "./object-source.ts";

const LINK_BYTES_MAX = 64 * 1024;
const BINARY_LINE_BYTES = 80;
const TREE_MODE = "040000";
const LINK_MODE = "120000";
const SUBMODULE_MODE = "160000";
const PAIR = /^[0-9a-f]{40,64} [0-9a-f]{40,64}\n/;
const PAIR_BYTES_MAX = 130;
const COLON = 0x3a;

/** An object in the store is not what its name promises, so it would be checked out as something else. */
export class ForgedObjectError extends Error {
  readonly oid: string;

  constructor(oid: string) {
    super(`object ${oid} is missing or its bytes are not those its name promises`);
    this.name = "ForgedObjectError";
    this.oid = oid;
  }
}

interface RawChange {
  readonly pathBytes: Buffer;
  readonly status: TreeChange["status"];
  readonly oldMode: string;
  readonly newMode: string;
  readonly oldOid: string;
  readonly newOid: string;
}

type Lines = { readonly added: number; readonly deleted: number } | "binary";

const STATUSES: Readonly<Record<string, TreeChange["status"]>> = {
  A: "added",
  D: "deleted",
  M: "modified",
  T: "type_changed",
};

/** How two trees are compared everywhere: nothing is hidden by attributes, renames or outside programs. */
export const DIFF_FLAGS = ["-r", "--full-index", "--text", "--no-ext-diff", "--no-textconv", "--no-renames"];

/**
 * What differs between two trees or commits. Every blob on either side and every new tree is read back and hashed, `tree` too
 * when given: throws `ForgedObjectError` for one that is not what its name promises. Auditors see both sides.
 */
export async function readChanges(
  context: GitContext,
  format: ObjectFormat,
  from: string,
  to: string,
  tree?: string,
): Promise<TreeChange[]> {
  const { stdout } = await runGit(context, "diff-tree", [...DIFF_FLAGS, "-t", "-z", "--raw", "--numstat", from, to]);
  const diff = parseDiff(splitNul(stdout));
  if (diff.changes.length === 0) return [];
  await using reader = new ObjectSource(context, format);
  const [described] = await Promise.all([
    describeAll(reader, diff),
    tree === undefined ? undefined : readSound(reader, tree),
  ]);
  return described;
}

/**
 * The same for many pairs of trees with one `diff-tree`; nothing for a pair of which a tree or a file that differs is
 * missing or not what its name promises.
 */
export async function readChangesOfPairs(
  context: GitContext,
  format: ObjectFormat,
  pairs: readonly { readonly from: string; readonly to: string }[],
): Promise<(TreeChange[] | undefined)[]> {
  const flags = [...DIFF_FLAGS, "-t", "-z", "--raw", "--numstat", "--stdin"];
  const stdin = pairs.map(({ from, to }) => `${from} ${to}\n`).join("");
  await using source = new ObjectSource(context, format);
  const describe = (records: readonly Buffer[]) => describeAll(source, parseDiff(records)).catch(() => undefined);
  try {
    const outputs = splitPairs((await runGit(context, "diff-tree", flags, { stdin })).stdout);
    if (outputs.length !== pairs.length) throw new Error(`${pairs.length} pairs of trees, ${outputs.length} answers`);
    return await Promise.all(outputs.map(describe));
  } catch {
    // One that is missing ends git for all: asked one by one, only that one has no answer.
    return Promise.all(pairs.map(({ from, to }) => readChanges(context, format, from, to).catch(() => undefined)));
  }
}

/** Git repeats each pair before what differs in it, as `TREE TREE` and a line feed. */
function splitPairs(output: Buffer): Buffer[][] {
  const answers: Buffer[][] = [];
  let isPath = false;
  for (let record of splitNul(output)) {
    for (let head = PAIR.exec(record.toString("latin1", 0, PAIR_BYTES_MAX)); !isPath && head !== null;) {
      answers.push([]);
      record = record.subarray(head[0].length);
      head = PAIR.exec(record.toString("latin1", 0, PAIR_BYTES_MAX));
    }
    isPath = !isPath && record[0] === COLON;
    if (record.length > 0) answers.at(-1)?.push(record);
  }
  return answers;
}

async function describeAll(
  reader: ObjectSource,
  { changes, lines }: { changes: readonly RawChange[]; lines: ReadonlyMap<string, Lines> },
): Promise<TreeChange[]> {
  const described = await Promise.all(
    changes.map((change) => describeChange(reader, change, lines.get(change.pathBytes.toString("latin1")))),
  );
  return described.filter((change) => change.old_mode !== TREE_MODE && change.new_mode !== TREE_MODE);
}

async function describeChange(reader: ObjectSource, raw: RawChange, lines: Lines | undefined): Promise<TreeChange> {
  const isStored = raw.status !== "deleted" && raw.newMode !== SUBMODULE_MODE;
  const isBlob = raw.oldMode.startsWith("1") && raw.oldMode !== SUBMODULE_MODE;
  const [after, before] = await Promise.all([
    isStored ? readSound(reader, raw.newOid) : undefined,
    isBlob ? readSound(reader, raw.oldOid) : undefined,
  ]);
  return {
    ...decodePath(raw.pathBytes),
    status: raw.status,
    old_mode: raw.oldMode,
    new_mode: raw.newMode,
    old_oid: raw.oldOid,
    new_oid: raw.newOid,
    ...countLines(lines, after, before),
    new_bytes: after?.size ?? 0,
    ...(raw.newMode === LINK_MODE ? { link_target: after?.bytes?.toString("utf8") ?? "" } : {}),
  };
}

/** Git looks for NUL in the first bytes alone, so that a long binary line behind them would count as one line. */
function countLines(
  lines: Lines | undefined,
  after: StoredObject | undefined,
  before: StoredObject | undefined,
): { added_lines: number; deleted_lines: number } {
  const counted = lines === "binary" || lines === undefined ? undefined : lines;
  const isBinary = lines === "binary" || after?.hasNul === true;
  return {
    added_lines: isBinary ? Math.ceil((after?.size ?? 0) / BINARY_LINE_BYTES) : (counted?.added ?? 0),
    deleted_lines: counted?.deleted ?? Math.ceil((before?.size ?? 0) / BINARY_LINE_BYTES),
  };
}

async function readSound(reader: ObjectSource, oid: string): Promise<StoredObject> {
  const object = await reader.read(oid, LINK_BYTES_MAX);
  if (object === undefined || !object.sound) throw new ForgedObjectError(oid);
  return object;
}

/** Reads `--raw --numstat -z`: first `:modes oids status` and path in turn, then `added TAB deleted TAB path`. */
function parseDiff(records: readonly Buffer[]): { changes: RawChange[]; lines: Map<string, Lines> } {
  const changes: RawChange[] = [];
  const lines = new Map<string, Lines>();
  for (let at = 0; at < records.length; at += 1) {
    const text = records[at]?.toString("latin1") ?? "";
    if (text.startsWith(":")) {
      at += 1;
      changes.push(parseRaw(text, records[at] ?? Buffer.alloc(0)));
      continue;
    }
    const [, added = "", deleted = "", path = ""] = /^(\d+|-)\t(\d+|-)\t([^]*)$/.exec(text) ?? [];
    lines.set(path, added === "-" ? "binary" : { added: Number(added), deleted: Number(deleted) });
  }
  return { changes, lines };
}

function parseRaw(text: string, pathBytes: Buffer): RawChange {
  const [oldMode = "", newMode = "", oldOid = "", newOid = "", letter = ""] = text.slice(1).split(" ");
  const status = STATUSES[letter];
  if (status === undefined) throw new Error(`git diff-tree gave the status ${letter}, which nobody handles`);
  return { pathBytes, status, oldMode, newMode, oldOid, newOid };
}
