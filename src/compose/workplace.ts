import type { Result } from "../domain/result.ts";
import { openUserRepository, type OpenedUserRepository } from "../effects/git/user-repository.ts";
import { findRunPlaces, type RunFolders, type RunPlaces } from "../effects/run-places.ts";

/** A checkout to work in. */
export interface Workplace {
  readonly user: OpenedUserRepository;
  readonly places: RunPlaces;
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly cwd: string;
}

/** Folders of a door that keeps its runs elsewhere than in the checkout. Absolute paths. */
export interface StateFolders {
  readonly runsFolder: string;
  readonly cacheRoot: string;
}

/** Opens the checkout that a folder lies in; a refusal says why there is none. */
export async function openWorkplace(
  cwd: string,
  env: Readonly<Record<string, string | undefined>>,
  state?: StateFolders,
): Promise<Result<Workplace, { kind: string; message: string }>> {
  const opened = await openUserRepository(cwd, { env });
  if (!opened.ok) return opened;
  const user = opened.value;
  const places =
    state === undefined ? findRunPlaces(user.root, env) : { root: user.root, ...state, cacheIsShared: false };
  return { ok: true, value: { user, places, env, cwd } };
}

export function repositoryOptions(workplace: Workplace, folders: RunFolders) {
  return {
    gitDir: folders.gitDir,
    userGitCommonDir: workplace.user.gitCommonDir,
    worktreesRoot: folders.worktrees,
    objectFormat: workplace.user.objectFormat,
    searchPath: workplace.env["PATH"] ?? "",
  };
}
