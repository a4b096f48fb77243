import { decideExecutorOutcome } from "./executor-outcome.ts";
import { lastAttempt, type AttemptState, type CandidateState, type ItemState, type SessionState } from "./item.ts";
import { EVENT_OF } from "./event-owner.ts";
import type { EventDetails, EventDraft } from "./journal.ts";
import type { RunStop } from "./run-stop.ts";
import { judgeVerification } from "./verification.ts";

/** Settings that the meaning of an event depends on; they come from the run's own policy and never change in a run. */
export interface ItemRules {
  readonly fixRounds: number;
  readonly sessionsPerItem: number;
  readonly contextRemainingFloor: number;
}

/** Thrown when an event cannot follow the ones before it: the journal was not written by this machine. */
export class ImpossibleEventError extends Error {}

const TIMEOUT: RunStop = { kind: "terminal", terminalState: "timeout", reasonCodes: ["PROCESS_TIMEOUT"] };
const INTERRUPTED: RunStop = { kind: "interrupted", reasonCodes: [] };

/**
 * Folds one event of an item into its state. What a session or a verification *meant* is derived here from what was
 * seen, so that a journal cannot claim an outcome that its facts do not give.
 */
export function evolveItem(state: ItemState, event: EventDraft, rules: ItemRules): ItemState {
  if (EVENT_OF[event.type] === "item") {
    require(state.started !== (event.type === "item_started"), "an item is started once, before all else");
    require(state.settled === undefined, "the item is settled already");
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
      return addCandidate(state, event.details);
    case "candidate_refused":
      return refuseCandidate(state, event.details);
    case "verification_started":
      return state;
    case "verification_finished":
      return finishVerification(state, event.details);
    case "item_commit_prepared": {
      const verdict = currentAttempt(state).candidates.at(-1);
      require(verdict?.verdict?.kind === "passed" &&
        verdict.tree === event.details.tree, "only a verified tree is committed");
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
  require(details.attempt ===
    state.attempts.length + 1, `attempt ${details.attempt} does not follow ${state.attempts.length}`);
  require(lastOf(state.attempts)?.ended !== undefined ||
    state.attempts.length === 0, "the attempt before is not ended");
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
  require(attempt.attempt === details.attempt, "only the current attempt's worktree is restored");
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
  require(details.session === attempt.sessions.length + 1, `session ${details.session} does not follow`);
  require(lastOf(attempt.sessions)?.outcome.kind !== "open", "the session before is still open");
  const session: SessionState = {
    session: details.session,
    round: details.round,
    kind: details.kind,
    outcome: { kind: "open" },
    summary: "",
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
  const session = lastOf(attempt.sessions);
  require(session?.outcome.kind === "open" &&
    session.session === details.session &&
    session.round === details.round &&
    attempt.attempt === details.attempt, "no such session is open");
  const outcome = decideExecutorOutcome({
    ending: details.ending,
    payload: details.payload,
    missingArtifacts: details.execution.missing_artifacts,
    malformedArtifacts: details.execution.malformed_artifacts,
    contextRemainingFloor: rules.contextRemainingFloor,
  });
  const finished: SessionState = {
    ...session,
    outcome,
    summary: details.payload.kind === "read" ? details.payload.summary : "",
    tamperKinds: details.tamper.map((finding) => finding.kind),
    survivors: details.survivors.length,
  };
  const next = withAttempt(state, { ...attempt, sessions: [...attempt.sessions.slice(0, -1), finished] });
  const handoffTrees = outcome.kind === "handoff" ? state.handoffTrees : [];
  // Tampering outranks the clock: a session that changed git metadata is not given another chance by a resume.
  if (finished.tamperKinds.length > 0 || finished.survivors > 0) return { ...next, handoffTrees };
  if (outcome.kind === "timeout") return { ...next, handoffTrees, stop: TIMEOUT };
  if (outcome.kind === "cancelled") return { ...next, handoffTrees, stop: INTERRUPTED };
  return { ...next, handoffTrees };
}

function loseAttempt(state: ItemState, details: EventDetails<"attempt_lost">): ItemState {
  require(currentAttempt(state).attempt === details.attempt, "only the current attempt can be lost");
  return endAttempt(state, "lost");
}

function sealHandoff(state: ItemState, details: EventDetails<"handoff_sealed">): ItemState {
  const attempt = currentAttempt(state);
  const session = lastOf(attempt.sessions);
  require(session?.outcome.kind === "handoff" && session.session === details.session, "only a handoff is sealed");
  const sealed = { ...session, handoffTree: details.tree };
  return {
    ...withAttempt(state, { ...attempt, sessions: [...attempt.sessions.slice(0, -1), sealed] }),
    handoffTrees: [...state.handoffTrees, details.tree].slice(-2),
    stop: { kind: "handoff", reasonCodes: [] },
  };
}

function addCandidate(state: ItemState, details: EventDetails<"candidate_built">): ItemState {
  const attempt = currentAttempt(state);
  require(lastOf(attempt.sessions)?.outcome.kind === "finished", "a candidate needs a finished session");
  const finished = attempt.sessions.filter((each) => each.outcome.kind === "finished").length;
  require(attempt.candidates.length < finished, "the session has its candidate already");
  require(details.base_commit === attempt.baseCommit, "a candidate belongs to its attempt's base");
  require((details.commit !== null) ===
    (details.changed_paths > 0 &&
      details.violations.length === 0), "a candidate has a commit when something changed and scope allows it");
  const candidate: CandidateState = {
    round: details.round,
    tree: details.tree,
    commit: details.commit,
    changedPaths: details.changed_paths,
    violations: details.violations,
    verifications: 0,
  };
  const next = withAttempt(state, { ...attempt, candidates: [...attempt.candidates, candidate] });
  const unchanged = details.commit === null && details.violations.length === 0;
  const counted = { ...next, unchangedInARow: unchanged ? state.unchangedInARow + 1 : 0 };
  return details.violations.length > 0 ? endAttempt(counted, "void") : counted;
}

function refuseCandidate(state: ItemState, details: EventDetails<"candidate_refused">): ItemState {
  const attempt = currentAttempt(state);
  const session = lastOf(attempt.sessions);
  require(session !== undefined, "a candidate needs a session");
  if (details.reason_code === "GIT_TAMPERED") {
    const tampered = { ...session, tamperKinds: [...session.tamperKinds, "objects"] };
    return withAttempt(state, { ...attempt, sessions: [...attempt.sessions.slice(0, -1), tampered] });
  }
  const candidate: CandidateState = {
    round: details.round,
    tree: "",
    commit: null,
    changedPaths: 0,
    violations: [{ code: "PATH_UNSAFE", path: ".", detail: details.detail }],
    verifications: 0,
  };
  return endAttempt(withAttempt(state, { ...attempt, candidates: [...attempt.candidates, candidate] }), "void");
}

function finishVerification(state: ItemState, details: EventDetails<"verification_finished">): ItemState {
  const attempt = currentAttempt(state);
  const candidate = lastOf(attempt.candidates);
  require(candidate?.commit === details.commit &&
    candidate.verdict === undefined, "what was verified is not the candidate, or is judged already");
  if (details.tamper.length > 0) return markTampered(state, attempt, details.tamper);
  const verdict = judgeVerification(details);
  const judged = verdict.kind === "passed" || verdict.kind === "failed" ? { verdict } : {};
  const verified = { ...candidate, verifications: candidate.verifications + 1, ...judged };
  const next = withAttempt(state, { ...attempt, candidates: [...attempt.candidates.slice(0, -1), verified] });
  if (verdict.kind === "timeout") return { ...next, stop: TIMEOUT };
  return verdict.kind === "cancelled" ? { ...next, stop: INTERRUPTED } : next;
}

/** What the candidate's own code did to git metadata while it was verified counts as its session's doing. */
function markTampered(
  state: ItemState,
  attempt: AttemptState,
  tamper: readonly { readonly kind: string }[],
): ItemState {
  const session = lastOf(attempt.sessions);
  require(session !== undefined, "a verification needs a session");
  const tampered = { ...session, tamperKinds: [...session.tamperKinds, ...tamper.map((finding) => finding.kind)] };
  return withAttempt(state, { ...attempt, sessions: [...attempt.sessions.slice(0, -1), tampered] });
}

function settle(state: ItemState, details: EventDetails<"item_settled">): ItemState {
  require(details.terminal_state !== "passed" ||
    (state.commitPrepared !== undefined &&
      state.commitPrepared.commit ===
        details.commit), "an item passes only with the commit that was prepared from its verified tree");
  require(details.terminal_state === "passed" || details.commit === null, "only an item that passes has a commit");
  const ended = lastAttempt(state)?.ended === undefined ? endAttempt(state, "kept") : state;
  return {
    ...ended,
    settled: { terminalState: details.terminal_state, reasonCodes: details.reason_codes, commit: details.commit },
  };
}

function resumeItem(state: ItemState, newAttempt: boolean): ItemState {
  const { stop: _stop, ...going } = state;
  // A prepared commit is of a verified tree, and the run branch may name it already: it is finished, not done again.
  if (!newAttempt || state.commitPrepared !== undefined) return going;
  const { settled: _settled, ...open } = going;
  return { ...endAttempt(open, "superseded"), round: 1, sessionsUsed: 0, unchangedInARow: 0, handoffTrees: [] };
}

function endAttempt(state: ItemState, ended: NonNullable<AttemptState["ended"]>): ItemState {
  const attempt = lastAttempt(state);
  return attempt === undefined ? state : withAttempt(state, { ...attempt, ended });
}

function withAttempt(state: ItemState, attempt: AttemptState): ItemState {
  return { ...state, attempts: [...state.attempts.slice(0, -1), attempt] };
}

function currentAttempt(state: ItemState): AttemptState {
  const attempt = lastAttempt(state);
  require(attempt !== undefined && attempt.ended === undefined, "no attempt is open");
  return attempt;
}

function lastOf<T>(list: readonly T[]): T | undefined {
  return list.at(-1);
}

function require(condition: boolean, message: string): asserts condition {
  if (!condition) throw new ImpossibleEventError(message);
}
