import { spawn, type ChildProcessByStdio } from "node:child_process";
import { delimiter, isAbsolute } from "node:path";
import type { Readable, Writable } from "node:stream";

/** Every verb in use. `reset`, `clean`, `rebase` and `merge` are missing on purpose. */
export type GitVerb =
  | "add"
  | "cat-file"
  | "commit-tree"
  | "config"
  | "diff"
  | "diff-tree"
  | "for-each-ref"
  | "index-pack"
  | "init"
  | "ls-files"
  | "ls-tree"
  | "merge-base"
  | "pack-objects"
  | "read-tree"
  | "rev-list"
  | "rev-parse"
  | "status"
  | "symbolic-ref"
  | "unpack-objects"
  | "update-index"
  | "update-ref"
  | "version"
  | "write-tree";

/** The verbs that speak to another machine: only remote.ts may, and it never pushes without a lease. */
export type RemoteVerb = "ls-remote" | "push";

/** Where one call of git works and what surrounds it. Nothing else of this process reaches git. */
export interface GitContext {
  readonly cwd: string;
  /** Missing only while the user's repository is being discovered. */
  readonly gitDir: string | undefined;
  readonly workTree: string | undefined;
  readonly env: Readonly<Record<string, string>>;
  /** Values for `-c`. */
  readonly config: readonly string[];
  /** Folders of objects that git reads here: what lies loose in one of them can be read, and hashed, without git. */
  readonly looseIn?: readonly string[] | undefined;
}

export interface GitOptions {
  readonly stdin?: Uint8Array | string | undefined;
  /** Exit codes that are answers rather than failures; 0 alone unless told. */
  readonly accept?: readonly number[] | undefined;
  readonly outputBytesMax?: number | undefined;
  readonly timeoutMs?: number | undefined;
}

export interface GitAnswer {
  readonly code: number;
  readonly stdout: Buffer;
  readonly stderr: string;
}

/** Git did not do what it was asked; a refusal that was to be expected is a value and never this. */
export class GitError extends Error {
  readonly verb: GitVerb | RemoteVerb;
  readonly exitCode: number | undefined;
  readonly stderr: string;

  constructor(verb: GitVerb | RemoteVerb, exitCode: number | undefined, stderr: string) {
    super(`git ${verb} ended with ${exitCode ?? "no exit code"}: ${stderr.trim().slice(0, 2000)}`);
    this.name = "GitError";
    this.verb = verb;
    this.exitCode = exitCode;
    this.stderr = stderr;
  }
}

/** A git process whose input and output are streamed. `done` rejects with `GitError` unless it exits 0. */
export interface GitStream {
  readonly stdin: Writable;
  readonly stdout: Readable;
  readonly done: Promise<void>;
  kill(): void;
}

const OUTPUT_BYTES_MAX = 1024 * 1024 * 1024;
const STDERR_BYTES_MAX = 64 * 1024;
const TIMEOUT_MS = 30 * 60 * 1000;

/** What a terminal or a runner sends to a whole group. */
const GROUP_SIGNALS: ReadonlySet<NodeJS.Signals> = new Set(["SIGINT", "SIGTERM", "SIGHUP", "SIGQUIT"]);

const QUIET_CONFIG = [
  "core.fsmonitor=false",
  "core.hooksPath=/dev/null",
  "core.quotePath=false",
  "protocol.allow=never",
  "submodule.recurse=false",
  "gc.auto=0",
  "maintenance.auto=false",
];

const PRIVATE_CONFIG = [
  ...QUIET_CONFIG,
  // The journal may name a commit only when it would survive a power cut; batch syncs once for many objects.
  "core.fsync=objects,reference",
  "core.fsyncMethod=batch",
  "core.attributesFile=/dev/null",
  "core.excludesFile=/dev/null",
  "core.untrackedCache=false",
  "core.commitGraph=false",
  "core.multiPackIndex=false",
  "safe.bareRepository=explicit",
  "core.symlinks=true",
  "core.fileMode=true",
  "core.autocrlf=false",
  "core.ignoreCase=false",
  "core.protectHFS=true",
  "core.protectNTFS=true",
];

/** The context of a call that no configuration of the user, the machine or a session may influence. */
export function buildPrivateContext(input: {
  gitDir: string;
  workTree?: string | undefined;
  /** Where objects are read and written when it is not the git dir's own folder. */
  objectDirectory?: string | undefined;
  indexFile?: string | undefined;
  searchPath: string;
  /** Folder of objects to read beside the repository's own. */
  borrowed?: string | undefined;
  looseIn?: readonly string[] | undefined;
  env?: Readonly<Record<string, string>> | undefined;
}): GitContext {
  return {
    cwd: input.workTree ?? input.gitDir,
    gitDir: input.gitDir,
    workTree: input.workTree,
    config: PRIVATE_CONFIG,
    looseIn: input.looseIn,
    env: {
      // A relative entry of PATH would look for git in the folder a session has just written to.
      PATH: input.searchPath.split(delimiter).filter(isAbsolute).join(delimiter),
      HOME: "/dev/null",
      LC_ALL: "C",
      TZ: "UTC",
      GIT_CONFIG_NOSYSTEM: "1",
      GIT_CONFIG_GLOBAL: "/dev/null",
      GIT_ATTR_NOSYSTEM: "1",
      GIT_NO_REPLACE_OBJECTS: "1",
      GIT_NO_LAZY_FETCH: "1",
      GIT_TERMINAL_PROMPT: "0",
      GIT_CEILING_DIRECTORIES: "/",
      GIT_LITERAL_PATHSPECS: "1",
      GIT_OPTIONAL_LOCKS: "0",
      ...(input.objectDirectory === undefined ? {} : { GIT_OBJECT_DIRECTORY: input.objectDirectory }),
      ...(input.indexFile === undefined ? {} : { GIT_INDEX_FILE: input.indexFile }),
      ...(input.borrowed === undefined ? {} : { GIT_ALTERNATE_OBJECT_DIRECTORIES: quotePath(input.borrowed) }),
      ...input.env,
    },
  };
}

/**
 * The context of a call in the user's own repository: their configuration and environment decide what is dirty there,
 * but no hook or fsmonitor runs, and no variable that points git at another repository is handed on.
 */
export function buildUserContext(input: {
  cwd: string;
  gitDir?: string | undefined;
  workTree?: string | undefined;
  looseIn?: readonly string[] | undefined;
  env: Readonly<Record<string, string | undefined>>;
}): GitContext {
  const env: Record<string, string> = {};
  for (const [name, value] of Object.entries(input.env)) {
    if (value !== undefined && (!name.startsWith("GIT_") || name.startsWith("GIT_CONFIG_"))) env[name] = value;
  }
  return {
    cwd: input.cwd,
    gitDir: input.gitDir,
    workTree: input.workTree,
    config: QUIET_CONFIG,
    looseIn: input.looseIn,
    env: {
      // Without it the system would look in places of its own, for this call and not for those in the private repository.
      PATH: "",
      ...env,
      LC_ALL: "C",
      GIT_NO_REPLACE_OBJECTS: "1",
      GIT_NO_LAZY_FETCH: "1",
      GIT_TERMINAL_PROMPT: "0",
      GIT_LITERAL_PATHSPECS: "1",
      GIT_OPTIONAL_LOCKS: "0",
    },
  };
}

/** Git splits lists of object folders at colons and lines, unless an entry is quoted as in C. */
export function quotePath(path: string): string {
  return `"${path.replaceAll("\\", "\\\\").replaceAll('"', '\\"').replaceAll("\n", "\\n")}"`;
}

/** Runs git once and gives its output. Throws `GitError` for an exit code that is not accepted. */
export function runGit(
  context: GitContext,
  verb: GitVerb,
  args: readonly string[],
  options: GitOptions = {},
): Promise<GitAnswer> {
  return run(context, verb, args, options);
}

async function run(
  context: GitContext,
  verb: GitVerb | RemoteVerb,
  args: readonly string[],
  options: GitOptions,
): Promise<GitAnswer> {
  // A signal to our group reaches git only before it has a group of its own, that is before it has done anything.
  const answer = (await askGit(context, verb, args, options)) ?? (await askGit(context, verb, args, options));
  if (answer === undefined) throw new GitError(verb, undefined, "ended by a signal, twice");
  return answer;
}

/** The same for a verb that speaks to another machine. */
export function runRemoteGit(
  context: GitContext,
  verb: RemoteVerb,
  args: readonly string[],
  options: GitOptions,
): Promise<GitAnswer> {
  return run(context, verb, args, options);
}

/** Nothing when a signal that a terminal or a runner sends ended it. */
async function askGit(
  context: GitContext,
  verb: GitVerb | RemoteVerb,
  args: readonly string[],
  options: GitOptions,
): Promise<GitAnswer | undefined> {
  const { stdin: input } = options;
  const child = input === undefined ? startQuiet(context, verb, args) : startChild(context, verb, args);
  const outputBytesMax = options.outputBytesMax ?? OUTPUT_BYTES_MAX;
  const chunks: Buffer[] = [];
  let bytes = 0;
  child.stdout.on("data", (chunk: Buffer) => {
    bytes += chunk.length;
    if (bytes > outputBytesMax) child.kill("SIGKILL");
    else chunks.push(chunk);
  });
  child.stdin?.end(input);
  const { code, stderr } = await waitForEnd(child, verb, options.timeoutMs);
  if (child.signalCode !== null && GROUP_SIGNALS.has(child.signalCode)) return undefined;
  if (bytes > outputBytesMax) throw new GitError(verb, undefined, `more than ${outputBytesMax} bytes of output`);
  if (code === undefined || !(options.accept ?? [0]).includes(code)) throw new GitError(verb, code, stderr);
  return { code, stdout: Buffer.concat(chunks), stderr };
}

/** Starts git for a conversation over its stdin and stdout. */
export function startGit(context: GitContext, verb: GitVerb, args: readonly string[]): GitStream {
  const child = startChild(context, verb, args);
  const done = waitForEnd(child, verb).then(({ code, stderr }) => {
    if (code !== 0) throw new GitError(verb, code, stderr);
  });
  // Whoever waits for `done` sees the failure; nobody waiting must not end the whole process.
  done.catch(() => undefined);
  return { stdin: child.stdin, stdout: child.stdout, done, kill: () => void child.kill("SIGKILL") };
}

type Child = ChildProcessByStdio<Writable, Readable, Readable>;
type QuietChild = ChildProcessByStdio<null, Readable, Readable>;

function startChild(context: GitContext, verb: GitVerb | RemoteVerb, args: readonly string[]): Child {
  const options = buildSpawnOptions(context);
  const child = spawn("git", buildArgs(context, verb, args), { ...options, stdio: ["pipe", "pipe", "pipe"] });
  // Git may end before it has read everything; its exit code tells why, not the broken pipe.
  child.stdin.on("error", () => undefined);
  return child;
}

/** Git with nothing to read: most questions are asked with arguments alone, and a pipe has its price. */
function startQuiet(context: GitContext, verb: GitVerb | RemoteVerb, args: readonly string[]): QuietChild {
  const options = buildSpawnOptions(context);
  return spawn("git", buildArgs(context, verb, args), { ...options, stdio: ["ignore", "pipe", "pipe"] });
}

function buildArgs(context: GitContext, verb: GitVerb | RemoteVerb, args: readonly string[]): string[] {
  return [
    ...(context.gitDir === undefined ? [] : [`--git-dir=${context.gitDir}`]),
    ...(context.workTree === undefined ? [] : [`--work-tree=${context.workTree}`]),
    ...context.config.flatMap((value) => ["-c", value]),
    verb,
    ...args,
  ];
}

function buildSpawnOptions(context: GitContext) {
  return {
    cwd: context.cwd,
    env: { ...context.env },
    // Ctrl-C in a terminal goes to every process of our group: git would die in the middle of a step that we are about
    // to end in order. Git ends with its question, or with its input when we are gone.
    detached: true,
  };
}

function waitForEnd(
  child: Child | QuietChild,
  verb: GitVerb | RemoteVerb,
  timeoutMs = TIMEOUT_MS,
): Promise<{ code: number | undefined; stderr: string }> {
  return new Promise((resolve, reject) => {
    let stderr = "";
    let timedOut = false;
    const timer = setTimeout(() => {
      timedOut = true;
      // Its helpers for HTTP are of its group: one that is left would hold the pipes open.
      if (child.pid !== undefined) killGroup(child.pid);
      child.kill("SIGKILL");
    }, timeoutMs);
    child.stderr.on("data", (chunk: Buffer) => {
      if (stderr.length < STDERR_BYTES_MAX) stderr += chunk.toString("utf8");
    });
    child.once("error", (error) => {
      clearTimeout(timer);
      reject(new GitError(verb, undefined, error.message));
    });
    child.once("close", (code) => {
      clearTimeout(timer);
      resolve({ code: code ?? undefined, stderr: timedOut ? `took longer than ${timeoutMs} ms` : stderr });
    });
  });
}

function killGroup(pid: number): void {
  try {
    process.kill(-pid, "SIGKILL");
  } catch {
    // It ended in this very moment.
  }
}
