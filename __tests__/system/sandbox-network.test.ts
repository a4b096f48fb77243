import { spawnSync } from "node:child_process";
import { randomBytes } from "node:crypto";
import { readdirSync, readFileSync, statSync } from "node:fs";
import { createServer, type IncomingHttpHeaders } from "node:http";
import { createServer as createTcpServer } from "node:net";
import { join } from "node:path";
import { beforeAll, expect, test } from "vitest";
import { GATES_OPEN, TestRepository } from "../support/conveyor.ts";

/** Made here and now: a copy of this file must not be what is found. */
const KEY = `sk-test-${randomBytes(12).toString("hex")}`;
const OWN_WORK = "mkdir -p out && echo done > out/01.txt\n";

beforeAll(() => {
  const { error } = spawnSync("/usr/bin/bwrap", ["--version"]);
  if (error !== undefined)
    throw new Error(`this suite needs bubblewrap: apt-get install bubblewrap (${error.message})`);
});

/** A model's server on loopback: it says which key came, and whether it came whole. */
async function startModelServer() {
  const seen: { url: string | undefined; headers: IncomingHttpHeaders; body: string }[] = [];
  const server = createServer((request, response) => {
    let body = "";
    request.on("data", (chunk: Buffer) => (body += chunk.toString()));
    request.on("end", () => {
      seen.push({ url: request.url, headers: request.headers, body });
      response.writeHead(200, { "content-type": "text/event-stream" });
      response.write("data: one\n\n");
      response.end("data: two\n\n");
    });
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const address = server.address();
  if (address === null || typeof address === "string") throw new Error("no port");
  return {
    port: address.port,
    seen,
    [Symbol.asyncDispose]: () => new Promise<void>((resolve) => server.close(() => resolve())),
  };
}

async function startEcho() {
  const server = createTcpServer((socket) => {
    socket.on("error", () => undefined);
    socket.pipe(socket);
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const address = server.address();
  if (address === null || typeof address === "string") throw new Error("no port");
  return {
    port: address.port,
    [Symbol.asyncDispose]: () => new Promise<void>((resolve) => server.close(() => resolve())),
  };
}

/** Asks the proxy for a tunnel and says something through it; prints the first line of each answer. */
const ASK = `
ask() { # host:port
  exec 3<>/dev/tcp/127.0.0.1/18080
  printf 'CONNECT %s HTTP/1.1\\r\\nHost: %s\\r\\n\\r\\n' "$1" "$1" >&3
  read -r -t 10 -u 3 status; read -r -u 3 rest
  echo "$1 \${status%$'\\r'}"
  if [[ $status == *' 200 '* ]]; then printf 'ping through the tunnel\\n' >&3; read -r -t 10 -u 3 line; echo "$line"; fi
  exec 3>&-
}
`;

function sessionOutput(repository: TestRepository): string[] {
  const log = join(repository.runFolder(), "items/01/attempt-1/round-1/session-1/stdout.log");
  return readFileSync(log, "utf8").split("\n").filter(Boolean);
}

test("a program reaches the allowed host and no other, and the report says whom it asked for", async () => {
  await using echo = await startEcho();
  await using other = await startEcho();
  const allowed = `127.0.0.1:${echo.port}`;
  const repository = new TestRepository({
    executor: `${OWN_WORK}${ASK}ask ${allowed}\nask 127.0.0.1:${other.port}\nask localhost:${echo.port}\nask nohost:99999\n`,
    configLines: [`sandbox: {network: ["${allowed}", "localhost:${echo.port}"]}`],
  });
  const ended = await repository.run(["--sandbox", "required", ...GATES_OPEN]);
  expect(ended.code, ended.stderr).toBe(0);
  expect(sessionOutput(repository)).toEqual([
    `${allowed} HTTP/1.1 200 Connection established`,
    "ping through the tunnel",
    `127.0.0.1:${other.port} HTTP/1.1 403 Forbidden`,
    // A name that leads to this machine, which was not meant by it.
    `localhost:${echo.port} HTTP/1.1 502 Bad Gateway`,
    "nohost:99999 HTTP/1.1 403 Forbidden",
  ]);
  const report = repository.report();
  const executor = report.stage_executions.find(({ purpose }) => purpose === "executor");
  expect(executor?.network).toContainEqual({
    host: "127.0.0.1",
    port: echo.port,
    allowed: true,
    requests: 1,
    sent_bytes: 24,
    received_bytes: 24,
  });
  expect(executor?.network).toContainEqual(
    expect.objectContaining({ host: "127.0.0.1", port: other.port, allowed: false, sent_bytes: 0 }),
  );
  expect(readFileSync(join(repository.runFolder(), "report.md"), "utf8")).toContain(`| 127.0.0.1:${other.port} |`);
});

test("required commands have no network, and preparing has its own list", async () => {
  await using echo = await startEcho();
  const ask = `${ASK}ask 127.0.0.1:${echo.port}`;
  const repository = new TestRepository({
    rows: [{ step_id: "01", required_verification_commands: "! bash tools/ask.sh" }],
    files: { "tools/ask.sh": `set -e\n${ask} > /dev/null\n`, "tools/prepare.sh": `${ask} | grep -q ' 200 '\n` },
    configLines: [
      `sandbox: {network: ["127.0.0.1:${echo.port}"]}`,
      `prepare: {commands: [[bash, tools/prepare.sh]], network: ["127.0.0.1:${echo.port}"]}`,
    ],
  });
  const ended = await repository.run(["--sandbox", "required", ...GATES_OPEN]);
  expect(ended.code, ended.stderr).toBe(0);
  const { stage_executions: programs } = repository.report();
  expect(programs.find(({ purpose }) => purpose === "prepare")?.network).toMatchObject([
    { port: echo.port, allowed: true },
  ]);
  expect(programs.find(({ purpose }) => purpose === "required_command")).toMatchObject({ network: [], exit_code: 0 });
});

/** Everything that a program can look for a key in: its variables, those of all processes, their words, its files. */
const LOOK = `
{ env; cat /proc/[0-9]*/environ /proc/[0-9]*/cmdline | tr '\\0' '\\n'; grep -rs . "$HOME" "$TMPDIR" /tmp; cat "$ORCH_PROMPT_PATH"; } > looked 2>/dev/null
`;
const CALL = `node -e 'fetch(process.env.MODEL_URL + "/v1/messages?x=1", {method: "POST", body: "hello", headers: {"x-api-key": process.env.MODEL_KEY}}).then((r) => r.text()).then((t) => console.log(JSON.stringify(t)))'\n`;

test("a key that the proxy holds reaches the model's server and never the program", async () => {
  await using model = await startModelServer();
  const repository = new TestRepository({
    executor: `${OWN_WORK}${CALL}${LOOK}grep -E -- 'sk-test-[0-9a-f]{24}' looked | cut -c1-300\nrm looked\necho "$MODEL_KEY"\n`,
    config: [
      "version: 1",
      "executor: {use: command, command: [bash, tools/executor.sh], env: [MODEL_KEY]}",
      "audits: {lanes: [{name: careful, use: command, command: [bash, tools/audit-careful.sh]}, {name: quick, use: command, command: [bash, tools/audit-quick.sh]}]}",
      "sandbox:",
      "  network: []",
      `  keys: [{env: MODEL_KEY, url: "http://127.0.0.1:${model.port}/base", header: x-api-key, url-env: MODEL_URL}]`,
      "",
    ].join("\n"),
  });
  const ended = await repository.run(["--sandbox", "required", ...GATES_OPEN], { env: { MODEL_KEY: KEY } });
  expect(ended.code, ended.stderr).toBe(0);
  expect(sessionOutput(repository)).toEqual([JSON.stringify("data: one\n\ndata: two\n\n"), "held-by-the-proxy"]);
  expect(model.seen).toHaveLength(1);
  expect(model.seen[0]).toMatchObject({ url: "/base/v1/messages?x=1", body: "hello" });
  expect(model.seen[0]?.headers).toMatchObject({ "x-api-key": KEY, host: `127.0.0.1:${model.port}` });
  const report = repository.report();
  expect(report.sandbox?.layers.find(({ layer }) => layer === "model_keys")).toMatchObject({ strength: "enforced" });
  expect(report.stage_executions.find(({ purpose }) => purpose === "executor")?.network).toEqual([
    {
      host: "127.0.0.1",
      port: model.port,
      allowed: true,
      key: "MODEL_KEY",
      requests: 1,
      sent_bytes: 5,
      received_bytes: 22,
    },
  ]);
  // Auditors were not given the variable, so they were not given the way either.
  const auditor = report.stage_executions.find(({ purpose }) => purpose === "auditor");
  expect(auditor?.env_keys).not.toContain("MODEL_URL");
  expect(listFiles(repository.runFolder()).filter((file) => readFileSync(file).includes(KEY))).toEqual([]);
});

test("S-28: the proxy's counter stops at the cap of a run, and nothing is started when it is used up", async () => {
  await using model = await startModelServer();
  const calls = `node -e '
    const send = (path) => new Promise((done) => require("http").get(process.env.MODEL_URL, { path }, (answer) => {
      answer.on("data", (text) => done(answer.statusCode + " " + String(text).trim()));
    }));
    (async () => {
      console.log(await send("/MODEL_KEY/../admin"));
      for (let call = 0; call < 3; call += 1) console.log(await send("/MODEL_KEY/v1"));
    })();'\n`;
  const key = `{env: MODEL_KEY, url: "http://127.0.0.1:${model.port}/base", header: x-api-key, url-env: MODEL_URL, requests-per-run: 2}`;
  const repository = new TestRepository({
    executor: `${OWN_WORK}${calls}`,
    config: [
      "version: 1",
      "executor: {use: command, command: [bash, tools/executor.sh], env: [MODEL_KEY]}",
      "audits: {lanes: [{name: careful, use: command, command: [bash, tools/audit-careful.sh]}, {name: quick, use: command, command: [bash, tools/audit-quick.sh]}]}",
      `sandbox: {network: [], keys: [${key}]}`,
      "",
    ].join("\n"),
  });
  const ended = await repository.run(["--sandbox", "required", ...GATES_OPEN], { env: { MODEL_KEY: KEY } });
  expect([ended.code, ended.outcome.blocked_reason_codes], ended.stderr).toEqual([3, ["COST_LIMIT"]]);
  expect(sessionOutput(repository)).toEqual([
    "403 not below the url of MODEL_KEY in sandbox.keys",
    "200 data: one",
    "200 data: one",
    "403 the 2 requests with MODEL_KEY that sandbox.keys allows a run are used up",
  ]);
  expect(model.seen.map(({ url }) => url)).toEqual(["/base/v1", "/base/v1"]);
  const uses = repository.report().stage_executions.find(({ purpose }) => purpose === "executor")?.network;
  expect(uses?.map(({ allowed, requests, key: name }) => [allowed, requests, name])).toEqual([
    [false, 2, "MODEL_KEY"],
    [true, 2, "MODEL_KEY"],
  ]);
  expect(ended.outcome.next_actions[0]).toMatchObject({
    what: expect.stringContaining("sandbox.keys") as string,
    command: expect.stringMatching(/^conveyor run /) as string,
  });
  const again = await repository.resume([], { env: { MODEL_KEY: KEY } });
  expect([again.code, again.outcome.blocked_reason_codes]).toEqual([3, ["COST_LIMIT"]]);
  expect(repository.events().map(({ type }) => type)).not.toContain("audit_started");
  expect((await repository.conveyor(["verify"])).code).toBe(0);
});

test("in tier 1 the program gets the key, and the report calls that advisory", async () => {
  const repository = new TestRepository({
    executor: `${OWN_WORK}[[ $MODEL_KEY == sk-test-* ]] && echo given\n`,
    config: [
      "version: 1",
      "executor: {use: command, command: [bash, tools/executor.sh], env: [MODEL_KEY]}",
      "audits: {lanes: [{name: careful, use: command, command: [bash, tools/audit-careful.sh]}, {name: quick, use: command, command: [bash, tools/audit-quick.sh]}]}",
      'sandbox: {keys: [{env: MODEL_KEY, url: "https://api.example.com", header: authorization, scheme: Bearer, url-env: MODEL_URL}]}',
      "",
    ].join("\n"),
  });
  const ended = await repository.run(["--sandbox", "off", ...GATES_OPEN], { env: { MODEL_KEY: KEY } });
  expect(ended.code, ended.stderr).toBe(0);
  expect(sessionOutput(repository)).toEqual(["given"]);
  const layers = repository.report().sandbox?.layers;
  expect(layers?.find(({ layer }) => layer === "model_keys")).toMatchObject({ strength: "advisory" });
});

function listFiles(folder: string): string[] {
  return readdirSync(folder, { recursive: true, encoding: "utf8" })
    .map((path) => join(folder, path))
    .filter((path) => statSync(path).isFile());
}
