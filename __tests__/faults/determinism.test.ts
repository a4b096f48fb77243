import { existsSync, readFileSync, renameSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { auditorScript, GATES_OPEN, PLAN_PATH, ROOT, TestRepository } from "../support/conveyor.ts";

const FREEZE = join(ROOT, "__tests__", "support", "freeze.mjs");
const RUN = ["run", PLAN_PATH, "--format", "json"];

/** A finding, a fix round, two items, lanes that end in another order each time: much in which two runs could differ. */
function makeRich(): TestRepository {
  const finds = auditorScript({ findings: [{ severity: "high", is_blocking: true, file_paths: ["out/01.txt"] }] });
  const careful = `if [ "$ORCH_ITEM_ID" = 01 ] && [ "$ORCH_ROUND" = 1 ]; then\n${finds}else\n${auditorScript()}fi\n`;
  return new TestRepository({
    rows: [{ step_id: "01" }, { step_id: "02", prerequisites: "01", manual_gate: "signoff" }],
    executor: 'mkdir -p out && echo "$ORCH_ITEM_ID in round $ORCH_ROUND" > "out/$ORCH_ITEM_ID.txt"\n',
    auditors: { careful: `sleep 0.$((RANDOM % 3))\n${careful}`, quick: `sleep 0.$((RANDOM % 3))\n${auditorScript()}` },
  });
}

/** Options of a run whose clock stands still, or jumps. */
const frozen = (step = 0): { nodeArgs: string[]; env: Record<string, string> } => ({
  nodeArgs: ["--import", FREEZE],
  env: { FREEZE_STEP_MS: String(step) },
});

/** Fields of the report that may differ between two runs with the same inputs and answers (docs/artifacts.md). */
const VOLATILE = readVolatileFields();

function readVolatileFields(): ReadonlySet<string> {
  const text = readFileSync(join(ROOT, "docs", "artifacts.md"), "utf8");
  const section = /## Same inputs, same report\n([\s\S]*?)(\n## |$)/.exec(text)?.[1] ?? "";
  return new Set([...section.matchAll(/^\| `([a-z0-9_]+)` \|/gm)].map(([, name]) => name ?? ""));
}

/** A report with a placeholder for each field that may differ. */
function withoutVolatile(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(withoutVolatile);
  if (typeof value !== "object" || value === null) return value;
  return Object.fromEntries(
    Object.entries(value).map(([key, inner]) => [key, VOLATILE.has(key) ? "*" : withoutVolatile(inner)]),
  );
}

describe("the same inputs and the same answers of programs", () => {
  test("give the same report, but for the fields that are named as volatile", async () => {
    const repository = makeRich();
    const base = repository.git("rev-parse", "HEAD");
    const reports: string[] = [];
    for (let run = 0; run < 3; run += 1) {
      const ended = await repository.conveyor([...RUN, ...GATES_OPEN]);
      expect(ended.code, ended.stderr).toBe(3);
      const report = repository.report();
      const text = JSON.stringify(report).replaceAll(report.run_id, "RUN").replaceAll(base, "BASE");
      reports.push(JSON.stringify(withoutVolatile(JSON.parse(text)), undefined, 2));
    }
    // The list names what does differ and no more: each of its fields is in the report.
    const [first = ""] = reports;
    for (const field of VOLATILE) expect(first).toContain(`"${field}": "*"`);
    expect(VOLATILE.size).toBeGreaterThan(0);
    expect(reports[1]).toBe(first);
    expect(reports[2]).toBe(first);
  });

  test("give the very bytes of both reports when clock and randomness are the same as well", async () => {
    const repository = makeRich();
    const read = (): string[] =>
      ["orchestrator_run_report.json", "report.md", "report.html"].map((name) =>
        readFileSync(join(repository.runFolder(), name), "utf8"),
      );
    const once = async (): Promise<string[]> => {
      const ended = await repository.conveyor([...RUN, ...GATES_OPEN], frozen());
      expect(ended.code, ended.stderr).toBe(3);
      return read();
    };
    const first = await once();
    // The same place for the second run: paths are part of what a report says.
    renameSync(join(repository.path, ".conveyor"), join(repository.base, "first"));
    if (existsSync(repository.cache)) renameSync(repository.cache, join(repository.base, "first-cache"));
    for (const ref of repository.git("for-each-ref", "--format=%(refname)", "refs/conveyor").split("\n"))
      repository.git("update-ref", "-d", ref);
    expect(await once()).toEqual(first);
  });
});

describe("a clock that is set forth and back by two days again and again", () => {
  test("ends no program early, gives no negative duration, and leaves the order to the numbers of events", async () => {
    const repository = makeRich();
    const day = 24 * 60 * 60 * 1000;
    const ended = await repository.conveyor([...RUN, ...GATES_OPEN, "--timeout-ms", "60000"], frozen(day));
    expect(ended.code, ended.stderr).toBe(3);
    const events = repository.events();
    expect(events.map((event) => event.seq)).toEqual(events.map((_, index) => index + 1));
    const times = events.map((event) => event.at);
    expect(times, "the clock did jump").not.toEqual(times.toSorted());
    const report = repository.report();
    for (const execution of report.stage_executions) {
      expect(execution.duration_ms).toBeGreaterThanOrEqual(0);
      expect(execution.duration_ms).toBeLessThan(60_000);
    }
    expect(report.items.map((item) => item.terminal_state)).toEqual(["passed", "awaiting_human_gate"]);
    const approve = ["gate", "approve", report.run_id, "02", "--by", "Reviewer", "--note", "fine"];
    expect((await repository.conveyor(approve, frozen(-day))).code).toBe(0);
    const resumed = await repository.conveyor(["resume", ...GATES_OPEN], frozen(-day));
    expect(resumed.code, resumed.stderr).toBe(0);
    const verified = await repository.conveyor(["verify"]);
    expect({ code: verified.code, said: verified.stderr }, verified.stdout).toEqual({ code: 0, said: "" });
  });
});
