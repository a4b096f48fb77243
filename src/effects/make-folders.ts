import { mkdirSync, statSync } from "node:fs";
import { dirname, resolve } from "node:path";

/**
 * Makes a folder and its parents; gives the topmost one that was made. One `mkdir` for each name: the recursive one of
 * Node asks without end where a parent is there and refuses with ENOENT, as `/proc` does.
 */
export function makeFolders(folder: string, mode = 0o777): string | undefined {
  const missing: string[] = [];
  for (let at = resolve(folder); !isThere(at); at = dirname(at)) missing.unshift(at);
  if (missing.length === 0) mkdirIfNone(resolve(folder), mode);
  for (const path of missing) mkdirIfNone(path, mode);
  return missing[0];
}

function mkdirIfNone(path: string, mode: number): void {
  try {
    mkdirSync(path, { mode });
  } catch (fault) {
    // Somebody else may have made it meanwhile; anything but a folder is in the way.
    if ((fault as NodeJS.ErrnoException).code !== "EEXIST" || !statSync(path).isDirectory()) throw fault;
  }
}

/** What cannot be looked at counts as there: making something in it says why not. */
function isThere(path: string): boolean {
  try {
    return statSync(path, { throwIfNoEntry: false }) !== undefined;
  } catch {
    return true;
  }
}
