import { chmodSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { buildStarterFiles, FIRST_PLAN_PATH } from "../../../src/domain/starter-files.ts";
import { UNKNOWN_SOURCE } from "../../../src/domain/starter-workflow.ts";
import { auditorScript, makeFolder, ROOT, TestRepository } from "../conveyor.ts";
import { EmulatedGithub } from "../github/github.ts";
import type { EmulatedPull, EmulatedUser } from "../github/state.ts";
import { writeRoutes } from "../github/write-routes.ts";
import { ArtifactStore, type StoredArtifact } from "./artifacts.ts";
import { runWorkflow } from "./run-workflow.ts";
import type { Permissions, WorkflowRun, WorkflowWorld } from "./world.ts";

const RUN_PLAN = join(ROOT, ".github/workflows/run-plan.yml");
/** What the repository of these tests calls its own workflow. */
const WORKFLOW_PATH = ".github/workflows/conveyor.yml";
const EXECUTOR = "echo '# Plans lie in docs/exec-plans/active' > docs/how-plans-run.md\n";

/** The account of every `GITHUB_TOKEN`. */
const BOT: EmulatedUser = {
  id: 41_898_282,
  login: "github-actions[bot]",
  type: "Bot",
  email: "actions@noreply.invalid",
  permission: "write",
  roleName: "write",
};

/** How a test's repository differs from what `conveyor init` writes. */
export interface PlanWorldInput {
  /** Body of the executor, run by bash in the worktree; the default does what the first plan asks for. */
  readonly executor?: string;
  readonly plan?: string;
  readonly configLines?: readonly string[];
  /** Lines of the policy besides those that `conveyor init` writes. */
  readonly policyLines?: readonly string[];
}

/**
 * A repository that `conveyor init` set up, with scripted programs in place of the agents, on an emulated GitHub whose
 * workflow runs are executed job by job.
 */
export class PlanWorld {
  readonly repository: TestRepository;
  readonly github: EmulatedGithub;
  readonly #bin = makeFolder("conveyor-bin-");
  /** What npm was asked for, a call a line. */
  readonly npmCalls = join(this.#bin, "npm-calls");
  #lastRun = 9000;

  private constructor(repository: TestRepository, github: EmulatedGithub) {
    this.repository = repository;
    this.github = github;
    // A test must not install anything on the machine that it runs on, and fetch nothing.
    for (const [name, body] of [
      ["sudo", "exit 1"],
      ["npm", `printf '%s\\n' "$*" >>"${this.npmCalls}"`],
    ] as const) {
      writeFileSync(join(this.#bin, name), `#!/bin/bash\n${body}\n`);
      chmodSync(join(this.#bin, name), 0o755);
    }
    github.addUser("job-reader", "read", { type: "Bot" });
    github.addUser("ada", "maintain");
  }

  static async start({
    executor = EXECUTOR,
    plan,
    configLines = [],
    policyLines = [],
  }: PlanWorldInput = {}): Promise<PlanWorld> {
    const files = buildStarterFiles({ profile: "solo", agents: "both", source: UNKNOWN_SOURCE });
    const byPath = Object.fromEntries(files.map(({ path, text }) => [path, text]));
    const lane = (name: string): string => `use: command, command: [bash, tools/audit-${name}.sh]`;
    const config = (byPath[".github/conveyor.yml"] ?? "")
      .replace(/^executor: .*$/m, "executor: { use: command, command: [bash, tools/agent.sh] }")
      .replace(/use: codex, env: \[\w+\] \}$/m, `${lane("careful")} }`)
      .replace(/use: claude, env: \[\w+\] \}$/m, `${lane("quick")} }`)
      .replace(/^policy:\n/m, ["policy:", ...policyLines.map((line) => `  ${line}`), ""].join("\n"));
    const repository = new TestRepository({
      // Tests meet their programs in the temporary folder, which a sandbox hides.
      config: [config, "sandbox: { level: off }", ...configLines, ""].join("\n"),
      files: {
        ...Object.fromEntries(Object.entries(byPath).filter(([path]) => path !== ".github/conveyor.yml")),
        ...(plan === undefined ? {} : { [FIRST_PLAN_PATH]: plan }),
        "tools/agent.sh": executor,
        "tools/audit-careful.sh": auditorScript(),
        "tools/audit-quick.sh": auditorScript(),
      },
    });
    const github = await EmulatedGithub.start({ from: repository.path, routes: writeRoutes({ actor: BOT }) });
    github.state.users.push(BOT);
    serveArtifacts(github);
    return new PlanWorld(repository, github);
  }

  /** Starts a workflow of the repository by hand, as `ada` would, and runs it to its end. */
  async dispatch(path: string, inputs: Readonly<Record<string, string>>, more: Partial<WorkflowWorld> = {}) {
    return await this.start("workflow_dispatch", path, inputs, more);
  }

  /** Starts a workflow as its schedule does: nobody asked for it. */
  async schedule(path: string) {
    return await this.start("schedule", path, {}, {});
  }

  /** Wakes a workflow as something that happens to a pull request of the repository does. */
  async wake(path: string, { number, headRepoId }: EmulatedPull) {
    const { repositoryId } = this.github.state;
    const head = { repo: headRepoId === null ? null : { id: headRepoId } };
    const pull = { number, head, base: { repo: { id: repositoryId } } };
    return await this.start("pull_request_target", path, {}, {}, { pull_request: pull });
  }

  private async start(
    event: "workflow_dispatch" | "schedule" | "pull_request_target",
    path: string,
    inputs: Readonly<Record<string, string>>,
    more: Partial<WorkflowWorld>,
    about: Readonly<Record<string, unknown>> = { inputs },
  ): Promise<WorkflowRun & { readonly id: number; readonly artifacts: readonly StoredArtifact[] }> {
    const { state } = this.github;
    this.#lastRun += 1;
    const id = this.#lastRun;
    const sha = this.github.bare.tip(state.defaultBranch) ?? "";
    const ada = state.users.find(({ login }) => login === "ada") ?? null;
    const run = this.github.addWorkflowRun(sha, {
      id,
      path: WORKFLOW_PATH,
      headBranch: state.defaultBranch,
      event,
      actor: ada,
      check: null,
    });
    const artifacts = new ArtifactStore(({ name, digest, zip, id: artifactId }) => {
      state.artifacts.push({
        id: artifactId,
        run: run.id,
        name,
        size: zip.length,
        digest: `sha256:${digest}`,
        expired: false,
        bytes: zip,
      });
    });
    const payload = {
      repository: {
        id: state.repositoryId,
        full_name: `${state.owner}/${state.name}`,
        default_branch: state.defaultBranch,
      },
      ...(event === "schedule"
        ? { schedule: "17 1 * * *" }
        : { sender: { id: ada?.id ?? 0, login: "ada", type: "User" }, ...about }),
    };
    const world: WorkflowWorld = {
      repository: `${state.owner}/${state.name}`,
      repositories: { [`${state.owner}/${state.name}`]: this.github.bare.path },
      defaultBranch: state.defaultBranch,
      sha,
      source: { repository: "octo-org/plan-conveyor", sha: "c0ffee".repeat(7).slice(0, 40) },
      artifacts,
      runId: id,
      apiUrl: this.github.url,
      // GitHub's artifact client works with hosts of GitHub alone, and takes one of this name for such; git knows it too.
      serverUrl: this.github.url.replace("127.0.0.1", "github.localhost"),
      issueToken: tokenFor,
      bin: this.#bin,
      ...more,
    };
    const ended = await runWorkflow(path, { event, payload, inputs }, world, () => RUN_PLAN);
    return { ...ended, id, artifacts: artifacts.all };
  }
}

/** Two accounts stand for `GITHUB_TOKEN`: one may write contents, the other may not. */
function tokenFor(permissions: Permissions): string {
  return permissions["contents"] === "write" ? `token-${BOT.login}` : "token-job-reader";
}

/** GitHub sends who asks for an artifact on to where its bytes are. */
function serveArtifacts({ faults, state, url }: EmulatedGithub): void {
  faults.push(
    {
      when: ({ path }) => /\/artifacts\/\d+\/zip$/.test(path),
      instead: (response, { path }) => {
        response.writeHead(302, { location: `${url}/blobs/${/(\d+)\/zip$/.exec(path)?.[1] ?? ""}` }).end();
        return true;
      },
    },
    {
      when: ({ path }) => path.startsWith("/blobs/"),
      instead: (response, { path }) => {
        const bytes = state.artifacts.find(({ id }) => path === `/blobs/${id}`)?.bytes;
        response.writeHead(bytes ? 200 : 404, { "content-type": "application/zip" }).end(bytes);
        return true;
      },
    },
  );
}
