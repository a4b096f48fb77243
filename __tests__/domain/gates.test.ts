import { describe, expect, it } from "vitest";
import { blockedGateCodes, evaluateGates } from "../../src/domain/gates.ts";
import { NO_SIGNALS } from "../../src/domain/signals.ts";
import { CI_SIGNALS, POLICY_SIGNALS, REVIEW_SIGNALS } from "../../src/domain/signals.ts";
import { decideTerminalState, exitCodeFor } from "../../src/domain/run-stop.ts";
import { decidePolicy } from "../../src/domain/policy.ts";

const ROWS = [true, false].flatMap((own) =>
  POLICY_SIGNALS.flatMap((policy) =>
    CI_SIGNALS.flatMap((ci) => REVIEW_SIGNALS.map((review) => ({ own, policy, ci, review }))),
  ),
);

describe("evaluateGates", () => {
  it("there are 36 combinations, each with the run's own policy", () => {
    expect(ROWS).toHaveLength(72);
  });

  it.each(ROWS)("own policy $own, policy $policy, ci $ci, review $review", ({ own, policy, ci, review }) => {
    const codes = [
      ...(own && policy === "allow" ? [] : ["GATE_POLICY_DENIED_OR_UNKNOWN"]),
      ...(ci === "success" ? [] : ["GATE_CI_NOT_SUCCESS"]),
      ...(review === "approved" ? [] : ["GATE_REVIEW_NOT_APPROVED"]),
    ];
    const decisions = evaluateGates({ policy, ci, review }, own);
    expect(decisions.map((decision) => decision.gate)).toEqual(["policy", "ci", "review"]);
    expect(decisions.map((decision) => decision.signal)).toEqual([policy, ci, review]);
    expect(blockedGateCodes({ decisions, simulateBlocked: false })).toEqual(codes);
    // A simulated block stands after all of them, and blocks alone.
    expect(blockedGateCodes({ decisions, simulateBlocked: true })).toEqual([...codes, "BLOCK_SIMULATED"]);
    for (const decision of decisions) expect(decision.passed).toBe(decision.reason_code === null);
  });

  it("passes all three in exactly one of them", () => {
    const passing = ROWS.filter(({ own, ...signals }) => evaluateGates(signals, own).every((gate) => gate.passed));
    expect(passing).toEqual([{ own: true, policy: "allow", ci: "success", review: "approved" }]);
  });

  // What a caller can say: each option with one of its values, or left out: 4 × 5 × 4 = 80.
  const SAID = [undefined, ...POLICY_SIGNALS].flatMap((policy) =>
    [undefined, ...CI_SIGNALS].flatMap((ci) =>
      [undefined, ...REVIEW_SIGNALS].map((review) => ({ policy, ci, review })),
    ),
  );

  it("there are 80 ways to give the three options or to leave them out", () => {
    expect(new Set(SAID.map((said) => JSON.stringify([said.policy, said.ci, said.review]))).size).toBe(80);
  });

  it.each(SAID)("said of policy $policy, of ci $ci, of review $review: exact codes and exit", (said) => {
    const codes = [
      ...(said.policy === "allow" ? [] : ["GATE_POLICY_DENIED_OR_UNKNOWN"]),
      ...(said.ci === "success" ? [] : ["GATE_CI_NOT_SUCCESS"]),
      ...(said.review === "approved" ? [] : ["GATE_REVIEW_NOT_APPROVED"]),
    ];
    const given = Object.fromEntries(Object.entries(said).filter(([, value]) => value !== undefined));
    const blocked = blockedGateCodes({
      decisions: evaluateGates({ ...NO_SIGNALS, ...given }, true),
      simulateBlocked: false,
    });
    expect(blocked).toEqual(codes);
    const terminalState = decideTerminalState({
      itemStates: ["passed"],
      stageFailed: false,
      timedOut: false,
      refused: blocked.length > 0,
    });
    expect({ terminalState, exit: exitCodeFor({ kind: "terminal", terminalState, signal: null }) }).toEqual(
      codes.length === 0 ? { terminalState: "done", exit: 0 } : { terminalState: "blocked", exit: 3 },
    );
  });

  it("passes none when nobody said anything", () => {
    expect(evaluateGates(NO_SIGNALS, true).map((gate) => gate.passed)).toEqual([false, false, false]);
  });

  it("says whether it was the run's own policy that denied", () => {
    const [allowed] = evaluateGates({ ...NO_SIGNALS, policy: "allow" }, true);
    const [denied] = evaluateGates({ ...NO_SIGNALS, policy: "allow" }, false);
    expect([allowed?.detail, denied?.detail]).toEqual([
      "the run's own policy decision is allow",
      "the run's own policy decision is deny",
    ]);
  });
});

describe("decidePolicy", () => {
  const digests = ["same", "other", null] as const;
  const rows = digests.flatMap((plan) =>
    digests.flatMap((policy) => [true, false].map((baseContained) => ({ plan, policy, baseContained }))),
  );
  it.each(rows)("plan $plan, policy $policy, base contained $baseContained", ({ plan, policy, baseContained }) => {
    const codes = [
      ...(baseContained ? [] : ["BASE_MOVED"]),
      ...(plan === "same" ? [] : ["PLAN_DIGEST_CHANGED"]),
      ...(policy === "same" ? [] : ["POLICY_DIGEST_CHANGED"]),
    ];
    expect(
      decidePolicy({
        observed: null,
        allowedBefore: false,
        planSha256: "same",
        policySha256: "same",
        tip: { planSha256: plan, policySha256: policy, baseContained },
      }),
    ).toMatchObject({ decision: codes.length === 0 ? "allow" : "deny", reasonCodes: codes });
  });
});
