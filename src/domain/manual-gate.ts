import type { GateState, ItemState } from "./item.ts";
import { err, ok, type Result } from "./result.ts";
import type { RunState } from "./run.ts";

export type GateDecision = "approved" | "rejected" | "reopened";

/**
 * Judges whether a person's decision fits the gate as it stands: approve and reject need an open one, reopen a rejected
 * one. Says what is wrong in one sentence.
 */
export function judgeGateRequest(state: RunState, itemId: string, decision: GateDecision): Result<GateState, string> {
  const item = state.items.find((candidate) => candidate.itemId === itemId);
  if (item === undefined) {
    return err(`the run has no item ${itemId}; it has ${state.items.map((each) => each.itemId).join(", ")}`);
  }
  if (state.stop === undefined || !state.sealed) return err("the run has not stopped; resume it first");
  const { gate } = item;
  if (gate === undefined || !waitsForPerson(item))
    return err(`item ${itemId} waits for no decision: it is ${describe(item)}`);
  const wanted = decision === "reopened" ? "rejected" : "none";
  if (gate.decision !== wanted) {
    return err(
      gate.decision === "none"
        ? `the gate of item ${itemId} is open: there is nothing to reopen`
        : `the gate of item ${itemId} was ${gate.decision} by ${gate.by} already`,
    );
  }
  return ok(gate);
}

function waitsForPerson(item: ItemState): boolean {
  return item.settled?.terminalState === "awaiting_human_gate";
}

function describe(item: ItemState): string {
  return item.settled?.terminalState ?? (item.started ? "begun" : "not begun");
}
