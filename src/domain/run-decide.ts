import type { Plan, PlanItem } from "./plan.ts";
import type { ReasonCode } from "./reason-codes.ts";
import type { RunState } from "./run.ts";
import type { EventDetails } from "./journal.ts";
import { decideTerminalState, type RunStop } from "./run-stop.ts";

/** What execution does next. */
export type NextItem =
  | { readonly kind: "item"; readonly itemId: string }
  | { readonly kind: "stop"; readonly stop: RunStop }
  | { readonly kind: "all_passed" };

/**
 * Chooses the next item in the order of work: the first that has not passed. An item that was settled otherwise stops
 * the run; so does one this version cannot prove. When the selected ones passed and others remain, the run hands off.
 */
export function nextItem(state: RunState, plan: Plan): NextItem {
  const item = state.items.find(
    (candidate) => candidate.settled?.terminalState !== "passed" && state.selectedIds.includes(candidate.itemId),
  );
  if (item === undefined) {
    const left = state.items.some((candidate) => candidate.settled?.terminalState !== "passed");
    return left ? { kind: "stop", stop: { kind: "handoff", reasonCodes: [] } } : { kind: "all_passed" };
  }
  if (item.settled !== undefined) {
    const terminalState = item.settled.terminalState === "escalated" ? "failed" : "blocked";
    const own = item.settled.terminalState === "escalated" ? ["ITEM_ESCALATED" as const] : [];
    const reasonCodes = [...new Set([...own, ...item.settled.reasonCodes])];
    return { kind: "stop", stop: { kind: "terminal", terminalState, reasonCodes } };
  }
  const planned = plan.items.find((candidate) => candidate.item_id === item.itemId);
  const code = planned === undefined ? undefined : unsupportedBy(planned);
  if (code !== undefined)
    return { kind: "stop", stop: { kind: "terminal", terminalState: "blocked", reasonCodes: [code] } };
  return { kind: "item", itemId: item.itemId };
}

/**
 * What an item asks for that this version cannot prove yet: it is refused rather than waved through. Reason codes:
 * RED_GREEN_NOT_PROVEN, ITEM_AWAITING_HUMAN_GATE, ITEM_BLOCKED_EXTERNAL.
 */
export function unsupportedBy(item: PlanItem): ReasonCode | undefined {
  if (item.requires_red_green) return "RED_GREEN_NOT_PROVEN";
  if (item.manual_gate !== "none") return "ITEM_AWAITING_HUMAN_GATE";
  return item.external_check === "none" ? undefined : "ITEM_BLOCKED_EXTERNAL";
}

/** Decides what the journal says of a stop: the terminal state is the fold's, never a stage's own word. */
export function decideStop(stop: RunStop, state: RunState, signal: "SIGINT" | "SIGTERM"): EventDetails<"run_stopped"> {
  const base = { reason_codes: [...stop.reasonCodes], signal: null };
  if (stop.kind === "handoff") return { ...base, kind: "handoff", terminal_state: null };
  if (stop.kind === "interrupted") return { ...base, kind: "interrupted", terminal_state: null, signal };
  const terminalState = decideTerminalState({
    itemStates: state.items.map((item) => item.settled?.terminalState),
    stageFailed: state.stageFailure !== undefined || stop.terminalState === "failed",
    timedOut: stop.terminalState === "timeout",
    refused: stop.terminalState === "blocked",
  });
  return { ...base, kind: "terminal", terminal_state: terminalState };
}

/** The stop that a verification gives which was cut short. */
export function decideStopOfVerdict(kind: "timeout" | "cancelled"): RunStop {
  return kind === "timeout"
    ? { kind: "terminal", terminalState: "timeout", reasonCodes: ["PROCESS_TIMEOUT"] }
    : { kind: "interrupted", reasonCodes: [] };
}
