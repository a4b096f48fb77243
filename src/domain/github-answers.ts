import { z } from "zod";
import { instantSchema } from "./instants.ts";

/*
 * Shapes of GitHub's answers and webhooks, narrowed to what decides. Objects of GitHub take no notice of keys they do
 * not know; what is needed and missing is refused here, so that no rule has to guess.
 */

export const id = z.int().nonnegative();
export const sha = z.string().regex(/^([0-9a-f]{40}|[0-9a-f]{64})$/);
export const digest = z.string().regex(/^[0-9a-f]{64}$/);

export const user = z.object({ id, login: z.string(), type: z.string() }).nullable();
/** An account. Null stands where GitHub no longer knows it. */
export type GithubUser = z.infer<typeof user>;

/** `GET /repos/{owner}/{repo}/pulls/{number}`. */
export const pullSchema = z.object({
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
export const commitSchema = z.object({
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
export const reviewSchema = z.object({
  id,
  user,
  state: z.string(),
  commit_id: sha.nullable(),
  submitted_at: instantSchema.nullish(),
});
export type GithubReview = z.infer<typeof reviewSchema>;

export const app = z.object({ id }).nullable();
const happened = { actor: user, created_at: instantSchema };

/** Events of the timeline that revoke whatever was given before them. */
export const REVOKING_EVENTS = [
  "convert_to_draft",
  "closed",
  "reopened",
  "base_ref_changed",
  // GitHub does it when the base was merged elsewhere and deleted.
  "automatic_base_change_succeeded",
] as const;

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
  performed_via_github_app: app.optional(),
});
const revokedSchema = z.object({ event: z.enum(REVOKING_EVENTS), ...happened });

const READ_EVENTS: ReadonlySet<string> = new Set(["labeled", "unlabeled", "review_dismissed", ...REVOKING_EVENTS]);

/** `GET /repos/{owner}/{repo}/issues/{number}/timeline`. An event that decides must be whole; others are let through. */
export const timelineSchema = z.union([
  labeledSchema,
  dismissedSchema,
  revokedSchema,
  z.object({ event: z.string().refine((event) => !READ_EVENTS.has(event), "expected the whole event") }),
]);

export type GithubTimelineItem = z.infer<typeof timelineSchema>;

/** `GET /repos/{owner}/{repo}/commits/{ref}/check-runs?filter=all`. What was shown earlier counts, so not the latest. */
export const checkRunSchema = z.object({
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
export const commentSchema = z.object({
  id,
  user,
  body: z.string(),
  created_at: instantSchema,
  updated_at: instantSchema,
  performed_via_github_app: app,
});

export type GithubComment = z.infer<typeof commentSchema>;

/** `GET /repos/{owner}/{repo}/activity?ref=`: every push to the head branch; its creation begins at forty zeros. */
export const pushSchema = z.object({ before: sha, after: sha, actor: user, timestamp: instantSchema });
export type GithubPush = z.infer<typeof pushSchema>;

/** The events of the timeline that decide. */
export type TimelineEvent = z.infer<typeof labeledSchema | typeof dismissedSchema | typeof revokedSchema>;

/** Leaves out the events that decide nothing. */
export function listDeciding(timeline: readonly GithubTimelineItem[]): TimelineEvent[] {
  return timeline.filter((item): item is TimelineEvent => READ_EVENTS.has(item.event));
}

/** `GET /repos/{owner}/{repo}`. `permissions` are those of the token that asks. */
export const repositorySchema = z.object({
  id,
  full_name: z.string(),
  default_branch: z.string(),
  owner: z.object({ type: z.string() }),
  permissions: z.object({ push: z.boolean() }).optional(),
});
export type GithubRepository = z.infer<typeof repositorySchema>;

/** `GET /repos/{owner}/{repo}/git/ref/{ref}`. */
export const refSchema = z.object({ object: z.object({ type: z.string(), sha }) });

/** `GET /repos/{owner}/{repo}/contents/{path}`. A file of more than a megabyte comes without its content. */
export const contentSchema = z.object({
  type: z.literal("file"),
  encoding: z.string(),
  content: z.string(),
  sha,
  size: z.int(),
});

/** `GET /repos/{owner}/{repo}/git/blobs/{sha}`. */
export const blobSchema = z.object({ encoding: z.literal("base64"), content: z.string(), sha });

/** A pull request with what delivers and resumes need beside what decides about approvals. */
export const pullAnswerSchema = pullSchema.extend({
  title: z.string(),
  body: z.string().nullable(),
  html_url: z.string(),
  head: z.object({ ref: z.string(), sha, repo: z.object({ id }).nullable() }),
  base: z.object({ ref: z.string(), sha, repo: z.object({ id }) }),
});
export type GithubPull = z.infer<typeof pullAnswerSchema>;

/** `GET /repos/{owner}/{repo}/pulls` and `/commits/{sha}/pulls`: lists leave out counts. */
export const pullListedSchema = pullAnswerSchema.omit({ commits: true });
export type GithubListedPull = z.infer<typeof pullListedSchema>;

/** `GET /repos/{owner}/{repo}/pulls/{number}/files`. */
export const pullFileSchema = z.object({
  filename: z.string(),
  status: z.string(),
  previous_filename: z.string().optional(),
});
export type GithubPullFile = z.infer<typeof pullFileSchema>;

/** `GET /repos/{owner}/{repo}/commits/{ref}/check-runs?filter=latest`, as the ci gate reads it. */
export const ciCheckRunSchema = z.object({
  id,
  name: z.string(),
  head_sha: sha,
  status: z.string(),
  conclusion: z.string().nullable(),
  app: z.object({ id, slug: z.string().optional() }).nullable(),
  check_suite: z.object({ id }).nullable(),
});
export type GithubCiCheckRun = z.infer<typeof ciCheckRunSchema>;

/** `GET /repos/{owner}/{repo}/commits/{ref}/status`: the newest status of each context. */
export const commitStatusSchema = z.object({ context: z.string(), state: z.string() });
export type GithubCommitStatus = z.infer<typeof commitStatusSchema>;

/** `GET /repos/{owner}/{repo}/actions/runs/{id}` and `?head_sha=`: the run of a workflow file. */
export const workflowRunAnswerSchema = z.object({
  id,
  run_attempt: z.int(),
  path: z.string(),
  head_branch: z.string().nullable(),
  head_sha: sha,
  event: z.string(),
  status: z.string().nullable(),
  conclusion: z.string().nullable(),
  check_suite_id: id,
  actor: user,
  triggering_actor: user,
  repository: z.object({ id }),
  head_repository: z.object({ id }).nullable(),
});
export type GithubWorkflowRun = z.infer<typeof workflowRunAnswerSchema>;

/** `GET /repos/{owner}/{repo}/actions/runs/{run_id}/jobs`. */
export const jobSchema = z.object({ id, run_id: id, name: z.string(), check_run_url: z.string() });
export type GithubJob = z.infer<typeof jobSchema>;

/** `GET /repos/{owner}/{repo}/actions/runs/{run_id}/artifacts`. Old servers give no digest. */
export const artifactSchema = z.object({
  id,
  name: z.string(),
  size_in_bytes: z.int(),
  expired: z.boolean(),
  digest: z.string().nullish(),
});
export type GithubArtifact = z.infer<typeof artifactSchema>;

/** `GET /repos/{owner}/{repo}/actions/artifacts?name=`: which workflow runs uploaded one of that name. */
export const namedArtifactSchema = z.object({ id, name: z.string(), workflow_run: z.object({ id }).nullable() });
export type GithubNamedArtifact = z.infer<typeof namedArtifactSchema>;

/** `GET /repos/{owner}/{repo}/compare/{base}...{head}`. */
export const compareSchema = z.object({
  status: z.enum(["diverged", "ahead", "behind", "identical"]),
  merge_base_commit: z.object({ sha }),
});
export type GithubComparison = z.infer<typeof compareSchema>;

/** `GET /repos/{owner}/{repo}/collaborators/{login}/permission`. */
export const permissionAnswerSchema = z.object({ permission: z.string(), role_name: z.string(), user });
export type GithubPermission = z.infer<typeof permissionAnswerSchema>;

/** `GET /orgs/{org}/teams/{slug}/memberships/{login}`. */
export const membershipAnswerSchema = z.object({ state: z.string() });
export type GithubMembership = z.infer<typeof membershipAnswerSchema>;

/** `GET /repos/{owner}/{repo}/issues?labels=`: pull requests are issues too. */
export const issueSchema = z.object({ number: id, title: z.string(), pull_request: z.unknown().optional() });
export type GithubIssue = z.infer<typeof issueSchema>;
