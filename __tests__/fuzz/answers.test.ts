import * as fc from "fast-check";
import { expect, test } from "vitest";
import { parseAuditReport } from "../../src/domain/audit-report.ts";
import { decideLaneOutcome } from "../../src/domain/audit-outcome.ts";
import { decideExecutorOutcome, parsePayload } from "../../src/domain/executor-outcome.ts";
import { parseTriageReport } from "../../src/domain/triage.ts";
import { expectUnpolluted, withinTime } from "../support/measured.ts";
import { FUZZ, hostileFiles, mutated } from "../support/mutations.ts";

const ASSIGNMENT = {
  lane: "careful",
  item_id: "01",
  attempt: 2,
  packet_sha256: "a".repeat(64),
  nonce: "0123456789abcdef0123456789abcdef",
};
const FINDING = {
  id: "1",
  title: "Something is missing",
  severity: "high",
  category: "correctness",
  confidence: "high",
  file_paths: ["out/01.txt"],
  evidence: ["line 1"],
  why_it_matters: "It does not do what it says.",
  recommended_action: "Add what is missing.",
  is_blocking: true,
};
const AUDIT = {
  schema_version: "conveyor.audit_report.v1",
  ...ASSIGNMENT,
  verdict: "pass",
  summary: "Looked at it.",
  limitations: ["none of the tests"],
};
const TRIAGE = {
  schema_version: "conveyor.triage_report.v1",
  item_id: "01",
  attempt: 2,
  findings_sha256: "b".repeat(64),
  nonce: ASSIGNMENT.nonce,
  dispositions: [{ finding_id: "x", disposition: "false_positive", reason: "because" }],
  notes: "",
};
const PAYLOAD = { status: "completed", summary: "did it", contextRemaining: 5, reason: "" };

const texts = (values: readonly unknown[]): string[] =>
  values.flatMap((value) => [JSON.stringify(value), JSON.stringify(value, undefined, 2)]);

/** What a reader that knows nothing of ours makes of the bytes. */
function readPlainly(bytes: Uint8Array): Record<string, unknown> {
  try {
    const value: unknown = JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(bytes));
    return typeof value === "object" && value !== null ? (value as Record<string, unknown>) : {};
  } catch {
    return {};
  }
}

test("an auditor's answer with any faults is rejected with a reason, or says what its bytes say", () => {
  const seeds = texts([
    { ...AUDIT, findings: [] },
    { ...AUDIT, verdict: "issues_found", findings: [FINDING] },
  ]);
  let rejected = 0;
  fc.assert(
    fc.property(mutated(seeds), (bytes) => {
      const facts = withinTime(() => parseAuditReport(bytes, ASSIGNMENT));
      expectUnpolluted();
      if (facts.kind === "rejected") {
        rejected += 1;
        expect(facts.why).not.toBe("");
        expect(facts.why).not.toContain(ASSIGNMENT.nonce);
        return;
      }
      expect(readPlainly(bytes)).toMatchObject({ ...ASSIGNMENT, verdict: facts.verdict });
      expect(facts.findings).toHaveLength((readPlainly(bytes)["findings"] as unknown[]).length);
      const outcome = decideLaneOutcome({ ending: { kind: "exited", exit_code: 0 }, facts });
      if (facts.findings.some((finding) => finding.is_blocking)) expect(outcome).not.toMatchObject({ kind: "pass" });
    }),
    FUZZ,
  );
  expect(rejected).toBeGreaterThan(FUZZ.numRuns / 4);
  expect(rejected).toBeLessThan(FUZZ.numRuns);
});

test("a triage program's answer with any faults is rejected with a reason, or is about these findings", () => {
  const expected = { item_id: "01", attempt: 2, findings_sha256: TRIAGE.findings_sha256, nonce: ASSIGNMENT.nonce };
  let rejected = 0;
  fc.assert(
    fc.property(mutated(texts([TRIAGE])), (bytes) => {
      const facts = withinTime(() => parseTriageReport(bytes, expected));
      expectUnpolluted();
      if (facts.kind === "rejected") {
        rejected += 1;
        expect(facts.why).not.toBe("");
        expect(facts.why).not.toContain(ASSIGNMENT.nonce);
      } else expect(readPlainly(bytes)).toMatchObject(expected);
    }),
    FUZZ,
  );
  expect(rejected).toBeGreaterThan(FUZZ.numRuns / 4);
  expect(rejected).toBeLessThan(FUZZ.numRuns);
});

test("an executor's payload with any faults fails the session or says what its bytes say", () => {
  const ending = { kind: "exited", exit_code: 0 } as const;
  let malformed = 0;
  fc.assert(
    fc.property(mutated(texts([PAYLOAD, { ...PAYLOAD, status: "failed" }])), (bytes) => {
      const payload = withinTime(() => parsePayload(bytes));
      expectUnpolluted();
      const outcome = decideExecutorOutcome({
        ending,
        payload,
        missingArtifacts: [],
        malformedArtifacts: [],
        contextRemainingFloor: 1,
        agentFailure: null,
      });
      if (payload.kind === "read") {
        expect(readPlainly(bytes)["status"] ?? null).toBe(payload.status);
        return;
      }
      malformed += 1;
      expect(outcome).toEqual({ kind: "failed", reasonCode: "RESULT_MALFORMED" });
    }),
    FUZZ,
  );
  expect(malformed).toBeGreaterThan(FUZZ.numRuns / 4);
  expect(malformed).toBeLessThan(FUZZ.numRuns);
});

test.each(Object.entries(hostileFiles(JSON.stringify({ ...AUDIT, findings: [] }), '"x",')))(
  "readers of answers take %s for what its bytes say, and never for more",
  (_name, bytes) => {
    const plain = readPlainly(bytes);
    const says = Object.entries(ASSIGNMENT).every(([key, value]) => plain[key] === value);
    expect(withinTime(() => parseAuditReport(bytes, ASSIGNMENT)).kind).toBe(says ? "read" : "rejected");
    expect(withinTime(() => parseTriageReport(bytes, { ...ASSIGNMENT, findings_sha256: "b" })).kind).toBe("rejected");
    const payload = withinTime(() => parsePayload(bytes));
    expect(payload.kind).toBe(Object.keys(plain).length > 0 ? "read" : "malformed");
    if (payload.kind === "read") expect(payload.status).toBeNull();
  },
);
