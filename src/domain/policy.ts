import { buildCallCase } from "./approval-case.ts";
import { authorityOf, listGesturesOf, type ApprovalFact, type Authority, type Gesture } from "./approval-gesture.ts";
import type { ApprovalPolicy } from "./approval-policy.ts";
import { decideApproval, type ApprovalDecision } from "./approvals.ts";
import { decideConsent, type FoundConsent, type Refusal } from "./consent.ts";
import type { Plan, RiskTier } from "./plan.ts";
import type { ReasonCode } from "./reason-codes.ts";
import type { Risk } from "./risk.ts";
import type { Mode } from "./run-choices.ts";

/** What the run was started with, and what the trust ref's tip holds now. */
export interface PolicyFacts {
  /** What GitHub said besides; null where nobody asked it. */
  readonly observed: TrustObservation | null;
  /** True when the run was allowed before: then a base that is not contained has been left behind. */
  readonly allowedBefore: boolean;
  readonly planSha256: string;
  readonly policySha256: string;
  readonly tip: {
    /** Nothing when the plan is gone there or the tip cannot be read. */
    readonly planSha256: string | null;
    readonly policySha256: string | null;
    readonly baseContained: boolean;
  };
}

/** What GitHub said of the trusted branch besides its content. */
export interface TrustObservation {
  readonly consent: { readonly byPerson: boolean; readonly found: FoundConsent; readonly delivers: boolean };
  readonly paused: string | null;
  /** What could not be read. */
  readonly unknown: readonly string[];
  /** Day in UTC. */
  readonly today: string;
}

/** The run's own policy decision. */
export interface PolicyDecision {
  readonly decision: "allow" | "deny";
  readonly reasonCodes: readonly ReasonCode[];
}

/**
 * Decides whether the run may go on under the policy it was started with. Everything unknown denies. Reason codes:
 * BASE_MOVED, BASE_NOT_TRUSTED, PLAN_DIGEST_CHANGED, POLICY_DIGEST_CHANGED, PAUSED, CONSENT_NOT_ENABLED,
 * CONSENT_EXPIRED, CONSENT_NOT_CONTINUOUS, CONSENT_APPLY_NOT_ALLOWED. Risk, mode and approvals are judged by `decideAdmission`.
 */
export function decidePolicy(facts: PolicyFacts): PolicyDecision & { readonly refusals: readonly Refusal[] } {
  const { tip, observed } = facts;
  const because = observed === null || observed.unknown.length === 0 ? "" : ` (${observed.unknown.join("; ")})`;
  const base = observed === null || facts.allowedBefore ? "BASE_MOVED" : "BASE_NOT_TRUSTED";
  const differs = (code: ReasonCode, text: string): Refusal => ({ code, text: `${text}${because}` });
  const refusals: Refusal[] = [
    ...(tip.baseContained ? [] : [differs(base, "the trusted branch does not contain the run's base")]),
    ...(tip.planSha256 === facts.planSha256
      ? []
      : [differs("PLAN_DIGEST_CHANGED", `the plan there is ${tip.planSha256 ?? "unknown or gone"}`)]),
    ...(tip.policySha256 === facts.policySha256
      ? []
      : [differs("POLICY_DIGEST_CHANGED", `the policy there is ${tip.policySha256 ?? "unknown"}`)]),
    ...judgeObserved(observed),
  ];
  const reasonCodes = [...new Set(refusals.map(({ code }) => code))];
  return { decision: reasonCodes.length === 0 ? "allow" : "deny", reasonCodes, refusals };
}

/** Pause and consent. Where nobody asked GitHub, a person did. */
function judgeObserved(observed: TrustObservation | null): readonly Refusal[] {
  if (observed === null) return [];
  const { consent, paused, today } = observed;
  return [
    ...(paused === null ? [] : [{ code: "PAUSED" as const, text: paused }]),
    ...decideConsent(consent.found, {
      byPerson: consent.byPerson,
      today,
      iteration: 1,
      dryRun: false,
      delivers: consent.delivers,
    }),
  ];
}

/** What the environment of the orchestrator says about this run; only the value `1` says yes. */
export interface AdmissionEnvironment {
  readonly allowFullAutonomy: boolean;
  readonly approvals: readonly ApprovalFact[];
}

/** Reads ORCH_ALLOW_FULL_AUTONOMY, ORCH_APPROVED_MEDIUM and ORCH_APPROVED_HIGH (source document 000). */
export function parseAdmissionEnvironment(env: Readonly<Record<string, string | undefined>>): AdmissionEnvironment {
  const approvals = [
    ...(env["ORCH_APPROVED_MEDIUM"] === "1" ? (["medium"] as const) : []),
    ...(env["ORCH_APPROVED_HIGH"] === "1" ? (["high"] as const) : []),
  ];
  return {
    allowFullAutonomy: env["ORCH_ALLOW_FULL_AUTONOMY"] === "1",
    approvals: approvals.map((tier) => ({ authority: "environment", tier })),
  };
}

/** What decides whether a plan may be worked on at all. */
export interface AdmissionFacts {
  readonly mode: Mode;
  readonly risk: Pick<Risk, "tier">;
  readonly metadata: Plan["metadata"];
  readonly allowFullAutonomy: boolean;
  /** Approvals that were given, counted or not. */
  readonly approvals: readonly ApprovalFact[];
  readonly policy: ApprovalPolicy;
  /** What an approval on GitHub has to be of. */
  readonly planSha256: string;
  readonly policySha256: string;
  /** When it is decided, in milliseconds since 1970. */
  readonly now: number;
}

/** An approval of a tier that somebody gave, counted or not, for the record. */
export interface RiskApproval {
  readonly tier: RiskTier;
  readonly authority: Authority;
  /** Login of whoever approved; null when nobody vouches for a name. */
  readonly approver: string | null;
  readonly counts: boolean;
  /** Whether the approver took part in what they approved. */
  readonly selfApproved: boolean;
  /** The rules that refused it (docs/approvals.md). */
  readonly refusedBy: readonly string[];
}

export interface AdmissionDecision extends PolicyDecision {
  /** Why each code was given, in words. */
  readonly refusals: readonly Refusal[];
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
  const decided = decideApproval(
    buildCallCase({ ...facts, kind: "plan", risk: facts.risk.tier }),
    facts.approvals.flatMap((fact) => listGesturesOf(fact)),
  );
  const refused = listRefused(facts.approvals);
  const approvals = [...listApprovals(decided), ...refused.map(({ approval }) => approval)];
  const refusals = [
    ...judgeRisk(
      facts.risk.tier,
      decided,
      refused.map(({ text }) => text),
    ),
    ...judgeMode(facts),
    ...judgeMarks(facts.metadata),
  ];
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
  return {
    ...admitted,
    risk: admission.risk,
    decision: reasonCodes.length === 0 ? "allow" : "deny",
    reasonCodes,
    refusals: [...tip.refusals, ...admitted.refusals],
  };
}

/** Whether somebody whose word counts approved high risk; only then may an item change a protected path that it lists. */
export function isHighApproved({
  approvals,
  reasonCodes,
}: Pick<AdmissionDecision, "approvals" | "reasonCodes">): boolean {
  return (
    !reasonCodes.includes("RISK_HIGH_NOT_APPROVED") && approvals.some(({ tier, counts }) => tier === "high" && counts)
  );
}

function listApprovals({ judged }: ApprovalDecision): RiskApproval[] {
  return judged.flatMap(({ gesture, refusals }): RiskApproval[] => {
    const given = describe(gesture);
    if (given === undefined) return [];
    const refusedBy = refusals.map(({ rule }) => rule);
    return [{ ...given, authority: authorityOf(gesture), counts: refusedBy.length === 0, refusedBy }];
  });
}

/** What was meant to approve on GitHub and does not count: it is shown with the rules that refused it. */
function listRefused(facts: readonly ApprovalFact[]): { readonly approval: RiskApproval; readonly text: string }[] {
  return facts.flatMap((fact) => {
    if (fact.authority !== "github-refused") return [];
    const { tier, approver, refused_by: refusedBy, source, text } = fact;
    return [
      {
        approval: { tier, authority: "github" as const, approver, counts: false, selfApproved: false, refusedBy },
        text: `the ${source} by ${approver ?? "somebody unknown"}: ${text}`,
      },
    ];
  });
}

function describe(gesture: Gesture): Pick<RiskApproval, "tier" | "approver" | "selfApproved"> | undefined {
  if (gesture.kind === "environment") return { tier: gesture.tier, approver: null, selfApproved: false };
  if (gesture.kind !== "recorded") return undefined;
  const { risk: tier, approver_login: approver, self_approved: selfApproved } = gesture.record;
  return { tier, approver, selfApproved };
}

function judgeRisk(
  tier: RiskTier,
  { reasonCode, judged, refusals }: ApprovalDecision,
  refused: readonly string[],
): Refusal[] {
  if (reasonCode === null) return [];
  const ofTier = judged.filter(({ gesture }) => describe(gesture)?.tier === tier);
  const why = [...ofTier.flatMap(({ refusals: each }) => each.map(({ text }) => text)), ...refused];
  const text =
    ofTier.length === 0 && refused.length === 0
      ? `the risk is ${tier} and no approval of ${tier} risk was given`
      : `what approves ${tier} risk does not suffice: ${[...new Set([...why, ...refusals.map((each) => each.text)])].join("; ")}`;
  return [{ code: reasonCode, text }];
}

function judgeMode({ mode, allowFullAutonomy, metadata }: AdmissionFacts): Refusal[] {
  const allowed = metadata?.autonomy_allowed ?? "both";
  const refusals: Refusal[] = [];
  if (mode === "full" && !allowFullAutonomy) {
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
