import { evaluateGates, type GateSignals } from "../../src/domain/gates.ts";
import type { EventDraft } from "../../src/domain/journal.ts";
import { foldRun, type RunState } from "../../src/domain/run.ts";
import { chain, DETAILS, draft, passingItem, RULES, RUN_ID } from "./run-fixtures.ts";

export const OPEN: GateSignals = { policy: "allow", ci: "success", review: "approved" };
const BRANCH = `conveyor/plan/${RUN_ID}`;

/** What holds the programs of a run; a stage that may start one finds it out first. */
export const PROBED = draft("sandbox_probed", DETAILS.sandbox_probed(), null);

/** Begins and ends a stage around what happens in it; planning, the first that may start a program, probes the sandbox. */
export function inStage(
  stage: "planning" | "policy_ingestion" | "execution" | "validation" | "closure",
  ...within: readonly EventDraft[]
): EventDraft[] {
  const probed = stage === "planning" ? [PROBED] : [];
  return [draft("stage_started", { stage }, null), ...probed, ...within, draft("stage_finished", { stage }, null)];
}

export function created(input: Parameters<typeof DETAILS.run_created>[0] = {}): EventDraft {
  return draft("run_created", DETAILS.run_created(input), null);
}

export function trustRead(
  stage: "policy_ingestion" | "closure",
  input: Parameters<typeof DETAILS.trust_read>[0] = {},
): EventDraft {
  return draft("trust_read", DETAILS.trust_read({ stage, ...input }), null);
}

export function gates(head: string, signals: GateSignals, ownPolicyAllows = true): EventDraft {
  return draft(
    "gates_evaluated",
    { head, signals, simulate_blocked: false, decisions: evaluateGates(signals, ownPolicyAllows) },
    null,
  );
}

export function delivered(head: string): EventDraft[] {
  return [
    draft("delivery_started", { branch: BRANCH, from: null, head }, null),
    draft("delivery_finished", { branch: BRANCH, head, status: "moved" }, null),
  ];
}

export const STOPPED_DONE = draft(
  "run_stopped",
  { kind: "terminal", terminal_state: "done", reason_codes: [], signal: null },
  null,
);

/** The commit that closes the plan: the head that is delivered and that the gates are about. */
export const CLOSED = "closing-1";

/** The closing commit, made on the validated one and put onto the run branch. */
export function closing(parent = "commit-1"): EventDraft[] {
  const changes = [{ path: "docs/exec-plans/evidence-index/plan.md", sha256: "6".repeat(64) }];
  const prepared = { commit: CLOSED, tree: "closing-tree", parent, date: "2026-03-25", changes };
  return [draft("closing_prepared", prepared, null), draft("closing_committed", { commit: CLOSED }, null)];
}

/** A run of one item from beginning to end. */
export function doneRun(): EventDraft[] {
  return [
    created(),
    ...inStage("planning"),
    ...inStage("policy_ingestion", trustRead("policy_ingestion")),
    ...inStage("execution", ...passingItem()),
    ...inStage("validation"),
    ...inStage("closure", trustRead("closure"), ...closing(), ...delivered(CLOSED), gates(CLOSED, OPEN)),
    STOPPED_DONE,
    draft("report_written", { files: [] }, null),
  ];
}

export function fold(drafts: readonly EventDraft[]): RunState {
  return foldRun(chain(drafts), RULES);
}
