import { z } from "zod";
import { sha } from "../../domain/github-answers.ts";
import { ok } from "../../domain/result.ts";
import type { GithubAnswer, GithubWrites, WrittenCommit } from "../../ports/github.ts";
import { askGraphql } from "./graphql.ts";
import type { GithubRequests } from "./requests.ts";

const GIT = "/repos/{owner}/{repo}/git";
const NO_COMMIT = "0".repeat(40);

const namedSchema = z.object({ sha });

const commitSchema = z.object({
  sha,
  message: z.string(),
  tree: z.object({ sha }),
  parents: z.array(z.object({ sha })),
  verification: z.object({ verified: z.boolean() }).optional(),
});

type GitData = Pick<GithubWrites, "createBlob" | "createTree" | "createCommit" | "readCommit" | "swapRef">;

/** Git's objects and refs of one repository through the API. An object that is stored twice is stored once. */
export function createGitData(requests: GithubRequests): GitData {
  const idempotent = { idempotent: true };
  return {
    async createBlob(bytes) {
      const content = Buffer.from(bytes).toString("base64");
      const made = await requests.write(`POST ${GIT}/blobs`, { content, encoding: "base64" }, namedSchema, idempotent);
      return made.ok ? ok(made.value.sha) : made;
    },
    async createTree(baseTree, entries) {
      const tree = entries.map((entry) => ({ ...entry }));
      const made = await requests.write(`POST ${GIT}/trees`, { base_tree: baseTree, tree }, namedSchema, idempotent);
      return made.ok ? ok(made.value.sha) : made;
    },
    // A second one differs by its date at most, and nothing names the first.
    async createCommit({ message, tree, parent }) {
      const input = { message, tree, parents: [parent] };
      return toCommit(await requests.write(`POST ${GIT}/commits`, input, commitSchema, idempotent));
    },
    async readCommit(commit) {
      return toCommit(await requests.read(`GET ${GIT}/commits/{commit_sha}`, { commit_sha: commit }, commitSchema));
    },
    swapRef: (input) => swapRef(requests, input),
  };
}

function toCommit(answer: GithubAnswer<z.infer<typeof commitSchema>>): GithubAnswer<WrittenCommit> {
  if (!answer.ok) return answer;
  const { sha: id, message, tree, parents, verification } = answer.value;
  const written = { sha: id, message, tree: tree.sha, parents: parents.map((parent) => parent.sha) };
  return ok({ ...written, verified: verification?.verified === true });
}

/**
 * The one way of GitHub's API that compares before it swaps; forty zeros stand for no commit. Not tried again after a
 * lost answer: the second try would be refused because of the first.
 */
async function swapRef(
  requests: GithubRequests,
  { ref, expected, commit }: Parameters<GithubWrites["swapRef"]>[0],
): Promise<GithubAnswer<boolean>> {
  const repository = await requests.read("GET /repos/{owner}/{repo}", {}, z.object({ node_id: z.string() }));
  if (!repository.ok) return repository;
  const query =
    "mutation($repository: ID!, $updates: [RefUpdate!]!) " +
    "{ updateRefs(input: {repositoryId: $repository, refUpdates: $updates}) { clientMutationId } }";
  const update = { name: ref, beforeOid: expected ?? NO_COMMIT, afterOid: commit, force: true };
  const variables = { repository: repository.value.node_id, updates: [update] };
  const data = z.object({ updateRefs: z.object({ clientMutationId: z.string().nullable() }) });
  const answer = await askGraphql(requests, query, variables, data, { idempotent: false });
  return answer.ok ? ok(true) : answer;
}
