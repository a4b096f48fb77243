import { z } from "zod";
import type { ReasonCode } from "./reason-codes.ts";
import { CI_SIGNALS, POLICY_SIGNALS, REVIEW_SIGNALS } from "./signals.ts";

export const gateSignalsSchema = z.strictObject({
  policy: z.enum(POLICY_SIGNALS),
  ci: z.enum(CI_SIGNALS),
  review: z.enum(REVIEW_SIGNALS),
});
/** What was said about the delivered head from outside. */
export type GateSignals = z.infer<typeof gateSignalsSchema>;

export const gateDetailsSchema = z.strictObject({ policy: z.string(), ci: z.string(), review: z.string() });
/** Why each gate is told what it is told, in words. */
export type GateDetails = z.infer<typeof gateDetailsSchema>;

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
 * well: `ownPolicyAllows`. `observed` says why, where the signals were read on GitHub.
 */
export function evaluateGates(
  signals: GateSignals,
  ownPolicyAllows: boolean,
  observed: GateDetails = GIVEN,
): GateDecision[] {
  const own = `the run's own policy decision is ${ownPolicyAllows ? "allow" : "deny"}`;
  const policyDetail = observed.policy === "" ? own : `${own}; ${observed.policy}`;
  return [
    decideGate("policy", signals.policy, signals.policy === "allow" && ownPolicyAllows, policyDetail),
    decideGate("ci", signals.ci, signals.ci === "success", observed.ci),
    decideGate("review", signals.review, signals.review === "approved", observed.review),
  ];
}

/** What is said of signals that were typed in. */
const GIVEN: GateDetails = { policy: "", ci: "expected success", review: "expected approved" };

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
