import {
  closeSync,
  constants,
  fstatSync,
  lstatSync,
  openSync,
  readdirSync,
  readlinkSync,
  readFileSync,
  readSync,
} from "node:fs";
import { startObjectHash, type ObjectFormat } from "./object-id.ts";
import type { TrackedFile } from "./read-objects.ts";

/** What is compared here; of more, git is the faster reader. */
const FILES_MAX = 2000;
const FILE_BYTES_MAX = 1024 * 1024;

const LINK = "120000";
const SUBMODULE = "160000";
/** How much of a file is read at once. */
const PIECE_BYTES = 1024 * 1024;
const EXECUTABLE = "100755";
const OWNER_EXECUTES = 0o100;

/**
 * True when a worktree holds the files of a tree, each with its kind, mode and bytes, and nothing else at all but the
 * pointer that makes it a worktree: what a checkout is that was only read. Every file is read and hashed. False says
 * nothing: what else is there may be ignored, or be meant to be there, and git has to be asked.
 */
export function isExactCheckout(root: string, tracked: readonly TrackedFile[], format: ObjectFormat): boolean {
  if (tracked.length > FILES_MAX) return false;
  const files = new Map(tracked.map((file) => [file.path.toString("latin1"), file]));
  const folders = new Set<string>();
  for (const path of files.keys())
    for (let at = path.lastIndexOf("/"); at > 0; at = path.lastIndexOf("/", at - 1)) folders.add(path.slice(0, at));
  try {
    return lstatSync(root).isDirectory() && holdsAlone(root, "", { files, folders, format }) && files.size === 0;
  } catch {
    // Something cannot be read, or went away while it was: git says what that means.
    return false;
  }
}

/**
 * The first tracked file that a worktree does not hold with its kind, mode and bytes, as a message shows it; nothing when it
 * holds them all. What else lies there does not matter. Git writes what its object store says, and a program of an earlier
 * session can have made some store lie that git reads: the user's own too, which we do not watch.
 */
export function findWrongFile(root: string, tracked: readonly TrackedFile[], format: ObjectFormat): string | undefined {
  const wrong = tracked.find((file) => {
    try {
      return file.mode !== SUBMODULE && !isSame(placeOf(root, file.path.toString("latin1")), file, format, Infinity);
    } catch {
      return true;
    }
  });
  return wrong?.path.toString("utf8");
}

interface Expected {
  /** What was not met yet, by path; each byte is one character, since names need not be UTF-8. */
  readonly files: Map<string, TrackedFile>;
  readonly folders: ReadonlySet<string>;
  readonly format: ObjectFormat;
}

function holdsAlone(root: string, folder: string, expected: Expected): boolean {
  for (const entry of readdirSync(placeOf(root, folder), { withFileTypes: true, encoding: "latin1" })) {
    const path = folder === "" ? entry.name : `${folder}/${entry.name}`;
    if (entry.isDirectory()) {
      if (!expected.folders.has(path) || !holdsAlone(root, path, expected)) return false;
      continue;
    }
    if (path === ".git") continue;
    const file = expected.files.get(path);
    if (file === undefined || !isSame(placeOf(root, path), file, expected.format, FILE_BYTES_MAX)) return false;
    expected.files.delete(path);
  }
  return true;
}

function isSame(path: Buffer, { mode, oid }: TrackedFile, format: ObjectFormat, bytesMax: number): boolean {
  if (mode !== LINK) return hashPlain(path, mode, format, bytesMax) === oid;
  const bytes = readLink(path);
  return bytes !== undefined && startObjectHash(format, "blob", bytes.length).update(bytes).digest("hex") === oid;
}

function readLink(path: Buffer): Buffer | undefined {
  return lstatSync(path).isSymbolicLink() ? readlinkSync(path, { encoding: "buffer" }) : undefined;
}

/** The id that a regular file of that mode would have as a blob; nothing for anything else, and for what is too large. */
function hashPlain(path: Buffer, mode: string, format: ObjectFormat, bytesMax: number): string | undefined {
  if (!mode.startsWith("100")) return undefined;
  const file = openSync(path, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK);
  try {
    const stat = fstatSync(file);
    const isExecutable = (stat.mode & OWNER_EXECUTES) !== 0;
    if (!stat.isFile() || isExecutable !== (mode === EXECUTABLE) || stat.size > bytesMax) return undefined;
    const hash = startObjectHash(format, "blob", stat.size);
    if (stat.size <= PIECE_BYTES) return hash.update(readFileSync(file)).digest("hex");
    const piece = Buffer.allocUnsafe(PIECE_BYTES);
    for (let read = readSync(file, piece); read > 0; read = readSync(file, piece)) hash.update(piece.subarray(0, read));
    return hash.digest("hex");
  } finally {
    closeSync(file);
  }
}

function placeOf(root: string, path: string): Buffer {
  return Buffer.concat([Buffer.from(`${root}/`), Buffer.from(path, "latin1")]);
}
