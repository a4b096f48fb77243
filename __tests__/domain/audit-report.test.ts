import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import {
  AUDIT_LIMITS,
  auditFactsSchema,
  buildPacketManifest,
  packetManifestSchema,
  parseAuditReport,
  type AuditFacts,
} from "../../src/domain/audit-report.ts";
import { sha256 } from "../../src/domain/digest.ts";
import { REPORT_BYTES_MAX } from "../../src/domain/program-report.ts";
import { ASSIGNMENT, auditFinding, bytesOf } from "./audit-fixtures.ts";

const REPORT = {
  schema_version: "conveyor.audit_report.v1",
  ...ASSIGNMENT,
  verdict: "issues_found",
  summary: "One gap.",
  limitations: ["no network"],
  findings: [auditFinding()],
};
const READ: AuditFacts = {
  kind: "read",
  verdict: "issues_found",
  summary: "One gap.",
  limitations: ["no network"],
  findings: [auditFinding()],
};

const parse = (value: unknown) => parseAuditReport(bytesOf(value), ASSIGNMENT);
const whyRejected = (facts: AuditFacts) => (facts.kind === "rejected" ? facts.why : facts);

describe("parseAuditReport reads", () => {
  it("a whole report about the given facts", () => {
    expect(parse(REPORT)).toEqual(READ);
  });

  it("a report that says more than was asked, and drops it", () => {
    const findings = [{ ...auditFinding(), cwe: "CWE-1", ["__proto__"]: { is_blocking: true } }];
    expect(parse({ ...REPORT, findings, model: "x", approved: true })).toEqual(READ);
  });

  it("texts without what cannot be seen", () => {
    const findings = [
      auditFinding({
        id: "\u200b1\u2028",
        title: "  No\ttest\nfor the \u202eempty\u202c list\ud800 ",
        file_paths: ["src/\u200blist.ts", "\u200b"],
        evidence: ["a\r\n\tb\u0000\u001b[2Jc", "\u200b"],
      }),
    ];
    expect(parse({ ...REPORT, summary: "one\u2029two\r", limitations: ["\u0007"], findings })).toEqual({
      ...READ,
      summary: "one\ntwo",
      limitations: [],
      findings: [
        auditFinding({
          title: "No test for the empty list\ufffd",
          file_paths: ["src/list.ts"],
          evidence: ["a\n\tb[2Jc"],
        }),
      ],
    });
  });

  it("a report at every limit", () => {
    const atLimit = auditFinding({
      title: "x".repeat(AUDIT_LIMITS.lineLength),
      file_paths: Array<string>(AUDIT_LIMITS.pathsOfFinding).fill("a"),
      evidence: Array<string>(AUDIT_LIMITS.evidenceOfFinding).fill("a"),
      why_it_matters: "x".repeat(AUDIT_LIMITS.textLength),
    });
    const findings = [atLimit, ...Array<unknown>(AUDIT_LIMITS.findings - 1).fill(auditFinding())];
    expect(parse({ ...REPORT, findings })).toMatchObject({ kind: "read" });
    const text = JSON.stringify(REPORT);
    expect(parse(text + " ".repeat(REPORT_BYTES_MAX - text.length))).toEqual(READ);
  });
});

describe("parseAuditReport rejects", () => {
  it("an answer that was never written", () => {
    expect(parseAuditReport(undefined, ASSIGNMENT)).toEqual({ kind: "rejected", why: "expected a report, found none" });
  });

  it.each([
    ["nothing", ""],
    ["no JSON", "All fine!"],
    ["half of a report", JSON.stringify(REPORT).slice(0, -1)],
    ["two reports", JSON.stringify(REPORT).repeat(2)],
    ["brackets without end", "[".repeat(500_000)],
    ["a list", [REPORT]],
    ["null", null],
  ])("%s", (_what, value) => {
    expect(parse(value).kind).toBe("rejected");
  });

  it("bytes that are not UTF-8", () => {
    const bytes = bytesOf(REPORT).map((byte) => (byte === "O".charCodeAt(0) ? 0xff : byte));
    expect(parseAuditReport(bytes, ASSIGNMENT)).toMatchObject({ kind: "rejected" });
  });

  it("a report of one byte too many", () => {
    const text = JSON.stringify(REPORT);
    expect(whyRejected(parse(text + " ".repeat(REPORT_BYTES_MAX + 1 - text.length)))).toBe(
      "expected at most 1048576 bytes, found 1048577",
    );
  });

  it.each([
    ["lane", "right"],
    ["lane", "Left"],
    ["item_id", "AC-2"],
    ["attempt", 1],
    ["attempt", "2"],
    ["packet_sha256", "b".repeat(64)],
    ["packet_sha256", "A".repeat(64)],
    ["packet_sha256", "a".repeat(12)],
    ["nonce", "n0nce "],
    ["nonce", ""],
    ["schema_version", "conveyor.audit_report.v2"],
  ])("another %s: %j", (key, value) => {
    expect(whyRejected(parse({ ...REPORT, [key]: value }))).toMatch(new RegExp(`^${key}: `));
  });

  it("another nonce, without telling the right one", () => {
    expect(whyRejected(parse({ ...REPORT, nonce: "guess" }))).toBe(
      'nonce: expected the value that was given, found "guess"',
    );
  });

  it.each(Object.keys(REPORT))("a report without %s", (missing) => {
    const report = Object.fromEntries(Object.entries(REPORT).filter(([key]) => key !== missing));
    expect(whyRejected(parse(report))).toMatch(new RegExp(`^${missing}: `));
  });

  it.each(Object.keys(auditFinding()))("a finding without %s", (missing) => {
    const finding = Object.fromEntries(Object.entries(auditFinding()).filter(([key]) => key !== missing));
    expect(whyRejected(parse({ ...REPORT, findings: [auditFinding(), finding] }))).toMatch(
      new RegExp(`^findings\\.1\\.${missing}: `),
    );
  });

  it.each([
    ["severity", "urgent"],
    ["severity", "HIGH"],
    ["category", "style"],
    ["confidence", 1],
    ["is_blocking", "false"],
    ["is_blocking", null],
    ["file_paths", "src/list.ts"],
    ["file_paths", [""]],
    ["evidence", [1]],
    ["title", ""],
    ["title", "x".repeat(AUDIT_LIMITS.lineLength + 1)],
    ["why_it_matters", "x".repeat(AUDIT_LIMITS.textLength + 1)],
    ["file_paths", Array<string>(AUDIT_LIMITS.pathsOfFinding + 1).fill("a")],
    ["evidence", Array<string>(AUDIT_LIMITS.evidenceOfFinding + 1).fill("a")],
  ])("a finding whose %s is %.30j", (key, value) => {
    expect(whyRejected(parse({ ...REPORT, findings: [{ ...auditFinding(), [key]: value }] }))).toMatch(
      new RegExp(`^findings\\.0\\.${key}`),
    );
  });

  it("more findings than the limit, also when the last one alone blocks", () => {
    const findings = [
      ...Array<unknown>(AUDIT_LIMITS.findings).fill(auditFinding()),
      auditFinding({ is_blocking: true }),
    ];
    expect(parse({ ...REPORT, findings }).kind).toBe("rejected");
    expect(parse({ ...REPORT, limitations: Array<string>(AUDIT_LIMITS.limitations + 1).fill("") }).kind).toBe(
      "rejected",
    );
  });

  it.each(["id", "title"])("a finding whose %s nobody can see", (key) => {
    expect(whyRejected(parse({ ...REPORT, findings: [{ ...auditFinding(), [key]: "\u200b\u202e" }] }))).toBe(
      "findings.0: expected an id and a title to read",
    );
  });

  it("a verdict that is no word of ours", () => {
    expect(whyRejected(parse({ ...REPORT, verdict: "passed" }))).toMatch(/^verdict: /);
  });
});

it("whatever the bytes, the facts have the shape that an event stores, and are the same when parsed again", () => {
  const anyBytes = fc.oneof(
    fc.uint8Array({ maxLength: 50 }),
    fc.json().map(bytesOf),
    fc
      .record(
        { verdict: fc.string(), summary: fc.string(), limitations: fc.anything(), findings: fc.anything() },
        { requiredKeys: [] },
      )
      .map((over) => bytesOf({ ...REPORT, ...over })),
    fc
      .record({ summary: fc.string({ unit: "binary" }), title: fc.string({ unit: "binary" }) })
      .map(({ summary, title }) => bytesOf({ ...REPORT, summary, findings: [auditFinding({ title })] })),
  );
  fc.assert(
    fc.property(anyBytes, (bytes) => {
      const facts = parseAuditReport(bytes, ASSIGNMENT);
      expect(auditFactsSchema.parse(JSON.parse(JSON.stringify(facts)))).toEqual(facts);
      expect(facts.kind === "read" ? parse({ ...REPORT, ...facts }) : facts).toEqual(facts);
    }),
  );
});

describe("buildPacketManifest", () => {
  const files = ["candidate.patch", "evidence/a.txt", "item.json", "Plan.md"].map((path) => ({
    path,
    sha256: sha256(path),
    bytes: path.length,
  }));
  const manifest = buildPacketManifest(files);

  it("names every file with its digest, sorted, and is named by its own", () => {
    expect(packetManifestSchema.parse(JSON.parse(manifest.text)).files.map(({ path }) => path)).toEqual([
      "Plan.md",
      "candidate.patch",
      "evidence/a.txt",
      "item.json",
    ]);
    expect(manifest.sha256).toBe(sha256(manifest.text));
  });

  it("is the same for the same files in any order", () => {
    fc.assert(
      fc.property(fc.shuffledSubarray(files, { minLength: files.length }), (shuffled) => {
        expect(buildPacketManifest(shuffled)).toEqual(manifest);
      }),
    );
  });

  it.each(["path", "sha256", "bytes"] as const)("is another one when a %s differs", (key) => {
    const [first, ...others] = files;
    const changed = [{ path: "x", sha256: "0".repeat(64), bytes: 1, ...first, [key]: key === "bytes" ? 99 : "y" }];
    expect(buildPacketManifest([...changed, ...others]).sha256).not.toBe(manifest.sha256);
  });

  it("takes a packet without files, or with one path twice, for our bug", () => {
    expect(() => buildPacketManifest([])).toThrow("it is empty");
    expect(() => buildPacketManifest([...files, ...files.slice(2, 3)])).toThrow("item.json");
  });
});
