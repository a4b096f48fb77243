import type { TreeChange } from "../../domain/candidate.ts";
import { decodePath, splitNul } from "./bytes.ts";
import { runGit, type GitContext } from "./git.ts";
import type { ObjectFormat } from "./object-id.ts";
import { ObjectReader, type StoredObject } from "./object-reader.ts";

const LINK_BYTES_MAX = 64 * 1024;
const BINARY_LINE_BYTES = 80;
const TREE_MODE = "040000";
const LINK_MODE = "120000";
const SUBMODULE_MODE = "160000";

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
 * What differs between two trees or commits. Every new blob and tree is read back and hashed, `tree` too when given:
 * throws `ForgedObjectError` for one that is not what its name promises.
 */
export async function readChanges(
  context: GitContext,
  format: ObjectFormat,
  from: string,
  to: string,
  tree?: string,
): Promise<TreeChange[]> {
  const { stdout } = await runGit(context, "diff-tree", [...DIFF_FLAGS, "-t", "-z", "--raw", "--numstat", from, to]);
  const { changes, lines } = parseDiff(stdout);
  if (changes.length === 0) return [];
  await using reader = new ObjectReader(context, format);
  const root = tree === undefined ? undefined : readSound(reader, tree);
  const described = await Promise.all(
    changes.map((change) => describeChange(reader, change, lines.get(change.pathBytes.toString("latin1")))),
  );
  await root;
  return described.filter((change) => change.old_mode !== TREE_MODE && change.new_mode !== TREE_MODE);
}

async function describeChange(reader: ObjectReader, raw: RawChange, lines: Lines | undefined): Promise<TreeChange> {
  const isStored = raw.status !== "deleted" && raw.newMode !== SUBMODULE_MODE;
  const isBlob = raw.oldMode.startsWith("1") && raw.oldMode !== SUBMODULE_MODE;
  const [after, before] = await Promise.all([
    isStored ? readSound(reader, raw.newOid) : undefined,
    lines === "binary" && isBlob ? reader.read(raw.oldOid, 0) : undefined,
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

async function readSound(reader: ObjectReader, oid: string): Promise<StoredObject> {
  const object = await reader.read(oid, LINK_BYTES_MAX);
  if (object === undefined || !object.sound) throw new ForgedObjectError(oid);
  return object;
}

/** Reads `--raw --numstat -z`: first `:modes oids status` and path in turn, then `added TAB deleted TAB path`. */
function parseDiff(output: Buffer): { changes: RawChange[]; lines: Map<string, Lines> } {
  const records = splitNul(output);
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
