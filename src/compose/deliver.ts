import type { GithubPlace } from "../domain/github-repository.ts";
import type { Result } from "../domain/result.ts";
import { systemClock } from "../effects/clock.ts";
import { createRemote, REMOTE_LIMITS, type RemoteLimits } from "../effects/git/remote.ts";
import { createAppToken, type AppToken } from "../effects/github/app-token.ts";
import { createGithub } from "../effects/github/client.ts";
import type { Octokit, RequestLimits } from "../effects/github/requests.ts";
import { createGithubWrites } from "../effects/github/writes.ts";
import { systemRandomness } from "../effects/ids.ts";
import { findRunFolders } from "../effects/run-places.ts";
import type { Clock } from "../ports.ts";
import type { GithubDelivery } from "../ports/github.ts";
import { machine } from "./machine.ts";
import { openForReading } from "./read-run.ts";
import type { Workplace } from "./workplace.ts";

/** Where a run delivers itself, and where its agents ran. */
export type DeliveryAccess = GithubAccess & Pick<GithubDelivery, "profile">;

/** A token of the App that the door was given the key of, for one repository and for publishing alone. */
export function connectApp(
  app: { readonly clientId: string; readonly privateKey: string },
  place: GithubPlace,
  interrupt: AbortSignal,
): Promise<Result<AppToken, string>> {
  return createAppToken(app, { ...place, ...machine, interrupt });
}

/** How GitHub is reached to deliver something. */
export interface GithubAccess {
  /** Sends requests with the token: made by the Action, or by `createOctokit`. */
  readonly octokit: Octokit;
  readonly accessToken: string;
  readonly owner: string;
  readonly repo: string;
  /** `https://github.com`, or that of a server of one's own. */
  readonly serverUrl: string;
  readonly interrupt: AbortSignal;
  /** Other limits than those of a real network, for tests. */
  readonly limits?: { readonly requests?: Partial<RequestLimits>; readonly remote?: Partial<RemoteLimits> };
  readonly clock?: Clock;
}

/** What `publishRun` acts through: the run folder to read alone, and the repository on GitHub. */
export function openForPublishing(
  workplace: Workplace,
  { runFolder, runId, configPath }: { runFolder: string; runId: string; configPath: string },
  access: GithubAccess,
) {
  const { gitDir } = findRunFolders(workplace.places, runFolder, runId);
  const { interrupt, clock = systemClock } = access;
  const verify = { ...openForReading(workplace, runFolder, runId), configPath };
  return { verify, ...connectDelivery(workplace, gitDir, access), clock, interrupt };
}

/** Reads, writes and pushes to one repository on GitHub, from the private repository of a run. */
export function connectDelivery(workplace: Workplace, gitDir: string, access: GithubAccess) {
  const { owner, repo, accessToken: token, clock = systemClock } = access;
  const requests = { ...access, clock, randomness: systemRandomness, limits: access.limits?.requests ?? {} };
  return {
    github: createGithub(requests),
    writes: createGithubWrites(requests),
    remote: createRemote({
      ...REMOTE_LIMITS,
      ...access.limits?.remote,
      url: `${access.serverUrl}/${owner}/${repo}.git`,
      token,
      gitDir,
      userGitCommonDir: workplace.user.gitCommonDir,
      searchPath: workplace.env["PATH"] ?? "",
      env: workplace.env,
    }),
  };
}
