import { describe, expect, it } from "vitest";
import type { RequestLimits } from "../../../src/effects/github/requests.ts";
import { TestRepository } from "../../support/conveyor.ts";
import { connect as connectTo, impatientClock } from "../../support/github/connect.ts";
import { EmulatedGithub } from "../../support/github/github.ts";
import type { Fault } from "../../support/github/server.ts";

const START = Date.UTC(2026, 2, 25, 12);

/** The port on a clock that begins at a known time. */
const connect = (emulated: EmulatedGithub, limits: Partial<RequestLimits> = {}, interrupt?: AbortSignal) =>
  connectTo(emulated, limits, interrupt, impatientClock(START));

/** Answers the first `times` requests like this. */
function answering(times: number, status: number, headers: Record<string, string> = {}, body = "{}"): Fault {
  return {
    when: (_request, before) => before < times,
    instead: (response) => {
      response.writeHead(status, { "content-type": "application/json", ...headers }).end(body);
      return true;
    },
  };
}

const RUN = {
  name: "test",
  head_sha: "a".repeat(40),
  status: "completed",
  conclusion: "success",
  app: { id: 15_368, slug: "github-actions" },
};

const repository = new TestRepository();

describe("the GitHub port against an emulated GitHub", () => {
  it("reads the repository, a branch and a file byte for byte, with its token", async () => {
    const emulated = await EmulatedGithub.start({ from: repository.path });
    const { github } = await connect(emulated);
    expect(await github.readRepository()).toMatchObject({ ok: true, value: { id: 500, default_branch: "main" } });
    const head = repository.git("rev-parse", "HEAD");
    expect(await github.readBranchTip("main")).toEqual({ ok: true, value: head });
    const file = await github.readFile("tools/executor.sh", head);
    expect(file.ok && Buffer.from(file.value).toString()).toBe(
      `${repository.git("show", `${head}:tools/executor.sh`)}\n`,
    );
    expect(await github.readFile("no/such file#?", head)).toMatchObject({ ok: false, error: { kind: "not_found" } });
    expect(emulated.requests.every(({ authorization }) => authorization === "token token-reader")).toBe(true);
  });

  it("reads a file of more than a megabyte as the object it is", async () => {
    const large = new TestRepository({ files: { "large.txt": "x".repeat(1024 * 1024 + 7) } });
    const { github } = await connect(await EmulatedGithub.start({ from: large.path }));
    const file = await github.readFile("large.txt", "main");
    expect(file.ok && file.value.length).toBe(1024 * 1024 + 7);
  });

  it("reads all pages, and none when one of them fails or is missing", async () => {
    const emulated = await EmulatedGithub.start({ from: repository.path });
    const sha = emulated.bare.tip("main") ?? "";
    for (let index = 0; index < 230; index += 1) emulated.addCheckRun(sha, { name: `check ${index}` });
    const { github } = await connect(emulated);
    const whole = await github.listCheckRuns(sha);
    expect(whole.ok && whole.value.map(({ name }) => name)).toEqual(emulated.state.checkRuns.map(({ name }) => name));
    emulated.faults[0] = { ...answering(99, 404), when: ({ path }) => path.includes("page=3") };
    expect(await github.listCheckRuns(sha)).toMatchObject({ ok: false, error: { kind: "not_found" } });
    emulated.faults[0] = {
      when: ({ path }) => path.includes("page=2"),
      instead: (response) => {
        response.writeHead(200, { "content-type": "application/json" });
        response.end(JSON.stringify({ total_count: 230, check_runs: [] }));
        return true;
      },
    };
    expect(await github.listCheckRuns(sha)).toMatchObject({
      ok: false,
      error: { kind: "malformed", message: expect.stringContaining("100 of 230 entries") as string },
    });
    emulated.faults.length = 0;
    const few = await connect(emulated, { pagesMax: 2 });
    expect(await few.github.listCheckRuns(sha)).toMatchObject({
      ok: false,
      error: { kind: "malformed", message: "more than 2 pages" },
    });
  });

  it.each([
    [
      "moved while it was read",
      {
        total_count: 2,
        check_runs: [
          { ...RUN, id: 1 },
          { ...RUN, id: 1 },
        ],
      },
      "changed while",
    ],
    ["is not counted", { check_runs: [] }, "does not count"],
  ])("believes no list that %s", async (_what, body, message) => {
    const emulated = await EmulatedGithub.start();
    emulated.faults.push(answering(1, 200, {}, JSON.stringify(body)));
    const { github } = await connect(emulated);
    expect(await github.listCheckRuns("a".repeat(40))).toMatchObject({
      ok: false,
      error: { kind: "malformed", message: expect.stringContaining(message) as string },
    });
  });

  it("follows a list as its links are written, and ends none where a link cannot be read", async () => {
    const emulated = await EmulatedGithub.start();
    const next = `${emulated.url}/repos/acme/widgets/pulls/1/reviews?page=2`;
    const { github } = await connect(emulated);
    for (const link of [
      `<${next}>; rel=next`,
      `</repos/acme/widgets/pulls/1/reviews?page=2>;title="a, \\"b\\"; c" ; REL = "prev Next"`,
      `, <${emulated.url}/x>; rel="last", <${next}>; a; type=text; rel="next"; rel="last"`,
    ]) {
      emulated.faults[0] = {
        when: ({ path }) => !path.includes("page=2"),
        instead: (response) => {
          response.writeHead(200, { "content-type": "application/json", link }).end("[]");
          return true;
        },
      };
      emulated.faults[1] = { ...answering(1, 200, {}, "[]"), when: ({ path }) => path.includes("page=2") };
      const before = emulated.requests.length;
      expect(await github.listReviews(1), link).toMatchObject({ ok: true, value: [] });
      expect(emulated.requests.length - before, link).toBe(2);
    }
    for (const link of [
      `<${next}>; rel="last"; rel="next"`,
      `<${next}>; rel="next"; anchor="/elsewhere"`,
      `<${next}>; rel=nextish`,
    ]) {
      emulated.faults[0] = answering(99, 200, { link }, "[]");
      const before = emulated.requests.length;
      expect(await github.listReviews(1), link).toMatchObject({ ok: true, value: [] });
      expect(emulated.requests.length - before, link).toBe(1);
    }
    for (const link of [`${next}; rel="next"`, `<${next}>; rel="next`, `<${next}>; rel="next", <${next}0>; rel=next`]) {
      emulated.faults[0] = answering(99, 200, { link }, "[]");
      expect(await github.listReviews(1), link).toMatchObject({ ok: false, error: { kind: "malformed" } });
    }
  });

  it("stays below the path of its API", async () => {
    const emulated = await EmulatedGithub.start();
    emulated.url += "/api/v3";
    const { github } = await connect(emulated);
    const answer = (link: string): Fault => answering(1, 200, { link }, "[]");
    emulated.faults[0] = answer(`<${emulated.url}/../v4/x>; rel="next"`);
    expect(await github.listReviews(1)).toMatchObject({ ok: false, error: { kind: "malformed" } });
    emulated.faults[0] = { ...answering(1, 200, {}, "[]"), when: ({ path }) => path === "/login" };
    emulated.faults[1] = answering(99, 302, { location: "/login" }, "");
    expect(await github.listReviews(1)).toMatchObject({ ok: false, error: { kind: "unavailable" } });
  });

  it("believes no statuses that are of another commit than was asked for", async () => {
    const emulated = await EmulatedGithub.start();
    const { github } = await connect(emulated);
    const body = { sha: "b".repeat(40), total_count: 1, statuses: [{ context: "test", state: "success" }] };
    emulated.faults.push(answering(1, 200, {}, JSON.stringify(body)));
    expect(await github.listStatuses("a".repeat(40))).toMatchObject({ ok: false, error: { kind: "malformed" } });
  });

  it("does not follow a list to another server", async () => {
    const emulated = await EmulatedGithub.start();
    const other = await EmulatedGithub.start();
    emulated.faults.push(answering(1, 200, { link: `<${other.url}/x>; rel="next"` }, "[]"));
    const { github } = await connect(emulated);
    expect(await github.listReviews(1)).toMatchObject({ ok: false, error: { kind: "malformed" } });
    emulated.faults[0] = answering(99, 302, { location: `${other.url}/repos/acme/widgets` }, "");
    expect(await github.readRepository()).toMatchObject({ ok: false, error: { kind: "unavailable" } });
    expect(other.requests.filter(({ path }) => path === "/x")).toEqual([]);
    expect(other.requests.every(({ authorization }) => authorization === undefined)).toBe(true);
  });

  it.each([
    ["a server's fault is tried again, each time later", 502, {}, "{}", 2, [375, 750]],
    ["also for as long as the server says", 503, { "retry-after": "7" }, "{}", 1, [7375]],
    ["the time that GitHub names is waited", 429, { "retry-after": "7" }, "{}", 1, [7500]],
    ["so is the time at which the limit begins anew", 403, RESET(90), "{}", 1, [90_500]],
    [
      "a secondary limit without a time is a minute",
      403,
      {},
      '{"message":"You have exceeded a secondary rate limit"}',
      2,
      [60_500, 120_500],
    ],
  ] as const)("%s", async (_name, status, headers, body, times, waits) => {
    const emulated = await EmulatedGithub.start();
    emulated.faults.push(answering(times, status, headers, body));
    const { github, clock } = await connect(emulated);
    expect(await github.readRepository()).toMatchObject({ ok: true });
    expect(clock.waits).toEqual(waits);
  });

  it.each([
    ["forbidden", 403, '{"message":"Resource not accessible by integration"}', "forbidden", 1],
    ["a bad token", 401, '{"message":"Bad credentials"}', "unauthorised", 1],
    ["nothing there", 404, "{}", "not_found", 1],
    ["gone", 410, "{}", "not_found", 1],
    ["a fault that stays", 500, "{}", "unavailable", 6],
    ["not JSON", 200, "<html>", "malformed", 1],
    ["half of JSON", 200, '{"id": 500, "full_name"', "malformed", 1],
    ["another shape", 200, '{"id": "500"}', "malformed", 1],
    ["nothing at all", 200, "", "malformed", 1],
  ] as const)("a failure is a value: %s", async (_name, status, body, kind, tries) => {
    const emulated = await EmulatedGithub.start();
    emulated.faults.push(answering(99, status, {}, body));
    const { github } = await connect(emulated);
    expect(await github.readRepository()).toMatchObject({
      ok: false,
      error: { kind, request: "GET /repos/{owner}/{repo}" },
    });
    expect(emulated.requests.length).toBe(tries);
  });

  it("does not begin a wait that outlasts its time", async () => {
    const emulated = await EmulatedGithub.start();
    emulated.faults.push(answering(99, 429, { "retry-after": "3600" }));
    const { github, clock } = await connect(emulated);
    expect(await github.readRepository()).toMatchObject({ ok: false, error: { kind: "unavailable", status: 429 } });
    expect(clock.waits).toEqual([]);
  });

  it.each([
    ["nobody answers", (): boolean => true],
    ["the answer drips and never ends", (response: DripResponse): boolean => drip(response)],
    ["the connection is cut in the middle of the answer", (response: DripResponse): boolean => cutOff(response)],
    ["the answer is too long", (response: DripResponse): boolean => tooLong(response)],
  ] as const)("it does not hang and does not believe it when %s", async (_name, instead) => {
    const emulated = await EmulatedGithub.start();
    emulated.faults.push({ when: () => true, instead });
    const { github } = await connect(emulated, { requestMs: 150, questionMs: 2000, bodyBytesMax: 1000 });
    expect(await github.readRepository()).toMatchObject({ ok: false, error: { kind: "unavailable", status: null } });
  });

  it("stops when it is interrupted", async () => {
    const emulated = await EmulatedGithub.start();
    const interrupt = new AbortController();
    emulated.faults.push({
      when: () => true,
      instead: () => {
        interrupt.abort("SIGTERM");
        return true;
      },
    });
    const { github } = await connect(emulated, {}, interrupt.signal);
    expect(await github.readRepository()).toMatchObject({ ok: false, error: { message: "interrupted" } });
  });
});

type DripResponse = Parameters<NonNullable<Fault["instead"]>>[0];

/** Headers of a limit that begins anew so many seconds after the fake clock's begin. */
function RESET(seconds: number): Record<string, string> {
  const at = START / 1000 + seconds;
  return { "x-ratelimit-remaining": "0", "x-ratelimit-reset": String(at) };
}

function drip(response: DripResponse): boolean {
  response.writeHead(200, { "content-type": "application/json" }).write("{");
  return true;
}

function cutOff(response: DripResponse): boolean {
  response.writeHead(200, { "content-type": "application/json", "content-length": "500" }).write('{"id": 500');
  setImmediate(() => response.destroy());
  return true;
}

function tooLong(response: DripResponse): boolean {
  response.writeHead(200, { "content-type": "application/json" }).end(" ".repeat(2000));
  return true;
}
