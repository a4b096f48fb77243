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
export function nextItem(state: RunState): NextItem {
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
  return { kind: "item", itemId: item.itemId };
}

/** What ends a run from outside: a person, a runner, or the time that this invocation was given. */
export const INTERRUPT_SIGNALS = ["SIGINT", "SIGTERM", "DEADLINE"] as const;
export type InterruptSignal = (typeof INTERRUPT_SIGNALS)[number];

/**
 * Decides what the journal says of a stop: the terminal state is the fold's, never a stage's own word. An interruption
 * by the time limit is a handoff: nobody asked for the end, the run is only to be gone on with later.
 */
export function decideStop(stop: RunStop, state: RunState, signal: InterruptSignal): EventDetails<"run_stopped"> {
  const base = { reason_codes: [...stop.reasonCodes], signal: null };
  if (stop.kind === "handoff") return { ...base, kind: "handoff", terminal_state: null };
  if (stop.kind === "interrupted") {
    return { ...base, kind: signal === "DEADLINE" ? "handoff" : "interrupted", terminal_state: null, signal };
  }
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
