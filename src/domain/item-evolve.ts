import { decideExecutorOutcome } from "./executor-outcome.ts";
import { evolveAudit } from "./item-audit.ts";
import { evolveGate, reopenDecided } from "./item-gate.ts";
import {
  currentAttempt,
  endAttempt,
  INTERRUPTED,
  markTampered,
  requireStep,
  TIMEOUT,
  withAttempt,
} from "./item-steps.ts";
import {
  CANDIDATE_PATCH,
  lastAttempt,
  type AttemptState,
  type CandidateState,
  type ItemState,
  type SessionState,
} from "./item.ts";
import { EVENT_OF } from "./event-owner.ts";
import type { EventDetails, EventDraft } from "./journal.ts";
import { demandsOf, type ItemRules } from "./item-rules.ts";
import type { RunStop } from "./run-stop.ts";
import { judgeVerification } from "./verification.ts";

/**
 * Folds one event of an item into its state. What a session or a verification *meant* is derived here from what was
 * seen, so that a journal cannot claim an outcome that its facts do not give.
 */
export function evolveItem(state: ItemState, event: EventDraft, rules: ItemRules): ItemState {
  if (EVENT_OF[event.type] === "item") {
    requireStep(state.started !== (event.type === "item_started"), "an item is started once, before all else");
    const ofPeople = event.type === "gate_decided" || event.type === "evidence_supplied";
    requireStep((state.settled === undefined) !== ofPeople, "an item that is settled changes by people alone");
  }
  switch (event.type) {
    case "item_started":
      return { ...state, started: true };
    case "attempt_opened":
      return openAttempt(state, event.details);
    case "worktree_restored":
      return restoreWorktree(state, event.details);
    case "session_started":
      return startSession(state, event.details);
    case "session_finished":
      return finishSession(state, event.details, rules);
    case "attempt_lost":
      return loseAttempt(state, event.details);
    case "handoff_sealed":
      return sealHandoff(state, event.details);
    case "candidate_built":
      return addCandidate(state, event.details, rules);
    case "candidate_refused":
      return refuseCandidate(state, event.details);
    case "verification_started":
      return state;
    case "verification_finished":
      return finishVerification(state, event.details);
    case "red_green_judged":
    case "packet_frozen":
    case "audit_started":
    case "audit_finished":
    case "findings_merged":
    case "triage_started":
    case "triage_finished":
      return evolveAudit(state, event);
    case "gate_requested":
    case "gate_decided":
    case "evidence_supplied":
      return evolveGate(state, event, rules);
    case "item_commit_prepared": {
      const candidate = lastAttempt(state)?.candidates.at(-1);
      requireStep(
        candidate?.verdict?.kind === "passed" &&
          candidate.tree === event.details.tree &&
          candidate.packet?.commit === event.details.commit,
        "only the audited commit of a verified tree is taken",
      );
      return { ...state, commitPrepared: event.details };
    }
    case "item_settled":
      return settle(state, event.details);
    case "run_resumed":
      return resumeItem(state, event.details.new_attempt === state.itemId);
    default:
      return state;
  }
}

function openAttempt(state: ItemState, details: EventDetails<"attempt_opened">): ItemState {
  requireStep(
    details.attempt === state.attempts.length + 1,
    `attempt ${details.attempt} does not follow ${state.attempts.length}`,
  );
  requireStep(
    lastIn(state.attempts)?.ended !== undefined || state.attempts.length === 0,
    "the attempt before is not ended",
  );
  const attempt: AttemptState = {
    attempt: details.attempt,
    baseCommit: details.base_commit,
    worktree: details.worktree,
    round: details.round,
    sessions: [],
    candidates: [],
  };
  const opened = { ...state, attempts: [...state.attempts, attempt], round: details.round };
  const stop = stopOfPreparation(details);
  return stop === undefined ? opened : { ...endAttempt(opened, "lost"), stop };
}

/** A worktree whose preparation went wrong is not adopted: the next resume makes another. */
function restoreWorktree(state: ItemState, details: EventDetails<"worktree_restored">): ItemState {
  const attempt = currentAttempt(state);
  requireStep(attempt.attempt === details.attempt, "only the current attempt's worktree is restored");
  const stop = stopOfPreparation(details);
  return stop === undefined ? withAttempt(state, { ...attempt, worktree: details.worktree }) : { ...state, stop };
}

function stopOfPreparation(
  details: Pick<EventDetails<"attempt_opened">, "prepare_status" | "prepare_ending">,
): RunStop | undefined {
  if (details.prepare_ending?.kind === "timed_out") return TIMEOUT;
  if (details.prepare_ending?.kind === "cancelled") return INTERRUPTED;
  if (details.prepare_ending === null && details.prepare_status !== "failed") return undefined;
  return { kind: "terminal", terminalState: "failed", reasonCodes: ["PREPARE_FAILED"] };
}

function startSession(state: ItemState, details: EventDetails<"session_started">): ItemState {
  const attempt = currentAttempt(state);
  requireStep(details.session === attempt.sessions.length + 1, `session ${details.session} does not follow`);
  requireStep(lastIn(attempt.sessions)?.outcome.kind !== "open", "the session before is still open");
  const session: SessionState = {
    session: details.session,
    round: details.round,
    kind: details.kind,
    outcome: { kind: "open" },
    summary: "",
    reason: "",
    tamperKinds: [],
    survivors: 0,
  };
  return {
    ...withAttempt(state, { ...attempt, round: details.round, sessions: [...attempt.sessions, session] }),
    round: details.round,
    sessionsUsed: state.sessionsUsed + 1,
  };
}

function finishSession(state: ItemState, details: EventDetails<"session_finished">, rules: ItemRules): ItemState {
  const attempt = currentAttempt(state);
  const session = lastIn(attempt.sessions);
  requireStep(
    session?.outcome.kind === "open" &&
      session.session === details.session &&
      session.round === details.round &&
      attempt.attempt === details.attempt,
    "no such session is open",
  );
  const outcome = decideExecutorOutcome({
    ending: details.ending,
    payload: details.payload,
    missingArtifacts: details.execution.missing_artifacts,
    malformedArtifacts: details.execution.malformed_artifacts,
    contextRemainingFloor: rules.contextRemainingFloor,
    agentFailure: details.execution.agent?.failure ?? null,
  });
  const finished: SessionState = {
    ...session,
    outcome,
    summary: details.payload.kind === "read" ? details.payload.summary : "",
    reason: details.payload.kind === "read" ? details.payload.reason : "",
    tamperKinds: details.tamper.map((finding) => finding.kind),
    survivors: details.survivors.length,
  };
  const next = withAttempt(state, { ...attempt, sessions: [...attempt.sessions.slice(0, -1), finished] });
  // A session that came to nothing is no step forward and none back.
  const isStill = outcome.kind === "handoff" || outcome.kind === "engine_failed";
  const handoffTrees = isStill ? state.handoffTrees : [];
  // Tampering outranks the clock: a session that changed git metadata is not given another chance by a resume.
  if (finished.tamperKinds.length > 0 || finished.survivors > 0) return { ...next, handoffTrees };
  if (outcome.kind === "timeout") return { ...next, handoffTrees, stop: TIMEOUT };
  if (outcome.kind === "cancelled") return { ...next, handoffTrees, stop: INTERRUPTED };
  return { ...next, handoffTrees };
}

function loseAttempt(state: ItemState, details: EventDetails<"attempt_lost">): ItemState {
  requireStep(currentAttempt(state).attempt === details.attempt, "only the current attempt can be lost");
  return endAttempt(state, "lost");
}

function sealHandoff(state: ItemState, details: EventDetails<"handoff_sealed">): ItemState {
  const attempt = currentAttempt(state);
  const session = lastIn(attempt.sessions);
  requireStep(session?.outcome.kind === "handoff" && session.session === details.session, "only a handoff is sealed");
  const sealed = { ...session, handoffTree: details.tree };
  return {
    ...withAttempt(state, { ...attempt, sessions: [...attempt.sessions.slice(0, -1), sealed] }),
    handoffTrees: [...state.handoffTrees, details.tree].slice(-2),
    rollovers: state.rollovers + 1,
  };
}

function addCandidate(state: ItemState, details: EventDetails<"candidate_built">, rules: ItemRules): ItemState {
  const attempt = currentAttempt(state);
  requireStep(lastIn(attempt.sessions)?.outcome.kind === "finished", "a candidate needs a finished session");
  const finished = attempt.sessions.filter((each) => each.outcome.kind === "finished").length;
  requireStep(attempt.candidates.length < finished, "the session has its candidate already");
  requireStep(details.base_commit === attempt.baseCommit, "a candidate belongs to its attempt's base");
  requireStep(
    (details.commit !== null) ===
      ((details.changed_paths > 0 || demandsOf(state, rules).allowNoChange) && details.violations.length === 0),
    "a candidate has a commit when something changed, or nothing has to, and scope allows it",
  );
  const patch = details.files.find(({ path }) => path.endsWith(`/${CANDIDATE_PATCH}`))?.path;
  const candidate: CandidateState = {
    round: details.round,
    tree: details.tree,
    commit: details.commit,
    changedPaths: details.changed_paths,
    violations: details.violations,
    ...(patch === undefined ? {} : { patch }),
    verifications: 0,
    lanes: [],
  };
  const next = withAttempt(state, { ...attempt, candidates: [...attempt.candidates, candidate] });
  const unchanged = details.commit === null && details.violations.length === 0;
  const counted = { ...next, unchangedInARow: unchanged ? state.unchangedInARow + 1 : 0 };
  return details.violations.length > 0 ? endAttempt(counted, "void") : counted;
}

function refuseCandidate(state: ItemState, details: EventDetails<"candidate_refused">): ItemState {
  const attempt = currentAttempt(state);
  const session = lastIn(attempt.sessions);
  requireStep(session !== undefined, "a candidate needs a session");
  if (details.reason_code === "GIT_TAMPERED") {
    const tampered = { ...session, tamperKinds: [...session.tamperKinds, "objects"] };
    return withAttempt(state, { ...attempt, sessions: [...attempt.sessions.slice(0, -1), tampered] });
  }
  const candidate: CandidateState = {
    round: details.round,
    tree: "",
    commit: null,
    changedPaths: 0,
    violations: [{ code: details.reason_code, path: ".", detail: details.detail }],
    verifications: 0,
    lanes: [],
  };
  return endAttempt(withAttempt(state, { ...attempt, candidates: [...attempt.candidates, candidate] }), "void");
}

function finishVerification(state: ItemState, details: EventDetails<"verification_finished">): ItemState {
  const attempt = currentAttempt(state);
  const candidate = lastIn(attempt.candidates);
  requireStep(
    candidate?.commit === details.commit && candidate.verdict === undefined,
    "what was verified is not the candidate, or is judged already",
  );
  if (details.tamper.length > 0) return markTampered(state, details.tamper);
  const verdict = judgeVerification(details);
  const judged = verdict.kind === "passed" || verdict.kind === "failed" ? { verdict } : {};
  const { prepare_ending, prepare_tracked_changes, commands, artifacts, surface } = details;
  const facts = { prepare_ending, prepare_tracked_changes, commands, artifacts, surface };
  const verified = { ...candidate, verifications: candidate.verifications + 1, verified: facts, ...judged };
  const next = withAttempt(state, { ...attempt, candidates: [...attempt.candidates.slice(0, -1), verified] });
  if (verdict.kind === "timeout") return { ...next, stop: TIMEOUT };
  return verdict.kind === "cancelled" ? { ...next, stop: INTERRUPTED } : next;
}

function settle(state: ItemState, details: EventDetails<"item_settled">): ItemState {
  requireStep(
    details.terminal_state !== "passed" ||
      (state.commitPrepared !== undefined && state.commitPrepared.commit === details.commit),
    "an item passes only with the commit that was prepared from its verified tree",
  );
  requireStep(details.terminal_state === "passed" || details.commit === null, "only an item that passes has a commit");
  const ended = lastAttempt(state)?.ended === undefined ? endAttempt(state, "kept") : state;
  return {
    ...ended,
    settled: { terminalState: details.terminal_state, reasonCodes: details.reason_codes, commit: details.commit },
  };
}

function resumeItem(state: ItemState, newAttempt: boolean): ItemState {
  const { stop: _stop, ...stopped } = state;
  const going = reopenDecided({ ...stopped, rollovers: 0 });
  // A prepared commit is of a verified tree, and the run branch may name it already: it is finished, not done again.
  if (!newAttempt || state.commitPrepared !== undefined) return going;
  const { settled: _settled, gate: _gate, ...open } = going;
  return { ...endAttempt(open, "superseded"), round: 1, sessionsUsed: 0, unchangedInARow: 0, handoffTrees: [] };
}

function lastIn<T>(list: readonly T[]): T | undefined {
  return list.at(-1);
}
