import type { TreeChange } from "./candidate.ts";
import { foldersAbove, foldPath } from "./paths.ts";
import type { ScopeViolation } from "./scope.ts";

/** Names that make a folder a repository for git, once it holds all of them. */
const REPOSITORY_NAMES: ReadonlySet<string> = new Set(["head", "objects", "refs", "commondir"]);

/**
 * Folders that git would take for a bare repository, as somebody who works in one later would run what its
 * configuration says. PATH_UNSAFE for each changed path that helps to make one; names are compared as a file system
 * may fold them.
 */
export function findBareRepositories(
  changes: readonly TreeChange[],
  trackedPaths: readonly string[],
): ScopeViolation[] {
  const kept = changes.filter((change) => change.status !== "deleted");
  const suspects = kept.flatMap((change) => listHolders(change.path).map((folder) => ({ folder, path: change.path })));
  if (suspects.length === 0) return [];
  const deleted = new Set(changes.filter((change) => change.status === "deleted").map((change) => change.path));
  const names = new Map<string, Set<string>>();
  for (const path of [...trackedPaths.filter((tracked) => !deleted.has(tracked)), ...kept.map(({ path }) => path)]) {
    for (const entry of [path, ...foldersAbove(path)]) {
      const [folder, name] = splitFolded(entry);
      if (!REPOSITORY_NAMES.has(name)) continue;
      names.set(folder, (names.get(folder) ?? new Set()).add(name));
    }
  }
  const isRepository = (folder: string): boolean => {
    const held = names.get(folder);
    return held?.has("head") === true && (held.has("commondir") || (held.has("objects") && held.has("refs")));
  };
  const unsafe = new Set(suspects.filter(({ folder }) => isRepository(folder)).map(({ path }) => path));
  return [...unsafe].map((path) => ({
    code: "PATH_UNSAFE",
    path,
    detail: "part of a folder that git takes for a bare repository",
  }));
}

/** New symlinks that lead to each other and to no file: who follows one of them never arrives. */
export function findLinkLoops(changes: readonly TreeChange[]): ScopeViolation[] {
  const targets = new Map(
    changes.flatMap(({ path, link_target: target }) =>
      target === undefined ? [] : [[path, resolveTarget(path, target)] as const],
    ),
  );
  return [...targets.keys()].flatMap((path): ScopeViolation[] => {
    const met = new Set<string>();
    let at: string | undefined = path;
    while (at !== undefined && targets.has(at) && !met.has(at)) {
      met.add(at);
      at = targets.get(at);
    }
    return at === path ? [{ code: "PATH_UNSAFE", path, detail: "a symlink that leads back to itself" }] : [];
  });
}

/** Folders of which this path is, or lies in, an entry that makes a repository. */
function listHolders(path: string): string[] {
  return [path, ...foldersAbove(path)].flatMap((entry) => {
    const [folder, name] = splitFolded(entry);
    return REPOSITORY_NAMES.has(name) ? [folder] : [];
  });
}

function splitFolded(path: string): readonly [folder: string, name: string] {
  const folded = foldPath(path);
  const at = folded.lastIndexOf("/");
  return [folded.slice(0, Math.max(at, 0)), folded.slice(at + 1)];
}

/** Where a relative target leads when no folder on its way is a link itself. */
function resolveTarget(path: string, target: string): string {
  const names = path.split("/").slice(0, -1);
  for (const name of target.split("/")) {
    if (name === "..") names.pop();
    else if (name !== "" && name !== ".") names.push(name);
  }
  return names.join("/");
}
