import { z } from "zod";
import { canonicalJson, sha256 } from "./digest.ts";
import { parseProgramReport } from "./program-report.ts";
import { cleanLine, cleanText } from "./visible-text.ts";

/** From worst to least; findings are ordered by it. */
export const SEVERITIES = ["critical", "high", "medium", "low", "info"] as const;

export const FINDING_CATEGORIES = [
  "correctness",
  "security",
  "test_gap",
  "scope",
  "documentation",
  "artifact",
  "process",
  "manual_gate",
  "external_dependency",
  "other",
] as const;

/** From surest to least sure. */
export const CONFIDENCES = ["high", "medium", "low"] as const;

export const AUDIT_VERDICTS = ["pass", "issues_found", "blocked", "inconclusive"] as const;

/** What a report may hold. One that is larger is not cut but refused: what was cut off might be what blocks. */
export const AUDIT_LIMITS = {
  findings: 200,
  limitations: 50,
  pathsOfFinding: 100,
  evidenceOfFinding: 50,
  lineLength: 512,
  textLength: 8000,
} as const;

const line = z.string().min(1).max(AUDIT_LIMITS.lineLength);
const text = z.string().max(AUDIT_LIMITS.textLength);

export const auditFindingSchema = z
  .object({
    /** The auditor's own name for it. */
    id: line,
    title: line,
    severity: z.enum(SEVERITIES),
    category: z.enum(FINDING_CATEGORIES),
    confidence: z.enum(CONFIDENCES),
    /** Relative to the root of the repository. */
    file_paths: z.array(line).max(AUDIT_LIMITS.pathsOfFinding),
    evidence: z.array(text).max(AUDIT_LIMITS.evidenceOfFinding),
    why_it_matters: text,
    recommended_action: text,
    is_blocking: z.boolean(),
  })
  .meta({ id: "audit_finding" });
/** One thing that an auditor found wrong with a candidate. */
export type AuditFinding = z.infer<typeof auditFindingSchema>;

/** What an auditor writes to `ORCH_RESULT_PATH`. */
export const auditReportSchema = z.object({
  schema_version: z.literal("conveyor.audit_report.v1"),
  /** The five values that follow repeat what the auditor was given: the report is about these facts and no others. */
  lane: z.string(),
  item_id: z.string(),
  attempt: z.int().positive(),
  packet_sha256: z.string(),
  nonce: z.string(),
  verdict: z.enum(AUDIT_VERDICTS),
  summary: text,
  /** What the auditor could not look at. */
  limitations: z.array(text).max(AUDIT_LIMITS.limitations),
  findings: z.array(auditFindingSchema).max(AUDIT_LIMITS.findings),
});

export const auditFactsSchema = z.discriminatedUnion("kind", [
  z.strictObject({
    kind: z.literal("read"),
    verdict: z.enum(AUDIT_VERDICTS),
    summary: z.string(),
    limitations: z.array(z.string()),
    findings: z.array(auditFindingSchema.strict()),
  }),
  z.strictObject({ kind: z.literal("rejected"), why: z.string() }),
]);
/** What an event keeps of one lane's answer. What it means is decided by `decideLaneOutcome`. */
export type AuditFacts = z.infer<typeof auditFactsSchema>;

/** What a report must repeat exactly. */
export interface AuditAssignment {
  readonly lane: string;
  readonly item_id: string;
  readonly attempt: number;
  readonly packet_sha256: string;
  readonly nonce: string;
}

/**
 * Parses the report of one lane; `undefined` bytes mean that it wrote none. Texts come out without characters that
 * cannot be seen. Anything but a whole report about exactly the given facts is rejected, never repaired.
 */
export function parseAuditReport(bytes: Uint8Array | undefined, expected: AuditAssignment): AuditFacts {
  const { lane, item_id, attempt, packet_sha256, nonce } = expected;
  const parsed = parseProgramReport(bytes, auditReportSchema, { lane, item_id, attempt, packet_sha256, nonce });
  if (!parsed.ok) return { kind: "rejected", why: parsed.error };
  const { verdict, summary, limitations } = parsed.value;
  const findings = parsed.value.findings.map(cleanFinding);
  const nameless = findings.findIndex((finding) => finding.title === "" || finding.id === "");
  if (nameless !== -1) return { kind: "rejected", why: `findings.${nameless}: expected an id and a title to read` };
  return {
    kind: "read",
    verdict,
    summary: cleanText(summary),
    limitations: limitations.map(cleanText).filter((limitation) => limitation !== ""),
    findings,
  };
}

function cleanFinding(finding: AuditFinding): AuditFinding {
  return {
    ...finding,
    id: cleanLine(finding.id),
    title: cleanLine(finding.title),
    file_paths: finding.file_paths.map(cleanLine).filter((path) => path !== ""),
    evidence: finding.evidence.map(cleanText).filter((evidence) => evidence !== ""),
    why_it_matters: cleanText(finding.why_it_matters),
    recommended_action: cleanText(finding.recommended_action),
  };
}

/** True for a finding that means a fix when nothing else is known of it: blocking, or of high or critical severity. */
export function demandsFix(finding: Pick<AuditFinding, "is_blocking" | "severity">): boolean {
  return finding.is_blocking || finding.severity === "critical" || finding.severity === "high";
}

export const packetManifestSchema = z.strictObject({
  schema_version: z.literal("conveyor.audit_packet.v1"),
  /** Sorted by path. */
  files: z.array(z.strictObject({ path: z.string(), sha256: z.string(), bytes: z.int().nonnegative() })).min(1),
});
type PacketManifest = z.infer<typeof packetManifestSchema>;
/** One file of an audit packet; the event that froze the packet names it in the same shape. */
export type PacketFile = PacketManifest["files"][number];

/**
 * Builds the manifest of a frozen packet: the same files in any order give the same bytes. Its digest is the packet's
 * name, which every auditor has to repeat.
 */
export function buildPacketManifest(files: readonly PacketFile[]): { readonly text: string; readonly sha256: string } {
  const sorted = files
    .map(({ path, sha256, bytes }) => ({ path, sha256, bytes }))
    .sort((left, right) => (left.path < right.path ? -1 : left.path > right.path ? 1 : 0));
  const twice = sorted.find((file, index) => file.path === sorted[index + 1]?.path);
  if (sorted.length === 0 || twice !== undefined) {
    throw new Error(`a packet holds every file once, and at least one: ${twice?.path ?? "it is empty"}`);
  }
  const manifest: PacketManifest = { schema_version: "conveyor.audit_packet.v1", files: sorted };
  const text = `${canonicalJson(manifest)}\n`;
  return { text, sha256: sha256(text) };
}
