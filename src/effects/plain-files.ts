import { createHash } from "node:crypto";
import { constants, lstatSync } from "node:fs";
import { open, type FileHandle } from "node:fs/promises";
import { join } from "node:path";
import { foldersAbove } from "../domain/paths.ts";
import type { FileDigest } from "../domain/journal.ts";

/** Opens a plain file to read, never through a link at its end and never waiting for a pipe; nothing for anything else. */
async function openPlainFile(path: string): Promise<FileHandle | undefined> {
  let file: FileHandle;
  try {
    file = await open(path, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK);
  } catch (fault) {
    if (["ENOENT", "ENOTDIR", "ELOOP", "ENXIO"].includes((fault as NodeJS.ErrnoException).code ?? "")) return undefined;
    throw fault;
  }
  if ((await file.stat()).isFile()) return file;
  await file.close();
  return undefined;
}

/** Bytes of a plain file below a folder, when no folder on the way to it is a link; nothing for anything else. */
export async function readPlainBelow(root: string, path: string): Promise<Buffer | undefined> {
  for (const folder of foldersAbove(path)) {
    if (lstatSync(join(root, folder), { throwIfNoEntry: false })?.isDirectory() !== true) return undefined;
  }
  await using file = await openPlainFile(join(root, path));
  return await file?.readFile();
}

/** Size and digest of a plain file of any size, read in pieces; nothing for anything else. */
export async function digestPlainFile(path: string, name: string): Promise<FileDigest | undefined> {
  await using file = await openPlainFile(path);
  if (file === undefined) return undefined;
  const hash = createHash("sha256");
  let bytes = 0;
  for await (const chunk of file.createReadStream({ autoClose: false }) as AsyncIterable<Buffer>) {
    hash.update(chunk);
    bytes += chunk.length;
  }
  return { path: name, sha256: hash.digest("hex"), bytes };
}
