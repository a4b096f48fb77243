import { lstat, readdir, readFile, realpath } from "node:fs/promises";
import { join, sep } from "node:path";
import type { ArtifactCheck } from "../domain/verification.ts";

const JSON_BYTES_MAX = 64 * 1024 * 1024;

/**
 * Looks at a required artifact in a clean checkout: a file with content, `.json` that parses, or a folder that is not
 * empty. What lies outside the root, by whatever link, is missing.
 */
export async function inspectArtifact(root: string, path: string): Promise<ArtifactCheck["status"]> {
  try {
    const real = await realpath(join(root, path));
    if (!`${real}${sep}`.startsWith(`${await realpath(root)}${sep}`)) return "missing";
    const stat = await lstat(real);
    if (stat.isDirectory()) return (await readdir(real)).length === 0 ? "empty" : "present";
    if (!stat.isFile()) return "missing";
    if (stat.size === 0) return "empty";
    if (!path.toLowerCase().endsWith(".json")) return "present";
    return stat.size <= JSON_BYTES_MAX && isJson(await readFile(real, "utf8")) ? "present" : "malformed";
  } catch {
    return "missing";
  }
}

function isJson(text: string): boolean {
  try {
    JSON.parse(text);
    return true;
  } catch {
    return false;
  }
}
