import { resolve } from "node:path";
import { world } from "../compose/world.ts";
import { err, ok, type Result } from "../domain/result.ts";
import type { Io } from "./io.ts";

/** Where the second copy of the checkpoint goes (`--checkpoint-path`); it must be able to be a file. */
export function findCheckpointCopy(io: Io, path: string | undefined): Result<string | undefined, string> {
  if (path === undefined) return ok(undefined);
  const target = resolve(io.cwd, path);
  return path === "" || world.isFolder(target)
    ? err(
        `--checkpoint-path: expected the name of a file, found ${path === "" ? "an empty word" : `the folder ${path}`}`,
      )
    : ok(target);
}
