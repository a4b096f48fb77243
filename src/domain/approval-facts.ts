import { z } from "zod";
import { APPROVAL_KINDS } from "./approval-policy.ts";
import { configSchema } from "./config.ts";
import { instantSchema } from "./instants.ts";
import { RISK_TIERS } from "./plan.ts";
import { err, ok, type Result } from "./result.ts";

/*
 * Shapes of GitHub's answers and webhooks, narrowed to what decides. Objects of GitHub take no notice of keys they do
 * not know; what is needed and missing is refused here, so that no rule has to guess.
 */

const id = z.int().nonnegative();
const sha = z.string().regex(/^([0-9a-f]{40}|[0-9a-f]{64})$/);
const digest = z.string().regex(/^[0-9a-f]{64}$/);

const user = z.object({ id, login: z.string(), type: z.string() }).nullable();
/** An account. Null stands where GitHub no longer knows it. */
export type GithubUser = z.infer<typeof user>;

/** `GET /repos/{owner}/{repo}/pulls/{number}`. */
const pullSchema = z.object({
  number: id,
  state: z.enum(["open", "closed"]),
  draft: z.boolean(),
  merged_at: instantSchema.nullable(),
  user,
  /** How many commits it has, whatever the list of commits holds. */
  commits: z.int(),
  head: z.object({ sha, repo: z.object({ id }).nullable() }),
  base: z.object({ ref: z.string(), repo: z.object({ id }) }),
  labels: z.array(z.object({ name: z.string() })),
});

/** `GET /repos/{owner}/{repo}/pulls/{number}/commits`, and `GET /repos/{owner}/{repo}/commits?path=`. */
const commitSchema = z.object({
  sha,
  commit: z.object({
    message: z.string(),
    author: z.object({ email: z.string().nullish() }).nullable(),
    committer: z.object({ email: z.string().nullish() }).nullable(),
  }),
  author: user,
  committer: user,
});
export type GithubCommit = z.infer<typeof commitSchema>;

/** `GET /repos/{owner}/{repo}/pulls/{number}/reviews`. A pending review has no time. */
const reviewSchema = z.object({
  id,
  user,
  state: z.string(),
  commit_id: sha.nullable(),
  submitted_at: instantSchema.nullish(),
});
export type GithubReview = z.infer<typeof reviewSchema>;

const app = z.object({ id }).nullable();
const happened = { actor: user, created_at: instantSchema };

/** Events of the timeline that revoke whatever was given before them. */
export const REVOKING_EVENTS = ["convert_to_draft", "closed", "reopened", "base_ref_changed"] as const;

const labeledSchema = z.object({
  event: z.enum(["labeled", "unlabeled"]),
  id,
  ...happened,
  label: z.object({ name: z.string() }),
  performed_via_github_app: app,
});
const dismissedSchema = z.object({
  event: z.literal("review_dismissed"),
  ...happened,
  dismissed_review: z.object({ review_id: id, state: z.string() }),
});
const revokedSchema = z.object({ event: z.enum(REVOKING_EVENTS), ...happened });

const READ_EVENTS: ReadonlySet<string> = new Set(["labeled", "unlabeled", "review_dismissed", ...REVOKING_EVENTS]);

/** `GET /repos/{owner}/{repo}/issues/{number}/timeline`. An event that decides must be whole; others are let through. */
const timelineSchema = z.union([
  labeledSchema,
  dismissedSchema,
  revokedSchema,
  z.object({ event: z.string().refine((event) => !READ_EVENTS.has(event), "expected the whole event") }),
]);

/** `GET /repos/{owner}/{repo}/commits/{ref}/check-runs?filter=all`. What was shown earlier counts, so not the latest. */
const checkRunSchema = z.object({
  id,
  head_sha: sha,
  external_id: z.string().nullable(),
  status: z.string(),
  completed_at: instantSchema.nullable(),
  app,
  output: z.object({ text: z.string().nullable() }),
});
export type GithubCheckRun = z.infer<typeof checkRunSchema>;

/** `GET /repos/{owner}/{repo}/issues/{number}/comments`. */
const commentSchema = z.object({
  id,
  user,
  body: z.string(),
  created_at: instantSchema,
  updated_at: instantSchema,
  performed_via_github_app: app,
});

/** `GET /repos/{owner}/{repo}/collaborators/{login}/permission`; the answer is null when it was 404. */
const permissionSchema = z.object({
  login: z.string(),
  answered_at: instantSchema,
  answer: z.object({ permission: z.string(), role_name: z.string(), user }).nullable(),
});

/** `GET /orgs/{org}/teams/{slug}/memberships/{login}`; the answer is null when it was 404. */
const membershipSchema = z.object({
  team: z.string(),
  login: z.string(),
  answered_at: instantSchema,
  answer: z.object({ state: z.string() }).nullable(),
});

/** `GET /repos/{owner}/{repo}/activity?ref=`: every push to the head branch; its creation begins at forty zeros. */
const pushSchema = z.object({ before: sha, after: sha, actor: user, timestamp: instantSchema });
export type GithubPush = z.infer<typeof pushSchema>;

/** `GET /repos/{owner}/{repo}/actions/runs/{id}`: who started the run that made the pull request. */
const workflowRunSchema = z.object({ id, actor: user, triggering_actor: user });

const delivered = { guid: z.string(), received_at: instantSchema };

/** Webhooks that nothing can ask for afterwards. */
const deliverySchema = z.discriminatedUnion("event", [
  z.object({
    ...delivered,
    event: z.literal("check_run"),
    payload: z.object({
      action: z.literal("requested_action"),
      requested_action: z.object({ identifier: z.string() }),
      check_run: z.object({ id, head_sha: sha, external_id: z.string().nullable(), app }),
      sender: user,
    }),
  }),
  z.object({
    ...delivered,
    event: z.literal("pull_request_review"),
    payload: z.object({ action: z.literal("edited"), review: z.object({ id }) }),
  }),
  z.object({
    ...delivered,
    event: z.literal("label"),
    payload: z.object({
      action: z.enum(["edited", "deleted"]),
      label: z.object({ name: z.string() }),
      changes: z.object({ name: z.object({ from: z.string() }).optional() }).optional(),
    }),
  }),
  z.object({ ...delivered, event: z.literal("repository"), payload: z.object({ action: z.literal("transferred") }) }),
]);

/**
 * Everything that decides about the approvals of one pull request, as it was fetched. Lists are whole: all pages. This
 * is the file that `conveyor approvals explain` reads.
 */
export const approvalFactsSchema = z.strictObject({
  schema_version: z.literal("conveyor.approval_facts.v1"),
  kind: z.enum(APPROVAL_KINDS),
  /** When the question is asked. */
  asked_at: instantSchema,
  /** When the oldest of the objects below was fetched. */
  fetched_at: instantSchema,
  /** When the newest event happened that made the question be asked. */
  triggered_at: instantSchema,
  /** Risk of the plan under the configuration below. */
  risk: z.enum(RISK_TIERS),
  plan: z.strictObject({
    path: z.string(),
    /** Digest of the plan's bytes in the tree of the pull request's head; null when it is not there. */
    sha256_at_head: digest.nullable(),
    /** Digest of the plan's bytes at the tip of the trust ref; null when it is not there. */
    sha256_at_tip: digest.nullable(),
  }),
  /** The configuration at the tip of the trust ref; its digest is the policy's. */
  config: configSchema,
  /** The branch that is trusted, without `refs/heads/`. */
  base_ref: z.string(),
  repository: z.object({ id }),
  installation: z.object({ app_id: id, suspended_at: instantSchema.nullable() }),
  pull_request: pullSchema,
  /**
   * For a merged plan: the pull requests of the last commit that touched the plan on the trust ref
   * (`GET /repos/{owner}/{repo}/commits/{sha}/pulls`), each with the digest of the plan in its head's tree.
   */
  sealing_pulls: z
    .array(
      z.object({
        number: id,
        merged_at: instantSchema.nullable(),
        base: z.object({ ref: z.string() }),
        plan_sha256_at_head: digest.nullable(),
      }),
    )
    .nullable(),
  commits: z.array(commitSchema),
  /** Every commit that touched the plan or the blueprint that it came from. */
  plan_commits: z.array(commitSchema),
  /** Accounts that GitHub knows behind the addresses of co-authors; null when it knows none. */
  identities: z.array(z.strictObject({ email: z.string(), user })),
  /** `GET /repos/{owner}/{repo}/compare/{base}...{head}`. */
  compare: z.object({ merge_base_commit: z.object({ sha }) }).nullable(),
  reviews: z.array(reviewSchema),
  timeline: z.array(timelineSchema),
  check_runs: z.array(checkRunSchema),
  comments: z.array(commentSchema),
  pushes: z.array(pushSchema),
  workflow_runs: z.array(workflowRunSchema),
  permissions: z.array(permissionSchema),
  memberships: z.array(membershipSchema),
  deliveries: z.array(deliverySchema),
});
export type ApprovalFacts = z.infer<typeof approvalFactsSchema>;

/** Parses a file of facts; what is wrong is named by its place, all at once. */
export function parseApprovalFacts(text: string): Result<ApprovalFacts, readonly string[]> {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return err(["not JSON"]);
  }
  const parsed = approvalFactsSchema.safeParse(value);
  return parsed.success
    ? ok(parsed.data)
    : err(parsed.error.issues.map(({ path, message }) => `${path.join(".") || "the file"}: ${message}`));
}

/** The events of the timeline that decide. */
export type TimelineEvent = z.infer<typeof labeledSchema | typeof dismissedSchema | typeof revokedSchema>;

/** Leaves out the events that decide nothing. */
export function listTimeline(facts: ApprovalFacts): TimelineEvent[] {
  return facts.timeline.filter((item): item is TimelineEvent => READ_EVENTS.has(item.event));
}
