import type { DeliveryAccess } from "../compose/deliver.ts";
import { connectClient } from "../compose/github.ts";
import type { Workplace } from "../compose/workplace.ts";
import { findGithubPlace, findServerUrl } from "../domain/github-repository.ts";
import { err, ok, type Result } from "../domain/result.ts";
import type { Delivery } from "../domain/run-choices.ts";
import type { Door } from "./door.ts";

/**
 * How a run that is to be delivered to GitHub gets there: `GITHUB_REPOSITORY` or the remote `origin`, with the token in
 * `GITHUB_TOKEN`. Nothing when it is delivered nowhere or into the checkout alone; what is missing is said in one line.
 */
export async function findDeliveryAccess(
  { env }: Pick<Door, "env">,
  interrupt: AbortSignal,
  workplace: Workplace,
  deliver: Delivery,
): Promise<Result<DeliveryAccess | undefined, string>> {
  if (deliver !== "pull-request") return ok(undefined);
  const place = findGithubPlace(env, await workplace.user.readOrigin());
  if (!place.ok) return err(`--deliver pull-request: ${place.error}`);
  const accessToken = env["GITHUB_TOKEN"] ?? "";
  if (accessToken === "") {
    return err(
      "--deliver pull-request: expected a token that may write contents and pull requests in GITHUB_TOKEN, found none",
    );
  }
  const { owner, repo, apiUrl } = place.value;
  return ok({
    octokit: await connectClient({ ...place.value, token: accessToken }),
    accessToken,
    owner,
    repo,
    serverUrl: env["GITHUB_SERVER_URL"] ?? findServerUrl(apiUrl),
    interrupt,
    profile: env["GITHUB_ACTIONS"] === "true" ? "one_job" : "command_line",
  });
}
