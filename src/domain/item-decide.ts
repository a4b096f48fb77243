import type { ItemRules } from "./item-evolve.ts";
import { lastAttempt, type AttemptState, type ItemState } from "./item.ts";
import type { ReasonCode } from "./reason-codes.ts";
import type { ItemTerminalState, RunStop } from "./run-stop.ts";

/** What is to be done next for an item. Each has its own file in `kernel/perform/`. */
export type ItemCommand =
  | { readonly type: "start_item" }
  | { readonly type: "open_attempt"; readonly attempt: number; readonly round: number }
  | {
      readonly type: "run_session";
      readonly attempt: number;
      readonly session: number;
      readonly round: number;
      readonly kind: "execute" | "fix";
    }
  | { readonly type: "lose_attempt"; readonly attempt: number; readonly why: "session_cut_short" }
  | { readonly type: "seal_handoff"; readonly attempt: number; readonly session: number; readonly round: number }
  | { readonly type: "build_candidate"; readonly attempt: number; readonly round: number }
  | { readonly type: "verify"; readonly attempt: number; readonly round: number; readonly commit: string }
  | { readonly type: "prepare_commit"; readonly attempt: number; readonly tree: string; readonly parent: string }
  | { readonly type: "advance_branch"; readonly commit: string; readonly parent: string }
  | { readonly type: "settle"; readonly terminalState: ItemTerminalState; readonly reasonCodes: readonly ReasonCode[] }
  | { readonly type: "stop"; readonly stop: RunStop }
  | { readonly type: "nothing" };

/**
 * Decides what is next for an item from its state alone.
 * Reason codes: NO_CHANGE_PRODUCED, GIT_TAMPERED, PROCESS_SURVIVED, FIX_BUDGET_EXHAUSTED, VERIFICATION_FAILED, the
 * codes of scope, the codes of an executor that ended badly, ITEM_BLOCKED_EXTERNAL, SESSION_LIMIT, NO_PROGRESS.
 */
export function decideItem(state: ItemState, rules: ItemRules): ItemCommand {
  if (state.settled !== undefined) return { type: "nothing" };
  if (state.commitPrepared !== undefined) {
    return { type: "advance_branch", commit: state.commitPrepared.commit, parent: state.commitPrepared.parent };
  }
  if (!state.started) return { type: "start_item" };
  if (hasNoProgress(state)) return stopBlocked("NO_PROGRESS");
  if (state.stop !== undefined) return { type: "stop", stop: state.stop };
  const attempt = lastAttempt(state);
  if (attempt === undefined) return openNext(state, rules, state.round);
  if (attempt.ended === "void") return afterVoid(state, attempt, rules);
  if (attempt.ended !== undefined) return openNext(state, rules, state.round);
  return decideInAttempt(state, attempt, rules);
}

function decideInAttempt(state: ItemState, attempt: AttemptState, rules: ItemRules): ItemCommand {
  const session = attempt.sessions.at(-1);
  if (session === undefined) return nextSession(state, attempt, state.round, rules);
  if (session.tamperKinds.length > 0) return escalate("GIT_TAMPERED");
  if (session.survivors > 0) return escalate("PROCESS_SURVIVED");
  const { outcome } = session;
  switch (outcome.kind) {
    // In the invocation that ran it a session always has its receipt, and a timeout or cancellation has stopped the
    // run: whoever sees one of these here has resumed after the session was cut short.
    case "open":
    case "timeout":
    case "cancelled":
      return { type: "lose_attempt", attempt: attempt.attempt, why: "session_cut_short" };
    case "failed":
      return escalate(outcome.reasonCode);
    case "blocked":
      return { type: "settle", terminalState: "blocked_external", reasonCodes: ["ITEM_BLOCKED_EXTERNAL"] };
    case "handoff":
      if (session.handoffTree === undefined) {
        return { type: "seal_handoff", attempt: attempt.attempt, session: session.session, round: session.round };
      }
      return nextSession(state, attempt, session.round, rules);
    case "finished":
      return afterFinished(state, attempt, session.round, rules);
  }
}

function afterFinished(state: ItemState, attempt: AttemptState, round: number, rules: ItemRules): ItemCommand {
  // Every session that finished gets a candidate of its own; a candidate for each of them means this one has its.
  const finished = attempt.sessions.filter((session) => session.outcome.kind === "finished").length;
  const candidate = attempt.candidates.at(-1);
  if (candidate === undefined || attempt.candidates.length < finished) {
    return { type: "build_candidate", attempt: attempt.attempt, round };
  }
  if (candidate.commit === null) {
    return state.unchangedInARow >= 2 ? escalate("NO_CHANGE_PRODUCED") : nextSession(state, attempt, round, rules);
  }
  if (candidate.verdict === undefined) {
    return { type: "verify", attempt: attempt.attempt, round, commit: candidate.commit };
  }
  if (candidate.verdict.kind === "passed") {
    return { type: "prepare_commit", attempt: attempt.attempt, tree: candidate.tree, parent: attempt.baseCommit };
  }
  if (round > rules.fixRounds) return escalate("FIX_BUDGET_EXHAUSTED", "VERIFICATION_FAILED");
  return nextSession(state, attempt, round + 1, rules);
}

/** A void candidate counts as a round, and the next round starts afresh at the tip. */
function afterVoid(state: ItemState, attempt: AttemptState, rules: ItemRules): ItemCommand {
  const codes = [...new Set(attempt.candidates.at(-1)?.violations.map((violation) => violation.code))];
  return attempt.round > rules.fixRounds
    ? escalate("FIX_BUDGET_EXHAUSTED", ...codes)
    : openNext(state, rules, attempt.round + 1);
}

function openNext(state: ItemState, rules: ItemRules, round: number): ItemCommand {
  if (state.sessionsUsed >= rules.sessionsPerItem) return stopBlocked("SESSION_LIMIT");
  return { type: "open_attempt", attempt: state.attempts.length + 1, round };
}

function nextSession(state: ItemState, attempt: AttemptState, round: number, rules: ItemRules): ItemCommand {
  if (state.sessionsUsed >= rules.sessionsPerItem) return stopBlocked("SESSION_LIMIT");
  const kind = round === 1 ? "execute" : "fix";
  return { type: "run_session", attempt: attempt.attempt, session: attempt.sessions.length + 1, round, kind };
}

function hasNoProgress(state: ItemState): boolean {
  const [before, latest] = state.handoffTrees;
  return before !== undefined && before === latest;
}

function escalate(...reasonCodes: ReasonCode[]): ItemCommand {
  return { type: "settle", terminalState: "escalated", reasonCodes };
}

function stopBlocked(code: ReasonCode): ItemCommand {
  return { type: "stop", stop: { kind: "terminal", terminalState: "blocked", reasonCodes: [code] } };
}
