import type { ApprovalFacts } from "../../domain/approval-facts.ts";
import type { Config } from "../../domain/config.ts";
import type { GateFacts } from "../../domain/gate-facts.ts";
import { sayFailure } from "../../domain/github-failure.ts";
import type { RiskTier } from "../../domain/plan.ts";
import type { Clock } from "../../ports.ts";
import type { Github, GithubAnswer } from "../../ports/github.ts";
import { err } from "../../domain/result.ts";
import { buildPreflight, type PreflightQuestion } from "./build-preflight.ts";
import { readApprovalFacts } from "./read-approval-facts.ts";
import { readCiFacts } from "./read-ci-facts.ts";

/** What the gates are asked about. */
export interface GateQuestion extends PreflightQuestion {
  readonly head: string;
  /** The pull request, where it is known; else the one of the branch that has this head. */
  readonly pull?: number;
  /** The branch of the pull request. */
  readonly branch: string;
  readonly config: Config;
  readonly risk: RiskTier;
  /** The workflow run that made what is judged, where it is known. */
  readonly workflowRuns: readonly number[];
}

/** Reads everything that decides the three gates of one commit; what cannot be read says why, and opens nothing. */
export async function readGateFacts(github: Github, clock: Clock, asked: GateQuestion): Promise<GateFacts> {
  const trust = await buildPreflight(github, clock, asked);
  const { tip, branch } = trust.trust;
  const where = { config: asked.config, tip: tip ?? "", repositoryId: trust.repository.id };
  const [ci, review] =
    tip === null
      ? [undefined, undefined]
      : await Promise.all([
          readCiFacts(github, { ...where, head: asked.head }),
          readReview(github, clock, { ...asked, ...where, tip, baseRef: branch }),
        ]);
  const unknown = { unknown: trust.unknown.join("; ") || "the trusted branch is unknown" };
  return {
    schema_version: "conveyor.gate_facts.v1",
    asked_at: clock.now(),
    head: asked.head,
    trust,
    ci: ci === undefined ? unknown : ci.ok ? ci.value : { unknown: sayFailure(ci.error) },
    review: review === undefined ? unknown : review.ok ? review.value : { unknown: sayFailure(review.error) },
  };
}

interface ReviewQuestion extends Omit<GateQuestion, "repositoryId"> {
  readonly tip: string;
  readonly baseRef: string;
  readonly repositoryId: number;
}

/** Facts about the one pull request of the branch whose head is the commit. */
async function readReview(github: Github, clock: Clock, asked: ReviewQuestion): Promise<GithubAnswer<ApprovalFacts>> {
  const found = asked.pull === undefined ? await findPull(github, asked) : { ok: true as const, value: asked.pull };
  return found.ok
    ? readApprovalFacts(github, clock, { ...asked, kind: "delivery", pull: found.value, sealingPulls: null })
    : found;
}

/** The pull request of a branch that is at a commit; of several the open one, and else the newest. */
export async function findPull(
  github: Github,
  { branch, head }: Pick<GateQuestion, "branch" | "head">,
): Promise<GithubAnswer<number>> {
  const pulls = await github.listPullsOfBranch(branch);
  if (!pulls.ok) return pulls;
  const own = pulls.value.filter((pull) => pull.head.ref === branch && pull.head.sha === head);
  const [first] = own.sort(
    (one, other) => Number(other.state === "open") - Number(one.state === "open") || other.number - one.number,
  );
  return first === undefined
    ? err({
        kind: "not_found",
        status: null,
        request: `pull requests of ${branch}`,
        message: `none has the head ${head}; push the branch and open one`,
      })
    : { ok: true, value: first.number };
}
