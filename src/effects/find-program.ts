import { constants } from "node:fs";
import { access, stat } from "node:fs/promises";
import { delimiter, isAbsolute, join, resolve } from "node:path";
import { err, ok, type Result } from "../domain/result.ts";

/**
 * Finds the file that a command names, before anything is started, so that a failure can be told from a program that
 * ran and failed: an absolute path, a path with a slash (relative to `cwd`), or a name in `path`. Relative and empty
 * entries of `path` are ignored. Gives an absolute path, or a message that names the program.
 */
export async function findProgram(name: string, cwd: string, path: string): Promise<Result<string, string>> {
  if (!(await isFolder(cwd))) return err(`cannot start ${name}: its working folder ${cwd} does not exist`);
  if (name.includes("/")) {
    const file = resolve(cwd, name);
    const found = await examine(file);
    return found === "program" ? ok(file) : err(`cannot start ${name}: ${file} ${explain(found)}`);
  }
  let unusable: string | undefined;
  for (const folder of path.split(delimiter).filter(isAbsolute)) {
    const file = join(folder, name);
    const found = name === "" ? "missing" : await examine(file);
    if (found === "program") return ok(file);
    if (found !== "missing") unusable ??= `${file} ${explain(found)}`;
  }
  return err(`cannot start ${name}: ${unusable ?? `expected it in PATH, found it in no folder of ${path}`}`);
}

type Found = "program" | "missing" | "not a file" | "not executable";

async function examine(file: string): Promise<Found> {
  try {
    if (!(await stat(file)).isFile()) return "not a file";
  } catch {
    return "missing";
  }
  try {
    await access(file, constants.X_OK);
    return "program";
  } catch {
    return "not executable";
  }
}

function explain(found: Exclude<Found, "program">): string {
  return found === "missing" ? "does not exist" : `is ${found}`;
}

async function isFolder(path: string): Promise<boolean> {
  try {
    return (await stat(path)).isDirectory();
  } catch {
    return false;
  }
}
