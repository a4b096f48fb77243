import type { ReasonCode } from "./reason-codes.ts";
import { err, ok, type Result } from "./result.ts";
import type { RunState } from "./run.ts";

/** What is known of the commit that a run shall be based on. */
export interface RefreshFacts {
  readonly onto: string;
  /** The commit that the ref names; nothing when it names none. */
  readonly to: string | undefined;
  readonly descends: boolean;
  /** Whether the trust ref contains it: a base that nobody can have approved is none. */
  readonly trusted: boolean;
  readonly planSha256: string | null;
  readonly policySha256: string | null;
}

/** Why a base is not moved. */
export interface RefreshRefusal {
  readonly code: Extract<ReasonCode, "BASE_MOVED" | "PLAN_DIGEST_CHANGED" | "POLICY_DIGEST_CHANGED"> | "USAGE";
  readonly message: string;
}

/**
 * Decides whether a run's base may be moved to another commit. Reason codes: BASE_MOVED, PLAN_DIGEST_CHANGED,
 * POLICY_DIGEST_CHANGED.
 */
export function judgeRefresh(state: RunState, facts: RefreshFacts): Result<{ readonly to: string }, RefreshRefusal> {
  const refuse = (code: RefreshRefusal["code"], message: string): Result<never, RefreshRefusal> =>
    err({ code, message });
  const why = whyNotRefreshed(state);
  if (why !== undefined) return refuse("USAGE", why);
  const { onto, to } = facts;
  if (to === undefined) return refuse("USAGE", `--onto: ${onto} names no commit here`);
  if (to === state.baseCommit) return refuse("USAGE", `the base is ${onto} already; there is nothing to move`);
  if (!facts.descends) return refuse("BASE_MOVED", `${onto} does not descend from the base ${state.baseCommit}`);
  if (!facts.trusted) {
    return refuse("BASE_MOVED", `${onto} is not contained in ${state.created.trust_ref ?? "the commit it began at"}`);
  }
  if (facts.planSha256 !== state.created.plan_sha256) {
    return refuse("PLAN_DIGEST_CHANGED", `the plan at ${onto} is another: start a new run of it`);
  }
  if (facts.policySha256 !== state.created.policy_sha256) {
    return refuse("POLICY_DIGEST_CHANGED", `the policy at ${onto} is another: start a new run under it`);
  }
  return ok({ to });
}

/**
 * Why this run's base cannot be moved at all, in words; nothing when it can. What passed, or waits for a person's word,
 * is a commit on the old base: moving the base would take the ground from under what was proven and decided.
 */
export function whyNotRefreshed(state: RunState): string | undefined {
  if (state.stop === undefined) return "the run has not stopped: end it, or go on with it by conveyor resume, first";
  if (state.stop.terminalState === "done") return "the run is done";
  if (state.stop.reasonCodes.includes("GIT_TAMPERED")) return "this run's repository is not trusted: start a new run";
  for (const item of state.items) {
    const at = `item ${item.itemId}`;
    if (item.settled?.terminalState === "passed") return `${at} has passed on the old base: start a new run`;
    if (item.commitPrepared !== undefined) return `${at} is about to pass on the old base: resume, or start a new run`;
    if (item.gate !== undefined) {
      return `${at} has a gate about a commit on the old base: decide on it, or start a new run`;
    }
    const session = item.settled === undefined ? item.attempts.at(-1)?.sessions.at(-1) : undefined;
    if (session !== undefined && (session.tamperKinds.length > 0 || session.survivors > 0)) {
      return `${at} has a session that is not judged yet: resume first`;
    }
  }
  return undefined;
}
