import { describe, expect, it } from "vitest";
import { defaultConfig } from "../../src/domain/config.ts";
import { rulesOf } from "../../src/domain/item-rules.ts";
import type { EventDetails, EventDraft } from "../../src/domain/journal.ts";
import { replayDecisions } from "../../src/domain/replay.ts";
import { foldRun } from "../../src/domain/run.ts";
import { decideStop, INTERRUPT_SIGNALS } from "../../src/domain/run-decide.ts";
import { exitCodeFor } from "../../src/domain/run-stop.ts";
import { buildPlan, chain, draft } from "./run-fixtures.ts";
import { created } from "./run-story.ts";

const PLAN = buildPlan();
const RULES = rulesOf(defaultConfig(), PLAN);
const INTERRUPTED = { kind: "interrupted", reasonCodes: [] } as const;

function replay(stopped: EventDetails<"run_stopped">) {
  const drafts: EventDraft[] = [
    created(),
    draft("stage_started", { stage: "planning" }, null),
    draft("run_stopped", stopped, null),
  ];
  return replayDecisions(chain(drafts), RULES, PLAN).map((fault) => fault.message);
}

describe("an interrupted run", () => {
  it.each([
    ["SIGINT", "interrupted", 130],
    ["SIGTERM", "interrupted", 143],
    ["DEADLINE", "handoff", 75],
  ] as const)("by %s stops as %s, exit %d, wherever it was", (signal, kind, exit) => {
    const state = foldRun(chain([created()]), RULES);
    const stopped = decideStop(INTERRUPTED, state, signal);
    expect(stopped).toEqual({ kind, terminal_state: null, reason_codes: [], signal });
    expect(exitCodeFor({ kind: stopped.kind, terminalState: null, signal })).toBe(exit);
    expect(replay(stopped)).toEqual([]);
  });

  const stop = { terminal_state: null, reason_codes: [], signal: null };
  it.each<[string, EventDetails<"run_stopped">]>([
    ["a handoff that nothing asked for", { ...stop, kind: "handoff" }],
    ["an interruption by nobody", { ...stop, kind: "interrupted" }],
    ["a handoff by a person's signal", { ...stop, kind: "handoff", signal: "SIGINT" }],
    ["an interruption by the time limit", { ...stop, kind: "interrupted", signal: "DEADLINE" }],
    ["a signal that there is not", { ...stop, kind: "interrupted", signal: "SIGHUP" }],
    ["an end by the time limit", { ...stop, kind: "terminal", terminal_state: "blocked", signal: "DEADLINE" }],
    ["a code beside an interruption", { ...stop, kind: "handoff", reason_codes: ["NO_PROGRESS"], signal: "DEADLINE" }],
  ])("replay refuses %s", (_what, stopped) => {
    expect(replay(stopped)).toContain("the run stopped otherwise than its state gives");
  });

  it("has one of three causes", () => {
    expect(INTERRUPT_SIGNALS).toEqual(["SIGINT", "SIGTERM", "DEADLINE"]);
  });
});
