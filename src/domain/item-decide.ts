import { decideAuditOutcome } from "./audit-outcome.ts";
import { decideAfterTriage, type AfterTriage } from "./decide-after-triage.ts";
import { demandsOf, type ItemRules } from "./item-rules.ts";
import { lastAttempt, type AttemptState, type CandidateState, type ItemState, type SessionKind } from "./item.ts";
import { mergeFindings, type MergedFinding } from "./merged-findings.ts";
import { findingsOfSurface } from "./verification-surface.ts";
import { findingsOfVerification } from "./orchestrator-findings.ts";
import type { ReasonCode } from "./reason-codes.ts";
import type { ItemTerminalState, RunStop } from "./run-stop.ts";
import { applyTriage } from "./triage.ts";

/** What is to be done next for an item. Each has its own file in `kernel/perform/`. */
export type ItemCommand =
  | { readonly type: "start_item" }
  | { readonly type: "open_attempt"; readonly attempt: number; readonly round: number }
  | {
      readonly type: "run_session";
      readonly attempt: number;
      readonly session: number;
      readonly round: number;
      readonly kind: SessionKind;
      /** Sessions before it in a row whose model was not to be had: how long to wait before asking again. */
      readonly failures: number;
    }
  | { readonly type: "lose_attempt"; readonly attempt: number; readonly why: "session_cut_short" }
  | { readonly type: "seal_handoff"; readonly attempt: number; readonly session: number; readonly round: number }
  | { readonly type: "build_candidate"; readonly attempt: number; readonly round: number }
  | { readonly type: "verify"; readonly attempt: number; readonly round: number; readonly commit: string }
  | { readonly type: "prove_red"; readonly attempt: number; readonly round: number; readonly commit: string }
  | {
      readonly type: "freeze_packet";
      readonly attempt: number;
      readonly round: number;
      readonly tree: string;
      readonly parent: string;
    }
  | {
      readonly type: "run_audits";
      readonly attempt: number;
      readonly round: number;
      readonly packet_sha256: string;
      readonly commit: string;
      readonly lanes: readonly string[];
      /** Times the most unlucky of the lanes has failed: how long to wait before asking again. */
      readonly failures: number;
    }
  | { readonly type: "merge_findings"; readonly attempt: number; readonly round: number }
  | { readonly type: "run_triage"; readonly attempt: number; readonly round: number; readonly findings_sha256: string }
  | {
      readonly type: "request_gate";
      readonly attempt: number;
      readonly round: number;
      readonly gateType: "own" | "custom";
      readonly commit: string;
      readonly packet_sha256: string;
      readonly finding_ids: readonly string[];
    }
  | {
      readonly type: "prepare_commit";
      readonly attempt: number;
      readonly commit: string;
      readonly tree: string;
      readonly parent: string;
    }
  | { readonly type: "advance_branch"; readonly commit: string; readonly parent: string }
  | { readonly type: "settle"; readonly terminalState: ItemTerminalState; readonly reasonCodes: readonly ReasonCode[] }
  | { readonly type: "stop"; readonly stop: RunStop }
  | { readonly type: "nothing" };

/**
 * Decides what is next for an item from its state alone.
 * Reason codes: NO_CHANGE_PRODUCED, GIT_TAMPERED, PROCESS_SURVIVED, FIX_BUDGET_EXHAUSTED, VERIFICATION_FAILED, the
 * codes of scope, the codes of an executor that ended badly, RED_GREEN_NOT_PROVEN, AUDIT_ENGINE_FAILED,
 * AUDIT_BLOCKING_FINDING, ITEM_AWAITING_HUMAN_GATE, ITEM_BLOCKED_EXTERNAL, SESSION_LIMIT, ROLLOVER_LIMIT, NO_PROGRESS.
 */
export function decideItem(state: ItemState, rules: ItemRules): ItemCommand {
  if (state.settled !== undefined) return { type: "nothing" };
  if (state.commitPrepared !== undefined) {
    return { type: "advance_branch", commit: state.commitPrepared.commit, parent: state.commitPrepared.parent };
  }
  if (!state.started) return { type: "start_item" };
  if (hasNoProgress(state)) return stopBlocked("NO_PROGRESS");
  if (state.stop !== undefined) return { type: "stop", stop: state.stop };
  if (demandsOf(state, rules).externalEvidence && state.evidence.length === 0) return waitForOutside();
  const attempt = lastAttempt(state);
  if (attempt !== undefined && isApproved(state, attempt)) return takeAudited(attempt);
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
    case "engine_failed":
      return countEngineFailures(attempt) > rules.executorRetries
        ? escalate("AGENT_API_FAILED")
        : nextSession(state, attempt, session.round, rules);
    case "blocked":
      return waitForOutside();
    case "handoff":
      if (session.handoffTree === undefined) {
        return { type: "seal_handoff", attempt: attempt.attempt, session: session.session, round: session.round };
      }
      if (state.rollovers > rules.rollovers) return stopBlocked("ROLLOVER_LIMIT");
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
  if (candidate.verdict.kind !== "passed") {
    const findings = mergeFindings(
      [],
      candidate.verified === undefined ? [] : findingsOfVerification(candidate.verified),
    );
    return follow(state, attempt, rules, decideFindings(findings, candidate, round, rules, false));
  }
  return afterVerified(state, attempt, candidate, rules);
}

/** What is left between a verified candidate and its place on the run branch. */
function afterVerified(
  state: ItemState,
  attempt: AttemptState,
  candidate: CandidateState,
  rules: ItemRules,
): ItemCommand {
  const demands = demandsOf(state, rules);
  const at = { attempt: attempt.attempt, round: candidate.round };
  if (demands.redGreen && candidate.redGreenGap === undefined) {
    return { type: "prove_red", ...at, commit: candidate.commit ?? "" };
  }
  if (demands.redGreen && candidate.redGreenGap !== "") {
    return nextRound(state, attempt, rules, "RED_GREEN_NOT_PROVEN");
  }
  if (candidate.packet === undefined) {
    return { type: "freeze_packet", ...at, tree: candidate.tree, parent: attempt.baseCommit };
  }
  const { packet } = candidate;
  const open = rules.lanes.filter((lane) => isOpen(candidate, lane, rules));
  if (open.length > 0) {
    const failures = Math.max(
      0,
      ...candidate.lanes.filter(({ lane }) => open.includes(lane)).map((lane) => lane.failures),
    );
    return { type: "run_audits", ...at, packet_sha256: packet.sha256, commit: packet.commit, lanes: open, failures };
  }
  if (decideAuditOutcome(candidate.lanes).kind === "engine_failed") return escalate("AUDIT_ENGINE_FAILED");
  if (candidate.findingsSha256 === undefined) return { type: "merge_findings", ...at };
  const findings = mergedFindingsOf(candidate);
  if (rules.triageProgram && findings.length > 0 && candidate.triage === undefined) {
    return { type: "run_triage", ...at, findings_sha256: candidate.findingsSha256 };
  }
  return follow(state, attempt, rules, decideFindings(findings, candidate, candidate.round, rules, demands.manualGate));
}

/** What lanes and orchestrator found in a candidate, merged. */
export function mergedFindingsOf(candidate: CandidateState): readonly MergedFinding[] {
  const { verified } = candidate;
  const surface = verified?.surface ?? null;
  return mergeFindings(candidate.lanes, [
    ...(verified === undefined ? [] : findingsOfVerification(verified)),
    ...(surface === null ? [] : findingsOfSurface(surface)),
  ]);
}

/** A lane is open until its answer says something, or it has failed too often. */
function isOpen(candidate: CandidateState, name: string, rules: ItemRules): boolean {
  const lane = candidate.lanes.find((entry) => entry.lane === name);
  return lane === undefined || (lane.outcome.kind === "engine_failed" && lane.failures <= rules.auditRetries);
}

function decideFindings(
  findings: readonly MergedFinding[],
  candidate: CandidateState,
  round: number,
  rules: ItemRules,
  hasManualGate: boolean,
): AfterTriage {
  const { fixRounds, remediationRounds } = rules;
  const { dispositions } = applyTriage(findings, candidate.triage);
  return decideAfterTriage({ findings, dispositions, round, fixRounds, remediationRounds, hasManualGate });
}

function follow(state: ItemState, attempt: AttemptState, rules: ItemRules, after: AfterTriage): ItemCommand {
  switch (after.kind) {
    case "fix":
    case "remediate":
      return nextSession(state, attempt, attempt.round + 1, rules);
    case "escalate":
      return escalate(...after.reasonCodes);
    case "blocked_external":
      return waitForOutside();
    case "await_gate":
      return awaitGate(state, attempt, after.gateType);
    case "pass":
      return takeAudited(attempt);
  }
}

function awaitGate(state: ItemState, attempt: AttemptState, gateType: "own" | "custom"): ItemCommand {
  const candidate = attempt.candidates.at(-1);
  const packet = candidate?.packet;
  if (candidate === undefined || packet === undefined) throw new Error("a gate is asked for after the audits");
  if (state.gate?.commit === packet.commit) {
    return { type: "settle", terminalState: "awaiting_human_gate", reasonCodes: ["ITEM_AWAITING_HUMAN_GATE"] };
  }
  return {
    type: "request_gate",
    attempt: attempt.attempt,
    round: candidate.round,
    gateType,
    commit: packet.commit,
    packet_sha256: packet.sha256,
    finding_ids: mergedFindingsOf(candidate).map((finding) => finding.id),
  };
}

/** An approval is of one commit: it lets no other pass. */
function isApproved({ gate }: ItemState, attempt: AttemptState): boolean {
  return gate?.decision === "approved" && gate.commit === attempt.candidates.at(-1)?.packet?.commit;
}

/** The very commit that was verified and audited goes onto the run branch. */
function takeAudited(attempt: AttemptState): ItemCommand {
  const candidate = attempt.candidates.at(-1);
  if (candidate?.packet === undefined) throw new Error("only an audited commit is taken");
  return {
    type: "prepare_commit",
    attempt: attempt.attempt,
    commit: candidate.packet.commit,
    tree: candidate.tree,
    parent: attempt.baseCommit,
  };
}

function waitForOutside(): ItemCommand {
  return { type: "settle", terminalState: "blocked_external", reasonCodes: ["ITEM_BLOCKED_EXTERNAL"] };
}

/** One more round in the same attempt, or the end of the budget with the code of what is still open. */
function nextRound(state: ItemState, attempt: AttemptState, rules: ItemRules, code: ReasonCode): ItemCommand {
  return attempt.round > rules.fixRounds + rules.remediationRounds
    ? escalate("FIX_BUDGET_EXHAUSTED", code)
    : nextSession(state, attempt, attempt.round + 1, rules);
}

/** A void candidate counts as a round, and the next round starts afresh at the tip. */
function afterVoid(state: ItemState, attempt: AttemptState, rules: ItemRules): ItemCommand {
  const codes = [...new Set(attempt.candidates.at(-1)?.violations.map((violation) => violation.code))];
  return attempt.round > rules.fixRounds + rules.remediationRounds
    ? escalate("FIX_BUDGET_EXHAUSTED", ...codes)
    : openNext(state, rules, attempt.round + 1);
}

function openNext(state: ItemState, rules: ItemRules, round: number): ItemCommand {
  if (state.sessionsUsed >= rules.sessionsPerItem) return stopBlocked("SESSION_LIMIT");
  return { type: "open_attempt", attempt: state.attempts.length + 1, round };
}

function nextSession(state: ItemState, attempt: AttemptState, round: number, rules: ItemRules): ItemCommand {
  if (state.sessionsUsed >= rules.sessionsPerItem) return stopBlocked("SESSION_LIMIT");
  const kind = round === 1 ? "execute" : round <= rules.fixRounds + 1 ? "fix" : "remediation";
  const failures = countEngineFailures(attempt);
  return { type: "run_session", attempt: attempt.attempt, session: attempt.sessions.length + 1, round, kind, failures };
}

/** Sessions in a row, up to the last, whose model was not to be had. */
function countEngineFailures({ sessions }: AttemptState): number {
  return sessions.length - 1 - sessions.findLastIndex(({ outcome }) => outcome.kind !== "engine_failed");
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
