import * as fc from "fast-check";
import {
  CONFIDENCES,
  FINDING_CATEGORIES,
  SEVERITIES,
  type AuditAssignment,
  type AuditFinding,
} from "../../src/domain/audit-report.ts";
import { mergeFindings, type LaneFindings, type MergedFinding } from "../../src/domain/merged-findings.ts";
import { CHECKS, type OrchestratorFinding } from "../../src/domain/orchestrator-findings.ts";

export const ASSIGNMENT: AuditAssignment = {
  lane: "left",
  item_id: "AC-1",
  attempt: 2,
  packet_sha256: "a".repeat(64),
  nonce: "n0nce",
};

export function auditFinding(over: Partial<AuditFinding> = {}): AuditFinding {
  return {
    id: "1",
    title: "No test for the empty list",
    severity: "medium",
    category: "test_gap",
    confidence: "medium",
    file_paths: ["src/list.ts"],
    evidence: ["src/list.ts:7 is never reached"],
    why_it_matters: "It throws.",
    recommended_action: "Add a test.",
    is_blocking: false,
    ...over,
  };
}

export function ownFinding(over: Partial<OrchestratorFinding> = {}): OrchestratorFinding {
  const { id: _id, confidence: _confidence, ...finding } = auditFinding({ title: "required command failed: npm test" });
  return {
    ...finding,
    check: "required_command",
    reason_code: "VERIFICATION_FAILED",
    severity: "high",
    is_blocking: true,
    ...over,
  };
}

/** One finding as it comes out of the merge: of the lanes `left` and `right`, or of the orchestrator. */
export function mergedFinding(by: "lanes" | "orchestrator", over: Partial<AuditFinding> = {}): MergedFinding {
  const { id: _id, confidence: _confidence, ...own } = auditFinding(over);
  const [merged] =
    by === "orchestrator"
      ? mergeFindings([], [ownFinding(own)])
      : mergeFindings(
          ["left", "right"].map((lane) => ({ lane, findings: [auditFinding(over)] })),
          [],
        );
  if (merged === undefined) throw new Error("a merge of something gives something");
  return merged;
}

export function bytesOf(value: unknown): Uint8Array {
  return new TextEncoder().encode(typeof value === "string" ? value : JSON.stringify(value));
}

/** Few values for each part, so that findings meet. */
const PARTS = {
  title: fc.constantFrom("No test", "no  TEST", "Wrong sign", "ｎｏ test"),
  severity: fc.constantFrom(...SEVERITIES),
  category: fc.constantFrom(...FINDING_CATEGORIES.slice(0, 2)),
  file_paths: fc.array(fc.constantFrom("a.ts", "./a.ts", "b/", "b", "c\u00e9", "ce\u0301"), { maxLength: 2 }),
  evidence: fc.array(fc.string({ maxLength: 3 }), { maxLength: 2 }),
  why_it_matters: fc.string({ maxLength: 3 }),
  recommended_action: fc.string({ maxLength: 3 }),
  is_blocking: fc.boolean(),
};

const anyAuditFinding: fc.Arbitrary<AuditFinding> = fc.record({
  id: fc.constantFrom("1", "2"),
  confidence: fc.constantFrom(...CONFIDENCES),
  ...PARTS,
});

const anyLane: fc.Arbitrary<LaneFindings> = fc.record({
  lane: fc.constantFrom("left", "right", "orchestrator"),
  findings: fc.array(anyAuditFinding, { maxLength: 4 }),
});

const anyOwnFinding: fc.Arbitrary<OrchestratorFinding> = fc.record({
  check: fc.constantFrom(...CHECKS),
  reason_code: fc.constantFrom("VERIFICATION_FAILED" as const, "SCOPE_VIOLATION" as const),
  ...PARTS,
});

/** What lanes and orchestrator found, with many duplicates. */
export const anyInputs = fc.record({
  lanes: fc.array(anyLane, { maxLength: 4 }),
  own: fc.array(anyOwnFinding, { maxLength: 3 }),
});
