/** What the kernel asks of GitHub, as types. Nothing here is a value. */
import type {
  GithubArtifact,
  GithubCheckRun,
  GithubCiCheckRun,
  GithubComment,
  GithubCommit,
  GithubCommitStatus,
  GithubComparison,
  GithubIssue,
  GithubJob,
  GithubListedPull,
  GithubMembership,
  GithubNamedArtifact,
  GithubPermission,
  GithubPull,
  GithubPullFile,
  GithubPush,
  GithubRepository,
  GithubReview,
  GithubTimelineItem,
  GithubWorkflowRun,
} from "../domain/github-answers.ts";
import type { GithubFailure } from "../domain/github-failure.ts";
import type { Result } from "../domain/result.ts";

/** What GitHub answered, or why nothing is known. */
export type GithubAnswer<T> = Result<T, GithubFailure>;

/**
 * One repository on GitHub. Lists are whole, all pages of them, or a failure. Every answer was parsed; nothing throws
 * but for our own bugs. What is not known is never taken for a no or a yes: whoever asks decides what a failure means.
 */
export interface Github {
  /** `owner/name`, as it was asked for. */
  readonly fullName: string;
  readRepository(): Promise<GithubAnswer<GithubRepository>>;
  /** The commit that a branch names now; `not_found` when there is none. */
  readBranchTip(branch: string): Promise<GithubAnswer<string>>;
  /** Bytes of a file at a commit; `not_found` when there is no such file. */
  readFile(path: string, commit: string): Promise<GithubAnswer<Uint8Array>>;
  compare(base: string, head: string): Promise<GithubAnswer<GithubComparison>>;
  /** Commits of `from` that touched the path, newest first; `limit` of them, or all. */
  listCommits(from: string, path: string, limit?: number): Promise<GithubAnswer<readonly GithubCommit[]>>;
  listPullsOfCommit(commit: string): Promise<GithubAnswer<readonly GithubListedPull[]>>;
  /** Pull requests in whatever state whose head is this branch of this repository. */
  listPullsOfBranch(branch: string): Promise<GithubAnswer<readonly GithubListedPull[]>>;
  readPull(number: number): Promise<GithubAnswer<GithubPull>>;
  listPullCommits(number: number): Promise<GithubAnswer<readonly GithubCommit[]>>;
  listPullFiles(number: number): Promise<GithubAnswer<readonly GithubPullFile[]>>;
  listReviews(number: number): Promise<GithubAnswer<readonly GithubReview[]>>;
  listTimeline(number: number): Promise<GithubAnswer<readonly GithubTimelineItem[]>>;
  listComments(number: number): Promise<GithubAnswer<readonly GithubComment[]>>;
  /** Every check run that was ever made on a commit. */
  listAllCheckRuns(commit: string): Promise<GithubAnswer<readonly GithubCheckRun[]>>;
  /** The latest check runs of each name and app on a commit. */
  listCheckRuns(commit: string): Promise<GithubAnswer<readonly GithubCiCheckRun[]>>;
  listStatuses(commit: string): Promise<GithubAnswer<readonly GithubCommitStatus[]>>;
  /** Pushes to a branch, also to one that is gone. */
  listPushes(branch: string): Promise<GithubAnswer<readonly GithubPush[]>>;
  readPermission(login: string): Promise<GithubAnswer<GithubPermission>>;
  /** Membership in a team of the organisation that owns the repository. */
  readMembership(team: string, login: string): Promise<GithubAnswer<GithubMembership>>;
  /** Runs of workflows on a commit. */
  listWorkflowRuns(commit: string): Promise<GithubAnswer<readonly GithubWorkflowRun[]>>;
  readWorkflowRun(id: number): Promise<GithubAnswer<GithubWorkflowRun>>;
  /** Jobs of the latest attempt of a workflow run, each with the check run that shows it. */
  listJobs(workflowRunId: number): Promise<GithubAnswer<readonly GithubJob[]>>;
  listArtifacts(workflowRunId: number): Promise<GithubAnswer<readonly GithubArtifact[]>>;
  /** Artifacts of this very name, whichever workflow run uploaded them. */
  listArtifactsNamed(name: string): Promise<GithubAnswer<readonly GithubNamedArtifact[]>>;
  /** Open issues that bear the label. */
  listOpenIssues(label: string): Promise<GithubAnswer<readonly GithubIssue[]>>;
}

/** What a remote repository says when it does not do what it was asked. */
type RemoteFailure =
  /** The token may not do that, or there is no such repository for it. */
  | { readonly kind: "forbidden"; readonly message: string }
  /** It could not be reached, or its answer was lost: what it did is not known. */
  | { readonly kind: "unavailable"; readonly message: string };

export type RemoteRefAnswer = { readonly kind: "read"; readonly commit: string | undefined } | RemoteFailure;

export type PushAnswer =
  | { readonly kind: "pushed" }
  /** The ref does not name what was expected. */
  | { readonly kind: "stale"; readonly message: string }
  /** A rule of the repository does not let it through. */
  | { readonly kind: "refused"; readonly message: string }
  | RemoteFailure;

/** The repository on GitHub as git speaks to it, from the private repository of a run. */
export interface Remote {
  /** The commit that a full ref name has there now. */
  readRef(ref: string): Promise<RemoteRefAnswer>;
  /** Makes a ref name a commit, only when it names `expected` until then; `undefined`: only when there is none. */
  push(input: {
    readonly ref: string;
    readonly expected: string | undefined;
    readonly commit: string;
  }): Promise<PushAnswer>;
}

/** A pull request as it was opened or changed. */
export interface WrittenPull {
  readonly number: number;
  readonly url: string;
  readonly draft: boolean;
  /** The commit that its branch has, as GitHub sees it. */
  readonly head: string;
}

/** A commit made through the API. */
export interface WrittenCommit {
  readonly sha: string;
  readonly tree: string;
  readonly parents: readonly string[];
  readonly message: string;
  /** Whether GitHub vouches for its signature. */
  readonly verified: boolean;
}

/** An entry of a tree to be made: the object that stands at the path, or null when nothing does any more. */
export interface TreeEntryDraft {
  readonly path: string;
  readonly mode: string;
  readonly type: "blob" | "commit";
  readonly sha: string | null;
}

/** What delivery changes on GitHub. Only what is idempotent is tried again there: whoever asks looks before it asks again. */
export interface GithubWrites {
  /** Login of the account whose token asks: a person's, or that of the App or the workflow. */
  readLogin(): Promise<GithubAnswer<string>>;
  /** `conflict` when there is one for this head and base already, or when drafts are not to be had. */
  createPull(input: {
    readonly title: string;
    readonly body: string;
    readonly head: string;
    readonly base: string;
    readonly draft: boolean;
  }): Promise<GithubAnswer<WrittenPull>>;
  updatePull(
    number: number,
    input: { readonly title: string; readonly body: string },
  ): Promise<GithubAnswer<WrittenPull>>;
  /** Turns a draft into a pull request that asks for review, or back. */
  setDraft(number: number, draft: boolean): Promise<GithubAnswer<boolean>>;
  /** Types of the rules that hold for a branch of this name. */
  listRuleTypes(branch: string): Promise<GithubAnswer<readonly string[]>>;
  /** Stores bytes; gives the object's id. */
  createBlob(bytes: Uint8Array): Promise<GithubAnswer<string>>;
  /** Makes a tree of another one; gives its id. */
  createTree(baseTree: string, entries: readonly TreeEntryDraft[]): Promise<GithubAnswer<string>>;
  /** Without author, committer and date: then GitHub signs it for the App or bot whose token asks. */
  createCommit(input: {
    readonly message: string;
    readonly tree: string;
    readonly parent: string;
  }): Promise<GithubAnswer<WrittenCommit>>;
  readCommit(commit: string): Promise<GithubAnswer<WrittenCommit>>;
  /** Makes a ref name a commit, only when it names `expected` until then. `conflict` when it does not. */
  swapRef(input: {
    readonly ref: string;
    readonly expected: string | undefined;
    readonly commit: string;
  }): Promise<GithubAnswer<boolean>>;
}

/** What a run delivers itself to GitHub with. */
export interface GithubDelivery {
  readonly github: Github;
  readonly writes: GithubWrites;
  readonly remote: Remote;
  /** Where the agents ran. */
  readonly profile: "one_job" | "command_line";
}
