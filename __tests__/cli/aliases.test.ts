import { beforeAll, describe, expect, test } from "vitest";
import { PLAN_PATH } from "../support/conveyor.ts";
import { makeAudited } from "../support/two-lanes.ts";

const repository = makeAudited({ rows: [{ step_id: "01", manual_gate: "signoff" }] });
let runId: string;

beforeAll(async () => {
  const ended = await repository.run();
  runId = ended.outcome.run_id;
  expect(ended.outcome.items[0]?.terminal_state).toBe("awaiting_human_gate");
}, 60_000);

describe("an older name says exactly what the command says that it stands for", () => {
  test.each([
    [
      ["list-items", "--playbook", PLAN_PATH],
      ["items", "list", PLAN_PATH],
    ],
    [
      ["list-items", "--playbook", PLAN_PATH, "--format", "json"],
      ["items", "list", PLAN_PATH, "--format", "json"],
    ],
    [
      ["show-item", "--playbook", PLAN_PATH, "--item", "01", "--format", "text"],
      ["items", "show", PLAN_PATH, "01"],
    ],
    [
      ["show-item", "--playbook", PLAN_PATH, "--item", "99"],
      ["items", "show", PLAN_PATH, "99"],
    ],
    [
      ["status", "--run-id", "RUN", "--format", "json"],
      ["status", "RUN", "--format", "json"],
    ],
    [
      ["status", "--exit-code", "--run-id", "RUN"],
      ["status", "RUN", "--exit-code"],
    ],
    [
      ["report", "--run-id", "RUN"],
      ["report", "RUN"],
    ],
    [
      ["verify", "--run-id", "RUN"],
      ["verify", "RUN"],
    ],
    [
      ["doctor", "--run-id", "RUN", "--playbook", PLAN_PATH, "--format", "json"],
      ["doctor", "RUN", "--plan", PLAN_PATH, "--format", "json"],
    ],
    [
      ["resume", "--run-id", "RUN"],
      ["resume", "RUN"],
    ],
    [
      ["run", "--item", "01", "--playbook", PLAN_PATH, "--dry-run"],
      ["run", PLAN_PATH, "--item", "01", "--dry-run"],
    ],
    [
      ["status", "--run-id", "RUN_20260101T000000Z_00000000"],
      ["status", "RUN_20260101T000000Z_00000000"],
    ],
  ])("%j is %j", async (older, today) => {
    const named = (words: readonly string[]): string[] => words.map((word) => (word === "RUN" ? runId : word));
    const [left, right] = [await repository.conveyor(named(older)), await repository.conveyor(named(today))];
    expect(left).toEqual(right);
    expect(left.stdout + left.stderr).not.toBe("");
  });
});

test.each([
  ["the run twice", ["status", "--run-id", "RUN_20260101T000000Z_00000000", "RUN_20260101T000000Z_00000000"]],
  ["the plan twice", ["run", PLAN_PATH, "--playbook", PLAN_PATH]],
  ["no plan at all", ["run"]],
  ["no playbook", ["list-items"]],
  [
    "another decision",
    ["mark-manual-gate", "--run-id", "R", "--item", "01", "--decision", "maybe", "--by", "A", "--note", "n"],
  ],
])("%s is a usage error", async (_, words) => {
  const ended = await repository.conveyor(words);
  expect([ended.code, ended.stdout]).toEqual([2, ""]);
});

test("mark-manual-gate records a person's decision, and nobody but a person's", async () => {
  const words = ["mark-manual-gate", "--run-id", runId, "--item", "01", "--by", "Ada", "--note", "read it"];
  const automated = await repository.conveyor([...words, "--decision", "approved"], { env: { ORCH_RUN_ID: runId } });
  expect(automated.code).toBe(2);
  expect((await repository.conveyor([...words, "--decision", "rejected"])).code).toBe(0);
  expect((await repository.conveyor(["resume", "--run-id", runId])).stderr).toContain("ITEM_GATE_REJECTED");
  expect((await repository.conveyor([...words, "--decision", "reopened"])).code).toBe(0);
  expect((await repository.conveyor([...words, "--decision", "approved"])).code).toBe(0);
  const decisions = repository.events().filter((event) => event.type === "gate_decided");
  expect(decisions.map(({ details }) => [details["decision"], details["by"]])).toEqual([
    ["rejected", "Ada"],
    ["reopened", "Ada"],
    ["approved", "Ada"],
  ]);
});

test("no help shows an older name", async () => {
  for (const words of [[], ["run"], ["status"], ["doctor"], ["resume"], ["items"]]) {
    const { stdout } = await repository.conveyor([...words, "--help"]);
    expect(stdout).not.toMatch(/--playbook|--run-id|list-items|show-item|mark-manual-gate/);
  }
  expect((await repository.conveyor(["run", "--help"])).stdout).toContain("Usage: conveyor run [options] <plan>");
});
