import { constants } from "node:fs";
import { type FileHandle, open, realpath } from "node:fs/promises";
import { resolve, sep } from "node:path";

/** What was at each expected path before the program ran. Only `checkArtifacts` reads it. */
export type ArtifactNotes = ReadonlyMap<string, string>;

/** What is wrong with expected artifacts; both empty when nothing is. */
export interface ArtifactFaults {
  /** Absent, not a file of the root folder, or not written anew. */
  readonly missing: readonly string[];
  /** `.json` that does not parse. */
  readonly malformed: readonly string[];
}

/** A larger JSON artifact is malformed: it must fit into memory to be parsed. */
const JSON_BYTES_MAX = 64 * 1024 * 1024;

/** Remembers what lies at `paths` below `root` before a program runs that is expected to write them. */
export async function noteArtifacts(root: string, paths: readonly string[]): Promise<ArtifactNotes> {
  const notes = new Map<string, string>();
  for (const path of paths) {
    await using file = await openInside(root, path);
    if (file !== undefined) notes.set(path, file.identity);
  }
  return notes;
}

/**
 * Decides which of `paths` the program has not written anew since `before`, and which of those it wrote are malformed
 * (`ARTIFACT_MISSING`, `ARTIFACT_MALFORMED`). Size, times and inode tell: a file with the same bytes that was written
 * again is fresh.
 */
export async function checkArtifacts(
  root: string,
  before: ArtifactNotes,
  paths: readonly string[],
): Promise<ArtifactFaults> {
  const missing: string[] = [];
  const malformed: string[] = [];
  for (const path of paths) {
    await using file = await openInside(root, path);
    if (file === undefined || before.get(path) === file.identity) missing.push(path);
    else if (path.endsWith(".json") && !(await file.isJson())) malformed.push(path);
  }
  return { missing, malformed };
}

/** Bytes of an artifact, by the same rules; nothing when it is larger than `bytesMax`. */
export async function readArtifact(root: string, path: string, bytesMax: number): Promise<Uint8Array | undefined> {
  await using file = await openInside(root, path);
  return file?.read(bytesMax);
}

interface Artifact extends AsyncDisposable {
  /** Changes whenever the file is written, replaced or renamed. */
  readonly identity: string;
  isJson(): Promise<boolean>;
  read(bytesMax: number): Promise<Uint8Array | undefined>;
}

/** Opens a regular file whose real path lies in the root folder's; anything else is nothing. */
async function openInside(root: string, path: string): Promise<Artifact | undefined> {
  let file: FileHandle;
  try {
    const realRoot = await realpath(root);
    const realFile = await realpath(resolve(realRoot, path));
    if (!realFile.startsWith(realRoot === sep ? sep : realRoot + sep)) return undefined;
    // Without NONBLOCK a pipe that was left at the path would hold us until somebody writes to it.
    file = await open(realFile, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK);
  } catch {
    return undefined;
  }
  const stats = await file.stat({ bigint: true });
  if (!stats.isFile()) {
    await file.close();
    return undefined;
  }
  return {
    identity: [stats.dev, stats.ino, stats.size, stats.mtimeNs, stats.ctimeNs].join(":"),
    async isJson() {
      if (stats.size > BigInt(JSON_BYTES_MAX)) return false;
      return parses(await file.readFile());
    },
    async read(bytesMax) {
      return stats.size > BigInt(bytesMax) ? undefined : new Uint8Array(await file.readFile());
    },
    [Symbol.asyncDispose]: () => file.close(),
  };
}

function parses(bytes: Uint8Array): boolean {
  try {
    JSON.parse(new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes));
    return true;
  } catch {
    return false;
  }
}
