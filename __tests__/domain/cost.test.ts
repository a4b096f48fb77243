import { describe, expect, it } from "vitest";
import { buildRunOutputs } from "../../src/action/outputs.ts";
import { printFinished } from "../../src/cli/outcome.ts";
import { buildRunCost } from "../../src/domain/cost.ts";
import type { EventDraft } from "../../src/domain/journal.ts";
import { foldRun, type RunState } from "../../src/domain/run.ts";
import { chain, DETAILS, draft, execution, EXIT_0, FINDINGS_SHA, passingItem, RULES } from "./run-fixtures.ts";
import { created } from "./run-story.ts";

const RESUMED = draft("run_resumed", DETAILS.run_resumed(), null);
const TRIAGE = { attempt: 1, round: 1, nonce: "nonce of triage" };
const TRIAGE_STARTED = draft("triage_started", { ...TRIAGE, findings_sha256: FINDINGS_SHA });
const TRIAGE_FINISHED = draft("triage_finished", {
  ...TRIAGE,
  ending: EXIT_0,
  survivors: [],
  facts: { kind: "rejected", why: "it is none" },
  tamper: [],
  execution: execution(),
  files: [],
});

/** The executor is an agent, one of the two lanes, and triage; or none of them. */
function fold(events: readonly EventDraft[], use: "command" | "claude" = "claude"): RunState {
  const start = created({ executor: { use, command: ["agent"], expected_artifacts: [], env_names: [] } });
  const agents = use === "command" ? {} : { agentLanes: ["careful"], agentTriage: true };
  const rules = { ...RULES, triageProgram: true, ...agents };
  return foldRun(chain([start, ...events]), rules);
}

/** The events up to the last of a type. */
function until(type: EventDraft["type"]): EventDraft[] {
  const events = passingItem();
  return events.slice(0, events.findIndex((event) => event.type === type) + 1);
}

describe("what a session cost that ended with the orchestrator", () => {
  it("is unknown, of its item and its lane", () => {
    const { openSessions } = fold([...until("audit_started"), RESUMED]);
    const facts = { use: "claude", model: null, tokens: null, failure: null, detail: "", denied: 0 };
    const said = { ...execution({ item_id: "02" }), agent: { ...facts, lane: "executor", cost_usd: 0.5 } };
    const cost = buildRunCost(
      { executions: [said], options: {}, openSessions },
      { item: () => null, lane: () => null },
    );
    expect(cost.total).toMatchObject({ sessions: 2, known_usd: 0.5, unknown_cost: 1, unknown_tokens: 2 });
    expect(cost.items).toMatchObject([
      { item_id: "02", sessions: 1, unknown_cost: 0 },
      { item_id: "01", sessions: 1, unknown_cost: 1 },
    ]);
    expect(cost.lanes).toMatchObject([
      { lane: "executor", sessions: 1, known_usd: 0.5, unknown_cost: 0 },
      { lane: "audit:careful", sessions: 1, known_usd: 0, unknown_cost: 1 },
    ]);
  });

  it("makes the sum of a run unknown for whoever reads its outcome", () => {
    const killed = fold(until("session_started"));
    const unknown = { "cost-usd": "", "tokens-in": "", "tokens-out": "" };
    expect(buildRunOutputs(killed, "/run")).toMatchObject(unknown);
    const said: string[] = [];
    const io = { out: (text: string): number => said.push(text) };
    for (const format of ["json", "text"] as const) {
      printFinished(io, { runFolder: "/run", state: killed, exitCode: 1 }, format);
    }
    expect(JSON.parse(said[0] ?? "")).toMatchObject({ cost_usd: null, known_cost_usd: 0, tokens_in: null });
    expect(said[1]).toMatch(/^cost {4}unknown$/m);
    expect(buildRunOutputs(fold(until("session_finished")), "/run")).toMatchObject({ "cost-usd": "0" });
  });

  it.each([
    ["a session", until("session_started"), ["executor"]],
    ["a session that has its receipt", until("session_finished"), []],
    [
      "an audit that was begun again and ended",
      [...until("audit_started"), RESUMED, ...until("audit_finished").slice(-2)],
      ["audit:careful"],
    ],
    ["triage", [...until("findings_merged"), TRIAGE_STARTED], ["triage"]],
    ["triage that ended", [...until("findings_merged"), TRIAGE_STARTED, TRIAGE_FINISHED], []],
    ["an item that passed", passingItem(), []],
  ] as const)("is open after %s", (_, events, lanes) => {
    expect(fold(events).openSessions).toEqual(lanes.map((lane) => ({ item_id: "01", lane })));
  });

  it("is nothing of a command's, which costs nothing that could be counted", () => {
    const begun = [until("session_started"), until("audit_started"), [...until("findings_merged"), TRIAGE_STARTED]];
    expect(begun.flatMap((events) => fold(events, "command").openSessions)).toEqual([]);
  });
});
