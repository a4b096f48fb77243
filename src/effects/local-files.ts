import { existsSync, mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";

/** Bytes of a file that the user named, or nothing when it cannot be read. */
export function readLocalFile(path: string): Uint8Array | undefined {
  try {
    return readFileSync(path);
  } catch {
    return undefined;
  }
}

/** What lies directly in a folder. */
export interface FolderContent {
  /** Regular files, by name. */
  readonly files: readonly { readonly name: string; readonly bytes: Uint8Array }[];
  /** Names of what is no regular file: folders, links, pipes. */
  readonly others: readonly string[];
}

/** Reads what lies directly in a folder; nothing when there is no such folder. Links are not followed. */
export function readFolder(path: string): FolderContent | undefined {
  if (!existsSync(path) || !statSync(path).isDirectory()) return undefined;
  const entries = readdirSync(path, { withFileTypes: true }).sort((left, right) => (left.name < right.name ? -1 : 1));
  return {
    files: entries
      .filter((entry) => entry.isFile())
      .map(({ name }) => ({ name, bytes: readFileSync(join(path, name)) })),
    others: entries.filter((entry) => !entry.isFile()).map(({ name }) => name),
  };
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
