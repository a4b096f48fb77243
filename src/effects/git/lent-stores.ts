import { existsSync, readFileSync } from "node:fs";
import { join, resolve } from "node:path";

/** Stores that borrow from stores: how far that is followed. */
const ALTERNATES_DEPTH_MAX = 5;

/** An object store and those that it borrows from, in turn. */
export function listObjectStores(objects: string): string[] {
  const found: string[] = [];
  let level = [objects];
  for (let depth = 0; depth < ALTERNATES_DEPTH_MAX && level.length > 0; depth += 1) {
    found.push(...level);
    level = level.flatMap((store) => readAlternates(store)).filter((store) => !found.includes(store));
  }
  return found;
}

/** The file in which a store names those that it borrows from. */
export function alternatesOf(store: string): string {
  return join(store, "info", "alternates");
}

function readAlternates(store: string): string[] {
  const file = alternatesOf(store);
  if (!existsSync(file)) return [];
  const lines = readFileSync(file, "utf8").split("\n");
  return lines.filter((line) => line !== "" && !line.startsWith("#")).map((line) => resolve(store, line));
}
