import { execFileSync } from "node:child_process";
import { join } from "node:path";
import { expect } from "vitest";
import { makeFolder, type TestRepository } from "./conveyor.ts";
import { EmulatedGithub } from "./github/github.ts";
import type { Routes } from "./github/routes.ts";
import type { EmulatedUser } from "./github/state.ts";
import { writeRoutes } from "./github/write-routes.ts";
import { ResultsService, type StoredArtifact } from "./results-service.ts";
import { JobRunner, REPOSITORY_ID, type StepResult } from "./runner.ts";

/** `${{ github.token }}` of a job that may write. */
export const TOKEN = "token-github-actions[bot]";
/** The account of every job's own token. */
const ACTIONS_BOT: EmulatedUser = {
  id: 41_898_282,
  login: "github-actions[bot]",
  type: "Bot",
  email: "bot@noreply.invalid",
  permission: "write",
  roleName: "write",
};
const WORKFLOW = ".github/workflows/conveyor.yml";

/** What a GitHub answers that jobs of a workflow write to. */
export const ACTION_ROUTES: Routes = writeRoutes({ actor: ACTIONS_BOT });

/** A repository, its GitHub, and the service its jobs upload to: all that jobs of one workflow share. */
export class ActionWorld {
  readonly results: ResultsService;
  readonly github: EmulatedGithub;
  readonly repository: TestRepository;
  /** Whoever starts the workflow runs, as the runner names them. */
  readonly starter: EmulatedUser;

  private constructor(repository: TestRepository, github: EmulatedGithub, results: ResultsService) {
    this.repository = repository;
    this.github = github;
    this.results = results;
    this.starter = github.addUser("octocat", "write", { id: 1001 });
  }

  static async start(repository: TestRepository): Promise<ActionWorld> {
    const github = await EmulatedGithub.start({ from: repository.path, routes: ACTION_ROUTES });
    github.state.repositoryId = REPOSITORY_ID;
    return await ActionWorld.around(repository, github);
  }

  /** The same around a GitHub that a test has, whose repository has the number of the runner's payloads. */
  static async around(repository: TestRepository, github: EmulatedGithub): Promise<ActionWorld> {
    const results = await ResultsService.start();
    github.state.users.push(ACTIONS_BOT);
    // GitHub sends who asks for an artifact on to where its bytes are.
    github.faults.push({
      when: ({ path }) => path.endsWith("/zip"),
      instead: (response, { path }) => {
        const id = Number(/artifacts\/(\d+)\/zip$/.exec(path)?.[1]);
        const name = github.state.artifacts.find((artifact) => artifact.id === id)?.name ?? "";
        response.writeHead(302, { location: results.addressOf(name) }).end();
        return true;
      },
    });
    return new ActionWorld(repository, github, results);
  }

  /** A job on a runner of its own, in a checkout of its own, as part of a workflow run. */
  job(workflowRun: number, token = ""): JobRunner {
    const checkout = join(makeFolder(), "checkout");
    execFileSync("git", ["clone", "--quiet", "--no-local", this.repository.path, checkout]);
    const { owner, name } = this.github.state;
    const env = {
      ...this.results.env(),
      GITHUB_API_URL: this.github.url,
      // GitHub's own client of artifacts works with github.com and, as here, with a server of that suffix.
      GITHUB_SERVER_URL: this.github.url.replace("127.0.0.1", "github.localhost"),
      GITHUB_REPOSITORY: `${owner}/${name}`,
      GITHUB_RUN_ID: String(workflowRun),
      GITHUB_WORKFLOW_REF: `${owner}/${name}/${WORKFLOW}@refs/heads/main`,
    };
    return new JobRunner(checkout, env, token);
  }

  /** What GitHub knows of a workflow run and of what its jobs uploaded so far. */
  register(id: number, more: { path?: string; branch?: string; head?: number | null } = {}): void {
    const { state, bare } = this.github;
    state.workflowRuns.push({
      id,
      suite: id,
      path: more.path ?? WORKFLOW,
      headSha: bare.tip("main") ?? "",
      headBranch: more.branch ?? "main",
      event: "workflow_dispatch",
      actor: this.starter,
      triggeringActor: this.starter,
      repositoryId: REPOSITORY_ID,
      headRepositoryId: more.head === undefined ? REPOSITORY_ID : more.head,
      status: "completed",
      conclusion: "success",
      attempt: 1,
    });
    for (const artifact of this.results.artifacts) this.offer(id, artifact);
  }

  offer(run: number, { id, name, bytes, sha256 }: StoredArtifact): void {
    if (this.github.state.artifacts.some((known) => known.id === id)) return;
    this.github.state.artifacts.push({
      id,
      run,
      name,
      size: bytes.length,
      digest: `sha256:${sha256}`,
      expired: false,
      bytes,
    });
  }
}

/** Ended green, or the test shows what the step said. */
export function expectGreen(result: StepResult): void {
  expect(result.code, result.stdout + result.stderr).toBe(0);
}
