import type { GithubWrites } from "../../ports/github.ts";
import { createGitData } from "./git-data.ts";
import { createPullRequests } from "./pull-requests.ts";
import { createRequests, type RequestsOptions } from "./requests.ts";

/** Makes what delivery changes in one repository, from a client that the caller brings. */
export function createGithubWrites(options: RequestsOptions): GithubWrites {
  const requests = createRequests(options);
  return { ...createPullRequests(requests), ...createGitData(requests) };
}
