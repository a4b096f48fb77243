import { z } from "zod";
import { buildCase } from "./approval-case.ts";
import { approvalFactsSchema, type ApprovalFacts } from "./approval-facts.ts";
import { listGestures } from "./approval-gestures.ts";
import { decideApproval, type ApprovalDecision } from "./approvals.ts";
import { ciFactsSchema, decideCi } from "./ci-gate.ts";
import type { Config } from "./config.ts";
import type { GateDetails, GateSignals } from "./gates.ts";
import { sha } from "./github-answers.ts";
import { instantSchema } from "./instants.ts";
import type { RunPolicy } from "./policy.ts";
import { preflightSchema } from "./preflight.ts";
import { SELF_APPROVED } from "./self-approval.ts";

/** Everything that decides the three gates of one commit, as GitHub said it. What could not be read says why. */
export const gateFactsSchema = z.strictObject({
  schema_version: z.literal("conveyor.gate_facts.v1"),
  asked_at: instantSchema,
  /** The commit that the gates are about. */
  head: sha,
  /** Plan, policy, approvals, consent and pause at the trusted branch's tip. */
  trust: preflightSchema,
  ci: z.union([ciFactsSchema, z.strictObject({ unknown: z.string() })]),
  review: z.union([approvalFactsSchema, z.strictObject({ unknown: z.string() })]),
});
export type GateFacts = z.infer<typeof gateFactsSchema>;

/** What the gates are told, and each with why. */
export interface ObservedGates {
  readonly signals: GateSignals;
  readonly details: GateDetails;
}

/**
 * Decides what GitHub says to each gate, from facts alone: `verify` gets the same from the saved ones. Nothing that is
 * unknown, and nothing about another commit, opens a gate.
 */
export function judgeGateFacts(facts: GateFacts, config: Config, policy: RunPolicy): ObservedGates {
  const ci = judgeCi(facts, config);
  const review = judgeReview(facts, config);
  return {
    signals: { policy: judgePolicy(facts, policy), ci: ci.signal, review: review.signal },
    details: { policy: sayPolicy(facts, policy), ci: ci.detail, review: review.detail },
  };
}

function judgePolicy({ trust }: GateFacts, policy: RunPolicy): GateSignals["policy"] {
  if (trust.unknown.length > 0 || trust.trust.tip === null) return "unknown";
  return policy.decision;
}

function sayPolicy({ trust }: GateFacts, policy: RunPolicy): string {
  const where = `${trust.trust.branch} at ${trust.trust.tip ?? "an unknown commit"}`;
  if (trust.unknown.length > 0) return `${where}: ${trust.unknown.join("; ")}`;
  if (policy.decision === "deny")
    return `${where}: ${policy.refusals.map(({ code, text }) => `${code}: ${text}`).join("; ")}`;
  const counted = policy.approvals
    .filter(({ counts }) => counts)
    .map(({ approver, authority }) => approver ?? authority);
  return `${where}: ${policy.risk.tier} risk, ${counted.length === 0 ? "no approval needed" : `approved by ${counted.join(", ")}`}`;
}

type Judged<S> = { readonly signal: S; readonly detail: string };

function judgeCi({ ci, head }: GateFacts, { policy }: Config): Judged<GateSignals["ci"]> {
  if (policy.ci === "none") return { signal: "success", detail: "policy.ci is none: no check is asked for" };
  if (policy["required-checks"].length === 0)
    return { signal: "missing", detail: "policy.required-checks names no check, and policy.ci is not none" };
  if ("unknown" in ci) return { signal: "missing", detail: `unknown: ${ci.unknown}` };
  if (ci.head !== head) return { signal: "missing", detail: "the checks are of another commit" };
  const { signal, checks } = decideCi(policy["required-checks"], ci);
  return { signal, detail: checks.map(({ name, why }) => `${name} ${why}`).join("; ") };
}

function judgeReview({ review, head }: GateFacts, { policy }: Config): Judged<GateSignals["review"]> {
  if (policy.review === "none") return { signal: "approved", detail: "policy.review is none: no review is asked for" };
  if ("unknown" in review) return { signal: "missing", detail: review.unknown };
  if (review.pull_request.head.sha !== head || review.kind !== "delivery")
    return { signal: "missing", detail: "the pull request has another head" };
  const asked = buildCase(review);
  const decision = decideApproval(asked, listGestures(asked));
  const detail = sayReview(decision, review);
  if (decision.verdict === "approved") return { signal: "approved", detail };
  const requested = decision.judged.some(({ refusals }) => refusals.some(({ rule }) => rule === "changes-requested"));
  return { signal: requested || hasRequest(review) ? "changes_requested" : "missing", detail };
}

function hasRequest({ reviews }: ApprovalFacts): boolean {
  return reviews.some(({ state }) => state.toUpperCase() === "CHANGES_REQUESTED");
}

/** Who approved, or every reason why nobody did. */
function sayReview(
  { verdict, records, judged, refusals, selfApproved }: ApprovalDecision,
  facts: ApprovalFacts,
): string {
  const on = `pull request #${facts.pull_request.number}`;
  if (verdict === "approved") {
    const who = records.map(({ approver_login: login }) => login).join(", ");
    return `${on}: approved by ${who}${selfApproved ? ` (${SELF_APPROVED})` : ""}`;
  }
  const refused = judged.flatMap(({ gesture, refusals: each }) => {
    const who = gesture.kind === "given" ? (gesture.actor?.login ?? "somebody unknown") : "somebody";
    return each.map(({ rule, text }) => `the approval of ${who} does not count: ${rule}: ${text}`);
  });
  return `${on}: ${[...refused, ...refusals.map(({ text }) => text)].join("; ")}`;
}
