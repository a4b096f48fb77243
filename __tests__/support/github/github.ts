import { afterAll } from "vitest";
import { Bare } from "./bare.ts";
import { notePushes } from "./git-http.ts";
import { READ_ROUTES, type Routes } from "./routes.ts";
import { serve, type Fault, type LoggedRequest } from "./server.ts";
import {
  ACTIONS_APP,
  newState,
  nextId,
  nextNumber,
  secondsAgo,
  type EmulatedApp,
  type EmulatedArtifact,
  type EmulatedCheckRun,
  type EmulatedPull,
  type EmulatedReview,
  type EmulatedUser,
  type EmulatedWorkflowRun,
  type GithubState,
} from "./state.ts";

const ZERO = "0".repeat(40);

interface Start {
  /** A repository whose branches it begins with; their pushes are `by`'s. */
  readonly from?: string;
  readonly owner?: string;
  readonly name?: string;
  /** Routes beside those that read, or in place of them. */
  readonly routes?: Routes;
}

type Said<T> = { readonly [K in keyof T]?: T[K] | undefined };

/**
 * An emulated GitHub with one repository, on loopback: everything is seeded by the test, git is real, every request is
 * written down, and faults can be put between. It ends with the test file.
 */
export class EmulatedGithub {
  readonly state: GithubState;
  readonly bare: Bare;
  readonly requests: LoggedRequest[] = [];
  readonly faults: Fault[] = [];
  url = "";
  private stop: () => void = () => undefined;

  private constructor(owner: string, name: string, from: string | undefined) {
    this.state = newState(owner, name);
    this.bare = new Bare(from);
    notePushes(this.state, new Map(), this.bare.branches(), null, secondsAgo(86_400));
  }

  static async start({ from, owner = "acme", name = "widgets", routes = {} }: Start = {}): Promise<EmulatedGithub> {
    const github = new EmulatedGithub(owner, name, from);
    const table = { ...READ_ROUTES, ...routes };
    const { server, url } = await serve(github.state, github.bare, table, github.requests, github.faults);
    github.url = url;
    github.stop = () => {
      server.closeAllConnections();
      server.close();
    };
    running.add(github.stop);
    return github;
  }

  /** Notes how everything stands; what it gives puts it back, so that many cases share one beginning. */
  save(): () => void {
    const { state, bare } = this;
    const lists = Object.values(state).filter((value): value is object[] => Array.isArray(value));
    const saved = lists.map((list) => list.map((element) => ({ element, copy: structuredClone(element) })));
    const scalars = Object.fromEntries(Object.entries(state).filter(([, value]) => !Array.isArray(value)));
    const branches = bare.branches();
    return () => {
      this.faults.length = 0;
      this.requests.length = 0;
      Object.assign(state, scalars);
      for (const [index, list] of lists.entries()) {
        const elements = (saved[index] ?? []).map(({ element, copy }) => {
          // People and pull requests are known by identity; what they hold of each other is put back with themselves.
          for (const [key, value] of Object.entries(copy)) {
            if (typeof value !== "object" || value === null || Array.isArray(value))
              Object.assign(element, { [key]: value });
          }
          return element;
        });
        list.splice(0, list.length, ...elements);
      }
      for (const branch of new Set([...branches.keys(), ...bare.branches().keys()]))
        if (bare.tip(branch) !== branches.get(branch)) bare.setBranch(branch, branches.get(branch));
    };
  }

  close(): void {
    this.stop();
    running.delete(this.stop);
  }

  /** What a process is told of it. */
  env(token = "token-reader"): Record<string, string> {
    return {
      GITHUB_API_URL: this.url,
      GITHUB_REPOSITORY: `${this.state.owner}/${this.state.name}`,
      GITHUB_TOKEN: token,
    };
  }

  /** A person with a role: admin, maintain, write, triage, read or none. */
  addUser(login: string, role: string = "write", more: Said<EmulatedUser> = {}): EmulatedUser {
    const permission = { admin: "admin", maintain: "write", write: "write", triage: "read", read: "read" } as const;
    const user: EmulatedUser = {
      id: more.id ?? nextId(this.state),
      login,
      type: more.type ?? "User",
      email: more.email ?? `${login}@people.invalid`,
      permission: more.permission ?? (permission as Record<string, EmulatedUser["permission"]>)[role] ?? "none",
      roleName: more.roleName ?? (role === "none" ? "" : role),
    };
    this.state.users.push(user);
    return user;
  }

  addTeam(slug: string, members: readonly EmulatedUser[]): void {
    this.state.teams.push({ slug, members: new Map(members.map(({ login }) => [login, "active"])) });
  }

  /** Makes a branch name a commit of another repository, as a push does. */
  push(branch: string, from: string, commit: string, by: EmulatedUser | null, at: string = secondsAgo(600)): void {
    this.bare.fetch(from, commit);
    const before = this.bare.branches();
    this.bare.setBranch(branch, commit);
    notePushes(this.state, before, this.bare.branches(), by, at);
  }

  openPull(
    input: Partial<EmulatedPull> & { readonly headRef: string; readonly user: EmulatedUser | null },
  ): EmulatedPull {
    const pull: EmulatedPull = {
      number: nextNumber(this.state),
      title: "A change",
      body: "",
      headRepoId: this.state.repositoryId,
      baseRef: this.state.defaultBranch,
      draft: false,
      state: "open",
      createdAt: secondsAgo(590),
      mergedAt: null,
      mergeCommit: null,
      sealed: null,
      labels: [],
      ...input,
    };
    this.state.pulls.push(pull);
    return pull;
  }

  review(
    pull: EmulatedPull,
    user: EmulatedUser | null,
    state: EmulatedReview["state"] = "APPROVED",
    more: { readonly commitId?: string; readonly at?: string } = {},
  ): EmulatedReview {
    const commitId = more.commitId ?? pull.sealed?.head ?? this.bare.tip(pull.headRef) ?? ZERO;
    const submittedAt = more.at ?? secondsAgo(300);
    const review = { id: nextId(this.state), pull: pull.number, user, state, commitId, submittedAt };
    this.state.reviews.push(review);
    return review;
  }

  /** A review that somebody takes away again. */
  dismiss(review: EmulatedReview, by: EmulatedUser, at: string = secondsAgo(200)): void {
    const rest = { dismissed_review: { review_id: review.id, state: review.state.toLowerCase() } };
    this.state.events.push({ issue: review.pull, event: "review_dismissed", at, actor: by, rest });
    review.state = "DISMISSED";
  }

  comment(pull: EmulatedPull, user: EmulatedUser | null, body: string, at: string = secondsAgo(300)): void {
    const id = nextId(this.state);
    this.state.comments.push({ id, issue: pull.number, user, body, createdAt: at, updatedAt: at, viaApp: null });
  }

  label(pull: EmulatedPull, user: EmulatedUser | null, name: string, at: string = secondsAgo(300)): void {
    pull.labels.push(name);
    this.event(pull, "labeled", user, at, { id: nextId(this.state), label: { name }, performed_via_github_app: null });
  }

  event(
    pull: EmulatedPull,
    event: string,
    actor: EmulatedUser | null,
    at: string,
    rest: Readonly<Record<string, unknown>> = {},
  ): void {
    this.state.events.push({ issue: pull.number, event, at, actor, rest });
  }

  /** Merges as the button does: a merge commit on the base branch, pushed by whoever pressed it. */
  merge(pull: EmulatedPull, by: EmulatedUser | null, at: string = secondsAgo(120)): string {
    const [head, base] = [this.bare.tip(pull.headRef), this.bare.tip(pull.baseRef)];
    if (head === undefined || base === undefined) throw new Error("there is nothing to merge");
    const commit = this.bare.merge(base, head, `Merge pull request #${pull.number}`);
    const before = this.bare.branches();
    this.bare.setBranch(pull.baseRef, commit);
    notePushes(this.state, before, this.bare.branches(), by, at);
    Object.assign(pull, { state: "closed", mergedAt: at, mergeCommit: commit, sealed: { head, base } });
    this.event(pull, "merged", by, at, { commit_id: commit });
    this.event(pull, "closed", by, at);
    return commit;
  }

  addCheckRun(headSha: string, more: Said<EmulatedCheckRun> = {}): EmulatedCheckRun {
    const run: EmulatedCheckRun = {
      id: nextId(this.state),
      name: more.name ?? "test",
      headSha,
      app: more.app === undefined ? ACTIONS_APP : more.app,
      suite: more.suite ?? nextId(this.state),
      status: more.status ?? "completed",
      conclusion: more.conclusion === undefined ? "success" : more.conclusion,
      startedAt: more.startedAt ?? secondsAgo(240),
      completedAt: more.completedAt === undefined ? secondsAgo(200) : more.completedAt,
      externalId: more.externalId ?? null,
      text: more.text ?? null,
      isJob: more.isJob ?? false,
    };
    this.state.checkRuns.push(run);
    return run;
  }

  /** A run of a workflow file and the check run of its one job. */
  addWorkflowRun(
    headSha: string,
    more: Said<EmulatedWorkflowRun> & { readonly check?: Said<EmulatedCheckRun> | null } = {},
  ): EmulatedWorkflowRun {
    const suite = more.suite ?? nextId(this.state);
    const run: EmulatedWorkflowRun = {
      id: more.id ?? nextId(this.state),
      suite,
      path: more.path ?? ".github/workflows/ci.yml",
      headSha,
      headBranch: more.headBranch ?? "feature",
      event: more.event ?? "push",
      actor: more.actor ?? null,
      triggeringActor: more.triggeringActor ?? more.actor ?? null,
      repositoryId: more.repositoryId ?? this.state.repositoryId,
      headRepositoryId: more.headRepositoryId === undefined ? this.state.repositoryId : more.headRepositoryId,
      status: more.status ?? "completed",
      conclusion: more.conclusion === undefined ? "success" : more.conclusion,
      attempt: more.attempt ?? 1,
    };
    this.state.workflowRuns.push(run);
    if (more.check !== null) this.addCheckRun(headSha, { isJob: true, ...more.check, suite });
    return run;
  }

  addArtifact(run: EmulatedWorkflowRun, name: string, more: Said<EmulatedArtifact> = {}): EmulatedArtifact {
    const artifact: EmulatedArtifact = {
      id: nextId(this.state),
      run: run.id,
      name,
      size: more.size ?? more.bytes?.length ?? 0,
      digest: more.digest ?? null,
      expired: more.expired ?? false,
      bytes: more.bytes ?? null,
    };
    this.state.artifacts.push(artifact);
    return artifact;
  }

  addStatus(sha: string, context: string, state: "success" | "pending" | "failure" | "error"): void {
    this.state.statuses.push({ sha, context, state });
  }

  addIssue(title: string, labels: string[], state: "open" | "closed" = "open"): void {
    this.state.issues.push({ number: nextNumber(this.state), title, labels, state });
  }
}

/** An app that is not GitHub's own. */
export function app(id: number, slug: string): EmulatedApp {
  return { id, slug };
}

const running = new Set<() => void>();

afterAll(() => {
  for (const stop of running) stop();
});
