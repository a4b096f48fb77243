import { z } from "zod";
import { sha } from "../../domain/github-answers.ts";
import { ok } from "../../domain/result.ts";
import type { GithubAnswer, GithubWrites, WrittenPull } from "../../ports/github.ts";
import { askGraphql } from "./graphql.ts";
import type { GithubRequests } from "./requests.ts";

const PULLS = "/repos/{owner}/{repo}/pulls";

const writtenSchema = z.object({
  number: z.int(),
  html_url: z.string(),
  draft: z.boolean(),
  head: z.object({ sha }),
});

const nodeSchema = z.object({ node_id: z.string(), draft: z.boolean() });

type PullRequests = Pick<GithubWrites, "readLogin" | "createPull" | "updatePull" | "setDraft" | "listRuleTypes">;

/** Pull requests of one repository, written. */
export function createPullRequests(requests: GithubRequests): PullRequests {
  return {
    // GET /user refuses the token of an App or a workflow; this answers whoever asks.
    async readLogin() {
      const data = z.object({ viewer: z.object({ login: z.string().min(1) }) });
      const answer = await askGraphql(requests, "query { viewer { login } }", {}, data, { idempotent: true });
      return answer.ok ? ok(answer.value.viewer.login) : answer;
    },
    // Done twice it would not make two, GitHub refuses a second one; but the refusal would hide that ours was made.
    createPull: async (input) => toPull(await requests.write(`POST ${PULLS}`, { ...input }, writtenSchema)),
    updatePull: async (number, input) =>
      toPull(
        await requests.write(`PATCH ${PULLS}/{pull_number}`, { pull_number: number, ...input }, writtenSchema, {
          idempotent: true,
        }),
      ),
    setDraft: (number, draft) => setDraft(requests, number, draft),
    async listRuleTypes(branch) {
      const rule = z.object({ type: z.string() });
      const listed = await requests.readAll("GET /repos/{owner}/{repo}/rules/branches/{branch}", { branch }, rule);
      return listed.ok ? ok(listed.value.map(({ type }) => type)) : listed;
    },
  };
}

function toPull(answer: GithubAnswer<z.infer<typeof writtenSchema>>): GithubAnswer<WrittenPull> {
  if (!answer.ok) return answer;
  const { number, html_url: url, draft, head } = answer.value;
  return ok({ number, url, draft, head: head.sha });
}

/** Only GraphQL turns a draft into a pull request that asks for review. Doing it twice does no harm. */
async function setDraft(requests: GithubRequests, number: number, draft: boolean): Promise<GithubAnswer<boolean>> {
  const pull = await requests.read(`GET ${PULLS}/{pull_number}`, { pull_number: number }, nodeSchema);
  if (!pull.ok) return pull;
  if (pull.value.draft === draft) return ok(draft);
  const mutation = draft ? "convertPullRequestToDraft" : "markPullRequestReadyForReview";
  const query = `mutation($id: ID!) { ${mutation}(input: {pullRequestId: $id}) { pullRequest { isDraft } } }`;
  const data = z.object({ [mutation]: z.object({ pullRequest: z.object({ isDraft: z.boolean() }) }) });
  const answer = await askGraphql(requests, query, { id: pull.value.node_id }, data, { idempotent: true });
  return answer.ok ? ok(answer.value[mutation]?.pullRequest.isDraft ?? !draft) : answer;
}
