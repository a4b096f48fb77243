import { chmodSync, lstatSync, readdirSync } from "node:fs";
import { rm } from "node:fs/promises";

/** Removes a file, link or folder, also when a session took away the rights to do so. A link is never followed. */
export async function removeTree(path: string): Promise<void> {
  try {
    await rm(path, { recursive: true, force: true });
  } catch {
    openFolders(Buffer.from(path));
    await rm(path, { recursive: true, force: true, maxRetries: 3 });
  }
}

/** Names are kept as bytes: a folder whose name is not UTF-8 has to be opened too. */
function openFolders(path: Buffer): void {
  if (lstatSync(path, { throwIfNoEntry: false })?.isDirectory() !== true) return;
  chmodSync(path, 0o700);
  for (const entry of readdirSync(path, { withFileTypes: true, encoding: "buffer" })) {
    if (entry.isDirectory()) openFolders(Buffer.concat([path, Buffer.from("/"), entry.name]));
  }
}
