import { existsSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { buildUserContext, runGit } from "./git/git.ts";
import { readCommitOfRef } from "./git/refs.ts";

/** Where this very program comes from, when it runs from a clone: a remote's address and the commit. */
export interface OwnSource {
  readonly remote: string;
  readonly commit: string;
}

/** Reads the clone that this program lies in; undefined when it lies in none, as after an installation. */
export async function readOwnSource(env: Readonly<Record<string, string | undefined>>): Promise<OwnSource | undefined> {
  const root = findPackage(dirname(fileURLToPath(import.meta.url)));
  // A package inside somebody else's checkout, such as in node_modules, is no clone of ours.
  if (root === undefined || !existsSync(join(root, ".git"))) return undefined;
  const context = buildUserContext({ cwd: root, env });
  const commit = await readCommitOfRef(context, "HEAD");
  const { stdout } = await runGit(context, "config", ["--get", "remote.origin.url"], { accept: [0, 1] });
  return commit === undefined ? undefined : { commit, remote: stdout.toString("utf8").trim() };
}

/** The nearest folder upwards with our `package.json`. */
function findPackage(folder: string): string | undefined {
  const file = join(folder, "package.json");
  if (existsSync(file))
    return (JSON.parse(readFileSync(file, "utf8")) as { name?: string }).name === "plan-conveyor" ? folder : undefined;
  return dirname(folder) === folder ? undefined : findPackage(dirname(folder));
}
