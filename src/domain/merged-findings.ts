import { z } from "zod";
import { auditFindingSchema, CONFIDENCES, SEVERITIES, type AuditFinding } from "./audit-report.ts";
import { canonicalJson, digestOf } from "./digest.ts";
import { CHECKS, type OrchestratorFinding } from "./orchestrator-findings.ts";
import { normalizePath } from "./paths.ts";
import { REASON_CODE_NAMES } from "./reason-codes.ts";

export const findingSourceSchema = z.discriminatedUnion("kind", [
  z.strictObject({ kind: z.literal("lane"), lane: z.string(), finding_id: z.string() }),
  z.strictObject({
    kind: z.literal("orchestrator"),
    check: z.enum(CHECKS),
    reason_code: z.enum(REASON_CODE_NAMES),
  }),
]);
/** Who found it. Tagged, so that a lane of whatever name is never taken for the orchestrator. */
export type FindingSource = z.infer<typeof findingSourceSchema>;

/** A finding's shape without the limits of a report: what several lanes and the orchestrator saw adds up. */
export const mergedFindingSchema = z
  .strictObject({
    /** `F-` and the SHA-256 of what makes the finding this one. */
    id: z.string().regex(/^F-[0-9a-f]{64}$/),
    title: z.string(),
    severity: auditFindingSchema.shape.severity,
    category: auditFindingSchema.shape.category,
    confidence: auditFindingSchema.shape.confidence,
    file_paths: z.array(z.string()),
    evidence: z.array(z.string()),
    why_it_matters: z.string(),
    recommended_action: z.string(),
    is_blocking: z.boolean(),
    /** Without repetition, in canonical order. */
    sources: z.array(findingSourceSchema).min(1),
  })
  .meta({ id: "merged_finding" });
/** One thing that is wrong with a candidate, whoever and however many found it. */
export type MergedFinding = z.infer<typeof mergedFindingSchema>;

export const mergedFindingsSchema = z.strictObject({
  schema_version: z.literal("conveyor.merged_findings.v1"),
  findings: z.array(mergedFindingSchema),
});

/** What one lane found. */
export interface LaneFindings {
  readonly lane: string;
  readonly findings: readonly AuditFinding[];
}

/**
 * Merges what the lanes and the orchestrator itself found into one list, ordered by severity, then id. Findings of
 * lanes are one when category, paths and title agree (paths normalized, titles without regard to case, white space and
 * Unicode form). A finding of the orchestrator is never one with a finding of a lane, so that no auditor can reword it.
 * Same inputs in any order, however often, give the same list.
 */
export function mergeFindings(
  lanes: readonly LaneFindings[],
  own: readonly OrchestratorFinding[],
): readonly MergedFinding[] {
  return uniteFindings([
    ...own.map(fromOrchestrator),
    ...lanes.flatMap(({ lane, findings }) => findings.map((finding) => fromLane(lane, finding))),
  ]);
}

/** Unites findings of the same id, and orders what is left. Uniting a united list changes nothing. */
export function uniteFindings(findings: readonly MergedFinding[]): readonly MergedFinding[] {
  const united = new Map<string, MergedFinding>();
  for (const finding of findings) {
    const known = united.get(finding.id);
    united.set(finding.id, known === undefined ? unite(finding, finding) : unite(known, finding));
  }
  return [...united.values()].sort(
    (left, right) =>
      SEVERITIES.indexOf(left.severity) - SEVERITIES.indexOf(right.severity) || compare(left.id, right.id),
  );
}

/** Renders the list as the bytes of its file: one line of canonical JSON. Its digest is what a triage must repeat. */
export function renderMergedFindings(findings: readonly MergedFinding[]): string {
  return `${canonicalJson({ schema_version: "conveyor.merged_findings.v1", findings: [...findings] })}\n`;
}

/** True when the orchestrator saw it itself, whoever else did. */
export function isOwnFinding(finding: Pick<MergedFinding, "sources">): boolean {
  return finding.sources.some((source) => source.kind === "orchestrator");
}

function fromLane(lane: string, finding: AuditFinding): MergedFinding {
  const file_paths = sortUnique(finding.file_paths.map((path) => normalizePath(path.normalize("NFC"))));
  const title = finding.title.normalize("NFKC").toLowerCase().replaceAll(/\s+/g, " ").trim();
  return {
    id: `F-${digestOf({ found_by: "lane", category: finding.category, file_paths, title })}`,
    title: finding.title,
    severity: finding.severity,
    category: finding.category,
    confidence: finding.confidence,
    file_paths,
    evidence: finding.evidence,
    why_it_matters: finding.why_it_matters,
    recommended_action: finding.recommended_action,
    is_blocking: finding.is_blocking,
    sources: [{ kind: "lane", lane, finding_id: finding.id }],
  };
}

/** No check is called `lane`, so no auditor's finding has this id. Its title is taken letter by letter: two commands may differ in case alone. */
function fromOrchestrator({ check, reason_code, ...finding }: OrchestratorFinding): MergedFinding {
  const { category, title } = finding;
  const file_paths = sortUnique(finding.file_paths);
  return {
    id: `F-${digestOf({ found_by: check, category, file_paths, title })}`,
    ...finding,
    confidence: "high",
    file_paths,
    evidence: [...finding.evidence],
    sources: [{ kind: "orchestrator", check, reason_code }],
  };
}

/** Each part is united by a rule for which neither order nor repetition matters; that is why merging has none. */
function unite(left: MergedFinding, right: MergedFinding): MergedFinding {
  return {
    id: left.id,
    title: fuller(left.title, right.title),
    severity: firstOf(SEVERITIES, left.severity, right.severity),
    category: left.category,
    confidence: firstOf(CONFIDENCES, left.confidence, right.confidence),
    file_paths: sortUnique([...left.file_paths, ...right.file_paths]),
    evidence: sortUnique([...left.evidence, ...right.evidence]),
    why_it_matters: fuller(left.why_it_matters, right.why_it_matters),
    recommended_action: fuller(left.recommended_action, right.recommended_action),
    is_blocking: left.is_blocking || right.is_blocking,
    sources: uniteSources([...left.sources, ...right.sources]),
  };
}

function uniteSources(sources: readonly FindingSource[]): FindingSource[] {
  const byText = new Map(sources.map((source) => [canonicalJson(source), source]));
  return [...byText].sort(([left], [right]) => compare(left, right)).map(([, source]) => source);
}

/** The longer text, because it is likelier to say everything; of two as long the first by code units. */
function fuller(left: string, right: string): string {
  if (left.length !== right.length) return left.length > right.length ? left : right;
  return left < right ? left : right;
}

function firstOf<T>(order: readonly T[], left: T, right: T): T {
  return order.indexOf(left) <= order.indexOf(right) ? left : right;
}

function sortUnique(texts: readonly string[]): string[] {
  return [...new Set(texts)].sort(compare);
}

/** By code units, which is the same on every machine; a locale is not. */
function compare(left: string, right: string): number {
  return left < right ? -1 : left > right ? 1 : 0;
}
