import { lastName } from "./bytes.ts";
import { ObjectSource } from "./object-source.ts";
import type { TrackedFile } from "./read-objects.ts";
import { withScratch, type ObjectStore } from "./scratch.ts";

const IGNORE_BYTES_MAX = 16 * 1024 * 1024;
const SLASH = 0x2f;

/** One `.gitignore` of a commit: the folder it lies in (empty for the root) and its content. */
export interface IgnoreFile {
  readonly folder: Buffer;
  readonly content: Buffer;
}

/** Reads the ignore rules of a commit, of which every tracked file is given, as one exclude file for the root. */
export async function readIgnoreRules(store: ObjectStore, tracked: readonly TrackedFile[]): Promise<Buffer> {
  // Git reads no rules through a symlink, so only regular files count.
  const files = tracked.filter((file) => file.mode.startsWith("100") && isIgnoreFile(file.path));
  if (files.length === 0) return Buffer.alloc(0);
  return withScratch(store, async (scratch) => {
    await using source = new ObjectSource(scratch.context(), store.format);
    const read = await Promise.all(
      files.map(async (file) => {
        const object = await source.read(file.oid, IGNORE_BYTES_MAX);
        if (object?.bytes === undefined || !object.sound) throw new Error(`the rules in ${file.oid} cannot be read`);
        return { folder: file.path.subarray(0, Math.max(0, file.path.lastIndexOf(SLASH))), content: object.bytes };
      }),
    );
    return buildExcludeFile(read);
  });
}

/**
 * Builds one exclude file from all `.gitignore` files of a tree. The last pattern that matches decides, so the files
 * of deeper folders come after those of shallower ones, and every pattern of a nested file is anchored to its folder.
 */
export function buildExcludeFile(files: readonly IgnoreFile[]): Buffer {
  const depth = (file: IgnoreFile): number =>
    file.folder.length === 0 ? 0 : 1 + file.folder.filter((byte) => byte === SLASH).length;
  const ordered = files.toSorted((a, b) => depth(a) - depth(b) || Buffer.compare(a.folder, b.folder));
  return Buffer.from(ordered.map(anchorFile).join(""), "latin1");
}

function isIgnoreFile(path: Buffer): boolean {
  return lastName(path).equals(Buffer.from(".gitignore"));
}

/** Works on one character for each byte, because neither folders nor patterns need to be UTF-8. */
function anchorFile(file: IgnoreFile): string {
  const text = file.content.toString("latin1").replace(/^\xef\xbb\xbf/, "");
  const folder = escapeFolder(file.folder.toString("latin1"));
  return text
    .split("\n")
    .map((line) => anchorPattern(line.replace(/\r$/, ""), folder))
    .filter((line) => line !== undefined)
    .map((line) => `${line}\n`)
    .join("");
}

function anchorPattern(line: string, folder: string): string | undefined {
  const negated = line.startsWith("!");
  const pattern = negated ? line.slice(1) : line;
  const bare = pattern.replace(/(?<!\\) +$/, "");
  if (line.startsWith("#") || bare === "" || bare === "/") return undefined;
  if (folder === "") return line;
  // A slash before the end ties a pattern to the folder of its file; without one it holds at any depth below.
  const anchored = bare.slice(0, -1).includes("/");
  return `${negated ? "!" : ""}/${folder}/${anchored ? "" : "**/"}${pattern.replace(/^\//, "")}`;
}

/** Makes a folder's name match itself alone. A line feed, which would end the pattern, becomes a class of one. */
function escapeFolder(folder: string): string {
  return folder.replaceAll(/[\\*?[]/g, "\\$&").replaceAll("\n", "[^\u0001-\u0009\u000b-\u00ff]");
}
