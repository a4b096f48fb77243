import type { Gesture } from "../domain/approval-gesture.ts";
import type { ApprovalDecision, ApprovalRefusal } from "../domain/approvals.ts";
import { showText } from "../domain/visible-text.ts";

/** What is said of a decision about approvals to programs. */
export interface ApprovalExplanation {
  readonly verdict: ApprovalDecision["verdict"];
  readonly reason_code: ApprovalDecision["reasonCode"];
  readonly self_approved: boolean;
  readonly records: ApprovalDecision["records"];
  readonly refused: readonly {
    readonly source: string;
    readonly source_id: string | null;
    readonly approver: string | null;
    readonly refusals: readonly ApprovalRefusal[];
  }[];
  /** What all that counts does not come to. */
  readonly refusals: readonly ApprovalRefusal[];
}

/** Builds what `approvals explain --format json` prints. */
export function buildApprovalExplanation(decision: ApprovalDecision): ApprovalExplanation {
  return {
    verdict: decision.verdict,
    reason_code: decision.reasonCode,
    self_approved: decision.selfApproved,
    records: decision.records,
    refused: decision.judged
      .filter(({ refusals }) => refusals.length > 0)
      .map(({ gesture, refusals }) => ({ ...name(gesture), refusals })),
    refusals: decision.refusals,
  };
}

/** Renders the same for eyes: the verdict, what counts, and every rule that refuses what does not. */
export function renderApproval(decision: ApprovalDecision): string {
  const said = buildApprovalExplanation(decision);
  const list = (refusals: readonly ApprovalRefusal[], indent: string): string[] =>
    refusals.map(({ rule, text }) => showText(`${indent}${rule}: ${text}`));
  return [
    `${said.verdict.replace("_", " ")}${said.self_approved ? ", self-approved" : ""}${said.reason_code === null ? "" : ` (${said.reason_code})`}`,
    ...said.records.map((record) =>
      showText(
        `counts: ${record.decision} by ${record.approver_login} (${record.role_at_time}), ${record.source} ${record.source_id} on ${record.head_sha}${record.expires_at === null ? "" : `, until ${record.expires_at}`}`,
      ),
    ),
    ...said.refused.flatMap((each) => [
      showText(`does not count: ${each.source} ${each.source_id ?? ""} by ${each.approver ?? "nobody"}`),
      ...list(each.refusals, "  "),
    ]),
    ...list(said.refusals, ""),
  ].join("\n");
}

function name(gesture: Gesture): { source: string; source_id: string | null; approver: string | null } {
  switch (gesture.kind) {
    case "given":
      return { source: gesture.source, source_id: gesture.sourceId, approver: gesture.actor?.login ?? null };
    case "recorded": {
      const { source, source_id, approver_login: approver } = gesture.record;
      return { source, source_id, approver };
    }
    case "environment":
      return { source: "environment", source_id: null, approver: null };
    case "local":
      return { source: "local", source_id: null, approver: gesture.by };
  }
}
