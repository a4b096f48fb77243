import type { ApprovalCase, GithubCase } from "./approval-case.ts";
import { BUTTONS, buildBinding, type Gesture, type GivenGesture } from "./approval-gesture.ts";
import { approvingRule, givenRule, rule, type ApprovalRule } from "./approval-rule.ts";
import { parseInstant } from "./instants.ts";
import type { RiskTier } from "./plan.ts";

/** Seconds that people need at least to have seen what they put a label on. */
const SEEN_SECONDS_MIN = 10;

/** What the gesture was about: this head, this plan, this policy, this risk, as the App showed them. */
export const BINDING_RULES: readonly ApprovalRule[] = [
  givenRule("gesture-not-for-this", (gesture, { kind }) => {
    if (isFor(gesture, kind)) return undefined;
    const what = gesture.name === null ? gesture.source : `${gesture.source} ${gesture.name}`;
    return `a ${what} cannot ${gesture.decision} a ${kind.replace("_", " ")}`;
  }),
  rule("other-risk", (gesture, { kind, risk }) => {
    const given = kind === "plan" ? riskOf(gesture) : null;
    return given !== null && given !== risk ? `it approves ${given} risk, and the risk is ${risk}` : undefined;
  }),
  givenRule("other-head", ({ head, decision }, { facts }) => {
    const { sha } = facts.pull_request.head;
    // A no that may be about this head is one.
    if (head === null) return decision === "approve" ? "which head it was about is unknown" : undefined;
    return head === sha ? undefined : `it was about ${head}, and the head is ${sha}`;
  }),
  approvingRule("check-not-shown", ({ check, source }, { facts }) => {
    if (check !== null) return undefined;
    if (facts.installation !== null) return "the App had shown nothing about this head";
    // A review names its head by itself, and the policy of its time is known; nothing else does without the App.
    return source === "review"
      ? undefined
      : `there is no App, and without it a ${source} does not say what it is about`;
  }),
  approvingRule("check-not-ours", ({ check }, { facts }) =>
    check !== null && check.run.app?.id !== facts.installation?.app_id ? "another app made the check run" : undefined,
  ),
  approvingRule("check-not-bound", ({ check, head }, { facts }) => {
    if (check === null) return undefined;
    const { shown, externalId } = check;
    if (shown === null) return "what the check run says cannot be read";
    return shown.repo_id === facts.repository.id &&
      shown.pr === facts.pull_request.number &&
      shown.head_sha === head &&
      check.run.head_sha === head &&
      externalId === buildBinding(shown)
      ? undefined
      : "the check run is not bound to this pull request, head, plan and policy";
  }),
  rule("plan-digest-changed", (gesture, { planSha256 }) => {
    const bound = boundOf(gesture);
    return bound === null || bound.plan_sha256 === planSha256
      ? undefined
      : `it was about plan ${bound.plan_sha256}, and the plan is ${planSha256 ?? "gone"}`;
  }),
  approvingRule("plan-changed-on-trust-ref", (_gesture, { kind, sealed, facts }) =>
    kind === "plan" && sealed && facts.plan.sha256_at_tip !== facts.plan.sha256_at_head
      ? `${facts.base_ref} holds another plan than the one that was merged`
      : undefined,
  ),
  rule("policy-digest-changed", (gesture, { policySha256, github }) => {
    const bound = boundOf(gesture)?.policy_sha256 ?? policyAt(gesture, github);
    return bound === undefined || bound === policySha256
      ? undefined
      : `it was given under policy ${bound ?? "unknown"}, and the policy is ${policySha256}`;
  }),
  approvingRule("other-risk-shown", ({ check }, { risk }) => {
    const shown = check?.shown?.risk;
    return shown !== undefined && shown !== risk
      ? `the App had shown ${shown} risk, and the risk is ${risk}`
      : undefined;
  }),
  approvingRule("seen-too-late", ({ source, at, check }) => {
    if (!needsToHaveSeen(source) || check === null) return undefined;
    const shownAt = check.run.completed_at;
    return shownAt === null || at - parseInstant(shownAt) < SEEN_SECONDS_MIN * 1000
      ? `it came less than ${SEEN_SECONDS_MIN} seconds after the App had shown what it approves; ask again`
      : undefined;
  }),
  approvingRule("pushed-meanwhile", ({ source, at }, { facts, asOf }) =>
    needsToHaveSeen(source) &&
    facts.pushes.some(({ timestamp }) => {
      const pushed = parseInstant(timestamp);
      return pushed > at - SEEN_SECONDS_MIN * 1000 && pushed <= asOf;
    })
      ? `the branch was pushed to after it, or less than ${SEEN_SECONDS_MIN} seconds before`
      : undefined,
  ),
  approvingRule("digest-not-named", ({ source, names, check }, { kind, risk }) => {
    const shown = check?.shown;
    if (source !== "comment" || shown === undefined || shown === null) return undefined;
    if (names === null && !(kind === "plan" && risk === "high")) return undefined;
    const digest = buildBinding(shown).slice("v1:".length);
    return names === digest ? undefined : `the comment has to say: /conveyor approve ${digest}`;
  }),
  approvingRule("edited", ({ edited }) => (edited ? "it was edited afterwards" : undefined)),
];

/** Labels and comments say nothing of a head: whoever made them may have looked at an older one. */
function needsToHaveSeen(source: GivenGesture["source"]): boolean {
  return source === "label" || source === "comment";
}

function isFor({ source, decision, name }: GivenGesture, kind: ApprovalCase["kind"]): boolean {
  switch (source) {
    case "review":
      return true;
    case "label":
      return kind === "plan";
    case "comment":
      return kind === "manual_gate" || (kind === "plan" && decision === "approve");
    case "button":
      return kind === (name !== null && BUTTONS[name]?.risk === null ? "manual_gate" : "plan");
  }
}

/** The risk that a gesture names; a review and a comment approve what is shown. */
function riskOf(gesture: Gesture): RiskTier | null {
  switch (gesture.kind) {
    case "environment":
      return gesture.tier;
    case "recorded":
      return gesture.record.risk;
    case "local":
      return null;
    case "given":
      if (gesture.source === "label") return "high";
      return gesture.source === "button" && gesture.name !== null ? (BUTTONS[gesture.name]?.risk ?? null) : null;
  }
}

/** Without the App: the policy that held when it was given. Null is unknown; undefined where the App says it. */
function policyAt(gesture: Gesture, github: GithubCase | null): string | null | undefined {
  if (github === null || github.facts.installation !== null) return undefined;
  if (gesture.kind !== "given" || gesture.decision === "reject") return undefined;
  const policies = github.facts.policies.filter((policy) => parseInstant(policy.at) === gesture.at);
  return policies.length === 1 ? (policies[0]?.sha256 ?? null) : null;
}

/** What a gesture is bound to. One that names nobody holds for a call and whatever that runs. */
function boundOf(gesture: Gesture): { readonly plan_sha256: string; readonly policy_sha256: string } | null {
  if (gesture.kind === "recorded") return gesture.record;
  return gesture.kind === "given" && gesture.decision === "approve" ? (gesture.check?.shown ?? null) : null;
}
