import type { Bare } from "./bare.ts";
import {
  artifactAnswer,
  checkRunAnswer,
  commentAnswer,
  commitAnswer,
  commitsOf,
  eventAnswer,
  jobAnswer,
  pullAnswer,
  pushAnswer,
  repositoryAnswer,
  reviewAnswer,
  userAnswer,
  workflowRunAnswer,
} from "./answers.ts";
import type { EmulatedCheckRun, EmulatedPull, EmulatedUser, GithubState } from "./state.ts";

/** A request that found its route. */
export interface Call {
  readonly state: GithubState;
  readonly bare: Bare;
  /** Address of the server, without a slash at the end. */
  readonly url: string;
  /** What stands in the places of the route, decoded. */
  readonly params: Readonly<Record<string, string>>;
  readonly query: URLSearchParams;
  readonly body: Readonly<Record<string, unknown>>;
  /** The account behind the token, which is `token-<login>`; nobody where it is another. */
  readonly asker: EmulatedUser | undefined;
}

/** What is answered: one value, or a list that the server cuts into pages. */
export type Answer =
  | { readonly status: number; readonly data: unknown }
  | { readonly items: readonly unknown[]; readonly key?: string; readonly rest?: Readonly<Record<string, unknown>> };

export type Handler = (call: Call) => Answer;

/** Method and path of a route; a `:name` holds for one part of the path, `*name` for all that is left. */
export type Routes = Readonly<Record<string, Handler>>;

export const NOT_FOUND: Answer = { status: 404, data: { message: "Not Found", documentation_url: "https://docs" } };

export function found(data: unknown): Answer {
  return { status: 200, data };
}

/** What a token that may read is answered. */
export const READ_ROUTES: Routes = {
  "GET /repos/:owner/:repo": ({ state, url }) => found(repositoryAnswer(state, url)),
  "GET /repos/:owner/:repo/git/ref/*ref": ({ bare, params }) => {
    const ref = params["ref"] ?? "";
    const sha = ref.startsWith("heads/") ? bare.tip(ref.slice("heads/".length)) : undefined;
    return sha === undefined ? NOT_FOUND : found({ ref: `refs/${ref}`, object: { type: "commit", sha } });
  },
  "GET /repos/:owner/:repo/branches/*branch": ({ bare, params }) => {
    const sha = bare.tip(params["branch"] ?? "");
    return sha === undefined ? NOT_FOUND : found({ name: params["branch"], commit: { sha } });
  },
  "GET /repos/:owner/:repo/contents/*path": ({ state, bare, params, query }) => {
    const commit = bare.resolve(query.get("ref") ?? state.defaultBranch);
    const file = commit === undefined ? undefined : bare.readFile(commit, params["path"] ?? "");
    if (file === undefined) return NOT_FOUND;
    const isLarge = file.bytes.length > 1024 * 1024;
    return found({
      type: "file",
      encoding: isLarge ? "none" : "base64",
      content: isLarge ? "" : wrap(file.bytes.toString("base64")),
      sha: file.sha,
      size: file.bytes.length,
      path: params["path"],
    });
  },
  "GET /repos/:owner/:repo/git/blobs/:sha": ({ bare, params }) => {
    const bytes = bare.readBlob(params["sha"] ?? "");
    return found({ encoding: "base64", content: bytes.toString("base64"), sha: params["sha"], size: bytes.length });
  },
  "GET /repos/:owner/:repo/compare/:basehead": ({ bare, params }) => {
    const [base = "", head = ""] = (params["basehead"] ?? "").split("...").map((ref) => bare.resolve(ref));
    const mergeBase = base === "" || head === "" ? undefined : bare.mergeBase(base, head);
    if (mergeBase === undefined) return NOT_FOUND;
    const status =
      base === head ? "identical" : mergeBase === base ? "ahead" : mergeBase === head ? "behind" : "diverged";
    return found({ status, merge_base_commit: { sha: mergeBase } });
  },
  "GET /repos/:owner/:repo/commits": ({ state, bare, query }) => {
    const from = bare.resolve(query.get("sha") ?? state.defaultBranch);
    if (from === undefined) return NOT_FOUND;
    return { items: bare.commitsOf(from, query.get("path") ?? undefined).map((sha) => commitAnswer(state, bare, sha)) };
  },
  "GET /repos/:owner/:repo/commits/:sha": ({ state, bare, params }) => {
    const sha = bare.resolve(params["sha"] ?? "");
    return sha === undefined ? NOT_FOUND : found(commitAnswer(state, bare, sha));
  },
  "GET /repos/:owner/:repo/commits/:sha/pulls": ({ state, bare, params }) => ({
    items: state.pulls
      .filter((pull) => pull.mergeCommit === params["sha"] || commitsOf(bare, pull).includes(params["sha"] ?? ""))
      .map((pull) => pullAnswer(state, bare, pull, true)),
  }),
  "GET /repos/:owner/:repo/commits/:sha/check-runs": ({ state, bare, params, query }) => {
    const sha = bare.resolve(params["sha"] ?? "");
    const runs = state.checkRuns.filter((run) => run.headSha === sha);
    const shown = query.get("filter") === "all" ? runs : latest(runs);
    return { items: shown.map(checkRunAnswer), key: "check_runs" };
  },
  "GET /repos/:owner/:repo/commits/:sha/status": ({ state, params }) => ({
    items: state.statuses
      .filter(({ sha }) => sha === params["sha"])
      .map(({ context, state: said }) => ({ context, state: said })),
    key: "statuses",
    rest: { sha: params["sha"], state: "pending" },
  }),
  "GET /repos/:owner/:repo/pulls": ({ state, bare, query }) => {
    const [wanted, head, base] = [query.get("state") ?? "open", query.get("head"), query.get("base")];
    const pulls = state.pulls.filter(
      (pull) =>
        (wanted === "all" || pull.state === wanted) &&
        (head === null || head === `${state.owner}:${pull.headRef}`) &&
        (base === null || base === pull.baseRef),
    );
    return { items: pulls.map((pull) => pullAnswer(state, bare, pull, true)).reverse() };
  },
  "GET /repos/:owner/:repo/pulls/:number": (call) =>
    withPull(call, (pull) => found(pullAnswer(call.state, call.bare, pull))),
  "GET /repos/:owner/:repo/pulls/:number/commits": (call) =>
    withPull(call, (pull) => ({
      items: commitsOf(call.bare, pull)
        .slice(0, 250)
        .map((sha) => commitAnswer(call.state, call.bare, sha)),
    })),
  "GET /repos/:owner/:repo/pulls/:number/files": (call) =>
    withPull(call, (pull) => {
      const commits = commitsOf(call.bare, pull);
      const head = commits.at(-1);
      if (head === undefined) return { items: [] };
      const base = call.bare.mergeBase(call.bare.readCommit(commits[0] ?? head).parents[0] ?? head, head) ?? head;
      const word: Readonly<Record<string, string>> = { A: "added", D: "removed", M: "modified", T: "changed" };
      return {
        items: call.bare.listChanges(base, head).map(({ status, path }) => ({ filename: path, status: word[status] })),
      };
    }),
  "GET /repos/:owner/:repo/pulls/:number/reviews": (call) =>
    withPull(call, ({ number }) => ({
      items: call.state.reviews.filter(({ pull }) => pull === number).map(reviewAnswer),
    })),
  "GET /repos/:owner/:repo/issues/:number/timeline": ({ state, params }) => ({
    items: state.events.filter(({ issue }) => issue === Number(params["number"])).map(eventAnswer),
  }),
  "GET /repos/:owner/:repo/issues/:number/comments": ({ state, params }) => ({
    items: state.comments.filter(({ issue }) => issue === Number(params["number"])).map(commentAnswer),
  }),
  "GET /repos/:owner/:repo/issues": ({ state, query }) => ({
    items: state.issues
      .filter((issue) => issue.state === (query.get("state") ?? "open"))
      .filter((issue) => (query.get("labels") ?? "").split(",").every((label) => issue.labels.includes(label)))
      .map(({ number, title, labels, state: is }) => ({
        number,
        title,
        state: is,
        labels: labels.map((name) => ({ name })),
      })),
  }),
  "GET /repos/:owner/:repo/activity": ({ state, query }) => ({
    items: state.pushes
      .map(pushAnswer)
      .filter(({ ref }) => query.get("ref") === null || ref === query.get("ref"))
      .reverse(),
  }),
  "GET /repos/:owner/:repo/collaborators/:login/permission": ({ state, params }) => {
    const user = state.users.find(({ login }) => login.toLowerCase() === params["login"]?.toLowerCase());
    if (user === undefined) return NOT_FOUND;
    return found({ permission: user.permission, role_name: user.roleName, user: userAnswer(user) });
  },
  "GET /orgs/:org/teams/:team/memberships/:login": ({ state, params }) => {
    const team = state.teams.find(({ slug }) => slug === params["team"]);
    const membership = team?.members.get(params["login"] ?? "");
    return membership === undefined ? NOT_FOUND : found({ state: membership, role: "member" });
  },
  "GET /repos/:owner/:repo/actions/runs": ({ state, query }) => ({
    items: state.workflowRuns
      .filter((run) => query.get("head_sha") === null || run.headSha === query.get("head_sha"))
      .map(workflowRunAnswer),
    key: "workflow_runs",
  }),
  "GET /repos/:owner/:repo/actions/runs/:id": ({ state, params }) => {
    const run = state.workflowRuns.find(({ id }) => id === Number(params["id"]));
    return run === undefined ? NOT_FOUND : found(workflowRunAnswer(run));
  },
  "GET /repos/:owner/:repo/actions/runs/:id/jobs": ({ state, url, params }) => {
    const run = state.workflowRuns.find(({ id }) => id === Number(params["id"]));
    // A check run that a token made in a suite of Actions is nobody's job.
    const checks = state.checkRuns.filter((check) => check.suite === run?.suite && check.isJob);
    return { items: checks.map((check) => jobAnswer(state, url, run?.id ?? 0, check)), key: "jobs" };
  },
  "GET /repos/:owner/:repo/actions/runs/:id/artifacts": ({ state, params }) => ({
    items: state.artifacts.filter(({ run }) => run === Number(params["id"])).map(artifactAnswer),
    key: "artifacts",
  }),
  "GET /repos/:owner/:repo/actions/artifacts": ({ state, query }) => ({
    items: state.artifacts.filter(({ name }) => name === query.get("name")).map(artifactAnswer),
    key: "artifacts",
  }),
};

/** Acts on the pull request of the path. */
export function withPull({ state, params }: Call, act: (pull: EmulatedPull) => Answer): Answer {
  const pull = state.pulls.find(({ number }) => number === Number(params["number"]));
  return pull === undefined ? NOT_FOUND : act(pull);
}

/** The newest of each name in each suite. */
function latest(runs: readonly EmulatedCheckRun[]): EmulatedCheckRun[] {
  return [...new Map(runs.map((run) => [`${run.suite} ${run.name}`, run])).values()];
}

/** GitHub breaks base64 into lines. */
function wrap(text: string): string {
  return text.replaceAll(/.{60}/g, "$&\n");
}
