import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { SEVERITIES, type AuditFinding } from "../../src/domain/audit-report.ts";
import { mergeFindings } from "../../src/domain/merged-findings.ts";
import {
  applyTriage,
  DISPOSITIONS,
  findingDispositionSchema,
  parseTriageReport,
  refusedAnswerSchema,
  TRIAGE_LIMITS,
  triageFactsSchema,
  type AskedDisposition,
  type TriageFacts,
} from "../../src/domain/triage.ts";
import { anyInputs, bytesOf, mergedFinding } from "./audit-fixtures.ts";

const ASSIGNMENT = { item_id: "AC-1", attempt: 2, findings_sha256: "c".repeat(64), nonce: "n0nce" };
const REPORT = {
  schema_version: "conveyor.triage_report.v1",
  ...ASSIGNMENT,
  dispositions: [{ finding_id: "F-1", disposition: "duplicate", reason: "As F-2." }],
  notes: "Two in all.",
};
const parse = (value: unknown) => parseTriageReport(bytesOf(value), ASSIGNMENT);

describe("parseTriageReport", () => {
  it("reads a whole report about the given findings, without what cannot be seen", () => {
    expect(parse({ ...REPORT, model: "x", notes: "Two\u200b in all.\r\n" })).toEqual({
      kind: "read",
      dispositions: REPORT.dispositions,
      notes: "Two in all.",
    });
  });

  it.each<[string, Record<string, unknown>]>([
    ["item_id", { item_id: "AC-2" }],
    ["attempt", { attempt: 3 }],
    ["findings_sha256", { findings_sha256: "c".repeat(63) }],
    ["nonce", { nonce: "" }],
    ["schema_version", { schema_version: "conveyor.audit_report.v1" }],
    ["notes", { notes: undefined }],
    ["notes", { notes: "x".repeat(TRIAGE_LIMITS.textLength + 1) }],
    ["dispositions", { dispositions: undefined }],
    ["dispositions", { dispositions: Array(TRIAGE_LIMITS.dispositions + 1).fill(REPORT.dispositions[0]) }],
    ["dispositions.0.disposition", { dispositions: [{ finding_id: "F", disposition: "noted", reason: "x" }] }],
    ["dispositions.0.disposition", { dispositions: [{ finding_id: "F", disposition: "resolved", reason: "x" }] }],
    ["dispositions.0.reason", { dispositions: [{ finding_id: "F", disposition: "duplicate" }] }],
    ["dispositions.0", { dispositions: [{ finding_id: "F", disposition: "duplicate", reason: " \u200b" }] }],
    [
      "dispositions.0.finding_id",
      { dispositions: [{ finding_id: "F".repeat(TRIAGE_LIMITS.idLength + 1), disposition: "duplicate", reason: "x" }] },
    ],
  ])("rejects another %s: %j", (where, over) => {
    const facts = parse({ ...REPORT, ...over });
    expect(facts.kind === "rejected" ? facts.why : facts).toMatch(new RegExp(`^${where.replaceAll(".", "\\.")}: `));
  });

  it("rejects what is no report", () => {
    for (const bytes of [undefined, bytesOf(""), bytesOf("null"), bytesOf("{"), new Uint8Array([0xff])]) {
      const facts = parseTriageReport(bytes, ASSIGNMENT);
      expect(facts.kind).toBe("rejected");
      expect(triageFactsSchema.parse(facts)).toEqual(facts);
    }
  });
});

const read = (...answers: [string, AskedDisposition][]): TriageFacts => ({
  kind: "read",
  dispositions: answers.map(([finding_id, disposition]) => ({ finding_id, disposition, reason: "because" })),
  notes: "",
});

describe("applyTriage", () => {
  it("lets the rules decide alone when there is no program, or it failed, or it says nothing", () => {
    const expected = (is_blocking: boolean, severity: string) =>
      is_blocking || severity === "high" || severity === "critical" ? "actionable" : "noted";
    for (const facts of [undefined, { kind: "rejected", why: "broken" } as const, read()]) {
      for (const by of ["lanes", "orchestrator"] as const) {
        for (const severity of SEVERITIES) {
          for (const is_blocking of [true, false]) {
            const { dispositions, refused } = applyTriage([mergedFinding(by, { severity, is_blocking })], facts);
            expect(dispositions).toMatchObject([{ disposition: expected(is_blocking, severity), decided_by: "rules" }]);
            expect(refused).toEqual([]);
          }
        }
      }
    }
  });

  /** What a program may ask for, for every kind of finding, in the order of `DISPOSITIONS`. */
  it.each<["lanes" | "orchestrator", Partial<AuditFinding>, string]>([
    ["lanes", { is_blocking: false, severity: "low" }, "yes yes yes yes yes yes"],
    ["lanes", { is_blocking: false, severity: "critical" }, "yes yes yes yes yes yes"],
    ["lanes", { is_blocking: true, severity: "info" }, "yes no no no no yes"],
    ["lanes", { is_blocking: true, severity: "critical" }, "yes no no no no yes"],
    ["orchestrator", { is_blocking: true, severity: "high" }, "yes no no no no no"],
    ["orchestrator", { is_blocking: true, severity: "info" }, "yes no no no no no"],
    ["orchestrator", { is_blocking: false, severity: "high" }, "yes no no no no no"],
    ["orchestrator", { is_blocking: false, severity: "medium" }, "yes no no no no yes"],
  ])("of %s, %j, allows: %s", (by, over, allowed) => {
    const finding = mergedFinding(by, over);
    const answers = DISPOSITIONS.map((disposition) => {
      const { dispositions, refused } = applyTriage([finding], read([finding.id, disposition]));
      const [decided] = dispositions;
      const counts = decided?.decided_by === "triage";
      expect(counts ? decided.disposition : applyTriage([finding], undefined).dispositions[0]).toEqual(
        counts ? disposition : decided,
      );
      expect(refused).toEqual(
        counts ? [] : [{ finding_id: finding.id, asked: disposition, why: expect.stringMatching(/./) }],
      );
      return counts ? "yes" : "no";
    });
    expect(answers.join(" ")).toBe(allowed);
  });

  it("keeps the reason of an answer that counts", () => {
    const finding = mergedFinding("lanes");
    expect(applyTriage([finding], read([finding.id, "out_of_scope"])).dispositions).toEqual([
      { finding_id: finding.id, disposition: "out_of_scope", reason: "because", decided_by: "triage" },
    ]);
  });

  it("refuses answers about findings that are not there, shortened names among them", () => {
    const finding = mergedFinding("lanes");
    const short = finding.id.slice(0, 12);
    expect(applyTriage([finding], read([short, "false_positive"], ["__proto__", "duplicate"]))).toMatchObject({
      dispositions: [{ disposition: "noted", decided_by: "rules" }],
      refused: [
        { finding_id: short, asked: "false_positive", why: "no such finding" },
        { finding_id: "__proto__", asked: "duplicate", why: "no such finding" },
      ],
    });
  });

  it("refuses two answers about one finding, also when both are the same", () => {
    const finding = mergedFinding("lanes", { severity: "high" });
    const both = applyTriage([finding], read([finding.id, "duplicate"], [finding.id, "duplicate"]));
    expect(both.dispositions).toMatchObject([{ disposition: "actionable", decided_by: "rules" }]);
    expect(both.refused).toHaveLength(2);
  });

  it("gives every finding one disposition, and every answer counts or is refused", () => {
    const anyFacts = anyInputs.chain(({ lanes, own }) => {
      const findings = mergeFindings(lanes, own);
      return fc.record({
        findings: fc.constant(findings),
        answers: fc.array(
          fc.tuple(fc.constantFrom("unknown", ...findings.map(({ id }) => id)), fc.constantFrom(...DISPOSITIONS)),
        ),
      });
    });
    fc.assert(
      fc.property(anyFacts, ({ findings, answers }) => {
        const { dispositions, refused } = applyTriage(findings, read(...answers));
        expect(dispositions.map(({ finding_id }) => finding_id)).toEqual(findings.map(({ id }) => id));
        const counted = dispositions.filter(({ decided_by }) => decided_by === "triage");
        expect(counted.length + refused.length).toBe(answers.length);
        for (const disposition of dispositions) findingDispositionSchema.parse(disposition);
        for (const answer of refused) refusedAnswerSchema.parse(answer);
      }),
    );
  });
});
