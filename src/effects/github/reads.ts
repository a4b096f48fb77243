import type { z } from "zod";
import {
  artifactSchema,
  blobSchema,
  checkRunSchema,
  ciCheckRunSchema,
  commentSchema,
  commitSchema,
  commitStatusSchema,
  compareSchema,
  contentSchema,
  issueSchema,
  jobSchema,
  membershipAnswerSchema,
  namedArtifactSchema,
  permissionAnswerSchema,
  pullAnswerSchema,
  pullFileSchema,
  pullListedSchema,
  pushSchema,
  refSchema,
  repositorySchema,
  reviewSchema,
  timelineSchema,
  workflowRunAnswerSchema,
} from "../../domain/github-answers.ts";
import { err, ok } from "../../domain/result.ts";
import type { Github, GithubAnswer } from "../../ports/github.ts";
import type { GithubRequests } from "./requests.ts";

const REPO = "GET /repos/{owner}/{repo}";

/** What is asked of GitHub, each by its one endpoint. */
export function createReads(requests: GithubRequests): Github {
  const { owner, fullName } = requests;
  const read = <T>(path: string, parameters: Record<string, unknown>, schema: z.ZodType<T>) =>
    requests.read(`${REPO}${path}`, parameters, schema);
  const readAll = <T>(path: string, parameters: Record<string, unknown>, schema: z.ZodType<T>, key?: string) =>
    requests.readAll(`${REPO}${path}`, parameters, schema, key);
  return {
    fullName,
    readRepository: () => read("", {}, repositorySchema),
    async readBranchTip(branch) {
      const answer = await read("/git/ref/{ref}", { ref: `heads/${branch}` }, refSchema);
      return answer.ok ? ok(answer.value.object.sha) : answer;
    },
    readFile: (path, commit) => readFile(requests, path, commit),
    compare: (base, head) => read("/compare/{basehead}", { basehead: `${base}...${head}` }, compareSchema),
    async listCommits(from, path, limit) {
      const parameters = { sha: from, path };
      return limit === undefined
        ? readAll("/commits", parameters, commitSchema)
        : read("/commits", { ...parameters, per_page: limit }, commitSchema.array());
    },
    listPullsOfCommit: (commit) => readAll("/commits/{commit_sha}/pulls", { commit_sha: commit }, pullListedSchema),
    listPullsOfBranch: (branch) => readAll("/pulls", { state: "all", head: `${owner}:${branch}` }, pullListedSchema),
    readPull: (number) => read("/pulls/{pull_number}", { pull_number: number }, pullAnswerSchema),
    listPullCommits: (number) => readAll("/pulls/{pull_number}/commits", { pull_number: number }, commitSchema),
    listPullFiles: (number) => readAll("/pulls/{pull_number}/files", { pull_number: number }, pullFileSchema),
    listReviews: (number) => readAll("/pulls/{pull_number}/reviews", { pull_number: number }, reviewSchema),
    listTimeline: (number) => readAll("/issues/{issue_number}/timeline", { issue_number: number }, timelineSchema),
    listComments: (number) => readAll("/issues/{issue_number}/comments", { issue_number: number }, commentSchema),
    listAllCheckRuns: (ref) =>
      readAll("/commits/{ref}/check-runs", { ref, filter: "all" }, checkRunSchema, "check_runs"),
    listCheckRuns: (ref) =>
      readAll("/commits/{ref}/check-runs", { ref, filter: "latest" }, ciCheckRunSchema, "check_runs"),
    listStatuses: (commit) =>
      requests.readAll(`${REPO}/commits/{ref}/status`, { ref: commit }, commitStatusSchema, "statuses", commit),
    listPushes: (branch) => readAll("/activity", { ref: `refs/heads/${branch}` }, pushSchema),
    readPermission: (username) => read("/collaborators/{username}/permission", { username }, permissionAnswerSchema),
    readMembership: (team, username) =>
      requests.read(
        "GET /orgs/{org}/teams/{team_slug}/memberships/{username}",
        { org: owner, team_slug: team, username },
        membershipAnswerSchema,
      ),
    listWorkflowRuns: (commit) =>
      readAll("/actions/runs", { head_sha: commit }, workflowRunAnswerSchema, "workflow_runs"),
    readWorkflowRun: (id) => read("/actions/runs/{run_id}", { run_id: id }, workflowRunAnswerSchema),
    listJobs: (id) => readAll("/actions/runs/{run_id}/jobs", { run_id: id, filter: "latest" }, jobSchema, "jobs"),
    listArtifacts: (id) => readAll("/actions/runs/{run_id}/artifacts", { run_id: id }, artifactSchema, "artifacts"),
    listArtifactsNamed: (name) => readAll("/actions/artifacts", { name }, namedArtifactSchema, "artifacts"),
    async listOpenIssues(label) {
      const answer = await readAll("/issues", { labels: label, state: "open" }, issueSchema);
      return answer.ok ? ok(answer.value.filter((issue) => issue.pull_request === undefined)) : answer;
    },
  };
}

/** Files of more than a megabyte come without content: those are read as the object that they are. */
async function readFile(requests: GithubRequests, path: string, commit: string): Promise<GithubAnswer<Uint8Array>> {
  const file = await requests.read(`${REPO}/contents/{path}`, { path, ref: commit }, contentSchema);
  if (!file.ok) return file;
  const blob =
    file.value.encoding === "base64"
      ? file
      : await requests.read(`${REPO}/git/blobs/{file_sha}`, { file_sha: file.value.sha }, blobSchema);
  if (!blob.ok) return blob;
  const bytes = Buffer.from(blob.value.content, "base64");
  return bytes.length === file.value.size
    ? ok(bytes)
    : err({
        kind: "malformed",
        status: 200,
        request: `GET ${path} at ${commit}`,
        message: `${bytes.length} of ${file.value.size} bytes`,
      });
}
