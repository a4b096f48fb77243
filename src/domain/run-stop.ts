import type { ReasonCode } from "./reason-codes.ts";

/** Why a run stops before its end, or with it. A run that handed off or was interrupted has no terminal state. */
export type RunStop =
  | { readonly kind: "terminal"; readonly terminalState: TerminalState; readonly reasonCodes: readonly ReasonCode[] }
  | { readonly kind: "handoff"; readonly reasonCodes: readonly ReasonCode[] }
  | { readonly kind: "interrupted"; readonly reasonCodes: readonly ReasonCode[] };

/** Terminal states of a run (source document 002). */
export const TERMINAL_STATES = ["done", "blocked", "failed", "timeout"] as const;
export type TerminalState = (typeof TERMINAL_STATES)[number];

/** Terminal states of an item (source document 003). */
export const ITEM_STATES = ["passed", "awaiting_human_gate", "blocked_external", "escalated"] as const;
export type ItemTerminalState = (typeof ITEM_STATES)[number];

/** What the fold of a run's end reads. */
export interface TerminalFacts {
  readonly itemStates: readonly (ItemTerminalState | undefined)[];
  readonly stageFailed: boolean;
  /** A process was over its time limit. */
  readonly timedOut: boolean;
  /** Something waits, was refused, or a gate did not pass. */
  readonly refused: boolean;
}

/**
 * Decides the terminal state of a run: any escalated item or failed stage → failed; else a
 * process over its limit → timeout; else anything waiting, refused or not passed → blocked; else done.
 */
export function decideTerminalState(facts: TerminalFacts): TerminalState {
  if (facts.stageFailed || facts.itemStates.includes("escalated")) return "failed";
  if (facts.timedOut) return "timeout";
  if (facts.refused || facts.itemStates.some((state) => state !== "passed")) return "blocked";
  return "done";
}

/** Exit codes of every command that runs a plan. */
export const EXIT = { done: 0, failed: 1, usage: 2, blocked: 3, locked: 73, handoff: 75, timeout: 124 } as const;

/** The exit code of a run that stopped; `signal` is SIGINT or SIGTERM when it was interrupted. */
export function exitCodeFor(stop: {
  kind: RunStop["kind"];
  terminalState: TerminalState | null;
  signal: string | null;
}): number {
  if (stop.kind === "handoff") return EXIT.handoff;
  if (stop.kind === "interrupted") return stop.signal === "SIGTERM" ? 143 : 130;
  return stop.terminalState === null ? EXIT.failed : EXIT[stop.terminalState];
}
