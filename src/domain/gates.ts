import { z } from "zod";
import type { ReasonCode } from "./reason-codes.ts";

/** The signals a gate reads, and their values (source document 001). Everything but one value blocks. */
export const POLICY_SIGNALS = ["allow", "deny", "unknown"] as const;
export const CI_SIGNALS = ["success", "pending", "failure", "missing"] as const;
export const REVIEW_SIGNALS = ["approved", "changes_requested", "missing"] as const;

export const gateSignalsSchema = z.strictObject({
  policy: z.enum(POLICY_SIGNALS),
  ci: z.enum(CI_SIGNALS),
  review: z.enum(REVIEW_SIGNALS),
});
/** What was said about the delivered head from outside. */
export type GateSignals = z.infer<typeof gateSignalsSchema>;

/** What holds when nobody said anything: every gate blocks. */
export const NO_SIGNALS: GateSignals = { policy: "unknown", ci: "missing", review: "missing" };

export const gateDecisionSchema = z.strictObject({
  gate: z.enum(["policy", "ci", "review"]),
  passed: z.boolean(),
  signal: z.string(),
  reason_code: z.enum(["GATE_POLICY_DENIED_OR_UNKNOWN", "GATE_CI_NOT_SUCCESS", "GATE_REVIEW_NOT_APPROVED"]).nullable(),
  detail: z.string(),
});
/** What one gate decided and why. */
export type GateDecision = z.infer<typeof gateDecisionSchema>;

/**
 * Evaluates the three gates, always all, in the order policy, ci, review; anything but the one passing value blocks
 * with the gate's code (source document 001, *Gate Rules*). The policy gate needs the run's own policy decision as
 * well: `ownPolicyAllows`.
 */
export function evaluateGates(signals: GateSignals, ownPolicyAllows: boolean): GateDecision[] {
  const policyDetail = ownPolicyAllows
    ? "the run's own policy decision is allow"
    : "the run's own policy decision is deny";
  return [
    decideGate("policy", signals.policy, signals.policy === "allow" && ownPolicyAllows, policyDetail),
    decideGate("ci", signals.ci, signals.ci === "success", "expected success"),
    decideGate("review", signals.review, signals.review === "approved", "expected approved"),
  ];
}

/** The codes of the gates that did not pass, in gate order; then BLOCK_SIMULATED when a block was asked for. */
export function blockedGateCodes(gates: {
  readonly decisions: readonly GateDecision[];
  readonly simulateBlocked: boolean;
}): ReasonCode[] {
  const codes = gates.decisions.flatMap(({ reason_code: code }): ReasonCode[] => (code === null ? [] : [code]));
  return gates.simulateBlocked ? [...codes, "BLOCK_SIMULATED"] : codes;
}

const CODES = {
  policy: "GATE_POLICY_DENIED_OR_UNKNOWN",
  ci: "GATE_CI_NOT_SUCCESS",
  review: "GATE_REVIEW_NOT_APPROVED",
} as const;

function decideGate(gate: keyof typeof CODES, signal: string, passed: boolean, detail: string): GateDecision {
  return { gate, passed, signal, reason_code: passed ? null : CODES[gate], detail };
}
