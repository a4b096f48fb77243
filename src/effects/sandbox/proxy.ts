import { lookup } from "node:dns/promises";
import { chmod, mkdtemp, rm } from "node:fs/promises";
import {
  createServer,
  request as requestHttp,
  type IncomingMessage,
  type Server,
  type ServerResponse,
} from "node:http";
import { request as requestHttps } from "node:https";
import { connect, isIP, type Socket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Duplex } from "node:stream";
import {
  isAllowedHost,
  isForeignAddress,
  keyTarget,
  type NetworkUse,
  parseHostEntry,
} from "../../domain/network-hosts.ts";
import { SHARED_TMP } from "../../domain/sandbox-mounts.ts";
import type { SuppliedKey } from "../../ports/programs.ts";

/** The way out of a program that has no network of its own: a socket of the file system, with rules behind it. */
export interface Proxy extends AsyncDisposable {
  readonly socketPath: string;
  /** What was asked for until now. */
  uses(): readonly NetworkUse[];
}

export interface ProxyInput {
  readonly allowed: readonly string[];
  readonly keys: readonly SuppliedKey[];
  /** Requests with each key, counted over all proxies of the run: programs of one time share what is left. */
  readonly keyRequests: Map<string, number>;
  /** Where the values of keys are that nobody supplied otherwise. */
  readonly env: Readonly<Record<string, string | undefined>>;
}

/** Hosts that are counted one by one; what comes after is counted together. */
const HOSTS_MAX = 64;
const OTHER_HOSTS = "(others)";
const HOST_LENGTH_MAX = 255;

/** The system allows 107 bytes for the name of a socket. */
const FOLDER_LENGTH_MAX = 80;

const CONNECT_TIMEOUT_MS = 15_000;

type Use = { -readonly [K in keyof NetworkUse]: NetworkUse[K] };

/**
 * Opens a proxy that lets through `CONNECT` to allowed hosts, and requests under `/<name of a key>/` to where that key
 * belongs, with the key added. Everything else is answered with 403 and counted.
 */
export async function openProxy(input: ProxyInput): Promise<Proxy> {
  const folder = await mkdtemp(join(tmpdir().length > FOLDER_LENGTH_MAX ? SHARED_TMP : tmpdir(), "conveyor-"));
  await chmod(folder, 0o700);
  const socketPath = join(folder, "p.sock");
  const uses = new Map<string, Use>();
  const sockets = new Set<Duplex>();
  const note: Keeping["note"] = (asked) => count(uses, asked);
  const keep = <S extends Duplex>(socket: S): S => {
    sockets.add(socket);
    socket.once("close", () => sockets.delete(socket));
    // Whoever hangs up ends its own connection and nothing else.
    socket.on("error", () => socket.destroy());
    return socket;
  };
  const server = createServer();
  server.on("connection", keep);
  server.on("connect", (request, client) => void tunnel(input.allowed, request, { client, keep, note }));
  server.on("request", (request, response) => addKey(input, request, response, { keep, note }));
  server.on("clientError", (_fault, socket) => socket.destroy());
  await listen(server, socketPath);
  return {
    socketPath,
    uses: () => [...uses.values()].map((use) => ({ ...use })),
    async [Symbol.asyncDispose]() {
      for (const socket of sockets) socket.destroy();
      await new Promise((resolve) => server.close(resolve));
      await rm(folder, { recursive: true, force: true });
    },
  };
}

interface Keeping {
  readonly keep: <S extends Duplex>(socket: S) => S;
  readonly note: (asked: Asked) => Use;
}

async function tunnel(
  allowed: readonly string[],
  request: IncomingMessage,
  { client, keep, note }: Keeping & { client: Duplex },
): Promise<void> {
  const asked = parseHostEntry(request.url ?? "");
  const permitted = asked !== undefined && isAllowedHost(asked.host, asked.port, allowed);
  const use = note({ host: asked?.host ?? "(unreadable)", port: asked?.port ?? 0, allowed: permitted });
  if (asked === undefined || !permitted) return refuse(client, "403 Forbidden");
  const address = await resolveForeign(asked.host);
  if (address === undefined) return refuse(client, "502 Bad Gateway");
  if (client.destroyed) return;
  const server = keep(connect({ host: address, port: asked.port, timeout: CONNECT_TIMEOUT_MS }));
  server.once("timeout", () => server.destroy());
  server.once("connect", () => {
    server.setTimeout(0);
    client.write("HTTP/1.1 200 Connection established\r\n\r\n");
    connectBoth(client, server, use);
  });
  server.once("close", () => client.destroy());
  client.once("close", () => server.destroy());
}

/** Both ways, counted. */
function connectBoth(client: Duplex, server: Socket, use: Use): void {
  client.on("data", (chunk: Buffer) => (use.sent_bytes += chunk.length));
  server.on("data", (chunk: Buffer) => (use.received_bytes += chunk.length));
  client.pipe(server);
  server.pipe(client);
}

/** The address of a host: one that was written on the list, or the first of a name that leads away from here. */
async function resolveForeign(host: string): Promise<string | undefined> {
  if (isIP(host) !== 0) return host;
  try {
    const found = await lookup(host, { all: true });
    return found.map(({ address }) => address).find(isForeignAddress);
  } catch {
    return undefined;
  }
}

function addKey(
  { keys, keyRequests, env }: ProxyInput,
  request: IncomingMessage,
  response: ServerResponse,
  { keep, note }: Keeping,
): void {
  const match = /^\/([A-Za-z_][A-Za-z0-9_]*)(\/.*|\?.*)?$/s.exec(request.url ?? "");
  const key = keys.find(({ name }) => name === match?.[1]);
  const value = key === undefined ? undefined : (key.value ?? env[key.name]);
  if (key === undefined || value === undefined) {
    note({ host: (request.headers.host ?? "").slice(0, HOST_LENGTH_MAX), port: 0, allowed: false });
    if (key === undefined) answer(response, 403, "not allowed by sandbox.network");
    else answer(response, 401, `${key.name} is not set`);
    return;
  }
  const carried = key.scheme === "" ? value : `${key.scheme} ${value}`;
  if (!HEADER_VALUE.test(carried))
    return answer(response, 401, `${key.name} holds what no header can, such as a line end`);
  const target = keyTarget(key.url, match?.[2] ?? "/");
  const { hostname, port, protocol } = target ?? new URL(key.url);
  const place = { host: hostname, port: Number(port || (protocol === "https:" ? 443 : 80)), key: key.name };
  const used = keyRequests.get(key.name) ?? key.requestsUsed;
  if (target === undefined || used >= key.requestsMax) {
    note({ ...place, allowed: false });
    if (target === undefined) answer(response, 403, `not below the url of ${key.name} in sandbox.keys`);
    // Not 429: whoever gets that asks again and again.
    else
      answer(
        response,
        403,
        `the ${key.requestsMax} requests with ${key.name} that sandbox.keys allows a run are used up`,
      );
    return;
  }
  keyRequests.set(key.name, used + 1);
  const use = note({ ...place, allowed: true });
  const headers = { ...withoutConnection(request.headers), host: target.host, [key.header.toLowerCase()]: carried };
  const options = { method: request.method, path: `${target.pathname}${target.search}`, headers };
  const send = target.protocol === "https:" ? requestHttps : requestHttp;
  // A connection of its own: one that is kept would be another program's next, and end with the first one's proxy.
  const server = { host: hostname.replace(/^\[|\]$/g, ""), port: place.port, agent: false } as const;
  const forwarded = send({ ...server, ...options }, (came) => {
    const status = came.statusCode ?? 0;
    // What is no answer of HTTP cannot be handed on as one.
    response.writeHead(status < 200 ? 502 : status, withoutConnection(came.headers));
    came.on("data", (chunk: Buffer) => (use.received_bytes += chunk.length));
    came.on("error", () => response.destroy());
    came.pipe(response);
  });
  forwarded.on("socket", keep);
  forwarded.on("error", () => {
    if (!response.headersSent) response.writeHead(502, { "content-type": "text/plain" });
    response.end();
  });
  request.on("data", (chunk: Buffer) => (use.sent_bytes += chunk.length));
  response.once("close", () => forwarded.destroy());
  request.pipe(forwarded);
}

/** What Node takes for the value of a header: it would throw for anything else. */
const HEADER_VALUE = /^[\t\x20-\x7e\x80-\xff]*$/;

/** What holds between two neighbours alone. A key that the program sends itself is replaced, never added to. */
function withoutConnection(headers: IncomingMessage["headers"]): Record<string, string | string[]> {
  // Nobody hands trailers on, and to announce them where there can be none would throw.
  const dropped = new Set([
    "connection",
    "keep-alive",
    "proxy-authorization",
    "proxy-connection",
    "te",
    "trailer",
    "upgrade",
  ]);
  const kept = Object.entries(headers).filter(([name, value]) => value !== undefined && !dropped.has(name));
  return Object.fromEntries(kept) as Record<string, string | string[]>;
}

function answer(response: ServerResponse, status: number, message: string): void {
  response.writeHead(status, { "content-type": "text/plain" });
  response.end(`${message}\n`);
}

type Asked = Pick<NetworkUse, "host" | "port" | "allowed" | "key">;

/** Requests with a key are counted by themselves, and those with the same key that were refused too. */
function count(uses: Map<string, Use>, asked: Asked): Use {
  const { host, port, allowed, key } = asked;
  const exact = key === undefined ? `${host}:${port}` : `${host}:${port} ${key} ${allowed}`;
  // Of keys there are few: a program that asks for many hosts must not hide what it sent with one.
  const isCounted = key !== undefined || uses.has(exact) || uses.size < HOSTS_MAX;
  const name = isCounted ? exact : `${OTHER_HOSTS} ${allowed}`;
  const use = uses.get(name) ?? {
    ...(isCounted ? asked : { host: OTHER_HOSTS, port: 0, allowed }),
    requests: 0,
    sent_bytes: 0,
    received_bytes: 0,
  };
  use.requests += 1;
  uses.set(name, use);
  return use;
}

function refuse(client: Duplex, status: string): void {
  client.end(`HTTP/1.1 ${status}\r\ncontent-length: 0\r\nconnection: close\r\n\r\n`);
}

function listen(server: Server, path: string): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once("error", reject);
    server.listen(path, () => {
      server.off("error", reject);
      resolve();
    });
  });
}
