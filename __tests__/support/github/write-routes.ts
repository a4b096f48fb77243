import { execFileSync } from "node:child_process";
import { pullAnswer, repositoryAnswer } from "./answers.ts";
import type { Bare } from "./bare.ts";
import { notePushes } from "./git-http.ts";
import { found, NOT_FOUND, withPull, type Answer, type Call, type Routes } from "./routes.ts";
import { nextNumber, secondsAgo, type EmulatedPull, type EmulatedUser } from "./state.ts";

/** What the repository allows, and who asks. */
export interface Writing {
  /** The account of a token that tells of none itself. */
  readonly actor: EmulatedUser;
  /** False where there are no draft pull requests. */
  readonly drafts?: boolean;
  /** Types of the rules by branch. */
  readonly rules?: (branch: string) => readonly string[];
  /** False where GitHub does not sign what the token makes. */
  readonly signs?: boolean;
  /** False where the token may not use GraphQL to turn drafts. */
  readonly turnsDrafts?: boolean;
}

const ZERO = "0".repeat(40);

/** What a token that may write is answered; pull requests and git's objects are really made. */
export function writeRoutes(writing: Writing): Routes {
  const { actor, rules, signs = true } = writing;
  return {
    "GET /repos/:owner/:repo": ({ state, url }) => found({ ...repositoryAnswer(state, url), node_id: "R_1" }),
    "POST /repos/:owner/:repo/pulls": (call) => openPull(call, writing),
    "PATCH /repos/:owner/:repo/pulls/:number": (call) =>
      withPull(call, (pull) => {
        Object.assign(pull, pick(call.body, ["title", "body"]));
        return found(pullAnswer(call.state, call.bare, pull));
      }),
    "GET /repos/:owner/:repo/rules/branches/*branch": ({ params }) => ({
      items: (rules?.(params["branch"] ?? "") ?? []).map((type) => ({ type, ruleset_id: 1 })),
    }),
    "GET /repos/:owner/:repo/git/commits/:sha": ({ bare, params }) => gitCommit(bare, params["sha"] ?? ""),
    "POST /repos/:owner/:repo/git/blobs": ({ bare, body }) => {
      const sha = write(bare, ["hash-object", "-w", "--stdin"], Buffer.from(String(body["content"]), "base64"));
      return { status: 201, data: { sha } };
    },
    "POST /repos/:owner/:repo/git/trees": ({ bare, body }) => ({
      status: 201,
      data: { sha: makeTree(bare, String(body["base_tree"]), body["tree"] as Entry[]) },
    }),
    "POST /repos/:owner/:repo/git/commits": ({ bare, body }) => {
      const parents = (body["parents"] as string[]).map((parent) => `parent ${parent}\n`).join("");
      const by = `${actor.login} <${actor.email}> ${Math.floor(Date.now() / 1000)} +0000`;
      const signature = signs ? "gpgsig -----BEGIN PGP SIGNATURE-----\n \n x\n -----END PGP SIGNATURE-----\n" : "";
      const message = String(body["message"]).trimEnd();
      const text = `tree ${String(body["tree"])}\n${parents}author ${by}\ncommitter ${by}\n${signature}\n${message}`;
      const sha = write(bare, ["hash-object", "-w", "-t", "commit", "--stdin"], Buffer.from(text));
      return { status: 201, data: (gitCommit(bare, sha) as { data: unknown }).data };
    },
    "POST /graphql": (call) => answerGraphql(call, writing),
    // Where a server of a company has it.
    "POST /api/graphql": (call) => answerGraphql(call, writing),
  };
}

function openPull({ state, bare, body, asker }: Call, { actor, drafts = true }: Writing): Answer {
  const { title, body: text, head, base, draft } = body as unknown as NewPull;
  const refuse = (message: string): Answer => ({
    status: 422,
    data: { message: "Validation Failed", errors: [{ resource: "PullRequest", code: "custom", message }] },
  });
  const branch = head.replace(`${state.owner}:`, "");
  if (bare.tip(branch) === undefined) return refuse("head is invalid");
  if (draft && !drafts) return refuse("Draft pull requests are not supported in this repository.");
  const same = (pull: EmulatedPull): boolean =>
    pull.state === "open" && pull.headRef === branch && pull.baseRef === base;
  if (state.pulls.some(same)) return refuse(`A pull request already exists for ${state.owner}:${branch}.`);
  const pull: EmulatedPull = {
    number: nextNumber(state),
    title,
    body: text,
    user: asker ?? actor,
    headRef: branch,
    headRepoId: state.repositoryId,
    baseRef: base,
    draft,
    state: "open",
    createdAt: secondsAgo(0),
    mergedAt: null,
    mergeCommit: null,
    sealed: null,
    labels: [],
  };
  state.pulls.push(pull);
  return { status: 201, data: pullAnswer(state, bare, pull) };
}

interface NewPull {
  readonly title: string;
  readonly body: string;
  readonly head: string;
  readonly base: string;
  readonly draft: boolean;
}

function gitCommit(bare: Bare, sha: string): Answer {
  if (bare.resolve(sha) !== sha) return NOT_FOUND;
  const commit = bare.readCommit(sha);
  const verified = /^gpgsig /m.test(bare.git("cat-file", "commit", sha).split("\n\n")[0] ?? "");
  return found({
    sha,
    message: commit.message,
    tree: { sha: commit.tree },
    parents: commit.parents.map((parent) => ({ sha: parent })),
    verification: { verified, reason: verified ? "valid" : "unsigned" },
  });
}

interface Entry {
  readonly path: string;
  readonly mode: string;
  readonly sha: string | null;
}

/** A tree of another one, made with an index of its own. */
function makeTree(bare: Bare, base: string, entries: readonly Entry[]): string {
  const env = { GIT_INDEX_FILE: `${bare.path}/index-${base.slice(0, 8)}` };
  write(bare, ["read-tree", base], "", env);
  const lines = entries.map(({ path, mode, sha }) => `${sha === null ? "0" : mode} ${sha ?? ZERO}\t${path}\0`);
  write(bare, ["update-index", "-z", "--index-info"], lines.join(""), env);
  return write(bare, ["write-tree"], "", env);
}

function answerGraphql({ state, bare, body, asker }: Call, { actor, turnsDrafts = true }: Writing): Answer {
  const query = String(body["query"]);
  const variables = body["variables"] as { id?: string; updates?: Update[] };
  const refuse = (type: string, message: string): Answer => found({ data: null, errors: [{ type, message }] });
  if (query.includes("viewer")) return found({ data: { viewer: { login: (asker ?? actor).login } } });
  const turned = /(markPullRequestReadyForReview|convertPullRequestToDraft)/.exec(query)?.[1];
  if (turned !== undefined) {
    if (!turnsDrafts) return refuse("FORBIDDEN", "Resource not accessible by integration");
    const pull = state.pulls.find(({ number }) => variables.id === `PR_${number}`);
    if (pull === undefined) return refuse("NOT_FOUND", "Could not resolve to a node");
    pull.draft = turned === "convertPullRequestToDraft";
    return found({ data: { [turned]: { pullRequest: { isDraft: pull.draft } } } });
  }
  const [update] = variables.updates ?? [];
  if (!query.includes("updateRefs") || update === undefined) return refuse("UNKNOWN", "no such query");
  const branch = update.name.replace("refs/heads/", "");
  if ((bare.tip(branch) ?? ZERO) !== update.beforeOid) {
    return refuse("UNPROCESSABLE", `Reference ${update.name} is not at ${update.beforeOid}`);
  }
  const before = bare.branches();
  bare.setBranch(branch, update.afterOid);
  notePushes(state, before, bare.branches(), actor);
  return found({ data: { updateRefs: { clientMutationId: null } } });
}

interface Update {
  readonly name: string;
  readonly beforeOid: string;
  readonly afterOid: string;
}

function pick(body: Call["body"], keys: readonly string[]): Record<string, unknown> {
  return Object.fromEntries(keys.filter((key) => key in body).map((key) => [key, body[key]]));
}

function write(bare: Bare, args: readonly string[], input: string | Buffer, env: Record<string, string> = {}): string {
  return execFileSync("git", ["--git-dir", bare.path, ...args], {
    input,
    encoding: "utf8",
    env: { PATH: process.env["PATH"] ?? "", GIT_CONFIG_NOSYSTEM: "1", GIT_CONFIG_GLOBAL: "/dev/null", ...env },
  }).trim();
}
