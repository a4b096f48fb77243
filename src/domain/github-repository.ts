import { err, ok, type Result } from "./result.ts";

/** A repository on a GitHub, and where its API is. */
export interface GithubPlace {
  readonly owner: string;
  readonly repo: string;
  readonly apiUrl: string;
  /** A server of a company has it beside its REST API, not below. */
  readonly graphqlUrl: string;
  /** The repository's number, where the environment says it. */
  readonly repositoryId: number | undefined;
}

const API_URL = "https://api.github.com";
const NAME = /^([A-Za-z0-9][A-Za-z0-9-]*)\/([A-Za-z0-9._-]+)$/;

/**
 * Finds the repository to ask about: `GITHUB_REPOSITORY`, else the remote `origin` of the checkout, at the GitHub that
 * `GITHUB_API_URL` names. A remote on another server is not asked about here: it would be somebody else's repository.
 */
export function findGithubPlace(
  env: Readonly<Record<string, string | undefined>>,
  origin: string | undefined,
): Result<GithubPlace, string> {
  const apiUrl = (env["GITHUB_API_URL"] ?? API_URL).replace(/\/+$/, "");
  if (!URL.canParse(apiUrl)) return err(`GITHUB_API_URL: expected a URL, for example ${API_URL}`);
  const graphqlUrl = env["GITHUB_GRAPHQL_URL"] || `${apiUrl.replace(/\/v3$/, "")}/graphql`;
  if (!URL.canParse(graphqlUrl)) return err(`GITHUB_GRAPHQL_URL: expected a URL, for example ${API_URL}/graphql`);
  const number = env["GITHUB_REPOSITORY_ID"];
  const repositoryId = number !== undefined && /^\d{1,15}$/.test(number) ? Number(number) : undefined;
  const named = env["GITHUB_REPOSITORY"];
  const found = named === undefined ? readOrigin(origin, apiUrl) : NAME.exec(named);
  const [, owner, repo] = found ?? [];
  if (owner === undefined || repo === undefined) {
    return err(
      named === undefined
        ? `expected GITHUB_REPOSITORY=owner/name, or a remote origin on ${hostOf(apiUrl)}`
        : `GITHUB_REPOSITORY: expected owner/name, found ${named}`,
    );
  }
  return ok({ owner, repo, apiUrl, graphqlUrl, repositoryId });
}

function readOrigin(origin: string | undefined, apiUrl: string): RegExpExecArray | null {
  if (origin === undefined) return null;
  const [, host, path] = /^[^@/:\s]+@([^:/\s]+):(.+)$/.exec(origin) ?? [];
  const url = host === undefined ? URL.parse(origin) : null;
  const isHere = (host ?? url?.hostname) === hostOf(apiUrl);
  return isHere ? NAME.exec((path ?? url?.pathname ?? "").replace(/^\/+|\.git$|\/+$/g, "")) : null;
}

/** The host of the repositories behind an API: github.com has its own, a server of a company is both. */
function hostOf(apiUrl: string): string {
  const { hostname } = new URL(apiUrl);
  return hostname === "api.github.com" ? "github.com" : hostname.replace(/^api\./, "");
}

/** Where people and git find the repositories behind an API. */
export function findServerUrl(apiUrl: string): string {
  const { protocol, port } = new URL(apiUrl);
  return `${protocol}//${hostOf(apiUrl)}${port === "" ? "" : `:${port}`}`;
}
