import { existsSync, lstatSync } from "node:fs";
import { homedir, tmpdir, userInfo } from "node:os";
import { basename, delimiter, dirname, isAbsolute, join, resolve } from "node:path";
import { isWithin, mayShow, type Mount, outermost, type SandboxView } from "../../domain/sandbox-mounts.ts";
import type { ProcessRequest } from "../../ports/programs.ts";
import { listObjectStores } from "../git/lent-stores.ts";
import { realPathOf } from "../real-path.ts";
import { isFolderHere } from "./tool-folders.ts";

/** What belongs to the orchestrator and to the person who started it. All paths are absolute. */
export interface SandboxPlaces {
  /** Top folder of the user's checkout. */
  readonly root: string;
  readonly runFolder: string;
  /** Worktrees, homes and prepare cache of the run. */
  readonly cache: string;
  /** The private repository: readable, never writable. */
  readonly gitDir: string;
  /** Common git dir of the user's repository: its objects alone are readable. */
  readonly userGitCommonDir: string;
  readonly orchestratorEnv: Readonly<Record<string, string | undefined>>;
}

/** Everybody's homes, and where sockets and other people's temporary files lie. */
const HIDDEN_EVERYWHERE = ["/home", "/root", "/tmp", "/var/tmp", "/run", "/var/run", "/mnt", "/media"] as const;

/** Variables of a runner that name its folders and files. */
const RUNNER_FOLDERS = ["RUNNER_TEMP", "GITHUB_WORKSPACE", "RUNNER_WORKSPACE"] as const;
const RUNNER_FILES = ["GITHUB_ENV", "GITHUB_PATH", "GITHUB_OUTPUT", "GITHUB_STATE", "GITHUB_STEP_SUMMARY"] as const;

/** Finds out what a program may see and write, as links and folders are now. */
export function gatherView(
  places: SandboxPlaces,
  request: Pick<ProcessRequest, "cwd" | "env" | "command" | "confinement">,
  program: {
    readonly file: string;
    readonly own: readonly Mount[];
    readonly toolFolders: (folders: readonly string[]) => readonly string[];
  },
): SandboxView {
  const secret = listHidden(places);
  const hidden = outermost(secret);
  const inside = (path: string): Mount => ({ source: path, target: placeInside(path, hidden) });
  const { env, confinement } = request;
  const writable = [...confinement.writable, env["HOME"] ?? "", env["TMPDIR"] ?? ""].filter(isAbsolute).map(inside);
  // Links in a folder that programs write to lead wherever one of them wanted: none of those is followed.
  const theirs = [...confinement.writable, ...confinement.readable];
  const own = theirs.some((folder) => isWithin(program.file, folder)) ? [] : [dirname(program.file)];
  const wanted = [
    ...program.toolFolders([...(env["PATH"] ?? "").split(delimiter), ...own, dirname(process.execPath)]),
    ...listNamedPaths(request, secret),
    ...[places.orchestratorEnv["RUNNER_TOOL_CACHE"] ?? ""].filter((path) => isAbsolute(path) && isFolderHere(path)),
  ];
  // Those folders are shown whole and as they are.
  const theirPlaces = theirs.map((path) => inside(path).target);
  const isTheirs = ({ target }: Mount) => theirPlaces.some((folder) => isWithin(target, folder));
  const readable = [
    ...confinement.readable,
    places.gitDir,
    ...listObjectStores(join(places.userGitCommonDir, "objects")),
  ];
  const isWritable = (path: string) => writable.some(({ target }) => isWithin(path, target));
  const guarded = confinement.writable.map((folder) => join(folder, ".git")).filter((path) => existsSync(path));
  return {
    hidden,
    readable: [
      ...wanted
        .filter((path) => mayShow(realPathOf(path), secret))
        .map(inside)
        .filter((mount) => !isTheirs(mount)),
      ...readable.filter((path) => existsSync(path)).map(inside),
      ...program.own,
    ].filter(
      ({ target }) => !isWritable(target) && hidden.some((folder) => target !== folder && isWithin(target, folder)),
    ),
    writable,
    guarded: guarded.map(inside),
    cwd: placeInside(request.cwd, hidden),
  };
}

/** Real paths of the folders in whose place a program finds an empty one. */
function listHidden({ root, runFolder, cache, userGitCommonDir, orchestratorEnv: env }: SandboxPlaces): string[] {
  const named = [
    ...HIDDEN_EVERYWHERE,
    homedir(),
    userInfo().homedir,
    env["HOME"],
    tmpdir(),
    env["TMPDIR"],
    root,
    runFolder,
    cache,
    userGitCommonDir,
    ...RUNNER_FOLDERS.map((name) => env[name]),
    ...listRunnerTops(env["RUNNER_TEMP"]),
    ...RUNNER_FILES.map((name) => (env[name] === undefined ? undefined : dirname(env[name]))),
  ];
  const folders = named.filter((path) => path !== undefined && isAbsolute(path) && isFolderHere(path));
  return [...new Set(folders.map((path) => realPathOf(path as string)))].filter((path) => path !== "/");
}

/** A runner's own folders: the checkouts of other repositories lie in one, its credentials in the other. */
function listRunnerTops(temp: string | undefined): string[] {
  if (temp === undefined || !isAbsolute(temp)) return [];
  const found = basename(temp) === "_temp" ? [dirname(temp)] : [];
  for (let folder = temp; folder !== dirname(folder); folder = dirname(folder))
    if (existsSync(join(folder, ".runner"))) found.push(folder);
  return found;
}

/** Where a path is inside: links are followed outside of hidden folders alone, because in there they are gone. */
function placeInside(path: string, hidden: readonly string[]): string {
  const parts = resolve(path).split("/").slice(1);
  for (let length = 1; length <= parts.length; length += 1) {
    const real = realPathOf(`/${parts.slice(0, length).join("/")}`);
    if (hidden.some((folder) => isWithin(real, folder))) return join(real, ...parts.slice(length));
  }
  return realPathOf(resolve(path));
}

/** What the command and the variables that were handed on name: an absolute path is meant to be found. */
function listNamedPaths(
  { command, env }: Pick<ProcessRequest, "command" | "env">,
  secret: readonly string[],
): string[] {
  const words = command.filter((word) => isAbsolute(word) && existsSync(word));
  const beside = words.map((word) => {
    const folder = isFolderHere(word) ? word : dirname(word);
    return mayShow(realPathOf(folder), secret) ? folder : word;
  });
  const values = Object.entries(env)
    .filter(([name, value]) => !OWN_VARIABLES.has(name) && !name.startsWith("ORCH_") && isAbsolute(value))
    .map(([, value]) => value)
    .filter((value) => !value.includes("\n") && isFileOrFolder(value));
  return [...beside, ...values];
}

const OWN_VARIABLES: ReadonlySet<string> = new Set([
  "PATH",
  "HOME",
  "TMPDIR",
  "XDG_CONFIG_HOME",
  "XDG_CACHE_HOME",
  "XDG_DATA_HOME",
  "XDG_STATE_HOME",
]);

/** Not a socket: whoever reads one may be talking to somebody. */
function isFileOrFolder(path: string): boolean {
  const found = existsSync(path) ? lstatSync(realPathOf(path)) : undefined;
  return found !== undefined && (found.isFile() || found.isDirectory());
}
