import { demandsFix } from "./audit-report.ts";
import type { MergedFinding } from "./merged-findings.ts";
import { REASON_CODE_NAMES, type ReasonCode } from "./reason-codes.ts";
import { decideByRules, whyForbidden, type FindingDisposition } from "./triage.ts";

/** What the decision after a round reads. */
export interface AfterTriageFacts {
  readonly findings: readonly MergedFinding[];
  readonly dispositions: readonly FindingDisposition[];
  /** The round that was judged, from 1: the first session is not a fix. */
  readonly round: number;
  readonly fixRounds: number;
  readonly remediationRounds: number;
  /** True when the plan asks for a manual gate on this item. */
  readonly hasManualGate: boolean;
}

/** What is next for an item whose findings are sorted. */
export type AfterTriage =
  | { readonly kind: "fix" }
  | { readonly kind: "remediate" }
  | { readonly kind: "escalate"; readonly reasonCodes: readonly ReasonCode[] }
  | { readonly kind: "blocked_external" }
  /** `own`: the gate that the plan asks for; `custom`: only because a finding needs a person's judgment. */
  | { readonly kind: "await_gate"; readonly gateType: "own" | "custom" }
  | { readonly kind: "pass" };

/**
 * Decides what is next after triage; the first that holds counts: something actionable, something that waits for the
 * outside, a person's decision, and only then pass. Reason codes of an escalation: FIX_BUDGET_EXHAUSTED, and what is
 * left open: AUDIT_BLOCKING_FINDING, VERIFICATION_FAILED and the codes of scope.
 */
export function decideAfterTriage(facts: AfterTriageFacts): AfterTriage {
  const given = Map.groupBy(facts.dispositions, (disposition) => disposition.finding_id);
  const decided = facts.findings.map((finding) => ({
    finding,
    disposition: effectiveDisposition(finding, given.get(finding.id) ?? []),
  }));
  const isThere = (disposition: FindingDisposition["disposition"]) =>
    decided.some((entry) => entry.disposition === disposition);

  if (isThere("actionable")) {
    if (facts.round <= facts.fixRounds) return { kind: "fix" };
    if (facts.round <= facts.fixRounds + facts.remediationRounds) return { kind: "remediate" };
    const open = decided.filter((entry) => entry.disposition === "actionable").map((entry) => entry.finding);
    return { kind: "escalate", reasonCodes: ["FIX_BUDGET_EXHAUSTED", ...codesOf(open)] };
  }
  if (isThere("blocked_external")) return { kind: "blocked_external" };
  if (facts.hasManualGate) return { kind: "await_gate", gateType: "own" };
  return isThere("requires_human_judgment") ? { kind: "await_gate", gateType: "custom" } : { kind: "pass" };
}

/**
 * A finding passes by on one disposition that it may have, whoever wrote the list: none, several, or a forbidden one is
 * decided by the rules.
 */
function effectiveDisposition(
  finding: MergedFinding,
  given: readonly FindingDisposition[],
): FindingDisposition["disposition"] {
  const only = given.length === 1 ? given[0]?.disposition : undefined;
  const isAllowed =
    only !== undefined && (only === "noted" ? !demandsFix(finding) : whyForbidden(finding, only) === undefined);
  return isAllowed ? only : decideByRules(finding).disposition;
}

/** Each code once, in the order of the tuple. */
function codesOf(findings: readonly MergedFinding[]): ReasonCode[] {
  const codes = new Set(
    findings.flatMap(({ sources }) =>
      sources.map((source): ReasonCode =>
        source.kind === "orchestrator" ? source.reason_code : "AUDIT_BLOCKING_FINDING",
      ),
    ),
  );
  return REASON_CODE_NAMES.filter((code) => codes.has(code));
}
