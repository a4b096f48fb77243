import {
  appendFileSync,
  closeSync,
  constants,
  existsSync,
  fstatSync,
  lstatSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { dirname, join } from "node:path";
import { foldersAbove } from "../domain/paths.ts";
import { err, ok, type Result } from "../domain/result.ts";

/** Bytes of a file that the user named, or nothing when it cannot be read. */
export function readLocalFile(path: string): Uint8Array | undefined {
  try {
    return readFileSync(path);
  } catch {
    return undefined;
  }
}

/** The largest file of evidence that is copied into a run, in bytes: it is held in memory on its way. */
const EVIDENCE_BYTES_MAX = 64 * 1024 * 1024;

/**
 * Bytes of a file of evidence, or what is wrong with it: it must be a regular file that holds something. Links are not
 * followed, and nothing is waited for: a pipe or a device is no evidence.
 */
export function readEvidence(path: string): Result<Uint8Array, string> {
  let file: number;
  try {
    file = openSync(path, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK);
  } catch (fault) {
    return err((fault as NodeJS.ErrnoException).code === "ELOOP" ? "is a link" : "cannot be read");
  }
  try {
    const stats = fstatSync(file);
    if (!stats.isFile()) return err("is no plain file");
    if (stats.size > EVIDENCE_BYTES_MAX) return err(`is larger than ${EVIDENCE_BYTES_MAX} bytes`);
    const bytes = readFileSync(file);
    return bytes.length === 0 ? err("is empty") : ok(bytes);
  } finally {
    closeSync(file);
  }
}

/** The names of what lies directly in a folder, sorted; nothing when there is no such folder. */
export function listFolder(path: string): string[] | undefined {
  return isFolder(path) ? readdirSync(path).sort() : undefined;
}

/** True when there is a folder of that name. */
export function isFolder(path: string): boolean {
  return statSync(path, { throwIfNoEntry: false })?.isDirectory() === true;
}

/** The Markdown files that a path names: the file itself, or all below a folder, in order. */
export function listPlanFiles(path: string): string[] | undefined {
  if (!existsSync(path)) return undefined;
  if (!statSync(path).isDirectory()) return [path];
  return readdirSync(path, { withFileTypes: true, recursive: true })
    .filter((entry) => entry.isFile() && entry.name.endsWith(".md"))
    .map((entry) => join(entry.parentPath, entry.name))
    .sort();
}

/** Writes a file that is not there yet, and the folders above it. One that is there stays as it is, links too. */
export function writeNewFile(path: string, text: string): "written" | "exists" {
  mkdirSync(dirname(path), { recursive: true });
  try {
    writeFileSync(path, text, { flag: "wx" });
    return "written";
  } catch (fault) {
    if (fault instanceof Error && "code" in fault && fault.code === "EEXIST") return "exists";
    throw fault;
  }
}

/** What stands at a path below a folder, where a file is to be written. */
export type FilePlace =
  | { readonly kind: "free" }
  | { readonly kind: "file"; readonly bytes: Uint8Array }
  /** A link, a pipe, a file that cannot be read: it can be replaced, and what it says is not known. */
  | { readonly kind: "taken" }
  /** No file can be written there; `by` is the path that stands in the way. */
  | { readonly kind: "blocked"; readonly by: string };

/** Looks at a place before anything is written. Links are not followed, also not those to folders. */
export function inspectPlace(root: string, path: string): FilePlace {
  for (const folder of foldersAbove(path).toReversed()) {
    const stats = lstatSync(join(root, folder), { throwIfNoEntry: false });
    if (stats === undefined) return { kind: "free" };
    if (!stats.isDirectory()) return { kind: "blocked", by: folder };
  }
  const stats = lstatSync(join(root, path), { throwIfNoEntry: false });
  if (stats === undefined) return { kind: "free" };
  if (stats.isDirectory()) return { kind: "blocked", by: path };
  const bytes = stats.isFile() ? readLocalFile(join(root, path)) : undefined;
  return bytes === undefined ? { kind: "taken" } : { kind: "file", bytes };
}

/** Writes at the end of a file, whose bytes stay as they are. */
export function appendToFile(path: string, text: string): void {
  appendFileSync(path, text);
}

/** Writes a file in place of what is there; a link is replaced, not followed. */
export function replaceFile(path: string, text: string): void {
  rmSync(path, { force: true });
  writeNewFile(path, text);
}
