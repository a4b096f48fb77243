import { z } from "zod";
import { decideAuditOutcome } from "./audit-outcome.ts";
import { AUDIT_VERDICTS } from "./audit-report.ts";
import { commandReportSchema, reportCommand } from "./command-report.ts";
import { mergedFindingsOf } from "./item-decide.ts";
import type { CandidateState, GateState, ItemState, LaneState } from "./item.ts";
import { fileDigestSchema, type FileDigest } from "./journal.ts";
import { mergedFindingSchema } from "./merged-findings.ts";
import { MANUAL_GATES } from "./plan.ts";
import type { RunState } from "./run.ts";
import { applyTriage, findingDispositionSchema, refusedAnswerSchema } from "./triage.ts";

const laneSummarySchema = z.strictObject({
  lane: z.string(),
  outcome: z.enum(["pass", "findings", "engine_failed", "timeout", "cancelled"]),
  /** True when at least one of its findings means a fix. */
  blocks: z.boolean(),
  /** Why its last answer proves nothing; empty when it does. */
  why: z.string(),
  /** Answers that proved nothing, before the last one and with it. */
  failed_answers: z.int().nonnegative(),
  findings: z.int().nonnegative(),
  /** What it says itself, for people; null when no answer of it could be read. */
  said: z
    .strictObject({ verdict: z.enum(AUDIT_VERDICTS), summary: z.string(), limitations: z.array(z.string()) })
    .nullable(),
});

const judgedFindingSchema = mergedFindingSchema.extend({
  disposition: findingDispositionSchema.shape.disposition,
  disposition_reason: z.string(),
  decided_by: findingDispositionSchema.shape.decided_by,
});

const roundSummarySchema = z.strictObject({
  attempt: z.int().positive(),
  round: z.int().positive(),
  /** Null when the item does not ask for it, or nobody has looked yet. */
  red_green: z.enum(["proven", "not_proven"]).nullable(),
  red_green_gap: z.string(),
  /** The candidate's test files that were tried on the base, and how the required commands ended there. */
  red_test_paths: z.array(z.string()),
  red_commands: z.array(commandReportSchema),
  packet_sha256: z.string().nullable(),
  /** The commit that was audited, and that passes when nothing is left open. */
  commit: z.string().nullable(),
  /** `open`: not all lanes have answered. */
  outcome: z.enum(["open", "pass", "findings", "disagree", "engine_failed"]),
  /** Side by side, in the order of their names. */
  lanes: z.array(laneSummarySchema),
  findings: z.array(judgedFindingSchema),
  triage: z.strictObject({
    /** `rules`: no program sorted anything; `rejected`: its answer did not count, and the rules decided. */
    answer: z.enum(["rules", "read", "rejected"]),
    why: z.string(),
    /** Answers of the program that do not count. */
    refused: z.array(refusedAnswerSchema),
  }),
});

const gateSummarySchema = z.strictObject({
  gate_type: z.enum(MANUAL_GATES),
  reason: z.string(),
  required_evidence: z.string(),
  finding_ids: z.array(z.string()),
  commit: z.string(),
  packet_sha256: z.string(),
  decision: z.enum(["none", "approved", "rejected"]),
  by: z.string(),
  note: z.string(),
  /** What stands behind the name. */
  authority: z.string(),
  evidence: z.array(fileDigestSchema),
});

export const auditSummarySchema = z
  .strictObject({
    /** `audited`: every item; what an item's word rests on is in its rounds. */
    status: z.enum(["audited", "partly_audited", "not_audited"]),
    items_audited: z.int().nonnegative(),
    items: z.array(
      z.strictObject({
        item_id: z.string(),
        /** True when all lanes have said something of the item's last candidate. */
        audited: z.boolean(),
        rounds: z.array(roundSummarySchema),
        gate: gateSummarySchema.nullable(),
        /** What a person supplied from outside. */
        evidence: z.array(fileDigestSchema),
      }),
    ),
  })
  .meta({ id: "audit_summary" });
/** Who looked at what, what they found, and who decided about it. */
export type AuditSummary = z.infer<typeof auditSummarySchema>;

/** Builds the summary from the state alone. */
export function buildAuditSummary(state: RunState): AuditSummary {
  const items = state.items.map((item) => ({
    item_id: item.itemId,
    audited: isAudited(item),
    rounds: item.attempts.flatMap(({ attempt, candidates }) =>
      candidates.filter(wasJudged).map((candidate) => summarizeRound(attempt, candidate)),
    ),
    gate: item.gate === undefined ? null : summarizeGate(item.gate),
    evidence: item.evidence.flatMap((path): FileDigest[] => {
      const file = state.files.get(path);
      return file === undefined ? [] : [file];
    }),
  }));
  const audited = items.filter((item) => item.audited).length;
  return {
    status: audited === 0 ? "not_audited" : audited === items.length ? "audited" : "partly_audited",
    items_audited: audited,
    items,
  };
}

/** In two or four words, for the line that comes first. */
export function sayAudited(state: RunState): string {
  const audited = state.items.filter(isAudited).length;
  if (audited === 0) return "not audited";
  return audited === state.items.length ? "audited" : `${audited} of ${state.items.length} items audited`;
}

/** Findings are merged when every lane has said something, and not before. */
function isAudited(item: ItemState): boolean {
  return item.attempts.at(-1)?.candidates.at(-1)?.findingsSha256 !== undefined;
}

function wasJudged(candidate: CandidateState): boolean {
  return candidate.packet !== undefined || candidate.redGreenGap !== undefined;
}

function summarizeRound(attempt: number, candidate: CandidateState): AuditSummary["items"][number]["rounds"][number] {
  const { round, redGreenGap: gap, packet, triage } = candidate;
  const findings = candidate.findingsSha256 === undefined ? [] : mergedFindingsOf(candidate);
  const { dispositions, refused } = applyTriage(findings, triage);
  return {
    attempt,
    round,
    red_green: gap === undefined ? null : gap === "" ? "proven" : "not_proven",
    red_green_gap: gap ?? "",
    red_test_paths: [...(candidate.red?.testPaths ?? [])],
    red_commands: (candidate.red?.commands ?? []).map((each) => reportCommand(each)),
    packet_sha256: packet?.sha256 ?? null,
    commit: packet?.commit ?? null,
    outcome: outcomeOf(candidate),
    lanes: candidate.lanes
      .toSorted((left, right) => (left.lane < right.lane ? -1 : left.lane > right.lane ? 1 : 0))
      .map(summarizeLane),
    findings: findings.flatMap((finding, index) => {
      const given = dispositions[index];
      if (given === undefined) return [];
      const { disposition, reason, decided_by } = given;
      return [{ ...finding, disposition, disposition_reason: reason, decided_by }];
    }),
    triage: {
      answer: triage?.kind ?? "rules",
      why: triage?.kind === "rejected" ? triage.why : "",
      refused: [...refused],
    },
  };
}

function outcomeOf(candidate: CandidateState): AuditSummary["items"][number]["rounds"][number]["outcome"] {
  if (candidate.lanes.some(({ outcome }) => outcome.kind === "engine_failed")) return "engine_failed";
  if (candidate.findingsSha256 === undefined) return "open";
  const { kind } = decideAuditOutcome(candidate.lanes);
  return kind === "timeout" || kind === "cancelled" ? "open" : kind;
}

function summarizeLane({ lane, failures, outcome, findings, said }: LaneState): z.infer<typeof laneSummarySchema> {
  return {
    lane,
    outcome: outcome.kind,
    blocks: outcome.kind === "findings" && outcome.blocks,
    why: outcome.kind === "engine_failed" ? outcome.why : "",
    failed_answers: failures,
    findings: findings.length,
    said:
      said === undefined ? null : { verdict: said.verdict, summary: said.summary, limitations: [...said.limitations] },
  };
}

function summarizeGate(gate: GateState): z.infer<typeof gateSummarySchema> {
  return {
    gate_type: gate.gateType,
    reason: gate.reason,
    required_evidence: gate.requiredEvidence,
    finding_ids: [...gate.findingIds],
    commit: gate.commit,
    packet_sha256: gate.packetSha256,
    decision: gate.decision,
    by: gate.by,
    note: gate.note,
    authority: gate.authority,
    evidence: [...gate.evidence],
  };
}
