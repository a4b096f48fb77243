import { once } from "node:events";
import { createServer, get } from "node:http";
import { connect, createServer as createTcpServer } from "node:net";
import { expect, test } from "vitest";
import { openProxy, type ProxyInput } from "../../src/effects/sandbox/proxy.ts";

/** Asks a proxy through its socket; gives status and text. */
function ask(socketPath: string, path: string): Promise<string> {
  return new Promise((resolve, reject) => {
    get({ socketPath, path }, (answer) => {
      let text = "";
      answer.on("data", (chunk: Buffer) => (text += chunk.toString()));
      answer.on("end", () => resolve(`${answer.statusCode} ${text.trim()}`));
    }).on("error", reject);
  });
}

test("programs that run at the same time share the requests of a run, and begin where the journal ends", async () => {
  const paths: (string | undefined)[] = [];
  const server = createServer((request, response) => {
    paths.push(request.url);
    response.end("answer");
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const address = server.address();
  if (address === null || typeof address === "string") throw new Error("no port");
  const key = {
    name: "K",
    url: `http://127.0.0.1:${address.port}/base/`,
    header: "x-key",
    scheme: "",
    urlName: "K_URL",
    value: "v",
    requestsMax: 5,
    requestsUsed: 2,
  };
  const input: ProxyInput = { allowed: [], keys: [key], keyRequests: new Map(), env: {} };
  await using one = await openProxy(input);
  await using other = await openProxy(input);
  const places = [one, other, one, other, one].map(({ socketPath }) => socketPath);
  const answers = await Promise.all(places.map((place) => ask(place, "/K/a?b=%2e%2e")));
  expect(answers.filter((answer) => answer === "200 answer")).toHaveLength(3);
  expect(answers.filter((answer) => answer.startsWith("403 the 5 requests"))).toHaveLength(2);
  // What a program asked for afterwards begins with what the journal says of it, and not with that twice.
  await using later = await openProxy({ ...input, keys: [{ ...key, requestsUsed: 5, requestsMax: 6 }] });
  expect(await ask(later.socketPath, "/K?x")).toBe("200 answer");
  expect(await ask(later.socketPath, "/K/%2e%2e/up")).toMatch(/^403 not below/);
  expect(paths).toEqual([...Array<string>(3).fill("/base/a?b=%2e%2e"), "/base/?x"]);
  // A flood of hosts hides neither a key nor a refusal.
  for (let host = 0; host < 70; host += 1) await ask(later.socketPath, `http://h${host}.example.com/`);
  await ask(later.socketPath, "/K/more");
  expect(later.uses().filter(({ key: name }) => name === "K")).toMatchObject([
    { allowed: true, requests: 1 },
    { allowed: false, requests: 2 },
  ]);
  await new Promise((resolve) => server.close(resolve));
});

test("nothing that a program, a server or a key says ends the orchestrator, and no program ends what another asked", async () => {
  const waiting: (() => void)[] = [];
  const server = createTcpServer((socket) => {
    socket.on("error", () => socket.destroy());
    socket.on("data", (data) => {
      const [, path] = data.toString().split(" ");
      const say = (status: string) => socket.write(`HTTP/1.1 ${status} X\r\ntrailer: x\r\ncontent-length: 2\r\n\r\nhi`);
      if (path === "/slow") waiting.push(() => say("200"));
      else say(path?.slice(1) ?? "");
    });
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const address = server.address();
  if (address === null || typeof address === "string") throw new Error("no port");
  const url = `http://127.0.0.1:${address.port}`;
  const key = {
    name: "K",
    url,
    header: "x-key",
    scheme: "",
    urlName: "U",
    value: "v",
    requestsMax: 9,
    requestsUsed: 0,
  };
  const input: ProxyInput = {
    allowed: [],
    keys: [key, { ...key, name: "ENDED", value: "v\n" }],
    keyRequests: new Map(),
    env: {},
  };
  const one = await openProxy(input);
  await using other = await openProxy(input);
  // To announce trailers where there are none makes Node throw.
  const raw = connect(one.socketPath, () => raw.write("GET /K/200 HTTP/1.1\r\nhost: a\r\ntrailer: x\r\n\r\n"));
  const [said] = (await once(raw, "data")) as [Buffer];
  raw.destroy();
  expect(said.toString()).toMatch(/^HTTP\/1.1 200 /);
  expect(await ask(one.socketPath, "/K/099")).toMatch(/^502/);
  expect(await ask(one.socketPath, "/ENDED/200")).toMatch(/^401 ENDED holds what no header can/);
  const slow = ask(other.socketPath, "/K/slow");
  await expect.poll(() => waiting.length).toBe(1);
  await one[Symbol.asyncDispose]();
  waiting[0]?.();
  expect(await slow).toBe("200 hi");
  await other[Symbol.asyncDispose]();
  await new Promise((resolve) => server.close(resolve));
});
