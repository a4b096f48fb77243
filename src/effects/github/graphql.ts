import { z } from "zod";
import { err, ok } from "../../domain/result.ts";
import type { GithubAnswer } from "../../ports/github.ts";
import type { GithubRequests } from "./requests.ts";

const errorsSchema = z.array(z.object({ type: z.string().optional(), message: z.string() })).min(1);

/** The route of GraphQL, which the client knows the place of. */
export const GRAPHQL = "POST /graphql";

/**
 * Asks what only GraphQL has. It answers 200 to what it refuses: those errors are failures like any other, `forbidden`
 * when the token may not, else `conflict`.
 */
export async function askGraphql<T>(
  requests: GithubRequests,
  query: string,
  variables: Readonly<Record<string, unknown>>,
  data: z.ZodType<T>,
  options: { readonly idempotent: boolean },
): Promise<GithubAnswer<T>> {
  const schema = z.union([z.object({ errors: errorsSchema }), z.object({ data })]);
  const answer = await requests.write(GRAPHQL, { query, variables }, schema, options);
  if (!answer.ok) return answer;
  if ("data" in answer.value) return ok(answer.value.data);
  const [first] = answer.value.errors;
  const isForbidden = first?.type === "FORBIDDEN" || first?.type === "INSUFFICIENT_SCOPES";
  return err({
    kind: isForbidden ? "forbidden" : "conflict",
    status: 200,
    request: `POST /graphql ${/\w+\(input/.exec(query)?.[0].slice(0, -6) ?? "query"}`,
    message: (first?.message ?? "").slice(0, 500),
  });
}
