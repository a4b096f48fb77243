import { cpSync, existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { isAlive, waitUntil } from "../effects/bench.ts";
import { auditorScript, GATES_OPEN, makeFolder, TestRepository, withExecutor } from "../support/conveyor.ts";

const WORK = 'mkdir -p out && echo done > "out/$ORCH_ITEM_ID.txt"';
/** Adds a line and hands off, until so many sessions have: the last one finishes. */
const handOff = (times: number): string =>
  [
    "set -e; mkdir -p out; pwd >> out/where.txt",
    'if test -s "${ORCH_HANDOFF_PATH-}"; then cp "$ORCH_HANDOFF_PATH" out/note.json; cp "$ORCH_PROMPT_PATH" out/prompt.txt',
    'cp "${ORCH_HANDOFF_PATH%.json}.md" out/note.txt; fi',
    `if test "$ORCH_SESSION" -le ${times}; then`,
    '  printf \'{"status": "handoff_required", "summary": "part %s<!-- not seen \\\\u001b[31m -->\\\\n# Not a heading", "reason": "context is used up"}\' "$ORCH_SESSION" > "$ORCH_RESULT_PATH"',
    "  exit 75; fi",
    WORK,
  ].join("\n");

function eventsOf(repository: TestRepository, type: string) {
  return repository.events().filter((event) => event.type === type);
}

async function expectVerified(repository: TestRepository, args: readonly string[] = [], cwd = repository.path) {
  const verified = await repository.conveyor(["verify", ...args], { cwd });
  expect({ code: verified.code, out: verified.code === 0 ? "" : verified.stdout }).toEqual({ code: 0, out: "" });
}

describe("rollovers within a run", () => {
  test("three sessions hand off, the fourth finishes, all in one worktree and with the note of the one before", async () => {
    const repository = new TestRepository({ executor: handOff(3) });
    const ended = await repository.run(GATES_OPEN);
    expect({ code: ended.code, state: ended.outcome.terminal_state }, ended.stderr).toEqual({ code: 0, state: "done" });
    expect(
      repository.report().items[0]?.attempts.map(({ sessions }) => sessions.map(({ outcome }) => outcome)),
    ).toEqual([["handoff", "handoff", "handoff", "finished"]]);
    const show = (path: string): string => repository.git("show", `${ended.outcome.branch}:${path}`);
    expect(new Set(show("out/where.txt").split("\n")).size).toBe(1);
    expect(show("out/where.txt").split("\n")).toHaveLength(4);
    expect(JSON.parse(show("out/note.json"))).toMatchObject({
      schema_version: "conveyor.handoff.v1",
      run_id: ended.outcome.run_id,
      item_id: "01",
      attempt: 1,
      session: 3,
      round: 1,
      summary: "part 3<!-- not seen \u001b[31m -->\n# Not a heading",
      reason: "context is used up",
      tree: eventsOf(repository, "handoff_sealed")[2]?.details["tree"],
      changed_paths: ["out/note.json", "out/note.txt", "out/prompt.txt", "out/where.txt"],
      proven: ["nothing of item 01 yet"],
      log_paths: ["stdout", "stderr"].map((name) => `items/01/attempt-1/round-1/session-3/${name}.log`),
      next_action: "go on with item 01 in the same worktree, where session 3 stopped",
    });
    const markdown = show("out/note.txt");
    // What its Markdown would hide from a person is not handed to the next session either.
    expect(markdown).toContain("- Summary: part 3 # Not a heading");
    expect(markdown).toContain("- items/01/attempt-1/round-1/session-3/stdout.log");
    expect(markdown.split("\n").filter((line) => line.startsWith("# "))).toHaveLength(1);
    expect(show("out/prompt.txt")).toMatch(/Handoff note of the session before[^]*\/handoff\.md/);
    expect(readdirSync(join(repository.runFolder(), "handoffs")).sort()).toEqual(
      [1, 2, 3].flatMap((session) => [`01-attempt-1-session-${session}.json`, `01-attempt-1-session-${session}.md`]),
    );
    await expectVerified(repository);
  });

  test("the limit stops the run, and a resume lets as many again", async () => {
    const repository = new TestRepository({ executor: handOff(3), configLines: ["limits: {rollovers: 1}"] });
    const first = await repository.run();
    expect({ code: first.code, codes: first.outcome.blocked_reason_codes }).toEqual({
      code: 3,
      codes: ["ROLLOVER_LIMIT"],
    });
    expect(eventsOf(repository, "handoff_sealed")).toHaveLength(2);
    const second = await repository.resume(GATES_OPEN);
    expect({ code: second.code, items: second.outcome.items }, second.stderr).toMatchObject({
      code: 0,
      items: [{ terminal_state: "passed", attempts: 1 }],
    });
    await expectVerified(repository);
  });

  test("two handoffs in a row over the same tree stop the item, until a person asks for a new attempt", async () => {
    const repository = new TestRepository({
      executor: `if test "$ORCH_ATTEMPT" = 1; then exit 75; fi; ${WORK}`,
    });
    for (const go of [() => repository.run(), () => repository.resume()]) {
      const ended = await go();
      expect({ code: ended.code, codes: ended.outcome.blocked_reason_codes }).toEqual({
        code: 3,
        codes: ["NO_PROGRESS"],
      });
    }
    expect(eventsOf(repository, "session_started")).toHaveLength(2);
    expect((await repository.resume(["--new-attempt", "01", ...GATES_OPEN])).code).toBe(0);
    await expectVerified(repository);
  });
});

describe("--max-minutes", () => {
  /** Long enough to get to the program that waits, which would wait for a minute. */
  const SHORT = ["--max-minutes", "0.15"];
  const SLOW = "exec sleep 60";

  test.concurrent("in a session: ended, its attempt is lost, the run is sealed before its limit and goes on in another clone", async () => {
    const pid = join(makeFolder(), "pid");
    const repository = new TestRepository();
    const first = await repository.run([
      ...SHORT,
      ...withExecutor(`if test "$ORCH_ATTEMPT" = 1; then echo $$ > "${pid}"; ${SLOW}; fi; ${WORK}`),
    ]);
    expect({ code: first.code, stop: first.outcome }).toMatchObject({
      code: 75,
      stop: { terminal_state: null, handoff: true, exit_code: 75, items: [{ terminal_state: null, attempts: 1 }] },
    });
    expect(eventsOf(repository, "run_stopped").map((event) => event.details)).toEqual([
      {
        kind: "handoff",
        terminal_state: null,
        reason_codes: [],
        signal: "DEADLINE",
        redactions: { count: 0, names: [], left: [] },
      },
    ]);
    expect(repository.report()).toMatchObject({
      handoff: true,
      interrupted_by: "DEADLINE",
      options: { "max-minutes": { value: 0.15, source: "command_line" } },
    });
    expect(await waitUntil(() => !isAlive(Number(readFileSync(pid, "utf8"))), 10_000)).toBe(true);
    await expectVerified(repository);

    const [other, copy] = [join(makeFolder(), "clone"), join(makeFolder(), "carried")];
    repository.git("clone", "--quiet", repository.path, other);
    cpSync(repository.runFolder(), copy, { recursive: true });
    const second = await repository.conveyor(["resume", copy, "--format", "json", ...GATES_OPEN], { cwd: other });
    expect({ code: second.code, outcome: JSON.parse(second.stdout) as unknown }).toMatchObject({
      code: 0,
      outcome: { items: [{ terminal_state: "passed", attempts: 2 }] },
    });
    await expectVerified(repository, [copy], other);
    // The limit was that call's, not the run's.
    const report = JSON.parse(readFileSync(join(copy, "orchestrator_run_report.json"), "utf8")) as unknown;
    expect(report).toMatchObject({ options: { "max-minutes": { value: 300, source: "configuration" } } });
  });

  test.concurrent.each(["verification", "audit", "validation"])(
    "in a %s: nothing that was done is lost",
    async (place) => {
      const once = join(makeFolder(), "once");
      const slow = `if test ! -e "${once}"; then touch "${once}"; ${SLOW}; fi`;
      const audit = `${place === "audit" ? `test "$ORCH_LANE" = quick && ${slow}` : ""}\n${auditorScript()}`;
      const repository = new TestRepository({
        rows: [
          {
            step_id: "01",
            required_verification_commands: place === "verification" ? `\`${slow}\`` : "test -s out/01.txt",
          },
        ],
        auditors: { careful: auditorScript(), quick: audit },
        configLines: [
          "limits: {minutes-per-run: 0.15}",
          ...(place === "validation" ? [`validation: {commands: [[bash, -c, ${JSON.stringify(slow)}]]}`] : []),
        ],
      });
      const first = await repository.run();
      expect({ code: first.code, handoff: first.outcome.handoff }, first.stderr).toEqual({ code: 75, handoff: true });
      expect(existsSync(once)).toBe(true);
      await expectVerified(repository);
      const second = await repository.resume(["--max-minutes", "5", ...GATES_OPEN]);
      expect({ code: second.code, items: second.outcome.items }, second.stderr).toMatchObject({
        code: 0,
        items: [{ terminal_state: "passed", attempts: 1 }],
      });
      expect(eventsOf(repository, "session_started")).toHaveLength(1);
      await expectVerified(repository);
    },
  );

  test("a run that ends in time does not wait for its limit", async () => {
    const repository = new TestRepository();
    expect((await repository.run(["--max-minutes", "5", ...GATES_OPEN])).code).toBe(0);
  });

  test.each(["0", "-1", "soon", "", "10081"])("%j is refused", async (value) => {
    const repository = new TestRepository();
    const refused = await repository.run(["--max-minutes", value]);
    expect({ code: refused.code, runs: repository.runFolders() }).toEqual({ code: 2, runs: [] });
    expect(refused.stderr).toContain("--max-minutes");
  });
});
