import { join, resolve } from "node:path";
import { isRunId } from "../../domain/ids.ts";
import { GIT_MIN_TEXT, isGitTooOld, parseGitVersion } from "../../domain/git-version.ts";
import { err, ok, type Result } from "../../domain/result.ts";
import type { UserRepository } from "../../ports/git.ts";
import { splitNul } from "./bytes.ts";
import { copyObjects } from "./delivery.ts";
import { buildUserContext, GitError, runGit, type GitContext } from "./git.ts";
import { readLooseObject, readPlainFile } from "./loose-objects.ts";
import { isOid, type ObjectFormat } from "./object-id.ts";
import { listTracked, readFileAt, type TrackedFile } from "./read-objects.ts";
import { readCommitOfRef, swapRefIn } from "./refs.ts";
import { listUnsupportedIn } from "./unsupported.ts";

/** The user's repository, with what the private one needs to borrow from it. */
export interface OpenedUserRepository extends UserRepository {
  readonly gitDir: string;
  /** Where objects and refs lie; differs from `gitDir` in a linked worktree. */
  readonly gitCommonDir: string;
  readonly objectFormat: ObjectFormat;
  /** Why this git cannot be worked with; reading with it is tried all the same. */
  readonly tooOld: string | undefined;
  /** Address of the remote `origin`, or nothing when there is none. */
  readOrigin(): Promise<string | undefined>;
  /** The pins of all runs that were ever started here, and whether a branch or tag holds the commit as well. */
  listBasePins(): Promise<readonly BasePin[]>;
  removeBasePin(runId: string): Promise<void>;
}

/** A ref that keeps the base commit of a run from being pruned. */
export interface BasePin {
  readonly runId: string;
  readonly commit: string;
  /** True when a branch, remote branch or tag contains the commit: nothing is lost with the pin. */
  readonly held: boolean;
}

/** Why there is no repository to work in. `message` says expected and found. */
export interface UserRepositoryRefusal {
  readonly kind: "not_a_repository" | "bare" | "no_commit" | "unsafe_ownership" | "no_git" | "old_git";
  readonly message: string;
}

/** Finds the repository that `cwd` lies in, under the user's own configuration and environment `env`. */
export async function openUserRepository(
  cwd: string,
  options: { readonly env: Readonly<Record<string, string | undefined>> },
): Promise<Result<OpenedUserRepository, UserRepositoryRefusal>> {
  const { env } = options;
  const asked = buildUserContext({ cwd, env });
  const version = await readGitVersion(asked);
  if (version === undefined)
    return err({ kind: "no_git", message: `expected git on PATH, found none: install git ${GIT_MIN_TEXT} or newer` });
  const tooOld = isGitTooOld(version)
    ? `expected git ${GIT_MIN_TEXT} or newer on PATH, found ${version === "" ? "one without a version" : version}`
    : undefined;
  const found = await discover(asked, cwd);
  // An old git does not know every question: its answer says nothing about the folder.
  if (!found.ok) return tooOld === undefined ? found : err({ kind: "old_git", message: tooOld });
  const { root, gitDir } = found.value;
  const looseIn = [join(found.value.gitCommonDir, "objects")];
  const context = buildUserContext({ cwd: root, gitDir, workTree: root, env, looseIn });
  const { headCommit, headRef } = readPlainHead(found.value) ?? (await askHead(context));
  if (headCommit === undefined) {
    return err({ kind: "no_commit", message: `expected a commit to start from, found none at HEAD of ${root}` });
  }
  return ok(buildUserRepository(context, env, { ...found.value, headCommit, headRef, tooOld }));
}

/** Nothing when git cannot be started at all, which is no fault of any repository; empty when it says no version. */
async function readGitVersion(context: GitContext): Promise<string | undefined> {
  try {
    const { stdout } = await runGit(context, "version", []);
    return parseGitVersion(stdout.toString("utf8")) ?? "";
  } catch (error) {
    if (error instanceof GitError && error.exitCode === undefined) return undefined;
    throw error;
  }
}

interface Places {
  readonly root: string;
  readonly gitDir: string;
  readonly gitCommonDir: string;
  readonly objectFormat: ObjectFormat;
}

async function discover(context: GitContext, cwd: string): Promise<Result<Places, UserRepositoryRefusal>> {
  const ask = async (...flags: string[]): Promise<{ code: number; text: string; stderr: string }> => {
    const { code, stdout, stderr } = await runGit(context, "rev-parse", flags, { accept: [0, 128] });
    return { code, text: stdout.toString("utf8").replace(/\n$/, ""), stderr };
  };
  const flags = ["--show-toplevel", "--absolute-git-dir", "--git-common-dir"];
  const all = await ask("--is-bare-repository", "--show-object-format", ...flags);
  const [isBare = "", format = "", ...paths] = all.text.split("\n");
  if (all.code !== 0) return err(explain(all.stderr, isBare === "true", cwd));
  // A path that holds a line feed makes more lines than questions; then each is asked alone.
  const [root = "", gitDir = "", common = ""] =
    paths.length === flags.length ? paths : await Promise.all(flags.map(async (flag) => (await ask(flag)).text));
  const objectFormat = format === "sha256" ? "sha256" : "sha1";
  return ok({ root, gitDir, gitCommonDir: resolve(cwd, common), objectFormat });
}

function explain(stderr: string, isBare: boolean, cwd: string): UserRepositoryRefusal {
  if (isBare) return { kind: "bare", message: `expected a checkout, found a bare repository at ${cwd}` };
  const kind = stderr.includes("dubious ownership") ? "unsafe_ownership" : "not_a_repository";
  return { kind, message: `expected a git checkout at ${cwd}, found: ${stderr.trim()}` };
}

/** HEAD as its files say it, when it is a branch with a name of ASCII of which nothing has to be asked; else nothing. */
function readPlainHead(places: Places): { headCommit: string; headRef: string } | undefined {
  const headRef = /^ref: (refs\/heads\/[!-~]+)\n$/.exec(readText(join(places.gitDir, "HEAD")) ?? "")?.[1];
  const headCommit = headRef === undefined ? undefined : readPlainBranch(places, headRef);
  return headRef === undefined || headCommit === undefined ? undefined : { headCommit, headRef };
}

async function askHead(context: GitContext) {
  const [headCommit, headRef] = await Promise.all([readCommitOfRef(context, "HEAD"), readHeadRef(context)]);
  return { headCommit, headRef };
}

/**
 * The commit of a branch whose file names one that lies loose: what most branches are that somebody works on. Nothing for
 * any other, which may be packed, symbolic, or kept in another way: that is git's to say.
 */
function readPlainBranch({ gitCommonDir, objectFormat }: Places, ref: string): string | undefined {
  if (!BRANCH.test(ref)) return undefined;
  const oid = /^([0-9a-f]+)\n$/.exec(readText(join(gitCommonDir, ref)) ?? "")?.[1];
  if (oid === undefined || !isOid(oid)) return undefined;
  const object = readLooseObject(join(gitCommonDir, "objects"), objectFormat, oid, 0);
  return object?.type === "commit" && object.sound ? oid : undefined;
}

async function readHeadRef(context: GitContext): Promise<string | undefined> {
  const { code, stdout } = await runGit(context, "symbolic-ref", ["--quiet", "HEAD"], { accept: [0, 1] });
  return code === 0 ? stdout.toString("utf8").trim() : undefined;
}

function buildUserRepository(
  context: GitContext,
  env: Readonly<Record<string, string | undefined>>,
  facts: Places & { headCommit: string; headRef: string | undefined; tooOld: string | undefined },
): OpenedUserRepository {
  const { objectFormat } = facts;
  const pinOf = (runId: string): string => {
    if (!isRunId(runId)) throw new Error(`expected a run id, found ${runId}`);
    return `${BASE_PINS}${runId}`;
  };
  // The same commit is asked about twice in a row; what it holds cannot change.
  let last: { readonly commit: string; readonly files: Promise<readonly TrackedFile[]> } | undefined;
  const tracked = (commit: string): Promise<readonly TrackedFile[]> => {
    if (last?.commit !== commit) last = { commit, files: listTracked(context, commit) };
    return last.files;
  };
  return {
    ...facts,
    readRef: buildRefReader(context, facts),
    readOrigin: async () => {
      const { code, stdout } = await runGit(context, "config", ["--get", "remote.origin.url"], { accept: [0, 1] });
      return code === 0 ? Buffer.from(stdout).toString("utf8").trim() : undefined;
    },
    isAncestor: async (commit, of) => {
      const args = ["--is-ancestor", commit, of];
      // 128: one of the two is not here at all, so it is nobody's ancestor.
      return (await runGit(context, "merge-base", args, { accept: [0, 1, 128] })).code === 0;
    },
    readFileAt: (commit, path) => readFileAt(context, objectFormat, commit, path),
    listUncommitted: () => listUncommittedIn(context),
    listFilesAt: async (commit) => (await tracked(commit)).map((file) => file.path.toString("utf8")),
    listUnsupported: async (commit) => listUnsupportedIn(context, objectFormat, await tracked(commit)),
    pinBase: async (runId, commit) => {
      await runGit(context, "update-ref", ["--no-deref", pinOf(runId), commit]);
    },
    listBasePins: () => listBasePinsIn(context),
    removeBasePin: async (runId) => {
      await runGit(context, "update-ref", ["--no-deref", "-d", pinOf(runId)]);
    },
    deliverBranch: async ({ privateGitDir, branch, base, head, from }) => {
      const ref = branch.startsWith("refs/") ? branch : `refs/heads/${branch}`;
      // Looked at first, so that a refusal leaves no objects behind; the swap itself decides.
      if ((await readCommitOfRef(context, ref)) !== from || (await isCheckedOut(context, ref))) return "refused";
      await copyObjects({ privateGitDir, searchPath: env["PATH"] ?? "", into: context, base, head });
      return swapRefIn(context, ref, from, head);
    },
  };
}

/**
 * Reads refs; git is asked where files do not say it plainly, and again only when the file of a branch says something else
 * than git has said it means. A branch that is packed, symbolic or kept in another way has no such file.
 */
function buildRefReader(context: GitContext, places: Places): (ref: string) => Promise<string | undefined> {
  const answered = new Map<string, string>();
  return async (ref) => {
    const text = BRANCH.test(ref) ? readText(join(places.gitCommonDir, ref)) : undefined;
    if (text !== undefined && answered.get(ref) === text) return text.trim();
    const commit = readPlainBranch(places, ref) ?? (await readCommitOfRef(context, ref));
    if (text !== undefined && text === `${commit}\n`) answered.set(ref, text);
    return commit;
  };
}

const BRANCH = /^refs\/heads\/(?!.*\.\.)[^\0]+$/;

function readText(path: string): string | undefined {
  try {
    return readPlainFile(path)?.toString("latin1");
  } catch {
    return undefined;
  }
}

const BASE_PINS = "refs/conveyor/base/";

async function listBasePinsIn(context: GitContext): Promise<BasePin[]> {
  const listed = await runGit(context, "for-each-ref", ["--format=%(refname) %(objectname)", BASE_PINS]);
  const pins: BasePin[] = [];
  for (const line of listed.stdout.toString("utf8").split("\n")) {
    const [ref = "", commit = ""] = line.split(" ");
    const runId = ref.slice(BASE_PINS.length);
    if (!isRunId(runId)) continue;
    const places = ["refs/heads", "refs/remotes", "refs/tags"];
    const args = ["--count=1", `--contains=${commit}`, ...places];
    const { code, stdout } = await runGit(context, "for-each-ref", args, { accept: [0, 1, 128, 129] });
    pins.push({ runId, commit, held: code === 0 && stdout.length > 0 });
  }
  return pins;
}

async function listUncommittedIn(context: GitContext): Promise<string[]> {
  const flags = ["--porcelain=v1", "-z", "--untracked-files=no", "--no-renames", "--ignore-submodules=none"];
  const { stdout } = await runGit(context, "status", flags);
  return splitNul(stdout).map((record) => record.subarray(3).toString("utf8"));
}

/** Moving a branch under a checkout would make its files look as if the person had undone every commit. */
async function isCheckedOut(context: GitContext, ref: string): Promise<boolean> {
  const { stdout } = await runGit(context, "for-each-ref", ["--format=%(refname)%00%(worktreepath)", ref]);
  return stdout
    .toString("utf8")
    .split("\n")
    .some((line) => line.startsWith(`${ref}\0`) && line.length > ref.length + 1);
}
