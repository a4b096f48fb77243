import type { TreeChange } from "../../domain/candidate.ts";
import { decodePath } from "./bytes.ts";
import type { TrackedFile } from "./read-objects.ts";

/**
 * Whether what git says of two trees is all that differs between them by their own bytes. Git believes an object store: a
 * pack that says another object is there under the name of a tree hides whatever was changed below it. The listings were
 * made of trees that were hashed.
 */
export function areAllChanges(
  changes: readonly TreeChange[],
  before: readonly TrackedFile[],
  after: readonly TrackedFile[],
): boolean {
  const left = new Map(before.map((file) => [file.path.toString("latin1"), file]));
  const expected = new Set<string>();
  for (const file of after) {
    const path = file.path.toString("latin1");
    const old = left.get(path);
    left.delete(path);
    if (old?.oid !== file.oid || old.mode !== file.mode) expected.add(show(file.path, old, file));
  }
  for (const old of left.values()) expected.add(show(old.path, old, undefined));
  return changes.length === expected.size && changes.every((change) => expected.has(showChange(change)));
}

function show(bytes: Buffer, old: TrackedFile | undefined, now: TrackedFile | undefined): string {
  const { path, path_hex: hex = "" } = decodePath(bytes);
  return [path, hex, showSide(old?.mode, old?.oid), showSide(now?.mode, now?.oid)].join("\0");
}

function showChange({ path, path_hex: hex = "", ...change }: TreeChange): string {
  const old = change.status === "added" ? showSide(undefined, undefined) : showSide(change.old_mode, change.old_oid);
  const now = change.status === "deleted" ? showSide(undefined, undefined) : showSide(change.new_mode, change.new_oid);
  return [path, hex, old, now].join("\0");
}

function showSide(mode: string | undefined, oid: string | undefined): string {
  return mode === undefined ? "nothing" : `${mode} ${oid ?? ""}`;
}
