/** What the emulated GitHub holds besides the git repository itself, which is a real one. */

export interface EmulatedUser {
  readonly id: number;
  login: string;
  readonly type: "User" | "Bot" | "Organization";
  /** Commits with this address are this account's. */
  readonly email: string;
  /** What it may do; `none` is what a stranger may. */
  permission: "admin" | "write" | "read" | "none";
  /** `maintain`, `triage` and custom roles show here alone. */
  roleName: string;
}

export interface EmulatedPull {
  readonly number: number;
  title: string;
  body: string;
  readonly user: EmulatedUser | null;
  readonly headRef: string;
  /** Null when the fork it came from is gone. */
  headRepoId: number | null;
  baseRef: string;
  draft: boolean;
  state: "open" | "closed";
  readonly createdAt: string;
  mergedAt: string | null;
  mergeCommit: string | null;
  /** Head and base as they stood at the merge; the branches may be gone since. */
  sealed: { readonly head: string; readonly base: string } | null;
  labels: string[];
}

export interface EmulatedReview {
  readonly id: number;
  readonly pull: number;
  readonly user: EmulatedUser | null;
  state: "APPROVED" | "CHANGES_REQUESTED" | "COMMENTED" | "DISMISSED" | "PENDING";
  readonly commitId: string | null;
  readonly submittedAt: string;
}

export interface EmulatedComment {
  readonly id: number;
  readonly issue: number;
  readonly user: EmulatedUser | null;
  body: string;
  readonly createdAt: string;
  updatedAt: string;
  readonly viaApp: number | null;
}

/** An event of a timeline, as it is answered. */
export interface EmulatedEvent {
  readonly issue: number;
  readonly event: string;
  readonly at: string;
  readonly actor: EmulatedUser | null;
  readonly rest: Readonly<Record<string, unknown>>;
}

export interface EmulatedApp {
  readonly id: number;
  readonly slug: string;
}

export interface EmulatedCheckRun {
  readonly id: number;
  readonly name: string;
  readonly headSha: string;
  readonly app: EmulatedApp | null;
  readonly suite: number;
  status: "queued" | "in_progress" | "completed";
  conclusion: string | null;
  readonly startedAt: string;
  completedAt: string | null;
  externalId: string | null;
  text: string | null;
  /** A job of GitHub Actions made it, and not somebody's token. */
  readonly isJob: boolean;
}

export interface EmulatedStatus {
  readonly sha: string;
  readonly context: string;
  readonly state: "success" | "pending" | "failure" | "error";
}

export interface EmulatedWorkflowRun {
  readonly id: number;
  readonly suite: number;
  readonly path: string;
  readonly headSha: string;
  readonly headBranch: string;
  readonly event: string;
  readonly actor: EmulatedUser | null;
  readonly triggeringActor: EmulatedUser | null;
  readonly repositoryId: number;
  readonly headRepositoryId: number | null;
  status: string;
  conclusion: string | null;
  readonly attempt: number;
}

export interface EmulatedArtifact {
  readonly id: number;
  readonly run: number;
  readonly name: string;
  readonly size: number;
  readonly digest: string | null;
  expired: boolean;
  /** Bytes of the zip, where a test downloads it. */
  readonly bytes: Uint8Array | null;
}

export interface EmulatedPush {
  readonly ref: string;
  readonly before: string;
  readonly after: string;
  readonly actor: EmulatedUser | null;
  readonly timestamp: string;
}

export interface EmulatedIssue {
  readonly number: number;
  readonly title: string;
  labels: string[];
  state: "open" | "closed";
}

/** The apps that everybody knows by number. */
export const ACTIONS_APP: EmulatedApp = { id: 15_368, slug: "github-actions" };

export interface GithubState {
  readonly owner: string;
  readonly name: string;
  repositoryId: number;
  ownerType: "User" | "Organization";
  defaultBranch: string;
  /** What the token that asks may do. */
  tokenMayPush: boolean;
  readonly users: EmulatedUser[];
  readonly teams: { readonly slug: string; readonly members: Map<string, string> }[];
  readonly pulls: EmulatedPull[];
  readonly reviews: EmulatedReview[];
  readonly comments: EmulatedComment[];
  readonly events: EmulatedEvent[];
  readonly checkRuns: EmulatedCheckRun[];
  readonly statuses: EmulatedStatus[];
  readonly workflowRuns: EmulatedWorkflowRun[];
  readonly artifacts: EmulatedArtifact[];
  readonly pushes: EmulatedPush[];
  readonly issues: EmulatedIssue[];
  lastId: number;
}

export function newState(owner: string, name: string): GithubState {
  return {
    owner,
    name,
    repositoryId: 500,
    ownerType: "Organization",
    defaultBranch: "main",
    tokenMayPush: false,
    users: [],
    teams: [],
    pulls: [],
    reviews: [],
    comments: [],
    events: [],
    checkRuns: [],
    statuses: [],
    workflowRuns: [],
    artifacts: [],
    pushes: [],
    issues: [],
    lastId: 1000,
  };
}

/** A number that nothing else bears. */
export function nextId(state: GithubState): number {
  state.lastId += 1;
  return state.lastId;
}

/** The number of the next issue or pull request; both are counted together. */
export function nextNumber(state: GithubState): number {
  return Math.max(0, ...state.pulls.map(({ number }) => number), ...state.issues.map(({ number }) => number)) + 1;
}

/** A time as GitHub writes it, so many seconds ago. */
export function secondsAgo(seconds: number): string {
  return new Date(Date.now() - seconds * 1000).toISOString().replace(/\.\d+Z$/, "Z");
}
