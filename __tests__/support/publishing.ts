import { openForPublishing, type GithubAccess } from "../../src/compose/deliver.ts";
import { openWorkplace } from "../../src/compose/workplace.ts";
import { world } from "../../src/compose/world.ts";
import { DEFAULT_CONFIG_PATH } from "../../src/domain/run-choices.ts";
import type { SavedRun } from "../../src/domain/saved-run.ts";
import { createOctokit } from "../../src/effects/github/client.ts";
import type { PublishInput, PublishPorts } from "../../src/kernel/publish/publish-run.ts";
import { publishRun, type PublishOutcome } from "../../src/kernel/publish/publish-run.ts";
import type { Clock } from "../../src/ports.ts";
import type { TestRepository } from "./conveyor.ts";
import { EmulatedGithub } from "./github/github.ts";
import type { EmulatedUser } from "./github/state.ts";
import { writeRoutes, type Writing } from "./github/write-routes.ts";

export const BOT = "conveyor[bot]";

/** A clock whose waits are over at once, and which says afterwards how long they would have been. */
export class HastyClock implements Clock {
  waited = 0;
  now(): string {
    return new Date(Date.now() + this.waited).toISOString();
  }
  monotonicMs(): number {
    return performance.now() + this.waited;
  }
  async sleep(ms: number): Promise<void> {
    this.waited += ms;
  }
}

/** An emulated GitHub in front of a copy of the repository, with a bot that may write. */
export async function startGithub(
  repository: Pick<TestRepository, "path">,
  writing: Omit<Writing, "actor"> = {},
): Promise<{ github: EmulatedGithub; bot: EmulatedUser }> {
  const bot: EmulatedUser = {
    id: 77,
    login: BOT,
    type: "Bot",
    email: "bot@noreply.invalid",
    permission: "write",
    roleName: "write",
  };
  const github = await EmulatedGithub.start({ from: repository.path, routes: writeRoutes({ ...writing, actor: bot }) });
  github.state.users.push(bot);
  return { github, bot };
}

/** What a publication of a test is asked for, unless it says otherwise. */
const INPUT: PublishInput = {
  anchors: {},
  admission: undefined,
  trustBranch: undefined,
  self: BOT,
  rerun: "not_demanded",
  token: "github_token",
  profile: "separate_jobs",
};

/** The saved run of a folder. */
export function readRun(runFolder: string): SavedRun {
  const read = world.readSavedRun(runFolder);
  if (!read.ok) throw new Error(`${read.error.path}: ${read.error.message}`);
  return read.value;
}

/** Publishes a run folder as the Action's publish job does, in this process. */
export async function publish(
  repository: Pick<TestRepository, "path" | "env">,
  runFolder: string,
  url: string,
  input: Partial<PublishInput> = {},
  access: Partial<GithubAccess> = {},
): Promise<PublishOutcome> {
  const ports = await openPorts(repository, runFolder, url, access);
  return publishRun(readRun(runFolder), { ...INPUT, ...input }, ports);
}

/** Everything that a publication acts through, against `url`. */
export async function openPorts(
  repository: Pick<TestRepository, "path" | "env">,
  runFolder: string,
  url: string,
  access: Partial<GithubAccess> = {},
): Promise<PublishPorts> {
  const workplace = await openWorkplace(repository.path, repository.env());
  if (!workplace.ok) throw new Error(workplace.error.message);
  const token = access.accessToken ?? `token-${BOT}`;
  return openForPublishing(
    workplace.value,
    { runFolder, runId: readRun(runFolder).state.runId, configPath: DEFAULT_CONFIG_PATH },
    {
      octokit: await createOctokit({ token, apiUrl: url, graphqlUrl: `${url}/graphql` }),
      accessToken: token,
      owner: "acme",
      repo: "widgets",
      serverUrl: url,
      interrupt: new AbortController().signal,
      clock: new HastyClock(),
      ...access,
    },
  );
}
