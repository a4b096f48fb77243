import { createServer, request as ask, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo, Socket } from "node:net";
import { afterAll } from "vitest";

/** What can happen between a client and GitHub. */
export const FAULTS = [
  /** The connection is reset before GitHub hears of it. */
  "reset",
  /** GitHub does what it was asked, and nobody is told. */
  "lost_answer",
  "500",
  "502",
  /** A gateway that lost the answer of what was done. */
  "502_after",
  "503",
  "429",
  "429_retry_after",
  "403_secondary",
  /** Half of the answer comes, and then no more. */
  "slow_body",
  /** The connection stays open, and nothing is ever answered. */
  "half_open",
] as const;
export type FaultKind = (typeof FAULTS)[number];

/** Which fault the call of a number meets, counted from 1. */
export type FaultPlan = (call: number) => FaultKind | undefined;

/**
 * A proxy in front of an emulated GitHub, for API and git alike, on loopback. The plan may be replaced at any time;
 * `calls` counts what came.
 */
export class FaultProxy {
  calls = 0;
  plan: FaultPlan = () => undefined;
  url = "";
  readonly seen: string[] = [];
  private readonly sockets = new Set<Socket>();
  private readonly upstream: string;

  private constructor(upstream: string) {
    this.upstream = upstream;
  }

  static async start(upstream: string): Promise<FaultProxy> {
    const proxy = new FaultProxy(upstream);
    const server = createServer((request, response) => proxy.take(request, response));
    server.on("connection", (socket) => {
      proxy.sockets.add(socket);
      socket.on("close", () => proxy.sockets.delete(socket));
    });
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    proxy.url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
    running.add(() => {
      for (const socket of proxy.sockets) socket.destroy();
      server.close();
    });
    return proxy;
  }

  private take(request: IncomingMessage, response: ServerResponse): void {
    this.calls += 1;
    this.seen.push(`${request.method} ${request.url}`);
    const fault = this.plan(this.calls);
    request.on("error", () => undefined);
    switch (fault) {
      case "reset":
        request.socket.resetAndDestroy();
        return;
      case "half_open":
        // Also what is sent is not read.
        request.pause();
        return;
      case "500":
      case "502":
      case "503":
        request.resume();
        response.writeHead(Number(fault), { "content-type": "text/html" }).end("<h1>Unicorn!</h1>");
        return;
      case "429":
      case "429_retry_after":
        request.resume();
        response.writeHead(429, fault === "429" ? {} : { "retry-after": "60" }).end('{"message":"Too many requests"}');
        return;
      case "403_secondary":
        request.resume();
        response
          .writeHead(403, { "content-type": "application/json" })
          .end('{"message":"You have exceeded a secondary rate limit. Please wait."}');
        return;
      default:
        this.forward(request, response, fault);
    }
  }

  private forward(request: IncomingMessage, response: ServerResponse, fault: FaultKind | undefined): void {
    const { method, headers } = request;
    const { host } = new URL(this.upstream);
    const up = ask(`${this.upstream}${request.url}`, { method, headers: { ...headers, host } }, (answer) => {
      const chunks: Buffer[] = [];
      answer.on("data", (chunk: Buffer) => chunks.push(chunk));
      answer.on("end", () => {
        const body = Buffer.concat(chunks);
        if (fault === "lost_answer") request.socket.resetAndDestroy();
        else if (fault === "502_after") response.writeHead(502).end("<h1>Unicorn!</h1>");
        else if (fault === "slow_body") {
          // The length is that of all of it.
          response.writeHead(answer.statusCode ?? 200, {
            ...answer.headers,
            "content-length": String(body.length + 1),
          });
          response.write(body.subarray(0, Math.floor(body.length / 2)));
        } else {
          const { "transfer-encoding": _chunked, ...kept } = answer.headers;
          response.writeHead(answer.statusCode ?? 200, { ...kept, "content-length": String(body.length) }).end(body);
        }
      });
    });
    up.on("error", () => request.socket.destroy());
    request.pipe(up);
  }
}

const running = new Set<() => void>();

afterAll(() => {
  for (const stop of running) stop();
});
