import type { ApprovalFacts } from "./approval-facts.ts";
import { findContributors, type Contributors } from "./approval-contributors.ts";
import { needsOf, type ApprovalKind, type ApprovalNeeds, type ApprovalPolicy } from "./approval-policy.ts";
import { findStandingReviews, type StandingReview } from "./approval-reviews.ts";
import { policyDigest } from "./config.ts";
import { parseInstant } from "./instants.ts";
import type { RiskTier } from "./plan.ts";

/** What is asked: whether this may run, be delivered or pass, now. */
export interface ApprovalCase {
  readonly kind: ApprovalKind;
  readonly risk: RiskTier;
  readonly policy: ApprovalPolicy;
  readonly needs: ApprovalNeeds;
  /** Digest of the plan that the approval has to be of; null when there is none. */
  readonly planSha256: string | null;
  readonly policySha256: string;
  /** Milliseconds since 1970. */
  readonly now: number;
  /** Null where nobody asked GitHub: then nothing that needs its facts counts. */
  readonly github: GithubCase | null;
}

/** What was fetched, and what follows from it for every gesture alike. */
export interface GithubCase {
  readonly facts: ApprovalFacts;
  /** The pull request brought the plan in; what happened to it afterwards does not matter. */
  readonly sealed: boolean;
  /** The time as of which reviews and labels are judged: that of the merge; without one none is too late to take back. */
  readonly asOf: number;
  readonly contributors: Contributors;
  readonly standing: readonly StandingReview[];
}

/**
 * Makes the case of a call that asks nothing of GitHub: then only what names nobody, or was judged on GitHub's facts
 * before, can count.
 */
export function buildCallCase(asked: Omit<ApprovalCase, "needs" | "github">): ApprovalCase {
  return { ...asked, needs: needsOf(asked.policy, asked.kind, asked.risk), github: null };
}

/** Makes the case of a pull request. Everything that follows from the facts alone is worked out once, here. */
export function buildCase(facts: ApprovalFacts): ApprovalCase {
  const { kind, risk, plan, config, pull_request: pull } = facts;
  const now = parseInstant(facts.asked_at);
  // What takes back counts also where our clock is behind GitHub's: only a merge ends the time for it.
  const asOf = pull.merged_at === null ? Number.POSITIVE_INFINITY : parseInstant(pull.merged_at);
  return {
    kind,
    risk,
    policy: config.policy,
    needs: needsOf(config.policy, kind, risk),
    // A plan is approved where it is proposed; a run executes the plan that the trust ref holds.
    planSha256: kind === "plan" ? plan.sha256_at_head : plan.sha256_at_tip,
    policySha256: policyDigest(config),
    now,
    github: {
      facts,
      sealed: pull.merged_at !== null,
      asOf,
      contributors: findContributors(facts, asOf),
      standing: findStandingReviews(facts, asOf),
    },
  };
}
