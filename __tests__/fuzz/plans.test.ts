import { mkdirSync, readFileSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { parsePlan } from "../../src/domain/parse-plan.ts";
import { PLAN_PROBLEM_CODES } from "../../src/domain/plan-problem-codes.ts";
import { planSchema } from "../../src/domain/plan.ts";
import { buildPlan, makeFolder, ROOT, TestRepository } from "../support/conveyor.ts";
import { expectUnpolluted, withinTime } from "../support/measured.ts";
import { FUZZ, FUZZ_MEMORY_BYTES_MAX, FUZZ_RUNS, hostileFiles, mutated } from "../support/mutations.ts";

const NOTE_MEMORY = join(ROOT, "__tests__", "support", "note-memory.mjs");
/** Files that one call of `plans lint` gets; a plan costs far less than a process. */
const BATCH = 1_000;

const FOLDERS = [join(ROOT, "examples", "plans"), join(ROOT, "__tests__", "fixtures", "plans")];
const SEEDS = [
  buildPlan([{ step_id: "01" }, { step_id: "02", prerequisites: "01" }]),
  ...FOLDERS.flatMap((folder) =>
    readdirSync(folder)
      .filter((name) => name.endsWith(".md"))
      .map((name) => readFileSync(join(folder, name), "utf8")),
  ),
];

interface Problem {
  readonly path: string;
  readonly line: number;
  readonly column: number;
  readonly code: string;
  readonly severity: string;
  readonly message: string;
}

/** A problem stands in the file, has a code that is documented and says something. */
function expectLocated(problem: Problem, bytes: Uint8Array): void {
  const lines = Buffer.from(bytes)
    .toString("utf8")
    .split(/\r\n|\r|\n/).length;
  expect(problem.line).toBeGreaterThanOrEqual(1);
  expect(problem.line).toBeLessThanOrEqual(lines + 1);
  expect(problem.column).toBeGreaterThanOrEqual(1);
  expect(Object.keys(PLAN_PROBLEM_CODES)).toContain(problem.code);
  expect(problem.message).not.toBe("");
}

describe("a plan with any faults", () => {
  test("is read in time, and each fault is located", () => {
    let refused = 0;
    fc.assert(
      fc.property(mutated(SEEDS), (bytes) => {
        const { plan, problems } = withinTime(() => parsePlan({ path: "plans/plan.md", bytes }));
        expectUnpolluted();
        expect(plan === undefined).toBe(problems.some(({ severity }) => severity === "error"));
        if (plan !== undefined) planSchema.parse(plan);
        else refused += 1;
        for (const problem of problems) expectLocated(problem, bytes);
      }),
      FUZZ,
    );
    expect(refused).toBeGreaterThan(FUZZ_RUNS / 4);
    expect(refused).toBeLessThan(FUZZ_RUNS);
  });

  test("is answered by the command line: one problem a line, within the memory", { timeout: 600_000 }, async () => {
    const repository = new TestRepository();
    const cases = fc.sample(mutated(SEEDS), { seed: FUZZ.seed + 1, numRuns: FUZZ_RUNS });
    for (let start = 0; start < cases.length; start += BATCH) {
      const folder = join(repository.path, "many");
      mkdirSync(folder);
      const batch = cases.slice(start, start + BATCH);
      batch.forEach((bytes, index) => writeFileSync(join(folder, `plan-${index}.md`), bytes));
      const memory = join(repository.base, "memory");
      const ended = await repository.conveyor(["plans", "lint", folder, "--format", "json"], {
        nodeArgs: ["--import", NOTE_MEMORY],
        env: { MEMORY_FILE: memory },
      });
      expect(ended.code, ended.stderr).toBe(2);
      const answer = JSON.parse(ended.stdout) as { files: number; problems: Problem[] };
      expect(answer.files).toBe(batch.length);
      for (const problem of answer.problems) {
        const [, index = ""] = /^many\/plan-(\d+)\.md$/.exec(problem.path) ?? [];
        expectLocated(problem, batch[Number(index)] ?? expect.fail(problem.path));
      }
      expect(Number(readFileSync(memory, "utf8"))).toBeLessThan(FUZZ_MEMORY_BYTES_MAX);
      rmSync(folder, { recursive: true });
    }
  });
});

describe("a hostile plan", () => {
  const rows = Array.from({ length: 20 }, (_, index) => ({
    step_id: String(index + 1).padStart(2, "0"),
    prerequisites: String(((index + 1) % 20) + 1).padStart(2, "0"),
  }));
  const valid = buildPlan([{ step_id: "01" }]);
  const files = {
    ...hostileFiles(valid, "| x "),
    "ids twice": Buffer.from(buildPlan([{ step_id: "01" }, { step_id: "01" }])),
    "a circle of prerequisites": Buffer.from(buildPlan(rows)),
    "an id that every object has": Buffer.from(buildPlan([{ step_id: "constructor" }, { step_id: "__proto__" }])),
    "a bomb of aliases": Buffer.from(
      `---\na: &a [x, x]\n${"bcdefghijk"
        .split("")
        .map((name, index) => `${name}: &${name} [${`*${"abcdefghij"[index]},`.repeat(9)}]`)
        .join("\n")}\n---\n${valid}`,
    ),
    "deep front matter": Buffer.from(`---\nitems: ${"[".repeat(10_000)}\n---\n${valid}`),
    "front matter that never ends": Buffer.from(`---\nplan-id: x\n${valid}`),
  };
  const folder = makeFolder();

  test.each(Object.entries(files))("is answered in time and within the memory: %s", async (name, bytes) => {
    const path = join(folder, `${Object.keys(files).indexOf(name)}.md`);
    writeFileSync(path, bytes);
    const repository = new TestRepository();
    const memory = join(repository.base, "memory");
    const ended = await repository.conveyor(["plans", "lint", path, "--format", "json"], {
      nodeArgs: ["--import", NOTE_MEMORY],
      env: { MEMORY_FILE: memory },
    });
    expect([0, 2], ended.stderr).toContain(ended.code);
    const { problems } = JSON.parse(ended.stdout) as { problems: Problem[] };
    expect(problems.some(({ severity }) => severity === "error")).toBe(ended.code === 2);
    for (const problem of problems) expectLocated(problem, bytes);
    expect(Number(readFileSync(memory, "utf8"))).toBeLessThan(FUZZ_MEMORY_BYTES_MAX);
    withinTime(() => parsePlan({ path, bytes }));
  });
});
