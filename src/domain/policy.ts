import type { ReasonCode } from "./reason-codes.ts";

/** What the run was started with, and what the trust ref's tip holds now. */
export interface PolicyFacts {
  readonly planSha256: string;
  readonly policySha256: string;
  readonly tip: {
    /** Nothing when the plan is gone there or the tip cannot be read. */
    readonly planSha256: string | null;
    readonly policySha256: string | null;
    readonly baseContained: boolean;
  };
}

/** The run's own policy decision. */
export interface PolicyDecision {
  readonly decision: "allow" | "deny";
  readonly reasonCodes: readonly ReasonCode[];
}

/**
 * Decides whether the run may go on under the policy it was started with. Everything unknown denies. Reason codes:
 * BASE_MOVED, PLAN_DIGEST_CHANGED, POLICY_DIGEST_CHANGED. Risk, modes and approvals are not judged yet.
 */
export function decidePolicy(facts: PolicyFacts): PolicyDecision {
  const reasonCodes: ReasonCode[] = [
    ...(facts.tip.baseContained ? [] : ["BASE_MOVED" as const]),
    ...(facts.tip.planSha256 === facts.planSha256 ? [] : ["PLAN_DIGEST_CHANGED" as const]),
    ...(facts.tip.policySha256 === facts.policySha256 ? [] : ["POLICY_DIGEST_CHANGED" as const]),
  ];
  return { decision: reasonCodes.length === 0 ? "allow" : "deny", reasonCodes };
}
