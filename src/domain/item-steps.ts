import { lastAttempt, type AttemptState, type CandidateState, type ItemState } from "./item.ts";
import type { RunStop } from "./run-stop.ts";

/** Thrown when an event cannot follow the ones before it: the journal was not written by this machine. */
export class ImpossibleEventError extends Error {}

export const TIMEOUT: RunStop = { kind: "terminal", terminalState: "timeout", reasonCodes: ["PROCESS_TIMEOUT"] };
export const INTERRUPTED: RunStop = { kind: "interrupted", reasonCodes: [] };

export function endAttempt(state: ItemState, ended: NonNullable<AttemptState["ended"]>): ItemState {
  const attempt = lastAttempt(state);
  return attempt === undefined ? state : withAttempt(state, { ...attempt, ended });
}

export function withAttempt(state: ItemState, attempt: AttemptState): ItemState {
  return { ...state, attempts: [...state.attempts.slice(0, -1), attempt] };
}

export function currentAttempt(state: ItemState): AttemptState {
  const attempt = lastAttempt(state);
  requireStep(attempt !== undefined && attempt.ended === undefined, "no attempt is open");
  return attempt;
}

export function requireStep(condition: boolean, message: string): asserts condition {
  if (!condition) throw new ImpossibleEventError(message);
}

/** The candidate that is being judged: the last of the attempt that is under way. */
export function currentCandidate(state: ItemState): CandidateState {
  const candidate = currentAttempt(state).candidates.at(-1);
  requireStep(candidate !== undefined, "there is no candidate");
  return candidate;
}

/** What a program did to git metadata while a candidate was judged counts as its session's doing. */
export function markTampered(state: ItemState, tamper: readonly { readonly kind: string }[]): ItemState {
  const attempt = currentAttempt(state);
  const session = attempt.sessions.at(-1);
  requireStep(session !== undefined, "what is judged needs a session");
  const tampered = { ...session, tamperKinds: [...session.tamperKinds, ...tamper.map((finding) => finding.kind)] };
  return withAttempt(state, { ...attempt, sessions: [...attempt.sessions.slice(0, -1), tampered] });
}

/** The state with another current candidate. */
export function withCandidate(state: ItemState, candidate: CandidateState): ItemState {
  const attempt = currentAttempt(state);
  return withAttempt(state, { ...attempt, candidates: [...attempt.candidates.slice(0, -1), candidate] });
}
