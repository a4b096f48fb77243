import { decideLaneOutcome, type LaneOutcome } from "./audit-outcome.ts";
import type { CandidateState, ItemState, LaneState } from "./item.ts";
import {
  currentAttempt,
  currentCandidate,
  INTERRUPTED,
  markTampered,
  requireStep,
  TIMEOUT,
  withCandidate,
} from "./item-steps.ts";
import type { EventDetails, EventDraft } from "./journal.ts";
import { judgeRedGreen } from "./red-green.ts";
import { hasSucceeded } from "./verification.ts";

type AuditEvent = Extract<
  EventDraft,
  {
    type:
      | "red_green_judged"
      | "packet_frozen"
      | "audit_started"
      | "audit_finished"
      | "findings_merged"
      | "triage_started"
      | "triage_finished";
  }
>;

/** Folds what was seen of a candidate between its verification and the decision about it. */
export function evolveAudit(state: ItemState, event: AuditEvent): ItemState {
  switch (event.type) {
    case "red_green_judged":
      return judgeRed(state, event.details);
    case "packet_frozen": {
      const candidate = judged(state, event.details);
      requireStep(event.details.tree === candidate.tree, "a packet is frozen of the verified tree");
      return withCandidate(state, {
        ...candidate,
        packet: { sha256: event.details.packet_sha256, commit: event.details.commit },
      });
    }
    case "audit_started":
      requireStep(
        judged(state, event.details).packet?.sha256 === event.details.packet_sha256,
        "auditors judge the frozen packet",
      );
      return state;
    case "audit_finished":
      return finishAudit(state, event.details);
    case "findings_merged":
      return withCandidate(state, { ...judged(state, event.details), findingsSha256: event.details.findings_sha256 });
    case "triage_started":
      requireStep(
        judged(state, event.details).findingsSha256 === event.details.findings_sha256,
        "triage sorts the merged findings",
      );
      return state;
    case "triage_finished":
      return finishTriage(state, event.details);
  }
}

/** The candidate that an event speaks of: it passed its verification in the round that is under way. */
function judged(state: ItemState, details: { attempt: number; round: number }): CandidateState {
  const candidate = currentCandidate(state);
  requireStep(
    currentAttempt(state).attempt === details.attempt &&
      candidate.round === details.round &&
      candidate.verdict?.kind === "passed",
    "only a verified candidate is judged further",
  );
  return candidate;
}

function judgeRed(state: ItemState, details: EventDetails<"red_green_judged">): ItemState {
  const candidate = judged(state, details);
  // Before the clock: whoever changed git metadata is not given another chance by a resume.
  if (details.tamper.length > 0) return markTampered(state, details.tamper);
  const endings = [details.prepare_ending, ...details.red.map(({ ending }) => ending)];
  if (endings.some((ending) => ending?.kind === "cancelled")) return { ...state, stop: INTERRUPTED };
  if (endings.some((ending) => ending?.kind === "timed_out")) return { ...state, stop: TIMEOUT };
  const verdict = judgeRedGreen({
    testPaths: details.test_paths,
    red: details.red,
    green: (candidate.verified?.commands ?? []).filter((command) => command.required),
  });
  const red = { testPaths: details.test_paths, commands: details.red };
  return withCandidate(state, { ...candidate, red, redGreenGap: verdict.kind === "proven" ? "" : verdict.why });
}

function finishAudit(state: ItemState, details: EventDetails<"audit_finished">): ItemState {
  const candidate = judged(state, details);
  requireStep(candidate.packet?.sha256 === details.packet_sha256, "what was audited is not the frozen packet");
  if (details.tamper.length > 0) return markTampered(state, details.tamper);
  const outcomes = details.lanes.map((lane) => ({ ...lane, outcome: judgeLane(lane, details.checkout_changed) }));
  const answered = outcomes.filter(({ outcome }) => outcome.kind !== "timeout" && outcome.kind !== "cancelled");
  const lanes = answered.reduce<readonly LaneState[]>((known, { lane, outcome, facts }) => {
    const before = known.find((entry) => entry.lane === lane);
    const failures = (before?.failures ?? 0) + (outcome.kind === "engine_failed" ? 1 : 0);
    const findings = facts.kind === "read" ? facts.findings : [];
    const said = facts.kind === "read" ? { said: pickSaid(facts) } : {};
    return [...known.filter((entry) => entry.lane !== lane), { lane, failures, outcome, findings, ...said }];
  }, candidate.lanes);
  const next = withCandidate(state, { ...candidate, lanes });
  if (outcomes.some(({ outcome }) => outcome.kind === "cancelled")) return { ...next, stop: INTERRUPTED };
  return outcomes.some(({ outcome }) => outcome.kind === "timeout") ? { ...next, stop: TIMEOUT } : next;
}

function pickSaid({ verdict, summary, limitations }: NonNullable<LaneState["said"]>): NonNullable<LaneState["said"]> {
  return { verdict, summary, limitations };
}

/** What a lane's answer is worth: nothing when it left processes behind, or when the checkout was changed under it. */
export function judgeLane(
  lane: EventDetails<"audit_finished">["lanes"][number],
  checkoutChanged: boolean,
): LaneOutcome {
  const outcome = decideLaneOutcome(lane);
  if (outcome.kind === "timeout" || outcome.kind === "cancelled" || outcome.kind === "engine_failed") return outcome;
  if (lane.survivors.length > 0) return { kind: "engine_failed", why: "it left processes running" };
  return checkoutChanged
    ? { kind: "engine_failed", why: "the shared checkout was changed while it was audited" }
    : outcome;
}

function finishTriage(state: ItemState, details: EventDetails<"triage_finished">): ItemState {
  const candidate = judged(state, details);
  if (details.tamper.length > 0) return markTampered(state, details.tamper);
  if (details.ending.kind === "cancelled") return { ...state, stop: INTERRUPTED };
  if (details.ending.kind === "timed_out") return { ...state, stop: TIMEOUT };
  const failed = !hasSucceeded(details.ending) || details.survivors.length > 0;
  const facts = failed ? { kind: "rejected" as const, why: "the triage program failed" } : details.facts;
  return withCandidate(state, { ...candidate, triage: facts });
}
