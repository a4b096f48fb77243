import type { components } from "@octokit/openapi-types";
import type { Bare } from "./bare.ts";
import type {
  EmulatedArtifact,
  EmulatedCheckRun,
  EmulatedComment,
  EmulatedEvent,
  EmulatedPull,
  EmulatedPush,
  EmulatedReview,
  EmulatedUser,
  EmulatedWorkflowRun,
  GithubState,
} from "./state.ts";

/**
 * Part of what GitHub answers: what a test's answer says must be as GitHub's own description has it, which the compiler
 * checks; what nobody reads is left out.
 */
export type Part<T> = T extends readonly (infer U)[]
  ? Part<U>[]
  : T extends object
    ? { [K in keyof T]?: Part<T[K]> }
    : T;
type Schemas = components["schemas"];
type Api<K extends keyof Schemas> = Part<Schemas[K]>;

export function userAnswer(user: EmulatedUser | null): Api<"simple-user"> | null {
  return user === null ? null : { id: user.id, login: user.login, type: user.type };
}

export function repositoryAnswer(state: GithubState, url: string): Api<"full-repository"> {
  return {
    id: state.repositoryId,
    name: state.name,
    full_name: `${state.owner}/${state.name}`,
    owner: { login: state.owner, type: state.ownerType },
    default_branch: state.defaultBranch,
    clone_url: `${url}/${state.owner}/${state.name}.git`,
    permissions: { admin: false, push: state.tokenMayPush, pull: true },
  };
}

export function pullAnswer(state: GithubState, bare: Bare, pull: EmulatedPull, listed = false): Api<"pull-request"> {
  const head = headOf(bare, pull);
  const base = baseOf(bare, pull);
  const answer: Api<"pull-request"> = {
    number: pull.number,
    id: 70_000 + pull.number,
    node_id: `PR_${pull.number}`,
    state: pull.state,
    title: pull.title,
    body: pull.body,
    html_url: `https://github.invalid/${state.owner}/${state.name}/pull/${pull.number}`,
    draft: pull.draft,
    created_at: pull.createdAt,
    merged_at: pull.mergedAt,
    merge_commit_sha: pull.mergeCommit,
    head: {
      ref: pull.headRef,
      sha: head,
      label: `${state.owner}:${pull.headRef}`,
      // GitHub describes it as never null; it is when the fork is gone.
      repo: (pull.headRepoId === null ? null : { id: pull.headRepoId }) as Api<"repository">,
    },
    base: { ref: pull.baseRef, sha: base, label: `${state.owner}:${pull.baseRef}`, repo: { id: state.repositoryId } },
    labels: pull.labels.map((name) => ({ name })),
    ...(pull.user === null ? {} : { user: userAnswer(pull.user) ?? {} }),
  };
  const whole = pull.user === null ? { ...answer, user: null as unknown as Api<"simple-user"> } : answer;
  return listed ? whole : { ...whole, merged: pull.mergedAt !== null, commits: commitsOf(bare, pull).length };
}

function headOf(bare: Bare, pull: EmulatedPull): string {
  return pull.sealed?.head ?? bare.tip(pull.headRef) ?? "0".repeat(40);
}

function baseOf(bare: Bare, pull: EmulatedPull): string {
  return pull.sealed?.base ?? bare.tip(pull.baseRef) ?? "0".repeat(40);
}

/** The commits of a pull request, oldest first, as GitHub lists them. */
export function commitsOf(bare: Bare, pull: EmulatedPull): string[] {
  return bare.commitsBetween(baseOf(bare, pull), headOf(bare, pull));
}

export function commitAnswer(state: GithubState, bare: Bare, sha: string): Api<"commit"> {
  const commit = bare.readCommit(sha);
  const account = (email: string) => userAnswer(state.users.find((user) => user.email === email) ?? null);
  return {
    sha,
    commit: {
      message: commit.message,
      author: { name: commit.authorName, email: commit.authorEmail, date: commit.authorDate },
      committer: { name: commit.committerName, email: commit.committerEmail, date: commit.committerDate },
      tree: { sha: commit.tree },
    },
    author: account(commit.authorEmail),
    committer: account(commit.committerEmail),
    parents: commit.parents.map((parent) => ({ sha: parent })),
  };
}

export function reviewAnswer(review: EmulatedReview): Api<"pull-request-review"> {
  return {
    id: review.id,
    user: userAnswer(review.user),
    body: "",
    state: review.state,
    commit_id: review.commitId,
    ...(review.state === "PENDING" ? {} : { submitted_at: review.submittedAt }),
  };
}

export function commentAnswer(comment: EmulatedComment): Api<"issue-comment"> {
  return {
    id: comment.id,
    body: comment.body,
    user: userAnswer(comment.user),
    created_at: comment.createdAt,
    updated_at: comment.updatedAt,
    performed_via_github_app: comment.viaApp === null ? null : { id: comment.viaApp },
  };
}

export function eventAnswer(event: EmulatedEvent): Record<string, unknown> {
  return {
    event: event.event,
    created_at: event.at,
    actor: userAnswer(event.actor),
    performed_via_github_app: null,
    ...event.rest,
  };
}

export function checkRunAnswer(run: EmulatedCheckRun): Api<"check-run"> {
  return {
    id: run.id,
    name: run.name,
    head_sha: run.headSha,
    external_id: run.externalId,
    status: run.status,
    conclusion: run.conclusion as NonNullable<Schemas["check-run"]["conclusion"]> | null,
    started_at: run.startedAt,
    completed_at: run.completedAt,
    app: run.app === null ? null : { id: run.app.id, slug: run.app.slug },
    check_suite: { id: run.suite },
    output: { title: null, summary: null, text: run.text, annotations_count: 0 },
  };
}

export function workflowRunAnswer(run: EmulatedWorkflowRun): Api<"workflow-run"> {
  return {
    id: run.id,
    run_attempt: run.attempt,
    path: run.path,
    head_branch: run.headBranch,
    head_sha: run.headSha,
    event: run.event,
    status: run.status,
    conclusion: run.conclusion,
    check_suite_id: run.suite,
    actor: userAnswer(run.actor) as Api<"simple-user">,
    triggering_actor: userAnswer(run.triggeringActor) as Api<"simple-user">,
    repository: { id: run.repositoryId },
    head_repository: (run.headRepositoryId === null ? null : { id: run.headRepositoryId }) as Api<"minimal-repository">,
  };
}

export function jobAnswer(state: GithubState, url: string, runId: number, check: EmulatedCheckRun): Api<"job"> {
  return {
    id: check.id,
    run_id: runId,
    name: check.name,
    head_sha: check.headSha,
    check_run_url: `${url}/repos/${state.owner}/${state.name}/check-runs/${check.id}`,
  };
}

export function artifactAnswer(artifact: EmulatedArtifact): Api<"artifact"> {
  return {
    id: artifact.id,
    name: artifact.name,
    size_in_bytes: artifact.size,
    expired: artifact.expired,
    digest: artifact.digest,
    workflow_run: { id: artifact.run },
  };
}

export function pushAnswer(push: EmulatedPush, index: number): Api<"activity"> {
  return {
    id: index,
    ref: push.ref,
    before: push.before,
    after: push.after,
    timestamp: push.timestamp,
    activity_type: /^0+$/.test(push.before) ? "branch_creation" : /^0+$/.test(push.after) ? "branch_deletion" : "push",
    actor: userAnswer(push.actor),
  };
}
