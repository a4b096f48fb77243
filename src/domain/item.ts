import type { ExecutorOutcome } from "./executor-outcome.ts";
import type { ReasonCode } from "./reason-codes.ts";
import type { ItemTerminalState, RunStop } from "./run-stop.ts";
import type { ScopeViolation } from "./scope.ts";
import type { VerificationVerdict } from "./verification.ts";

/** One session of an executor in an attempt. */
export interface SessionState {
  readonly session: number;
  readonly round: number;
  readonly kind: "execute" | "fix";
  /** `open`: started, and no receipt says how it ended. */
  readonly outcome: ExecutorOutcome | { readonly kind: "open" };
  readonly summary: string;
  readonly tamperKinds: readonly string[];
  readonly survivors: number;
  /** Tree at the handoff, once it is sealed. */
  readonly handoffTree?: string;
}

/** What a round's session left, as the orchestrator built it. */
export interface CandidateState {
  readonly round: number;
  readonly tree: string;
  /** Nothing when the tree is the base's: no change. */
  readonly commit: string | null;
  readonly changedPaths: number;
  readonly violations: readonly ScopeViolation[];
  /** Verifications that ended, also those that were cut short. */
  readonly verifications: number;
  readonly verdict?: VerificationVerdict;
}

/** One try at an item, in a worktree of its own. */
export interface AttemptState {
  readonly attempt: number;
  readonly baseCommit: string;
  readonly worktree: string;
  readonly round: number;
  readonly sessions: readonly SessionState[];
  /** Every candidate of the attempt, oldest first; the last one is current. */
  readonly candidates: readonly CandidateState[];
  /**
   * `void`: scope refused its candidate; `lost`: it proves nothing; `kept`: it ended with its item; `superseded`: a
   * person asked for a new attempt.
   */
  readonly ended?: "void" | "lost" | "kept" | "superseded";
}

/** Where an item stands: the fold of its events. */
export interface ItemState {
  readonly itemId: string;
  readonly started: boolean;
  readonly attempts: readonly AttemptState[];
  /** Rounds begun since the item was started, or since a person asked for a new attempt. */
  readonly round: number;
  readonly sessionsUsed: number;
  /** Sessions in a row that left the base's tree. */
  readonly unchangedInARow: number;
  /** Trees of the handoffs in a row, newest last. */
  readonly handoffTrees: readonly string[];
  /** Set when this invocation must stop here; a resume clears it. */
  readonly stop?: RunStop;
  readonly commitPrepared?: {
    readonly attempt: number;
    readonly commit: string;
    readonly tree: string;
    readonly parent: string;
  };
  readonly settled?: {
    readonly terminalState: ItemTerminalState;
    readonly reasonCodes: readonly ReasonCode[];
    readonly commit: string | null;
  };
}

/** An item that nothing has happened to. */
export function newItem(itemId: string): ItemState {
  return { itemId, started: false, attempts: [], round: 1, sessionsUsed: 0, unchangedInARow: 0, handoffTrees: [] };
}

/** The attempt that is under way, or the last one. */
export function lastAttempt(state: ItemState): AttemptState | undefined {
  return state.attempts.at(-1);
}
