import { join } from "node:path";
import type { PushAnswer, Remote, RemoteRefAnswer } from "../../ports/github.ts";
import { buildPrivateContext, GitError, runRemoteGit, type GitContext } from "./git.ts";

/** Where a repository lies that a run is pushed to. */
export interface RemoteOptions extends RemoteLimits {
  /** `https://…`, or `http://` on this very machine. Never with a user name or token in it. */
  readonly url: string;
  readonly token: string;
  /** The private repository of the run, and the common git dir of the user's, whose objects it borrows. */
  readonly gitDir: string;
  readonly userGitCommonDir: string;
  readonly searchPath: string;
  /** Variables of ours that say how the network is reached (`HTTPS_PROXY` and its like). */
  readonly env: Readonly<Record<string, string | undefined>>;
}

/** How patient we are with it. */
export interface RemoteLimits {
  /** A connection that moves next to nothing for so long is given up. */
  readonly stallSeconds: number;
  /** The most that one call may take, whatever it moves. */
  readonly timeoutMs: number;
}

/** The limits of a real remote: a push of a run is small. */
export const REMOTE_LIMITS: RemoteLimits = { stallSeconds: 30, timeoutMs: 5 * 60 * 1000 };

/** What a machine behind a proxy needs to reach anything; nothing of git's own is handed on. */
const NETWORK_ENV = ["HTTPS_PROXY", "HTTP_PROXY", "NO_PROXY", "https_proxy", "http_proxy", "no_proxy", "SSL_CERT_FILE"];

const LOOPBACK = new Set(["127.0.0.1", "localhost", "[::1]"]);

/** Names below `localhost` are this machine too (RFC 6761), and git's own client looks nowhere else for them. */
function isLoopback(host: string): boolean {
  return LOOPBACK.has(host) || host.endsWith(".localhost");
}

/**
 * A repository over HTTP, spoken to by git. The token is handed over in the environment of that one process as a header
 * for this one address: it stands in no argument, no file and no configuration (S-25), and a redirect takes it nowhere.
 * A push names the commit by its id and what it expects to find there (S-12): no branch of ours is read, nobody's is
 * overwritten unseen.
 */
export function createRemote(options: RemoteOptions): Remote {
  const url = checkUrl(options.url);
  const context = buildRemoteContext(options, url);
  return {
    readRef: (ref) => readRemoteRef(context, url, ref, options.timeoutMs),
    async push({ ref, expected, commit }) {
      const args = [
        "--porcelain",
        "--no-verify",
        "--no-follow-tags",
        "--no-signed",
        "--no-recurse-submodules",
        `--force-with-lease=${ref}:${expected ?? ""}`,
        url.href,
        `${commit}:${ref}`,
      ];
      try {
        const { code, stdout, stderr } = await runRemoteGit(context, "push", args, {
          accept: [0, 1, 128],
          timeoutMs: options.timeoutMs,
        });
        return readPushAnswer(code, stdout.toString("utf8"), stderr);
      } catch (fault) {
        return unlessOurs(fault);
      }
    },
  };
}

function checkUrl(text: string): URL {
  const url = new URL(text);
  const isSafe = url.protocol === "https:" || (url.protocol === "http:" && isLoopback(url.hostname));
  if (!isSafe || url.username !== "" || url.password !== "") {
    throw new Error(`expected an https address without a user name, found ${url.protocol}//${url.host}`);
  }
  return url;
}

function buildRemoteContext(options: RemoteOptions, url: URL): GitContext {
  const { gitDir, searchPath } = options;
  const borrowed = join(options.userGitCommonDir, "objects");
  const context = buildPrivateContext({ gitDir, borrowed, searchPath });
  const credentials = Buffer.from(`x-access-token:${options.token}`).toString("base64");
  const network = NETWORK_ENV.flatMap((name) => {
    const value = options.env[name];
    return value === undefined ? [] : [[name, value] as const];
  });
  return {
    ...context,
    config: [
      ...context.config,
      `protocol.${url.protocol.slice(0, -1)}.allow=always`,
      "credential.helper=",
      "http.followRedirects=false",
      "http.lowSpeedLimit=100",
      `http.lowSpeedTime=${options.stallSeconds}`,
      "push.default=nothing",
    ],
    env: {
      ...context.env,
      ...Object.fromEntries(network),
      GIT_CONFIG_COUNT: "1",
      GIT_CONFIG_KEY_0: `http.${url.origin}/.extraheader`,
      GIT_CONFIG_VALUE_0: `Authorization: Basic ${credentials}`,
    },
  };
}

async function readRemoteRef(context: GitContext, url: URL, ref: string, timeoutMs: number): Promise<RemoteRefAnswer> {
  try {
    const { code, stdout, stderr } = await runRemoteGit(context, "ls-remote", ["--refs", url.href, ref], {
      accept: [0, 128],
      timeoutMs,
    });
    if (code !== 0) return readFailure(stderr);
    // The name is a pattern to git, which also finds those that end in it.
    const line = stdout
      .toString("utf8")
      .split("\n")
      .find((each) => each.endsWith(`\t${ref}`));
    return { kind: "read", commit: line?.split("\t")[0] };
  } catch (fault) {
    return unlessOurs(fault);
  }
}

/** Git that was ended because it took too long is a remote that cannot be reached; everything else is our bug. */
function unlessOurs(fault: unknown): { kind: "unavailable"; message: string } {
  if (fault instanceof GitError && fault.exitCode === undefined) {
    return { kind: "unavailable", message: sayBriefly(fault.stderr) };
  }
  throw fault;
}

function readPushAnswer(code: number, stdout: string, stderr: string): PushAnswer {
  if (code === 0) return { kind: "pushed" };
  const rejection = /^!\t[^\t]*\t(.*)$/m.exec(stdout)?.[1];
  if (rejection === undefined) return readFailure(stderr);
  // Somebody else was faster: what stands there now has to be looked at before anything else.
  if (/stale info|fetch first|non-fast-forward|cannot lock ref|already exists/i.test(rejection)) {
    return { kind: "stale", message: sayBriefly(rejection) };
  }
  if (/remote failure/i.test(rejection)) return { kind: "unavailable", message: sayBriefly(rejection) };
  const said = [...stderr.matchAll(/^remote: *(\S.*)$/gm)].map((match) => match[1]).join(" ");
  return { kind: "refused", message: sayBriefly(`${rejection} ${said}`) };
}

const FORBIDDEN = /returned error: (401|403|404)|authentication failed|could not read (username|password)|not found/i;

function readFailure(stderr: string): { kind: "forbidden" | "unavailable"; message: string } {
  return { kind: FORBIDDEN.test(stderr) ? "forbidden" : "unavailable", message: sayBriefly(stderr) };
}

function sayBriefly(text: string): string {
  return text.replaceAll(/\s+/g, " ").trim().slice(0, 500);
}
