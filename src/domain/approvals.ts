import type { ApprovalCase } from "./approval-case.ts";
import {
  authorityOf,
  type ApprovalRecord,
  type Authority,
  type Gesture,
  type GivenGesture,
} from "./approval-gesture.ts";
import type { ApprovalRule } from "./approval-rule.ts";
import { permissionOf } from "./approval-authority.ts";
import { ACTOR_RULES } from "./approval-rules-actor.ts";
import { BINDING_RULES } from "./approval-rules-binding.ts";
import { expiryOf, STANDING_RULES } from "./approval-rules-standing.ts";
import { renderInstant } from "./instants.ts";
import type { ReasonCode } from "./reason-codes.ts";

/** Why something does not count: the rule that refused, and in words. */
export interface ApprovalRefusal {
  readonly rule: string;
  readonly text: string;
}

/** A gesture, and every rule that refused it; it counts when none did. */
export interface JudgedGesture {
  readonly gesture: Gesture;
  readonly authority: Authority;
  readonly refusals: readonly ApprovalRefusal[];
}

export interface ApprovalDecision {
  readonly verdict: "approved" | "rejected" | "not_approved" | "not_needed";
  /** Why it may not go on; null when it may. */
  readonly reasonCode: ReasonCode | null;
  readonly judged: readonly JudgedGesture[];
  /** The records of those gestures on GitHub that count. */
  readonly records: readonly ApprovalRecord[];
  /** What all that counts does not come to. */
  readonly refusals: readonly ApprovalRefusal[];
  /** True when somebody who took part is among those who approved; every verdict says so. */
  readonly selfApproved: boolean;
}

/** A rule about all that counts together. */
interface QuorumRule {
  readonly name: string;
  readonly refuse: (counted: readonly Gesture[], asked: ApprovalCase) => string | undefined;
}

/** All rules. Tests take out one at a time and must notice. */
export interface ApprovalRules {
  readonly each: readonly ApprovalRule[];
  readonly together: readonly QuorumRule[];
}

export const APPROVAL_RULES: ApprovalRules = {
  each: [...ACTOR_RULES, ...BINDING_RULES, ...STANDING_RULES],
  together: [
    {
      name: "too-few-approvals",
      refuse: (counted, { needs }) => {
        const people = new Set(counted.map((gesture) => voiceOf(gesture))).size;
        return people < needs.count ? `approvals by ${people} of ${needs.count} different people` : undefined;
      },
    },
    {
      name: "second-person-review-missing",
      refuse: (counted, { needs }) => {
        if (!needs.secondPersonReview) return undefined;
        const people = counted.filter((gesture) => authorityOf(gesture) === "github");
        const reviews = people.filter((gesture) => sourceOf(gesture) === "review");
        return reviews.some((review) => people.some((other) => voiceOf(other) !== voiceOf(review)))
          ? undefined
          : "there is no approval with a review by a second person";
      },
    },
  ],
};

/**
 * Decides whether a plan may run, a delivery passes its review gate, or a manual gate opens. A gesture counts only when
 * every rule holds, and the decision names every rule that refused. It is a pure function of what was read: the App,
 * the Action and the command line all call it. Reason codes: RISK_MEDIUM_NOT_APPROVED, RISK_HIGH_NOT_APPROVED,
 * GATE_REVIEW_NOT_APPROVED, ITEM_AWAITING_HUMAN_GATE, ITEM_GATE_REJECTED.
 */
export function decideApproval(
  asked: ApprovalCase,
  gestures: readonly Gesture[],
  rules: ApprovalRules = APPROVAL_RULES,
): ApprovalDecision {
  const judged = gestures.map((gesture) => ({
    gesture,
    authority: authorityOf(gesture),
    refusals: rules.each.flatMap(({ name, refuse }) => listRefusal(name, refuse(gesture, asked))),
  }));
  const counted = judged.filter(({ refusals }) => refusals.length === 0).map(({ gesture }) => gesture);
  const approving = counted.filter((gesture) => decisionOf(gesture) === "approve");
  const refusals = rules.together.flatMap(({ name, refuse }) => listRefusal(name, refuse(approving, asked)));
  const verdict = judge(asked, { isRejected: approving.length < counted.length, isEnough: refusals.length === 0 });
  return {
    verdict,
    reasonCode: codeOf(asked, verdict),
    judged,
    records: counted.flatMap((gesture) => buildRecords(gesture, asked)),
    refusals,
    selfApproved: approving.some((gesture) => isSelf(gesture, asked)),
  };
}

function judge(
  { needs }: ApprovalCase,
  { isRejected, isEnough }: { isRejected: boolean; isEnough: boolean },
): ApprovalDecision["verdict"] {
  if (isRejected) return "rejected";
  if (!isEnough) return "not_approved";
  return needs.count === 0 ? "not_needed" : "approved";
}

function codeOf({ kind, risk }: ApprovalCase, verdict: ApprovalDecision["verdict"]): ReasonCode | null {
  if (verdict === "approved" || verdict === "not_needed") return null;
  switch (kind) {
    case "plan":
      return risk === "high" ? "RISK_HIGH_NOT_APPROVED" : "RISK_MEDIUM_NOT_APPROVED";
    case "delivery":
      return "GATE_REVIEW_NOT_APPROVED";
    case "manual_gate":
      return verdict === "rejected" ? "ITEM_GATE_REJECTED" : "ITEM_AWAITING_HUMAN_GATE";
  }
}

function listRefusal(rule: string, text: string | undefined): ApprovalRefusal[] {
  return text === undefined ? [] : [{ rule, text }];
}

/** Whoever speaks; everybody whom nobody vouches for is one. */
function voiceOf(gesture: Gesture): string {
  switch (gesture.kind) {
    case "environment":
    case "local":
      return "nobody";
    case "recorded":
      return String(gesture.record.approver_id);
    case "given":
      return String(gesture.actor?.id ?? "ghost");
  }
}

function decisionOf(gesture: Gesture): "approve" | "reject" {
  switch (gesture.kind) {
    case "environment":
      return "approve";
    case "recorded":
      return gesture.record.decision;
    case "local":
    case "given":
      return gesture.decision;
  }
}

function sourceOf(gesture: Gesture): string {
  if (gesture.kind === "recorded") return gesture.record.source;
  return gesture.kind === "given" ? gesture.source : gesture.kind;
}

function isSelf(gesture: Gesture, { github }: ApprovalCase): boolean {
  if (gesture.kind === "recorded") return gesture.record.self_approved;
  return gesture.kind === "given" && gesture.actor !== null && github?.contributors.ids.has(gesture.actor.id) === true;
}

function renderExpiry(gesture: GivenGesture, asked: ApprovalCase): string | null {
  const expires = expiryOf(gesture, asked);
  return expires === null ? null : renderInstant(expires);
}

function buildRecords(gesture: Gesture, asked: ApprovalCase): ApprovalRecord[] {
  if (gesture.kind === "recorded") return [gesture.record];
  const record = gesture.kind === "given" ? buildRecord(gesture, asked) : undefined;
  return record === undefined ? [] : [record];
}

/** Writes down what counted. Without a person, a head, a plan and a term there is nothing to write. */
function buildRecord(gesture: GivenGesture, asked: ApprovalCase): ApprovalRecord | undefined {
  const { actor, head, check } = gesture;
  const { github, planSha256, policySha256 } = asked;
  if (github === null || actor === null || head === null || planSha256 === null) return undefined;
  const { facts } = github;
  return {
    repo_id: facts.repository.id,
    pr: facts.pull_request.number,
    head_sha: head,
    base_ref: facts.base_ref,
    merge_base_sha: check?.shown?.merge_base_sha ?? null,
    plan_path: facts.plan.path,
    plan_sha256: planSha256,
    policy_sha256: policySha256,
    risk: asked.risk,
    approver_id: actor.id,
    approver_login: actor.login,
    role_at_time: permissionOf(facts, actor)?.answer?.role_name ?? "unknown",
    source: gesture.source,
    source_id: gesture.sourceId,
    delivery_guid: gesture.deliveryGuid,
    decision: gesture.decision,
    self_approved: isSelf(gesture, asked),
    created_at: renderInstant(gesture.at),
    expires_at: renderExpiry(gesture, asked),
  };
}
