import { chmodSync, lstatSync, readdirSync, renameSync } from "node:fs";
import { rm } from "node:fs/promises";

/** A folder whose path is longer is moved up before anything is done to what lies in it; no path may have 4096 bytes. */
const PATH_BYTES_MAX = 2048;

/** Folders that are moved up for one tree; more of them are a reason to give up. */
const LIFTED_MAX = 10_000;

/**
 * Removes a file, link or folder, also when a session took away the rights to do so, or made folders that are deeper
 * than any path can say. A link is never followed.
 */
export async function removeTree(path: string): Promise<void> {
  try {
    await rm(path, { recursive: true, force: true });
  } catch {
    const lifted = [Buffer.from(path)];
    for (const folder of lifted) openFolders(folder, (deep) => liftFolder(path, deep, lifted));
    for (const folder of lifted.toReversed()) await rm(folder, { recursive: true, force: true, maxRetries: 3 });
  }
}

/** Names are kept as bytes: a folder whose name is not UTF-8 has to be opened too. */
function openFolders(path: Buffer, lift: (deep: Buffer) => void): void {
  if (lstatSync(path, { throwIfNoEntry: false })?.isDirectory() !== true) return;
  chmodSync(path, 0o700);
  for (const entry of readdirSync(path, { withFileTypes: true, encoding: "buffer" })) {
    if (!entry.isDirectory()) continue;
    const folder = Buffer.concat([path, Buffer.from("/"), entry.name]);
    if (folder.length > PATH_BYTES_MAX) lift(folder);
    else openFolders(folder, lift);
  }
}

function liftFolder(root: string, deep: Buffer, lifted: Buffer[]): void {
  if (lifted.length >= LIFTED_MAX) throw new Error(`more than ${LIFTED_MAX} folders too deep to remove in ${root}`);
  const place = Buffer.from(`${root}.deep-${lifted.length}`);
  // A folder without the right to write may not be moved away from where its parent says it is.
  chmodSync(deep, 0o700);
  renameSync(deep, place);
  lifted.push(place);
}
