import { spawn } from "node:child_process";
import type { IncomingMessage, ServerResponse } from "node:http";
import type { Bare } from "./bare.ts";
import { secondsAgo, type EmulatedUser, type GithubState } from "./state.ts";

const ZERO = "0".repeat(40);

/**
 * Lets git fetch and push over HTTP, by git's own server, and notes who pushed what: whoever a token belongs to is
 * `token-<login>`. Anybody may read; without a token that may write, nobody pushes.
 */
export async function serveGit(
  request: IncomingMessage,
  response: ServerResponse,
  { state, bare }: { readonly state: GithubState; readonly bare: Bare },
): Promise<void> {
  const asked = new URL(request.url ?? "/", "http://loopback");
  const writes = asked.pathname.endsWith("/git-receive-pack") || asked.search.includes("git-receive-pack");
  const pusher = whoPushes(state, request.headers.authorization);
  if (writes && pusher === undefined) {
    response.writeHead(401, { "www-authenticate": 'Basic realm="GitHub"' }).end();
    return;
  }
  const before = bare.branches();
  const { status, headers, body } = await runBackend(request, asked, bare, pusher?.login);
  if (writes && request.method === "POST") notePushes(state, before, bare.branches(), pusher ?? null);
  response.writeHead(status, headers).end(body);
}

/** The account behind a token; one that is nobody's may not write. */
function whoPushes(state: GithubState, authorization: string | undefined): EmulatedUser | undefined {
  const [, encoded = ""] = /^basic (.+)$/i.exec(authorization ?? "") ?? [];
  const token = Buffer.from(encoded, "base64").toString("utf8").split(":").slice(1).join(":");
  return state.users.find(({ login, permission }) => token === `token-${login}` && permission !== "read");
}

/** Writes down every branch that is another now. */
export function notePushes(
  state: GithubState,
  before: ReadonlyMap<string, string>,
  after: ReadonlyMap<string, string>,
  actor: EmulatedUser | null,
  timestamp: string = secondsAgo(0),
): void {
  for (const branch of new Set([...before.keys(), ...after.keys()])) {
    const [from, to] = [before.get(branch) ?? ZERO, after.get(branch) ?? ZERO];
    if (from !== to) state.pushes.push({ ref: `refs/heads/${branch}`, before: from, after: to, actor, timestamp });
  }
}

async function runBackend(
  request: IncomingMessage,
  asked: URL,
  bare: Bare,
  user: string | undefined,
): Promise<{ status: number; headers: Record<string, string>; body: Buffer }> {
  const [, rest = ""] = asked.pathname.split(".git");
  const child = spawn("git", ["http-backend"], {
    env: {
      PATH: process.env["PATH"] ?? "",
      HOME: "/dev/null",
      GIT_CONFIG_NOSYSTEM: "1",
      GIT_PROJECT_ROOT: bare.path,
      GIT_HTTP_EXPORT_ALL: "1",
      PATH_INFO: rest,
      QUERY_STRING: asked.search.slice(1),
      REQUEST_METHOD: request.method ?? "GET",
      CONTENT_TYPE: request.headers["content-type"] ?? "",
      ...(request.headers["content-length"] === undefined ? {} : { CONTENT_LENGTH: request.headers["content-length"] }),
      ...(request.headers["content-encoding"] === undefined
        ? {}
        : { HTTP_CONTENT_ENCODING: request.headers["content-encoding"] }),
      ...(request.headers["git-protocol"] === undefined
        ? {}
        : { GIT_PROTOCOL: String(request.headers["git-protocol"]) }),
      ...(user === undefined ? {} : { REMOTE_USER: user }),
    },
    stdio: ["pipe", "pipe", "ignore"],
  });
  child.stdin.on("error", () => undefined);
  request.pipe(child.stdin);
  const chunks: Buffer[] = [];
  for await (const chunk of child.stdout) chunks.push(chunk as Buffer);
  const output = Buffer.concat(chunks);
  const end = output.indexOf("\r\n\r\n");
  const headers = Object.fromEntries(
    output
      .subarray(0, end)
      .toString("utf8")
      .split("\r\n")
      .map((line) => line.split(": ") as [string, string]),
  );
  const { Status: status = "200", ...others } = headers;
  return { status: Number.parseInt(status, 10), headers: others, body: output.subarray(end + 4) };
}
