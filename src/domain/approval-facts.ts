import { z } from "zod";
import { APPROVAL_KINDS } from "./approval-policy.ts";
import { configSchema } from "./config.ts";
import {
  app,
  checkRunSchema,
  commentSchema,
  commitSchema,
  digest,
  id,
  listDeciding,
  membershipAnswerSchema,
  permissionAnswerSchema,
  pullSchema,
  pushSchema,
  reviewSchema,
  sha,
  timelineSchema,
  user,
  type TimelineEvent,
} from "./github-answers.ts";
import { instantSchema } from "./instants.ts";
import { RISK_TIERS } from "./plan.ts";
import { err, ok, type Result } from "./result.ts";

/** `GET /repos/{owner}/{repo}/collaborators/{login}/permission`; the answer is null when it was 404. */
const permissionSchema = z.object({
  login: z.string(),
  answered_at: instantSchema,
  answer: permissionAnswerSchema.nullable(),
});

/** `GET /orgs/{org}/teams/{slug}/memberships/{login}`; the answer is null when it was 404. */
const membershipSchema = z.object({
  team: z.string(),
  login: z.string(),
  answered_at: instantSchema,
  answer: membershipAnswerSchema.nullable(),
});

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
  /** The App that shows what is to be approved; null where there is none: then only reviews can approve. */
  installation: z.object({ app_id: id, suspended_at: instantSchema.nullable() }).nullable(),
  /** Where there is no App: digest of the policy that the trust ref held at each of these times; null is unknown. */
  policies: z.array(z.strictObject({ at: instantSchema, sha256: digest.nullable() })).default([]),
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
export function listTimeline(facts: ApprovalFacts): TimelineEvent[] {
  return listDeciding(facts.timeline);
}
