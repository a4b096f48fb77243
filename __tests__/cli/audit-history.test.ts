import { appendFileSync, existsSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { beforeAll, describe, expect, test } from "vitest";
import { sha256 } from "../../src/domain/digest.ts";
import { buildEventLine } from "../../src/domain/journal-text.ts";
import type { JournalEvent } from "../../src/domain/journal.ts";
import { buildPlan, GATES_OPEN, PLAN_PATH } from "../support/conveyor.ts";
import { makeAudited } from "../support/two-lanes.ts";

const SECOND = "plans/now/second.md";
const repository = makeAudited({
  configLines: ["paths: {active: plans/now, future: plans/later, completed: plans/past}"],
  files: {
    [SECOND]: buildPlan([{ step_id: "01" }, { step_id: "02" }], "Second plan"),
    "plans/later/third.md": buildPlan([{ step_id: "01" }], "Third plan"),
    "plans/past/broken.md": "# Broken\n\nno table\n",
  },
});
let first: string;
let second: string;

beforeAll(async () => {
  first = (await repository.run(GATES_OPEN)).outcome.run_id;
  const ended = await repository.conveyor(["run", SECOND, "--format", "json"]);
  second = (JSON.parse(ended.stdout) as { run_id: string }).run_id;
}, 60_000);

type Line = Record<string, unknown> & { readonly kind: string };

async function readHistory(...args: string[]): Promise<{ code: number | null; lines: Line[] }> {
  const ended = await repository.conveyor(["audit", "--format", "json", ...args]);
  const lines = ended.stdout.trimEnd().split("\n");
  return { code: ended.code, lines: lines.map((line) => JSON.parse(line) as Line) };
}

const journalOf = (runId: string): string => join(repository.path, ".conveyor/runs", runId, "run-events.jsonl");
const eventsOf = (runId: string): JournalEvent[] =>
  readFileSync(journalOf(runId), "utf8")
    .trimEnd()
    .split("\n")
    .map((line) => JSON.parse(line) as JournalEvent);

test("every event of every run in order, how each run stands, how every plan stands", async () => {
  const { code, lines } = await readHistory();
  expect(code).toBe(0);
  const of = (kind: string): Line[] => lines.filter((line) => line.kind === kind);
  expect(of("event").map(({ event }) => event)).toEqual([...eventsOf(first), ...eventsOf(second)]);
  expect(
    of("run").map(({ run_id: id, plan_id: plan, terminal_state: state, events }) => [id, plan, state, events]),
  ).toEqual([
    [first, "test-plan", "done", eventsOf(first).length],
    [second, "second-plan", "blocked", eventsOf(second).length],
  ]);
  expect(of("plan").map(({ path, folder, items, errors }) => [path, folder, items, errors])).toEqual([
    ["plans/later/third.md", "future", 1, 0],
    [SECOND, "active", 2, 0],
    ["plans/past/broken.md", "completed", null, 1],
  ]);
  expect(of("plan").map(({ last_run: run }) => (run as { run_id: string } | null)?.run_id ?? null)).toEqual([
    null,
    second,
    null,
  ]);
  expect(existsSync(join(repository.path, PLAN_PATH))).toBe(true);
});

test("as text each event is a line with its time, run and number", async () => {
  const { stdout, code } = await repository.conveyor(["audit"]);
  expect(code).toBe(0);
  const [created] = eventsOf(first);
  expect(stdout.split("\n")[0]).toBe(
    `${created?.at ?? ""} ${first} 1 run_created  run ${first} of plan test-plan, base ${repository.git("rev-parse", "main").slice(0, 12)}`,
  );
  expect(stdout).toMatch(new RegExp(`^run {2}${first} of test-plan: done: 1 of 1 items passed$`, "m"));
  expect(stdout).toContain(`plan ${SECOND} (active): 2 items; ${second} blocked: 2 of 2 items passed: GATE_`);
  expect(stdout).toMatch(/^plan plans\/past\/broken.md \(completed\): 1 error; no run$/m);
});

test("--since leaves out what happened before, and says when it is no time", async () => {
  const created = eventsOf(second)[0]?.at ?? "";
  const { lines } = await readHistory("--since", created);
  expect(lines.filter((line) => line.kind === "event").map(({ event }) => event)).toEqual(eventsOf(second));
  expect(lines.filter((line) => line.kind === "run").map(({ run_id: id }) => id)).toEqual([second]);
  expect(lines.filter((line) => line.kind === "plan")).toHaveLength(3);
  expect((await readHistory("--since", "2999-01-01")).lines.map(({ kind }) => kind)).toEqual(["plan", "plan", "plan"]);
  expect((await repository.conveyor(["audit", "--since", "yesterday"])).code).toBe(2);
});

describe("a journal", () => {
  test("of any length is read in bounded memory", async () => {
    const long = makeAudited();
    await long.run();
    const journal = join(long.runFolder(), "run-events.jsonl");
    const rss = async (): Promise<number> => {
      const tell = "data:text/javascript,process.on('exit',()=>console.error('rss',process.resourceUsage().maxRSS))";
      const ended = await long.conveyor(["audit"], { nodeArgs: ["--max-old-space-size=64", "--import", tell] });
      expect(ended.code, ended.stderr).toBe(0);
      return Number(/rss (\d+)/.exec(ended.stderr)?.[1]) / 1024;
    };
    const short = await rss();
    const text = readFileSync(journal, "utf8");
    const last = text.trimEnd().split("\n").at(-1) ?? "";
    let before = JSON.parse(last) as JournalEvent;
    let prev = sha256(last);
    const chunk: string[] = [];
    for (let index = 0; index < 2000; index += 1) {
      const details = { options: {}, warnings: ["x".repeat(100_000)], new_attempt: null };
      before = { ...before, type: "run_resumed", seq: before.seq + 1, prev, details } as JournalEvent;
      const line = buildEventLine(before);
      prev = sha256(line);
      chunk.push(line);
      if (chunk.length === 100) appendFileSync(journal, `${chunk.splice(0).join("\n")}\n`);
    }
    // 200 MB more to read, and next to nothing more to remember.
    expect((await rss()) - short).toBeLessThan(100);
  }, 120_000);

  test("whose last line is torn is shown up to there: that line never happened", async () => {
    const before = await readHistory();
    appendFileSync(journalOf(second), '{"at":"2026');
    expect(await readHistory()).toEqual(before);
  });

  test("that is corrupt is named with its line, hides no other run, and gives exit 1", async () => {
    const lines = readFileSync(journalOf(first), "utf8").split("\n");
    writeFileSync(journalOf(first), lines.filter((_, index) => index !== 4).join("\n"));
    const { code, lines: told } = await readHistory();
    expect(code).toBe(1);
    expect(told.find((line) => line["run_id"] === first)).toMatchObject({
      kind: "run",
      events: 4,
      fault: { code: "JOURNAL_CORRUPT", line: 5, message: "expected seq 5, found 6" },
    });
    expect(told.filter((line) => line.kind === "event")).toHaveLength(4 + eventsWhole(second));
    const { stdout } = await repository.conveyor(["audit"]);
    expect(stdout).toContain(`run  ${first} of test-plan: not stopped: 0 of 1 items passed, JOURNAL_CORRUPT line 5`);
  });
});

/** Events of a journal that may have a torn last line. */
function eventsWhole(runId: string): number {
  return readFileSync(journalOf(runId), "utf8").split("\n").length - 1;
}
