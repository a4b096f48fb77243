import type { GithubPlace } from "../domain/github-repository.ts";
import { createGithub, createOctokit } from "../effects/github/client.ts";
import type { Octokit } from "../effects/github/requests.ts";
import type { Github } from "../ports/github.ts";
import { machine } from "./machine.ts";

/** Connects to a repository on GitHub with a token; nothing is asked yet. */
export async function connectGithub(place: GithubPlace, token: string, interrupt: AbortSignal): Promise<Github> {
  const { owner, repo } = place;
  const octokit = await createOctokit({ ...place, token });
  return createGithub({ octokit, owner, repo, ...machine, interrupt });
}

/** Makes a client that sends requests with a token, for what is delivered. */
export function connectClient(
  input: Pick<GithubPlace, "apiUrl" | "graphqlUrl"> & { readonly token: string },
): Promise<Octokit> {
  return createOctokit(input);
}
