import type { Mode } from "./config.ts";
import type { Plan, RiskTier } from "./plan.ts";
import type { ReasonCode } from "./reason-codes.ts";
import type { Risk } from "./risk.ts";

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
 * BASE_MOVED, PLAN_DIGEST_CHANGED, POLICY_DIGEST_CHANGED. Risk, mode and approvals are judged by `decideAdmission`.
 */
export function decidePolicy(facts: PolicyFacts): PolicyDecision {
  const reasonCodes: ReasonCode[] = [
    ...(facts.tip.baseContained ? [] : ["BASE_MOVED" as const]),
    ...(facts.tip.planSha256 === facts.planSha256 ? [] : ["PLAN_DIGEST_CHANGED" as const]),
    ...(facts.tip.policySha256 === facts.policySha256 ? [] : ["POLICY_DIGEST_CHANGED" as const]),
  ];
  return { decision: reasonCodes.length === 0 ? "allow" : "deny", reasonCodes };
}

/** What the environment of the orchestrator says about this run; only the value `1` says yes. */
export interface AdmissionEnvironment {
  readonly allowFullAutonomy: boolean;
  readonly approvedMedium: boolean;
  readonly approvedHigh: boolean;
}

/** Reads ORCH_ALLOW_FULL_AUTONOMY, ORCH_APPROVED_MEDIUM and ORCH_APPROVED_HIGH (source document 000). */
export function parseAdmissionEnvironment(env: Readonly<Record<string, string | undefined>>): AdmissionEnvironment {
  return {
    allowFullAutonomy: env["ORCH_ALLOW_FULL_AUTONOMY"] === "1",
    approvedMedium: env["ORCH_APPROVED_MEDIUM"] === "1",
    approvedHigh: env["ORCH_APPROVED_HIGH"] === "1",
  };
}

/** What decides whether a plan may be worked on at all. */
export interface AdmissionFacts {
  readonly mode: Mode;
  readonly risk: Pick<Risk, "tier">;
  readonly metadata: Plan["metadata"];
  readonly environment: AdmissionEnvironment;
  readonly requireGithubIdentity: boolean;
}

/** An approval of a tier that somebody gave, counted or not, for the record. */
export interface RiskApproval {
  readonly tier: "medium" | "high";
  /** The environment knows nobody's name. */
  readonly authority: "environment";
  /** False when the policy asks for an identity that the authority cannot prove. */
  readonly counts: boolean;
}

export interface AdmissionDecision extends PolicyDecision {
  /** Why each code was given, in words. */
  readonly refusals: readonly { readonly code: ReasonCode; readonly text: string }[];
  /** Every approval that was given, needed or not. */
  readonly approvals: readonly RiskApproval[];
}

/**
 * Decides whether a plan may run in this mode at this risk (source document 000, *Policy Controls*). Medium and high
 * risk need an approval of exactly that tier in both modes; full mode needs the environment's permission as well; the
 * plan's author must allow the mode; a plan that says of itself that it must not run does not.
 *
 * `Security-Approval: pending` gives PLAN_MARKED_BLOCKED, as `Status: blocked` does: in both a person wrote into the
 * plan that it has to wait, no approval of a run lifts that, and only a changed plan does. `Security-Approval:
 * approved` is what somebody wrote, so it approves nothing.
 *
 * Reason codes: RISK_MEDIUM_NOT_APPROVED, RISK_HIGH_NOT_APPROVED, MODE_FULL_NOT_ALLOWED, AUTONOMY_NOT_ALLOWED,
 * PLAN_MARKED_BLOCKED.
 */
export function decideAdmission(facts: AdmissionFacts): AdmissionDecision {
  const approvals = listApprovals(facts);
  const refusals = [...judgeRisk(facts.risk.tier, approvals), ...judgeMode(facts), ...judgeMarks(facts.metadata)];
  const reasonCodes = [...new Set(refusals.map(({ code }) => code))];
  return { decision: reasonCodes.length === 0 ? "allow" : "deny", reasonCodes, refusals, approvals };
}

/** The run's policy: what the trust ref's tip gives and what risk, mode and approvals give, with all that led to it. */
export interface RunPolicy extends AdmissionDecision {
  readonly risk: Risk;
}

/** Joins both decisions; either of them denies alone. */
export function decideRunPolicy(
  trust: PolicyFacts,
  admission: Omit<AdmissionFacts, "risk"> & { readonly risk: Risk },
): RunPolicy {
  const tip = decidePolicy(trust);
  const admitted = decideAdmission(admission);
  const reasonCodes = [...tip.reasonCodes, ...admitted.reasonCodes];
  return { ...admitted, risk: admission.risk, decision: reasonCodes.length === 0 ? "allow" : "deny", reasonCodes };
}

/** Whether somebody whose word counts approved high risk; only then may an item change a protected path that it lists. */
export function isHighApproved({ approvals }: Pick<AdmissionDecision, "approvals">): boolean {
  return approvals.some(({ tier, counts }) => tier === "high" && counts);
}

type Refusal = AdmissionDecision["refusals"][number];

function listApprovals({ environment, requireGithubIdentity }: AdmissionFacts): RiskApproval[] {
  const approval = { authority: "environment", counts: !requireGithubIdentity } as const;
  return [
    ...(environment.approvedMedium ? [{ tier: "medium" as const, ...approval }] : []),
    ...(environment.approvedHigh ? [{ tier: "high" as const, ...approval }] : []),
  ];
}

function judgeRisk(tier: RiskTier, approvals: readonly RiskApproval[]): Refusal[] {
  if (tier === "low") return [];
  const given = approvals.filter((approval) => approval.tier === tier);
  if (given.some(({ counts }) => counts)) return [];
  const text =
    given.length === 0
      ? `the risk is ${tier} and no approval of ${tier} risk was given`
      : `the approval of ${tier} risk from the environment does not count, because policy.require-github-identity is on`;
  return [{ code: tier === "medium" ? "RISK_MEDIUM_NOT_APPROVED" : "RISK_HIGH_NOT_APPROVED", text }];
}

function judgeMode({ mode, environment, metadata }: AdmissionFacts): Refusal[] {
  const allowed = metadata?.autonomy_allowed ?? "both";
  const refusals: Refusal[] = [];
  if (mode === "full" && !environment.allowFullAutonomy) {
    refusals.push({ code: "MODE_FULL_NOT_ALLOWED", text: "full mode needs ORCH_ALLOW_FULL_AUTONOMY=1" });
  }
  if (allowed !== "both" && allowed !== mode) {
    refusals.push({ code: "AUTONOMY_NOT_ALLOWED", text: `the plan allows ${allowed} mode, the run asks for ${mode}` });
  }
  return refusals;
}

function judgeMarks(metadata: Plan["metadata"]): Refusal[] {
  const marks = [
    ...(metadata?.status === "blocked" || metadata?.status === "failed" ? [`Status is ${metadata.status}`] : []),
    ...(metadata?.security_approval === "pending" ? ["Security-Approval is pending"] : []),
  ];
  return marks.map((text) => ({ code: "PLAN_MARKED_BLOCKED", text }));
}
