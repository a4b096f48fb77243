import type { ExecutorOutcome } from "./executor-outcome.ts";
import type { AuditFacts, AuditFinding } from "./audit-report.ts";
import type { LaneOutcome } from "./audit-outcome.ts";
import type { FileDigest } from "./journal.ts";
import type { MANUAL_GATES } from "./plan.ts";
import type { ProcessEnding } from "./process-report.ts";
import type { ReasonCode } from "./reason-codes.ts";
import type { ItemTerminalState, RunStop } from "./run-stop.ts";
import type { ScopeViolation } from "./scope.ts";
import type { TriageFacts } from "./triage.ts";
import type { VerificationFacts, VerificationVerdict } from "./verification.ts";

/** Name of the file in which a candidate is one patch. */
export const CANDIDATE_PATCH = "candidate.patch";

/** What a session is for; it follows from the round. */
export type SessionKind = "execute" | "fix" | "remediation";

/** Where one audit lane stands with one packet. */
export interface LaneState {
  readonly lane: string;
  /** Answers that proved nothing. */
  readonly failures: number;
  readonly outcome: LaneOutcome;
  readonly findings: readonly AuditFinding[];
  /** The rest of its last answer, for people; nothing when there is none that could be read. */
  readonly said?: Pick<Extract<AuditFacts, { kind: "read" }>, "verdict" | "summary" | "limitations">;
}

/** A command that ran for a candidate or for the plan: how it ended, and where its output is. */
export interface CommandRun {
  readonly command: string;
  readonly ending: ProcessEnding;
  /** Relative to the run folder. */
  readonly log: string;
}

/** One session of an executor in an attempt. */
export interface SessionState {
  readonly session: number;
  readonly round: number;
  readonly kind: SessionKind;
  /** `open`: started, and no receipt says how it ended. */
  readonly outcome: ExecutorOutcome | { readonly kind: "open" };
  readonly summary: string;
  /** Why it stopped, in its own words. */
  readonly reason: string;
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
  /** Where the patch is, relative to the run folder; nothing when there is none. */
  readonly patch?: string;
  /** Verifications that ended, also those that were cut short. */
  readonly verifications: number;
  readonly verdict?: VerificationVerdict;
  /** What the verdict was judged by. */
  readonly verified?: Omit<VerificationFacts, "commands"> & {
    readonly commands: readonly (CommandRun & { readonly required: boolean })[];
  };
  /** Why red/green is not proven; empty when it is. */
  readonly redGreenGap?: string;
  /** The required commands on the base with the candidate's tests alone. */
  readonly red?: { readonly testPaths: readonly string[]; readonly commands: readonly CommandRun[] };
  readonly packet?: { readonly sha256: string; readonly commit: string };
  readonly lanes: readonly LaneState[];
  /** Digest of the merged findings, once they are written. */
  readonly findingsSha256?: string;
  /** What the triage program answered; a rejected answer counts as none. */
  readonly triage?: TriageFacts;
}

/** A manual gate that was asked for, and what a person decided. */
export interface GateState {
  readonly gateType: (typeof MANUAL_GATES)[number];
  readonly reason: string;
  readonly requiredEvidence: string;
  readonly commit: string;
  readonly packetSha256: string;
  readonly findingIds: readonly string[];
  readonly decision: "none" | "approved" | "rejected";
  readonly by: string;
  readonly note: string;
  readonly authority: string;
  /** The latest decision that does not count (`policy.require-github-identity`): the gate stays as it was. */
  readonly uncounted?: { readonly decision: string; readonly by: string; readonly authority: string };
  /** What the person handed in with the decision. */
  readonly evidence: readonly FileDigest[];
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
  /** Sessions that handed off since the run was started or resumed. */
  readonly rollovers: number;
  /** Files of evidence that a person supplied, relative to the run folder. */
  readonly evidence: readonly string[];
  /** True when evidence came since the item was blocked: the next resume goes on with it. */
  readonly evidenceIsNew: boolean;
  readonly gate?: GateState;
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
  return {
    itemId,
    started: false,
    attempts: [],
    round: 1,
    sessionsUsed: 0,
    unchangedInARow: 0,
    handoffTrees: [],
    rollovers: 0,
    evidence: [],
    evidenceIsNew: false,
  };
}

/** The attempt that is under way, or the last one. */
export function lastAttempt(state: ItemState): AttemptState | undefined {
  return state.attempts.at(-1);
}
