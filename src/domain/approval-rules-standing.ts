import { isPersonInCharge, whyPowerless } from "./approval-authority.ts";
import type { ApprovalCase } from "./approval-case.ts";
import { listTimeline } from "./approval-facts.ts";
import type { Gesture } from "./approval-gesture.ts";
import { isSameLabel } from "./approval-gestures.ts";
import type { StandingReview } from "./approval-reviews.ts";
import { approvingRule, givenRule, rule, type ApprovalRule, type GivenCase } from "./approval-rule.ts";
import { REVOKING_EVENTS } from "./github-answers.ts";
import { parseInstant, renderInstant } from "./instants.ts";

/** Whether the pull request is one that can carry an approval, and whether anything has taken it back since. */
export const STANDING_RULES: readonly ApprovalRule[] = [
  approvingRule("pull-request-closed", (_gesture, { kind, facts, sealed }) => {
    if (facts.pull_request.state === "open") return undefined;
    if (!sealed) return "the pull request was closed without being merged";
    return kind === "manual_gate" ? "the pull request of the run was merged already" : undefined;
  }),
  approvingRule("draft", (_gesture, { kind, facts }) =>
    kind !== "manual_gate" && facts.pull_request.draft ? "the pull request is a draft" : undefined,
  ),
  approvingRule("fork", (_gesture, { facts }) => {
    const { head, base } = facts.pull_request;
    return head.repo?.id === base.repo.id && base.repo.id === facts.repository.id
      ? undefined
      : "the head is not in this repository";
  }),
  approvingRule("other-base", (_gesture, { facts }) =>
    facts.pull_request.base.ref === facts.base_ref
      ? undefined
      : `the pull request goes into ${facts.pull_request.base.ref}, not ${facts.base_ref}`,
  ),
  approvingRule("base-moved", ({ check }, { policy, sealed, facts }) => {
    if (policy["on-base-move"] === "keep" || sealed) return undefined;
    const base = facts.compare?.merge_base_commit.sha;
    return base !== undefined && check?.shown?.merge_base_sha === base
      ? undefined
      : "the merge base is not the one that was shown, and policy.on-base-move is revoke";
  }),
  approvingRule("label-removed", ({ source, name, at }, { facts, sealed, asOf }) => {
    if (source !== "label" || name === null) return undefined;
    const isGone = listTimeline(facts).some(
      (event) =>
        event.event === "unlabeled" && isSameLabel(event.label.name, name) && isWithin(event.created_at, at, asOf),
    );
    const isThere = sealed || facts.pull_request.labels.some((label) => isSameLabel(label.name, name));
    return isGone || !isThere ? "the label was taken away" : undefined;
  }),
  approvingRule("label-redefined", ({ source, name, at }, { facts, asOf }) =>
    source === "label" &&
    name !== null &&
    facts.deliveries.some(
      ({ event, payload, received_at: received }) =>
        event === "label" &&
        [payload.label.name, payload.changes?.name?.from].some((one) => one !== undefined && isSameLabel(one, name)) &&
        isWithin(received, at, asOf),
    )
      ? "the label itself was edited or deleted"
      : undefined,
  ),
  approvingRule("revoked", ({ at }, { kind, facts, sealed, asOf }) => {
    const events = listTimeline(facts).filter(
      (each) =>
        REVOKING_EVENTS.some((one) => one === each.event) &&
        isWithin(each.created_at, at, asOf) &&
        // A merge closes; the pull request of a gate is a draft.
        !(each.event === "closed" && sealed && parseInstant(each.created_at) === asOf) &&
        !(each.event === "convert_to_draft" && kind === "manual_gate"),
    );
    const names = [...new Set(events.map((each) => each.event))].sort();
    return names.length === 0 ? undefined : `${names.join(", ")} came after it`;
  }),
  approvingRule("repository-transferred", ({ at }, { facts, asOf }) =>
    facts.deliveries.some(({ event, received_at: received }) => event === "repository" && isWithin(received, at, asOf))
      ? "the repository was transferred"
      : undefined,
  ),
  approvingRule("review-dismissed", ({ source, state }) =>
    source === "review" && state !== "APPROVED" ? "the review was dismissed" : undefined,
  ),
  approvingRule("review-superseded", ({ source, sourceId }, { standing }) =>
    source === "review" && !standing.some(({ review, latest }) => latest && String(review.id) === sourceId)
      ? "the same person reviewed again later"
      : undefined,
  ),
  approvingRule("changes-requested", (_gesture, asked) => {
    const standing = asked.standing.filter((review) => isStandingRequest(review, asked));
    if (standing.length === 0) return undefined;
    const who = standing.map(({ review }) => review.user?.login ?? "somebody").sort();
    return `changes requested by ${who.join(", ")} stand`;
  }),
  approvingRule("not-sealed-by-this", (_gesture, { kind, sealed, facts }) => {
    if (kind !== "plan" || !sealed) return undefined;
    const sealing = (facts.sealing_pulls ?? []).filter(
      (pull) =>
        pull.merged_at !== null &&
        pull.base.ref === facts.base_ref &&
        pull.plan_sha256_at_head !== null &&
        pull.plan_sha256_at_head === facts.plan.sha256_at_head,
    );
    if (sealing.length !== 1) return `${sealing.length} merged pull requests brought this plan in; expected one`;
    return sealing[0]?.number === facts.pull_request.number ? undefined : "another pull request brought this plan in";
  }),
  givenRule("given-too-late", ({ at }, { sealed, asOf, now }) =>
    at > (sealed ? asOf : now) ? `it was given ${sealed ? "after the merge" : "in the future"}` : undefined,
  ),
  rule("expired", (gesture, asked) => {
    const expires = expiryOf(gesture, asked);
    return expires !== null && expires <= asked.now ? `it expired at ${renderInstant(expires)}` : undefined;
  }),
  approvingRule("facts-stale", (_gesture, { facts }) =>
    parseInstant(facts.fetched_at) < parseInstant(facts.triggered_at)
      ? "the facts were fetched before what made us ask"
      : undefined,
  ),
  approvingRule("app-suspended", (_gesture, { facts }) =>
    (facts.installation?.suspended_at ?? null) === null ? undefined : "the App is suspended",
  ),
];

/**
 * When a gesture stops to count, in milliseconds since 1970; null when it holds for one call alone. A merge seals what
 * held at it, and the time is counted from the merge.
 */
export function expiryOf(gesture: Gesture, { needs, github }: Pick<ApprovalCase, "needs" | "github">): number | null {
  if (gesture.kind === "recorded") {
    const { expires_at: expires } = gesture.record;
    return expires === null ? null : parseInstant(expires);
  }
  if (gesture.kind !== "given" || gesture.decision === "reject") return null;
  const hours = needs.expiresHours * 3_600_000;
  const given = gesture.at + hours;
  return github !== null && github.sealed && given > github.asOf ? github.asOf + hours : given;
}

/** At the same second, what takes an approval back is taken to have come after it. */
function isWithin(time: string, from: number, to: number): boolean {
  const at = parseInstant(time);
  return at >= from && at <= to;
}

/** A request for changes stands until the same person approves, or somebody with authority and no hand in it dismisses it. */
function isStandingRequest({ review, state, dismissal, latest }: StandingReview, asked: GivenCase): boolean {
  if (
    !latest ||
    state === "APPROVED" ||
    dismissal?.was === "APPROVED" ||
    whyPowerless(asked.facts, review.user) !== undefined
  )
    return false;
  if (dismissal === null || dismissal.was === null || dismissal.actor === null || dismissal.viaApp) return true;
  const isInvolved = !asked.needs.self && asked.contributors.ids.has(dismissal.actor.id);
  return isInvolved || !isPersonInCharge(asked, dismissal.actor);
}
