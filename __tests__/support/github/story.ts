import { PLAN_PATH, TestRepository, type Ended, type Outcome, type RepositoryInput } from "../conveyor.ts";
import { EmulatedGithub } from "./github.ts";
import type { Routes } from "./routes.ts";
import { writeRoutes } from "./write-routes.ts";
import { secondsAgo, type EmulatedPull, type EmulatedUser } from "./state.ts";

/** The workflow that stories take for CI. */
export const CI_WORKFLOW = ".github/workflows/ci.yml";

/** Line of the configuration that asks for the check of that workflow. */
export const REQUIRED_CHECK = `required-checks: [{name: test, app: github-actions, workflow: ${CI_WORKFLOW}}]`;

/** A plan that a pull request proposes on an emulated GitHub, and the people around it. */
export class PlanStory {
  readonly repository: TestRepository;
  readonly github: EmulatedGithub;
  readonly author: EmulatedUser;
  readonly maintainer: EmulatedUser;
  readonly bot: EmulatedUser;
  readonly proposal: EmulatedPull;

  private constructor(repository: TestRepository, github: EmulatedGithub) {
    this.repository = repository;
    this.github = github;
    // Whoever commits in a test's repository.
    this.author = github.addUser("author", "write", { email: "test@noreply.invalid" });
    this.maintainer = github.addUser("maintainer", "maintain");
    this.bot = github.addUser("conveyor[bot]", "write", { type: "Bot" });
    github.push("plan", repository.path, repository.git("rev-parse", "plan"), this.author);
    this.proposal = github.openPull({ headRef: "plan", user: this.author, title: "A plan" });
  }

  /** The plan is on the branch `plan` alone; the trusted branch has everything else. */
  static async propose(
    input: RepositoryInput & {
      readonly policy?: readonly string[];
      readonly writer?: EmulatedUser;
      /** What the emulated GitHub answers besides, and the repository's number there. */
      readonly routes?: Routes;
      readonly repositoryId?: number;
    } = {},
  ): Promise<PlanStory> {
    const policy = input.policy ?? [REQUIRED_CHECK];
    const repository = new TestRepository({
      ...input,
      configLines: [...(input.configLines ?? []), ...(policy.length === 0 ? [] : [`policy: {${policy.join(", ")}}`])],
      files: { [CI_WORKFLOW]: "on: push\n", ...input.files },
    });
    const start = repository.git("rev-parse", "HEAD");
    repository.git("rm", "--quiet", PLAN_PATH);
    const main = repository.commit("no plan yet");
    const github = await EmulatedGithub.start({
      from: repository.path,
      // Whose token may publish; nobody's, unless told.
      routes: { ...(input.writer === undefined ? {} : writeRoutes({ actor: input.writer })), ...input.routes },
    });
    github.state.repositoryId = input.repositoryId ?? github.state.repositoryId;
    repository.git("checkout", "--quiet", "-b", "plan");
    repository.git("checkout", "--quiet", start, "--", PLAN_PATH);
    repository.commit("propose a plan");
    repository.git("checkout", "--quiet", "main");
    repository.git("reset", "--quiet", "--hard", main);
    return new PlanStory(repository, github);
  }

  /** Merges the proposal and brings the checkout up to date. */
  accept(at?: string): void {
    this.github.merge(this.proposal, this.maintainer, at);
    this.pull();
  }

  /** The plan is approved by a review and merged. */
  approve(): this {
    this.github.review(this.proposal, this.maintainer);
    this.accept();
    return this;
  }

  /** The checkout's main is the trusted branch's tip. */
  pull(): void {
    this.repository.git("fetch", "--quiet", this.github.bare.path, "main");
    this.repository.git("reset", "--quiet", "--hard", "FETCH_HEAD");
  }

  /** Environment of a command that asks GitHub; nothing of it approves anything. */
  env(extra: Readonly<Record<string, string>> = {}): Record<string, string> {
    return { ...this.github.env(), ORCH_APPROVED_MEDIUM: "0", ...extra };
  }

  run(args: readonly string[] = []): Promise<Ended & { outcome: Outcome }> {
    return this.repository.run(["--gates", "github", ...args], { env: this.env() });
  }

  resume(args: readonly string[] = []): Promise<Ended & { outcome: Outcome }> {
    return this.repository.resume(["--gates", "github", ...args], { env: this.env() });
  }

  /** Pushes what a run delivered and opens its pull request, as the publish job does. */
  publish(outcome: Outcome, input: Partial<EmulatedPull> = {}): EmulatedPull {
    const sha = this.repository.git("rev-parse", outcome.branch);
    this.github.push(outcome.branch, this.repository.path, sha, this.bot, secondsAgo(60));
    return this.github.openPull({ headRef: outcome.branch, user: this.bot, createdAt: secondsAgo(59), ...input });
  }

  /** CI is green on a commit, by the workflow that is asked for. */
  passCi(sha: string): void {
    this.github.addWorkflowRun(sha, { path: CI_WORKFLOW });
  }
}
