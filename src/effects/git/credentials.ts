import { existsSync, readdirSync } from "node:fs";
import { homedir } from "node:os";
import { join } from "node:path";
import { listConfiguredCredentials, parseGitConfigList } from "../../domain/git-credentials.ts";
import { buildUserContext, runGit } from "./git.ts";

/** Files below the home folder in which git and its friends keep credentials. */
const HOME_FILES = [".git-credentials", ".netrc", ".config/git/credentials", ".config/gh/hosts.yml"];

/**
 * Finds credentials that a program of this user could use on a remote: in the configuration that git sees in the
 * checkout, with all that it includes, and in the files where credentials are usually kept, also those that the
 * checkout action leaves in the runner's temporary folder. Gives where each stands, never a value.
 */
export async function findGitCredentials(
  cwd: string,
  env: Readonly<Record<string, string | undefined>>,
): Promise<readonly string[]> {
  const context = { ...buildUserContext({ cwd, env }), config: [] };
  const list = ["--list", "--show-origin", "--includes", "-z"];
  const { stdout } = await runGit(context, "config", list);
  const others = listOtherConfigs(cwd, env["GITHUB_WORKSPACE"]);
  const read = await Promise.all(others.map((path) => runGit(context, "config", ["--file", path, ...list])));
  const home = env["HOME"] ?? homedir();
  const configHome = env["XDG_CONFIG_HOME"];
  const runnerTemp = env["RUNNER_TEMP"];
  const files = [
    ...HOME_FILES.map((name) => join(home, name)),
    ...(configHome === undefined ? [] : [join(configHome, "git", "credentials"), join(configHome, "gh", "hosts.yml")]),
    ...(runnerTemp === undefined ? [] : listNames(runnerTemp).map((name) => join(runnerTemp, name))),
  ];
  return [
    ...[stdout, ...read.map((other) => other.stdout)].flatMap((text) =>
      listConfiguredCredentials(parseGitConfigList(text.toString("utf8"))),
    ),
    ...new Set(files.filter((path) => existsSync(path))),
  ];
}

/** How many configurations are looked at besides that of the checkout itself. */
const OTHERS_MAX = 200;

/**
 * Configurations that git does not see from the checkout and that any program can read: of other checkouts in the
 * workspace, and of submodules.
 */
function listOtherConfigs(cwd: string, workspace: string | undefined): string[] {
  const beside = workspace === undefined || workspace === "" ? [] : [workspace, ...listFolders(workspace)];
  const checkouts = [...new Set([cwd, ...beside])];
  const own = join(cwd, ".git", "config");
  const configs = checkouts.flatMap((folder) => {
    const gitDir = join(folder, ".git");
    return [join(gitDir, "config"), ...listModules(join(gitDir, "modules")).map((name) => join(name, "config"))];
  });
  return configs.filter((path) => path !== own && existsSync(path)).slice(0, OTHERS_MAX);
}

function listFolders(folder: string): string[] {
  if (!existsSync(folder)) return [];
  const entries = readdirSync(folder, { withFileTypes: true });
  return entries.filter((entry) => entry.isDirectory()).map(({ name }) => join(folder, name));
}

/** Git dirs of submodules: their names may have slashes, and those of submodules lie in their own. */
function listModules(folder: string, depth = 0): string[] {
  if (depth > 6) return [];
  return listFolders(folder).flatMap((each) => {
    if (!existsSync(join(each, "HEAD"))) return listModules(each, depth + 1);
    return [each, ...listModules(join(each, "modules"), depth + 1)];
  });
}

function listNames(folder: string): string[] {
  return existsSync(folder) ? readdirSync(folder).filter((name) => name.startsWith("git-credentials-")) : [];
}
