import { z } from "zod";
import { demandsFix } from "./audit-report.ts";
import { isOwnFinding, type MergedFinding } from "./merged-findings.ts";
import { parseProgramReport } from "./program-report.ts";
import { assertNever } from "./result.ts";
import { cleanText } from "./visible-text.ts";

/** What a triage program may ask for. */
export const DISPOSITIONS = [
  "actionable",
  "false_positive",
  "duplicate",
  "out_of_scope",
  "blocked_external",
  "requires_human_judgment",
] as const;
export type AskedDisposition = (typeof DISPOSITIONS)[number];

/** What a triage report may hold. One that is larger is refused, and the rules decide. */
export const TRIAGE_LIMITS = { dispositions: 2000, idLength: 100, textLength: 8000 } as const;

const text = z.string().max(TRIAGE_LIMITS.textLength);
const asked = z.object({
  finding_id: z.string().max(TRIAGE_LIMITS.idLength),
  disposition: z.enum(DISPOSITIONS),
  reason: text.min(1),
});

/** What a triage program writes to `ORCH_RESULT_PATH`. */
export const triageReportSchema = z.object({
  schema_version: z.literal("conveyor.triage_report.v1"),
  /** The four values that follow repeat what the program was given. */
  item_id: z.string(),
  attempt: z.int().positive(),
  /** SHA-256 of the bytes at `ORCH_FINDINGS_PATH`. */
  findings_sha256: z.string(),
  nonce: z.string(),
  dispositions: z.array(asked).max(TRIAGE_LIMITS.dispositions),
  notes: text,
});

export const triageFactsSchema = z.discriminatedUnion("kind", [
  z.strictObject({ kind: z.literal("read"), dispositions: z.array(asked.strict()), notes: z.string() }),
  z.strictObject({ kind: z.literal("rejected"), why: z.string() }),
]);
/** What an event keeps of a triage program's answer. What of it counts is decided by `applyTriage`. */
export type TriageFacts = z.infer<typeof triageFactsSchema>;

/** What a triage report must repeat exactly. */
export interface TriageAssignment {
  readonly item_id: string;
  readonly attempt: number;
  readonly findings_sha256: string;
  readonly nonce: string;
}

/** Parses the report of a triage program; `undefined` bytes mean that it wrote none. */
export function parseTriageReport(bytes: Uint8Array | undefined, expected: TriageAssignment): TriageFacts {
  const { item_id, attempt, findings_sha256, nonce } = expected;
  const parsed = parseProgramReport(bytes, triageReportSchema, { item_id, attempt, findings_sha256, nonce });
  if (!parsed.ok) return { kind: "rejected", why: parsed.error };
  const dispositions = parsed.value.dispositions.map((answer) => ({ ...answer, reason: cleanText(answer.reason) }));
  const unreasoned = dispositions.findIndex((answer) => answer.reason === "");
  if (unreasoned !== -1) return { kind: "rejected", why: `dispositions.${unreasoned}: expected a reason to read` };
  return { kind: "read", dispositions, notes: cleanText(parsed.value.notes) };
}

export const findingDispositionSchema = z.strictObject({
  finding_id: z.string(),
  /** `noted` is for the rules alone: shown to people, and nothing waits for it. */
  disposition: z.enum([...DISPOSITIONS, "noted"]),
  reason: z.string(),
  decided_by: z.enum(["rules", "triage"]),
});
/** What happens with one finding, and who said so. */
export type FindingDisposition = z.infer<typeof findingDispositionSchema>;

export const refusedAnswerSchema = z.strictObject({
  finding_id: z.string(),
  asked: z.enum(DISPOSITIONS),
  why: z.string(),
});
/** An answer of a triage program that does not count. */
export type RefusedAnswer = z.infer<typeof refusedAnswerSchema>;

/**
 * Decides what happens with each finding: as the triage program asked where it may, by the rules everywhere else. A
 * program that failed (nothing, or rejected) is as good as none. Dispositions come in the order of the findings.
 */
export function applyTriage(
  findings: readonly MergedFinding[],
  facts: TriageFacts | undefined,
): { readonly dispositions: readonly FindingDisposition[]; readonly refused: readonly RefusedAnswer[] } {
  const answers = facts?.kind === "read" ? facts.dispositions : [];
  const answersTo = Map.groupBy(answers, (answer) => answer.finding_id);
  const findingOf = new Map(findings.map((finding) => [finding.id, finding]));

  const whyRefused = (id: string, disposition: AskedDisposition): string | undefined => {
    const finding = findingOf.get(id);
    if (finding === undefined) return "no such finding";
    if ((answersTo.get(id)?.length ?? 0) > 1) return "this finding was answered more than once";
    return whyForbidden(finding, disposition);
  };
  const dispositions = findings.map((finding): FindingDisposition => {
    const answer = answersTo.get(finding.id)?.[0];
    if (answer === undefined || whyRefused(finding.id, answer.disposition) !== undefined) return decideByRules(finding);
    const { disposition, reason } = answer;
    return { finding_id: finding.id, disposition, reason, decided_by: "triage" };
  });
  const refused = answers.flatMap(({ finding_id, disposition }): RefusedAnswer[] => {
    const why = whyRefused(finding_id, disposition);
    return why === undefined ? [] : [{ finding_id, asked: disposition, why }];
  });
  return { dispositions, refused };
}

/** Decides without any program: what is blocking or severe means a fix, the rest is noted and holds nothing up. */
export function decideByRules(finding: MergedFinding): FindingDisposition {
  const [disposition, reason] = demandsFix(finding)
    ? (["actionable", finding.is_blocking ? "it is blocking" : `its severity is ${finding.severity}`] as const)
    : (["noted", `not blocking, severity ${finding.severity}`] as const);
  return { finding_id: finding.id, disposition, reason, decided_by: "rules" };
}

/**
 * Why a program may not give a finding this disposition, or undefined when it may.
 *
 * What the orchestrator saw itself and what means a fix stays actionable: a failed command that a program could send to
 * a manual gate would pass on a person's word instead of on evidence. A blocking finding of an auditor can at most
 * become a question for a person. `blocked_external` is not open to it: that wait ends as soon as anybody hands in
 * evidence, and nobody would have decided about the finding. Everything else of an auditor's may be set aside.
 */
export function whyForbidden(finding: MergedFinding, disposition: AskedDisposition): string | undefined {
  switch (disposition) {
    case "actionable":
      return undefined;
    case "requires_human_judgment":
      return isOwnFinding(finding) && demandsFix(finding)
        ? "what the orchestrator found and what means a fix stays actionable"
        : undefined;
    case "false_positive":
    case "duplicate":
    case "out_of_scope":
    case "blocked_external":
      if (isOwnFinding(finding)) return "what the orchestrator found is not for a program to set aside";
      return finding.is_blocking ? "a blocking finding can at most be marked requires_human_judgment" : undefined;
    default:
      return assertNever(disposition);
  }
}
