import type { ApprovalFacts } from "../../domain/approval-facts.ts";
import { needsOf, type ApprovalKind } from "../../domain/approval-policy.ts";
import { parseConfig, policyDigest, defaultConfig, type Config } from "../../domain/config.ts";
import { DEFAULT_CONFIG_PATH } from "../../domain/run-choices.ts";
import { sha256 } from "../../domain/digest.ts";
import type { GithubCommit, GithubReview } from "../../domain/github-answers.ts";
import { listDeciding } from "../../domain/github-answers.ts";
import { parseInstant } from "../../domain/instants.ts";
import type { RiskTier } from "../../domain/plan.ts";
import { ok } from "../../domain/result.ts";
import type { Clock } from "../../ports.ts";
import type { Github, GithubAnswer } from "../../ports/github.ts";
import { gather, gatherAll, orNull } from "./gather.ts";

/** What is asked about the approvals of one pull request. */
export interface ApprovalQuestion {
  readonly kind: ApprovalKind;
  readonly pull: number;
  readonly risk: RiskTier;
  readonly planPath: string;
  readonly config: Config;
  /** The trusted branch, and the commit it names. */
  readonly baseRef: string;
  readonly tip: string;
  readonly repositoryId: number;
  /** Runs of workflows that had a hand in the pull request: who started them does not approve it. */
  readonly workflowRuns: readonly number[];
  /** For a plan that was merged: the pull requests of the commit that brought it in. */
  readonly sealingPulls: ApprovalFacts["sealing_pulls"];
}

/**
 * Reads everything that decides about the approvals of a pull request, as GitHub says it now. All of it, or the first
 * failure: approvals that are known in part are not known. What only webhooks tell is empty; without the App nothing
 * but reviews can approve, so nothing of it is missed.
 */
export async function readApprovalFacts(
  github: Github,
  clock: Clock,
  asked: ApprovalQuestion,
): Promise<GithubAnswer<ApprovalFacts>> {
  const started = clock.now();
  const pull = await github.readPull(asked.pull);
  if (!pull.ok) return pull;
  const { head } = pull.value;
  const blueprint = `${asked.config.paths.future}/${asked.planPath.split("/").at(-1) ?? ""}`;
  const read = await gather({
    commits: github.listPullCommits(asked.pull),
    reviews: github.listReviews(asked.pull),
    timeline: github.listTimeline(asked.pull),
    comments: github.listComments(asked.pull),
    checkRuns: github.listAllCheckRuns(head.sha),
    pushes: github.listPushes(head.ref),
    compare: orNull(github.compare(asked.tip, head.sha)),
    planAtHead: orNull(github.readFile(asked.planPath, head.sha)),
    planAtTip: orNull(github.readFile(asked.planPath, asked.tip)),
    planCommits: github.listCommits(head.sha, asked.planPath),
    blueprintCommits: github.listCommits(head.sha, blueprint),
    workflowRuns: gatherAll(asked.workflowRuns.map((id) => github.readWorkflowRun(id))),
  });
  if (!read.ok) return read;
  const { reviews, timeline, comments } = read.value;
  const events = listDeciding(timeline);
  const actors = [
    ...reviews.map(({ user }) => user),
    ...events.map(({ actor }) => actor),
    ...comments.filter(({ body }) => body.startsWith("/conveyor ")).map(({ user }) => user),
  ];
  const logins = [...new Set(actors.flatMap((user) => (user === null ? [] : [user.login])))];
  const people = await gather({
    permissions: gatherAll(logins.map((login) => readPermission(github, clock, login))),
    memberships: gatherAll(
      needsOf(asked.config.policy, asked.kind, asked.risk).teams.flatMap((team) =>
        logins.map((login) => readMembership(github, clock, team, login)),
      ),
    ),
    policies: readPolicies(github, asked, reviews),
  });
  if (!people.ok) return people;
  const planCommits = [...read.value.planCommits, ...read.value.blueprintCommits];
  return ok({
    schema_version: "conveyor.approval_facts.v1",
    kind: asked.kind,
    asked_at: clock.now(),
    fetched_at: started,
    triggered_at: started,
    risk: asked.risk,
    plan: {
      path: asked.planPath,
      sha256_at_head: digestOrNull(read.value.planAtHead),
      sha256_at_tip: digestOrNull(read.value.planAtTip),
    },
    config: asked.config,
    base_ref: asked.baseRef,
    repository: { id: asked.repositoryId },
    installation: null,
    pull_request: pull.value,
    sealing_pulls: asked.sealingPulls,
    commits: [...read.value.commits],
    plan_commits: planCommits,
    identities: listIdentities([...read.value.commits, ...planCommits]),
    compare: read.value.compare,
    reviews: [...reviews],
    timeline: [...timeline],
    check_runs: [...read.value.checkRuns],
    comments: [...comments],
    pushes: [...read.value.pushes],
    workflow_runs: [...read.value.workflowRuns],
    permissions: [...people.value.permissions],
    memberships: [...people.value.memberships],
    deliveries: [],
    policies: [...people.value.policies],
  });
}

/**
 * Reads what decides about the approval of a plan that the trusted branch holds: the last commit that touched its path
 * leads to the pull request that brought it in. Nothing when there is none: then nobody approved it.
 */
export async function readPlanApprovalFacts(
  github: Github,
  clock: Clock,
  asked: Omit<ApprovalQuestion, "kind" | "pull" | "workflowRuns" | "sealingPulls">,
): Promise<GithubAnswer<ApprovalFacts | null>> {
  const [last, atTip] = await Promise.all([
    github.listCommits(asked.tip, asked.planPath, 1),
    github.readFile(asked.planPath, asked.tip),
  ]);
  if (!last.ok) return last;
  if (!atTip.ok) return atTip.error.kind === "not_found" ? ok(null) : atTip;
  const commit = last.value[0]?.sha;
  if (commit === undefined) return ok(null);
  const pulls = await github.listPullsOfCommit(commit);
  if (!pulls.ok) return pulls;
  const sealing = await gatherAll(
    pulls.value.map(async (pull) => {
      const file = await orNull(github.readFile(asked.planPath, pull.head.sha));
      return file.ok ? ok({ ...pull, plan_sha256_at_head: digestOrNull(file.value) }) : file;
    }),
  );
  if (!sealing.ok) return sealing;
  const digest = sha256(atTip.value);
  const found = sealing.value.find(
    (pull) => pull.merged_at !== null && pull.base.ref === asked.baseRef && pull.plan_sha256_at_head === digest,
  );
  return found === undefined
    ? ok(null)
    : readApprovalFacts(github, clock, {
        ...asked,
        kind: "plan",
        pull: found.number,
        workflowRuns: [],
        sealingPulls: [...sealing.value],
      });
}

/** The time is taken before the question: an answer is at least as old as that. */
async function readPermission(github: Github, clock: Clock, login: string) {
  const at = clock.now();
  const answer = await orNull(github.readPermission(login));
  return answer.ok ? ok({ login, answered_at: at, answer: answer.value }) : answer;
}

async function readMembership(github: Github, clock: Clock, team: string, login: string) {
  const at = clock.now();
  const answer = await orNull(github.readMembership(team, login));
  return answer.ok ? ok({ team, login, answered_at: at, answer: answer.value }) : answer;
}

/** Finds the policy that the trusted branch held when each approving review was given; its pushes say which tip it had. */
async function readPolicies(
  github: Github,
  { kind, config, baseRef, tip }: ApprovalQuestion,
  reviews: readonly GithubReview[],
): Promise<GithubAnswer<ApprovalFacts["policies"]>> {
  const times = [
    ...new Set(
      reviews.flatMap(({ state, submitted_at: at }) =>
        state.toUpperCase() === "APPROVED" && typeof at === "string" ? [at] : [],
      ),
    ),
  ];
  if (times.length === 0) return ok([]);
  const pushes = await github.listPushes(baseRef);
  if (!pushes.ok) return pushes;
  const tipAt = (at: string): string | undefined => {
    const before = pushes.value.filter((push) => parseInstant(push.timestamp) <= parseInstant(at));
    const newest = Math.max(...before.map((push) => parseInstant(push.timestamp)));
    const last = before.filter((push) => parseInstant(push.timestamp) === newest);
    return last.length === 1 ? last[0]?.after : undefined;
  };
  const tips = [...new Set(times.flatMap((at) => tipAt(at) ?? []))];
  const read = await gatherAll(
    tips.map(async (commit) => {
      // A run that waits for a decision has the configuration that it began with, and the tip may have another.
      if (commit === tip && kind !== "manual_gate") return ok({ commit, sha256: policyDigest(config) });
      const file = await orNull(github.readFile(DEFAULT_CONFIG_PATH, commit));
      return file.ok ? ok({ commit, sha256: digestOfPolicy(file.value) }) : file;
    }),
  );
  if (!read.ok) return read;
  return ok(times.map((at) => ({ at, sha256: read.value.find(({ commit }) => commit === tipAt(at))?.sha256 ?? null })));
}

/** Digest of the policy in a configuration file; null when it cannot be read. Where there is no file the defaults hold. */
function digestOfPolicy(file: Uint8Array | null): string | null {
  if (file === null) return policyDigest(defaultConfig());
  const { config } = parseConfig(DEFAULT_CONFIG_PATH, new TextDecoder().decode(file));
  return config === undefined ? null : policyDigest(config);
}

function digestOrNull(bytes: Uint8Array | null): string | null {
  return bytes === null ? null : sha256(bytes);
}

/** Whose an address is, as far as the commits say; GitHub answers no question about addresses. */
function listIdentities(commits: readonly GithubCommit[]): ApprovalFacts["identities"] {
  const known = commits.flatMap(({ commit, author, committer }) => [
    { email: commit.author?.email, user: author },
    { email: commit.committer?.email, user: committer },
  ]);
  const byEmail = new Map<string, ApprovalFacts["identities"][number]>();
  for (const { email, user } of known) {
    if (typeof email === "string" && user !== null) byEmail.set(`${email.toLowerCase()} ${user.id}`, { email, user });
  }
  return [...byEmail.values()];
}
