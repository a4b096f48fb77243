import type { Github } from "../../ports/github.ts";
import { createReads } from "./reads.ts";
import { GRAPHQL } from "./graphql.ts";
import { createRequests, type Octokit, type RequestsOptions } from "./requests.ts";

/** Makes the port of one repository from a client that the caller brings. */
export function createGithub(options: RequestsOptions): Github {
  return createReads(createRequests(options));
}

/** Makes the client of a token. The library is loaded when it is needed and not before. */
export async function createOctokit({
  token,
  apiUrl,
  graphqlUrl,
}: {
  readonly token: string;
  readonly apiUrl: string;
  readonly graphqlUrl: string;
}): Promise<Octokit> {
  const { Octokit: Client } = await import("@octokit/core");
  const client = new Client({ auth: token, baseUrl: apiUrl, log: SILENT });
  // Its own way to GraphQL knows where that is; a plain request would look below the REST API.
  const place = (route: string): string => (route === GRAPHQL ? `POST ${graphqlUrl}` : route);
  const request: Octokit["request"] = Object.assign(
    async (route: string, parameters?: Record<string, unknown>) => await client.request(place(route), parameters),
    { endpoint: client.request.endpoint },
  );
  return { request };
}

/** What a client would say of itself; answers alone are of interest. */
const SILENT = { debug: say, info: say, warn: say, error: say };

function say(): void {}
