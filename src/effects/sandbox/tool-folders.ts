import { readdirSync, statSync } from "node:fs";
import { basename, dirname, isAbsolute, join } from "node:path";
import { realPathOf } from "../real-path.ts";

/** Links of one folder of `PATH` that are followed to where their tools lie. */
const LINKS_MAX = 256;

/** What stands beside a `bin` folder and is part of the same installation. Not `share`: keys lie there, too. */
const BESIDE_BIN = ["lib", "lib64", "libexec", "include"] as const;

/**
 * The folders without which the programs in these folders do not run: the folders, what belongs to them, and where
 * their links lead.
 */
export function listToolFolders(folders: readonly string[]): string[] {
  const found = new Set<string>();
  for (const folder of folders.filter(isAbsolute)) {
    for (const each of [folder, ...followLinks(folder)]) {
      for (const path of withCompanions(each)) if (isFolderHere(path)) found.add(path);
    }
  }
  return [...found];
}

function followLinks(folder: string): string[] {
  try {
    const links = readdirSync(folder, { withFileTypes: true }).filter((entry) => entry.isSymbolicLink());
    const targets = links.slice(0, LINKS_MAX).map((entry) => dirname(realPathOf(join(folder, entry.name))));
    return [...new Set(targets)].filter((target) => target !== folder);
  } catch {
    // A folder of PATH that is not there.
    return [];
  }
}

function withCompanions(folder: string): string[] {
  const parent = dirname(folder);
  // Programs of a package load their neighbours.
  if (basename(folder) === ".bin" && basename(parent) === "node_modules") return [parent];
  if (basename(folder) !== "bin") return [folder];
  return [folder, ...BESIDE_BIN.map((name) => join(parent, name))];
}

/** What may not be looked at is no folder for us, and cannot be one for a program. */
export function isFolderHere(path: string): boolean {
  try {
    return statSync(path).isDirectory();
  } catch {
    return false;
  }
}
