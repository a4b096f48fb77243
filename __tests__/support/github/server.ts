import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import type { Bare } from "./bare.ts";
import { serveGit } from "./git-http.ts";
import { NOT_FOUND, type Answer, type Call, type Handler, type Routes } from "./routes.ts";
import type { GithubState } from "./state.ts";

/** A request as it came in. */
export interface LoggedRequest {
  readonly method: string;
  /** Path and query. */
  readonly path: string;
  readonly authorization: string | undefined;
  readonly body: unknown;
  /** What was answered; nothing when a fault kept the answer back. */
  status: number | undefined;
}

/**
 * Something that happens to a request in place of, or after, what GitHub does. It gives true when it has answered, or
 * has seen to it that nobody ever will.
 */
export interface Fault {
  /** Which requests it is about; the number says how many of them came before. */
  readonly when: (request: LoggedRequest, before: number) => boolean;
  /** Before GitHub sees it. */
  readonly instead?: (response: ServerResponse, request: LoggedRequest) => boolean;
  /** After GitHub has done it, in place of its answer. */
  readonly after?: (response: ServerResponse, answered: { status: number; text: string }) => boolean;
}

const PER_PAGE = 30;
const PER_PAGE_MAX = 100;

/** Serves one repository on loopback: the API below `/`, the repository itself below `/owner/name.git`. */
export async function serve(
  state: GithubState,
  bare: Bare,
  routes: Routes,
  requests: LoggedRequest[],
  faults: Fault[],
): Promise<{ readonly server: Server; readonly url: string }> {
  const table = Object.entries(routes).map(([route, handler]) => ({ ...compile(route), handler }));
  const server = createServer((request, response) => {
    void answer(request, response).catch((fault: unknown) => {
      response.writeHead(599).end(String(fault));
    });
  });
  const answer = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    const url = `http://${request.headers.host ?? ""}`;
    if (request.url?.startsWith(`/${state.owner}/${state.name}.git/`) === true) {
      await serveGit(request, response, { state, bare });
      return;
    }
    const text = await readText(request);
    const logged: LoggedRequest = {
      method: request.method ?? "GET",
      path: request.url ?? "/",
      authorization: request.headers.authorization,
      body: text === "" ? undefined : JSON.parse(text),
      status: undefined,
    };
    const earlier = [...requests];
    requests.push(logged);
    const fault = faults.find(({ when }) => when(logged, earlier.filter((one) => when(one, 0)).length));
    if (fault?.instead?.(response, logged) === true) return;
    const given = handle(table, { state, bare, url }, logged);
    const whole = JSON.stringify(given.data);
    if (fault?.after?.(response, { status: given.status, text: whole }) === true) return;
    logged.status = given.status;
    const headers = { "content-type": "application/json; charset=utf-8", ...given.headers };
    response.writeHead(given.status, headers).end(given.status === 204 ? undefined : whole);
  };
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return { server, url: `http://127.0.0.1:${(server.address() as AddressInfo).port}` };
}

interface Compiled {
  readonly method: string;
  readonly pattern: RegExp;
  readonly handler: Handler;
}

function compile(route: string): Omit<Compiled, "handler"> {
  const [method = "", path = ""] = route.split(" ");
  const source = path.replaceAll(/([:*])(\w+)/g, (_, kind: string, name: string) =>
    kind === ":" ? `(?<${name}>[^/]+)` : `(?<${name}>.+)`,
  );
  return { method, pattern: new RegExp(`^${source}$`) };
}

function handle(
  table: readonly Compiled[],
  place: Pick<Call, "state" | "bare" | "url">,
  { method, path, body, authorization }: LoggedRequest,
): { status: number; data: unknown; headers: Record<string, string> } {
  const asked = new URL(path, place.url);
  for (const { method: wanted, pattern, handler } of table) {
    const match = wanted === method ? pattern.exec(asked.pathname) : null;
    if (match === null) continue;
    const params = Object.fromEntries(
      Object.entries(match.groups ?? {}).map(([name, value]) => [name, decodeURIComponent(value)]),
    );
    const { owner, repo } = params;
    if (repo !== undefined && !isRepository(place.state, `${owner}/${repo}`)) break;
    const [, login] = /^(?:bearer|token) token-(.+)$/i.exec(authorization ?? "") ?? [];
    const asker = place.state.users.find((user) => user.login === login);
    const given = handler({ ...place, params, query: asked.searchParams, body: (body ?? {}) as Call["body"], asker });
    return { headers: {}, ...cut(given, asked) };
  }
  return { headers: {}, ...cut(NOT_FOUND, asked) };
}

/** GitHub does not mind the case of names. */
function isRepository(state: GithubState, name: string): boolean {
  return name.toLowerCase() === `${state.owner}/${state.name}`.toLowerCase();
}

/** Cuts the page out of a list that was asked for, and says where the next one is. */
function cut(given: Answer, asked: URL): { status: number; data: unknown; headers?: Record<string, string> } {
  if ("status" in given) return given;
  const size = Math.min(Number(asked.searchParams.get("per_page") ?? PER_PAGE), PER_PAGE_MAX);
  const page = Number(asked.searchParams.get("page") ?? 1);
  const items = given.items.slice((page - 1) * size, page * size);
  const data = given.key === undefined ? items : { ...given.rest, total_count: given.items.length, [given.key]: items };
  if (page * size >= given.items.length) return { status: 200, data };
  const next = new URL(asked);
  next.searchParams.set("page", String(page + 1));
  const last = new URL(asked);
  last.searchParams.set("page", String(Math.ceil(given.items.length / size)));
  return { status: 200, data, headers: { link: `<${next.href}>; rel="next", <${last.href}>; rel="last"` } };
}

async function readText(request: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks).toString("utf8");
}
