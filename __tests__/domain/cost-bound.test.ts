import { describe, expect, it } from "vitest";
import { boundCalls } from "../../src/domain/call-bound.ts";
import { parseConfig } from "../../src/domain/config.ts";
import { boundCost, listBudgets, type Budgets, type CostBound } from "../../src/domain/cost-bound.ts";
import { buildPlan } from "../support/conveyor.ts";
import { parseText } from "./plan-fixtures.ts";

/** Two items, one round each: at most one session with a change and one without, and the auditors' one turn. */
function bound(
  executor: string,
  lanes: readonly [string, string],
  limit: number | undefined = 10,
  chosen?: string,
): CostBound & { budgets: Budgets } {
  const { config, problems } = parseConfig(
    "conveyor.yml",
    [
      "version: 1",
      `executor: ${executor}`,
      `audits: {retries: 0, lanes: [{name: a, ${lanes[0]}}, {name: b, ${lanes[1]}}]}`,
      "limits: {fix-rounds: 0, remediation-rounds: 0, rollovers: 0}",
    ].join("\n"),
  );
  expect(problems).toEqual([]);
  const { plan } = parseText(buildPlan([{ step_id: "01" }, { step_id: "02" }]), {});
  if (plan === undefined || config === undefined) throw new Error("expected a plan and a configuration");
  const calls = boundCalls(plan, config, ["01", "02"], false);
  expect(calls).toMatchObject({ executorSessions: 4, auditorSessions: 4 });
  const use = chosen ?? config.executor?.use ?? "command";
  return { ...boundCost(config, calls, use, limit), budgets: listBudgets({ config, plan, executor: use }, limit) };
}

const COMMAND = "use: command, command: [x]";
const PRICE = "price: {input: 1, cached-input: 1, output: 1}";

describe("the most that a run can cost", () => {
  it.each([
    ["no agent", `{${COMMAND}}`, [COMMAND, COMMAND], { mostUsd: 0, knownLate: [], unpriced: [] }],
    ["the limit, which claude holds while it works", "{use: claude, retries: 0}", [COMMAND, COMMAND], { mostUsd: 10 }],
    [
      "its budgets, where they come to less",
      "{use: claude, retries: 0, budget-usd: 0.5}",
      [COMMAND, COMMAND],
      { mostUsd: 2 },
    ],
    ["budgets of lanes", `{${COMMAND}}`, ["use: claude, budget-usd: 1.5", COMMAND], { mostUsd: 3 }],
    [
      "no bound: codex says it late",
      `{use: codex, retries: 0, ${PRICE}}`,
      [COMMAND, "use: claude"],
      { mostUsd: undefined, knownLate: ["executor"], unpriced: [] },
    ],
    [
      "no bound: codex has no price",
      `{${COMMAND}}`,
      ["use: codex", "use: claude"],
      { mostUsd: undefined, knownLate: [], unpriced: ["audit lane a"] },
    ],
  ] as const)("%s", (_, executor, lanes, expected) => {
    expect(bound(executor, lanes)).toMatchObject({ limitUsd: 10, ...expected });
  });

  it("does not count an executor that the command line puts in place of the configured one", () => {
    expect(bound("{use: codex, retries: 0}", [COMMAND, COMMAND], 10, "command")).toMatchObject({
      mostUsd: 0,
      unpriced: [],
    });
  });

  it("is a budget of each lane and item, where there is one", () => {
    const both = ["use: claude, budget-usd: 1.5", "use: codex"] as const;
    const late = bound("{use: claude, retries: 0, budget-usd: 0.5}", both).budgets;
    expect(["executor", "audit:a", "audit:b", "triage"].map((lane) => late.lane(lane))).toEqual([0.5, 1.5, null, null]);
    expect(late.item("01")).toBe(null);
    const held = bound("{use: claude, retries: 0, budget-usd: 0.5}", [both[0], COMMAND]).budgets;
    // Two sessions of the executor and one of the auditor; or all that the run may cost, where that is less.
    expect(held.item("01")).toBe(2.5);
    expect(bound("{use: claude, retries: 0, budget-usd: 9}", [COMMAND, COMMAND]).budgets.item("01")).toBe(10);
  });
});
