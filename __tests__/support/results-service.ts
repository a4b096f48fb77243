import { createHash } from "node:crypto";
import { createServer, type IncomingMessage, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { afterAll } from "vitest";

/** An artifact as it was uploaded. */
export interface StoredArtifact {
  readonly id: number;
  readonly name: string;
  readonly bytes: Buffer;
  readonly sha256: string;
  readonly retentionDays: number | undefined;
}

const servers = new Set<Server>();
afterAll(() => {
  for (const server of servers) {
    server.closeAllConnections();
    server.close();
  }
});

/**
 * The service to which a runner's jobs upload artifacts, and the blob store behind it, on loopback: as much of both as
 * GitHub's own client asks for.
 */
export class ResultsService {
  readonly artifacts: StoredArtifact[] = [];
  readonly requests: string[] = [];
  /** Answers every upload with this status instead. */
  failWith: number | undefined;
  readonly #blobs = new Map<string, { blocks: Map<string, Buffer>; bytes: Buffer }>();
  readonly #created = new Map<string, number | undefined>();
  #url = "";

  static async start(): Promise<ResultsService> {
    const service = new ResultsService();
    const server = createServer((request, response) => {
      service.#answer(request).then(
        ({ status, body, headers }) => response.writeHead(status, headers).end(body),
        (fault: unknown) => response.writeHead(500).end(String(fault)),
      );
    });
    servers.add(server);
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    service.#url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
    return service;
  }

  /** Variables that a runner gives a step. */
  env(): Record<string, string> {
    const part = (value: unknown): string => Buffer.from(JSON.stringify(value)).toString("base64url");
    return {
      ACTIONS_RESULTS_URL: `${this.#url}/`,
      ACTIONS_RUNTIME_TOKEN: `${part({ alg: "none" })}.${part({ scp: "Actions.Results:run-1:job-1" })}.${part("x")}`,
    };
  }

  /** Where the bytes of an artifact can be fetched. */
  addressOf(name: string): string {
    return `${this.#url}/blob/${name}`;
  }

  async #answer(request: IncomingMessage) {
    const url = new URL(request.url ?? "/", this.#url);
    this.requests.push(`${request.method} ${url.pathname}`);
    const body = await readAll(request);
    if (url.pathname.startsWith("/blob/")) return this.#answerBlob(request, url, body);
    if (this.failWith !== undefined) return { status: this.failWith, body: "{}", headers: {} };
    const message = JSON.parse(body.toString("utf8")) as {
      name: string;
      expiresAt?: string;
      expires_at?: string;
    };
    const json = (value: unknown) => ({
      status: 200,
      body: JSON.stringify(value),
      headers: { "content-type": "application/json" },
    });
    if (url.pathname.endsWith("/CreateArtifact")) {
      if (this.artifacts.some(({ name }) => name === message.name))
        return { status: 409, body: JSON.stringify({ code: "already_exists", msg: "exists" }), headers: {} };
      const expiresAt = message.expiresAt ?? message.expires_at;
      const days = expiresAt === undefined ? undefined : Math.round((Date.parse(expiresAt) - Date.now()) / 86_400_000);
      this.#created.set(message.name, days);
      return json({ ok: true, signedUploadUrl: `${this.#url}/blob/${message.name}?sig=x` });
    }
    if (url.pathname.endsWith("/FinalizeArtifact")) {
      const bytes = this.#blobs.get(message.name)?.bytes ?? Buffer.alloc(0);
      const id = 5000 + this.artifacts.length;
      const sha256 = createHash("sha256").update(bytes).digest("hex");
      this.artifacts.push({ id, name: message.name, bytes, sha256, retentionDays: this.#created.get(message.name) });
      return json({ ok: true, artifactId: String(id) });
    }
    return { status: 404, body: "{}", headers: {} };
  }

  #answerBlob(request: IncomingMessage, url: URL, body: Buffer) {
    const name = url.pathname.slice("/blob/".length);
    const blob = this.#blobs.get(name) ?? { blocks: new Map<string, Buffer>(), bytes: Buffer.alloc(0) };
    this.#blobs.set(name, blob);
    if (request.method === "GET")
      return { status: 200, body: blob.bytes, headers: { "content-type": "application/zip" } };
    const part = url.searchParams.get("comp");
    if (part === "block") blob.blocks.set(url.searchParams.get("blockid") ?? "", body);
    else if (part === "blocklist") {
      const ids = [...body.toString("utf8").matchAll(/<Latest>([^<]*)<\/Latest>/g)].map((match) => match[1] ?? "");
      blob.bytes = Buffer.concat(ids.map((id) => blob.blocks.get(id) ?? Buffer.alloc(0)));
    } else blob.bytes = body;
    return { status: 201, body: "", headers: { etag: '"1"', "last-modified": new Date(0).toUTCString() } };
  }
}

async function readAll(request: IncomingMessage): Promise<Buffer> {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks);
}
