import { listTimeline, type ApprovalFacts } from "./approval-facts.ts";
import type { GithubReview, GithubUser } from "./github-answers.ts";
import { parseInstant } from "./instants.ts";

/** A review that says something, as it stood at the time that counts. */
export interface StandingReview {
  readonly review: GithubReview;
  readonly at: number;
  /** `APPROVED`, `CHANGES_REQUESTED` or `DISMISSED`. */
  readonly state: string;
  readonly dismissal: ReviewDismissal | null;
  /** True when the same person said nothing later but comments. */
  readonly latest: boolean;
}

/** Who took a review's word away, and what it had been; unknown is null. */
interface ReviewDismissal {
  readonly actor: GithubUser;
  readonly was: string | null;
  /** True when an app did it in the name of the person. */
  readonly viaApp: boolean;
}

/** Reviews that say nothing yet, or nothing for or against. */
const SILENT: readonly string[] = ["PENDING", "COMMENTED"];

/**
 * Finds the reviews that say something, as they stood: a review that was dismissed after the merge had been valid at
 * it. GitHub writes states in capitals in answers and small in webhooks.
 */
export function findStandingReviews(facts: ApprovalFacts, asOf: number): StandingReview[] {
  const dismissals = listTimeline(facts)
    .flatMap((event) => (event.event === "review_dismissed" ? [event] : []))
    .sort((one, other) => parseInstant(one.created_at) - parseInstant(other.created_at));
  const said = facts.reviews.flatMap((review): Omit<StandingReview, "latest">[] => {
    const state = review.state.toUpperCase();
    if (SILENT.includes(state) || review.submitted_at === null || review.submitted_at === undefined) return [];
    const at = parseInstant(review.submitted_at);
    if (at > asOf) return [];
    if (state !== "DISMISSED") return [{ review, at, state, dismissal: null }];
    const found = dismissals.find(({ dismissed_review: dismissed }) => dismissed.review_id === review.id);
    const was = found?.dismissed_review.state.toUpperCase() ?? null;
    if (found !== undefined && was !== null && parseInstant(found.created_at) > asOf)
      return SILENT.includes(was) ? [] : [{ review, at, state: was, dismissal: null }];
    const viaApp = (found?.performed_via_github_app ?? null) !== null;
    return [{ review, at, state, dismissal: { actor: found?.actor ?? null, was, viaApp } }];
  });
  return said.map((one) => ({
    ...one,
    latest: !said.some((other) => isSamePerson(one.review, other.review) && isLater(other, one)),
  }));
}

function isSamePerson(one: GithubReview, other: GithubReview): boolean {
  return one.user !== null && one.user.id === other.user?.id;
}

function isLater(one: Omit<StandingReview, "latest">, other: Omit<StandingReview, "latest">): boolean {
  return one.at > other.at || (one.at === other.at && one.review.id > other.review.id);
}
