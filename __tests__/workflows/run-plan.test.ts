import { existsSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { buildStarterFiles, FIRST_PLAN_PATH } from "../../src/domain/starter-files.ts";
import { UNKNOWN_SOURCE } from "../../src/domain/starter-workflow.ts";
import { makeFolder, ROOT } from "../support/conveyor.ts";
import { app } from "../support/github/github.ts";
import { secondsAgo, type EmulatedPull } from "../support/github/state.ts";
import { PlanWorld } from "../support/workflow/plan-world.ts";
import type { JobRun, StepRun } from "../support/workflow/world.ts";

const GATE = join(ROOT, "examples/workflows/gate.yml");
const BY_HAND = join(ROOT, "examples/workflows/by-hand.yml");
const SECRETS = { OPENAI_API_KEY: "key-of-one-vendor", ANTHROPIC_API_KEY: "key-of-another" };
const FIRST_PLAN =
  buildStarterFiles({ profile: "solo", agents: "both", source: UNKNOWN_SOURCE }).find(
    ({ path }) => path === FIRST_PLAN_PATH,
  )?.text ?? "";

/** An executor that fails in its first session. */
const FAILS = "exit 1\n";

type Jobs = Readonly<Record<string, JobRun>>;

const resultsOf = (jobs: Jobs): Record<string, string> =>
  Object.fromEntries(Object.entries(jobs).map(([name, { result }]) => [name.replace("plan / ", ""), result]));
const stepOf = (jobs: Jobs, job: string, name: string): StepRun | undefined =>
  jobs[`plan / ${job}`]?.steps.find((step) => step.name === name);
/** What a person would read first when a job is not as expected. */
const logsOf = (jobs: Jobs): string =>
  Object.values(jobs)
    .flatMap(({ steps }) =>
      steps.filter(({ outcome }) => outcome === "failure").map(({ name, log }) => `${name}: ${log}`),
    )
    .join("\n");

describe("a plan run by hand", () => {
  it("goes through four jobs on four runners and ends as one pull request", async () => {
    const world = await PlanWorld.start({ policyLines: ["required-checks: [{ name: test, app: own-ci }]"] });
    const { jobs, artifacts } = await world.dispatch(BY_HAND, { plan: FIRST_PLAN_PATH }, { secrets: SECRETS });
    expect(logsOf(jobs)).toBe("");
    expect(resultsOf(jobs)).toEqual({
      preflight: "success",
      execute: "success",
      verify: "success",
      publish: "success",
    });
    const outputs = jobs["plan / execute"]?.outputs ?? {};
    expect(outputs).toMatchObject({ "terminal-state": "blocked", "plan-id": "first-run", handoff: "false" });
    expect(artifacts.map(({ name }) => name)).toEqual([
      // Named so that calls side by side in one workflow do not take each other's.
      `preflight-${jobs["plan / preflight"]?.outputs["sha256"]}`,
      outputs["artifact-name"],
    ]);
    const handed = [...(artifacts[1]?.files.keys() ?? [])];
    expect(handed).toEqual(
      expect.arrayContaining(["SHA256SUMS", "orchestrator_run_report.json", "report.md", "run.tar"]),
    );
    expect(handed.length).toBeLessThanOrEqual(5);

    const [pull, ...more] = world.github.state.pulls;
    expect(more).toEqual([]);
    expect(pull).toMatchObject({ headRef: outputs["branch"], baseRef: "main", draft: false, state: "open" });
    expect(world.github.bare.tip(outputs["branch"] ?? "")).toBe(outputs["head-sha"]);
    expect(jobs["plan / publish"]?.outputs["pull-request-number"]).toBe(String(pull?.number));
    // What verify said reaches publish, which demands it and tells of it.
    expect(pull?.body).toContain("Required commands were run again on a fresh machine without keys, on this head.");
    // The default branch is where it was: nothing but the run branch was pushed.
    expect(world.github.bare.tip("main")).toBe(world.repository.git("rev-parse", "main"));

    expect(readFileSync(world.npmCalls, "utf8").trim()).toMatch(
      / -- @openai\/codex@0\.169\.0 @anthropic-ai\/claude-code@2\.1\.328$/,
    );
    expectSecretsWhereTheyBelong(jobs);
    await expectGateToFollow(world);
  });

  it("that waits for a person ends as a draft at the waiting candidate, and a review there lets it go on", async () => {
    const waiting = FIRST_PLAN.replace("    verify:", "    gate: {type: signoff}\n    verify:");
    const world = await PlanWorld.start({ plan: waiting });
    const { jobs, id } = await world.dispatch(BY_HAND, { plan: FIRST_PLAN_PATH });
    expect(logsOf(jobs)).toBe("");
    expect(jobs["plan / execute"]?.outputs["blocked-reason-codes"]).toContain("ITEM_AWAITING_HUMAN_GATE");
    expect(world.github.state.pulls).toMatchObject([{ draft: true }]);

    // What a resumed run cannot be given is said before a runner is paid for.
    const resume = { "resume-from": String(id) };
    const refused = await world.dispatch(withInput("mode", "full"), resume);
    expect(resultsOf(refused.jobs)).toMatchObject({ preflight: "failure", execute: "skipped" });
    expect(logsOf(refused.jobs)).toContain("mode: the run was started in guarded mode");
    const { github } = world;
    const ada = github.state.users.find(({ login }) => login === "ada") ?? null;
    github.review(github.state.pulls[0] as EmulatedPull, ada, "APPROVED", { at: secondsAgo(0) });
    const resumed = await world.dispatch(BY_HAND, resume);
    expect(logsOf(resumed.jobs)).toBe("");
    expect(stepOf(resumed.jobs, "execute", "Run the plan")?.log).toContain("was approved on GitHub by ada");
    expect(github.state.pulls).toMatchObject([{ draft: false }]);
    // Ada started the run herself, which this policy lets her: the verdict says so.
    expect(github.state.pulls[0]?.body.split("\n")[0]).toContain("; self-approved)");
    expect(github.bare.tip(github.state.pulls[0]?.headRef ?? "")).toBe(
      resumed.jobs["plan / execute"]?.outputs["head-sha"],
    );
  }, 180_000);

  it("that fails is red by fail-on, its artifact is there, and nothing is published", async () => {
    const world = await PlanWorld.start({ executor: FAILS });
    const { jobs, artifacts } = await world.dispatch(BY_HAND, { plan: FIRST_PLAN_PATH });
    expect(resultsOf(jobs)).toEqual({
      preflight: "success",
      execute: "failure",
      verify: "skipped",
      publish: "skipped",
    });
    expect(jobs["plan / execute"]?.outputs).toMatchObject({ "terminal-state": "failed" });
    expect(artifacts.at(-1)?.name).toBe(jobs["plan / execute"]?.outputs["artifact-name"]);
    expect(world.github.state.pulls).toEqual([]);
  });

  it.each(["", "timeout failed"])("that fails is red also with fail-on written as %j", async (failOn) => {
    const world = await PlanWorld.start({ executor: FAILS });
    const { jobs } = await world.dispatch(withInput("fail-on", failOn), { plan: FIRST_PLAN_PATH });
    expect(jobs["plan / execute"]?.outputs).toMatchObject({ "terminal-state": "failed" });
    expect(resultsOf(jobs)).toMatchObject({ execute: "failure", publish: "skipped" });
  });

  it("is not published when a required command does not pass a second time", async () => {
    const marker = join(makeFolder(), "only-where-the-agents-ran");
    writeFileSync(marker, "");
    const world = await PlanWorld.start({ plan: FIRST_PLAN.replace("verify: [", `verify: ["test -e ${marker}", `) });
    const { jobs } = await world.dispatch(
      BY_HAND,
      { plan: FIRST_PLAN_PATH },
      { onStart: ({ job }) => (job === "verify" ? rmSync(marker, { force: true }) : undefined) },
    );
    expect(existsSync(marker)).toBe(false);
    expect(resultsOf(jobs)).toEqual({
      preflight: "success",
      execute: "success",
      verify: "failure",
      publish: "skipped",
    });
    expect(stepOf(jobs, "verify", "Run every required command again")?.log).toContain(`test -e ${marker}`);
    expect(world.github.state.pulls).toEqual([]);
  });
});

/** The example of the gate without the App, on the pull request that came of it: red, and green once GitHub says so. */
async function expectGateToFollow(world: PlanWorld): Promise<void> {
  const { github } = world;
  const pull = github.state.pulls.at(-1) as EmulatedPull;
  const closed = await world.wake(GATE, pull);
  expect(closed.jobs["gate"]).toMatchObject({
    result: "failure",
    permissions: { contents: "read", actions: "read", checks: "read", "pull-requests": "read" },
  });
  const [judged] = closed.jobs["gate"]?.steps ?? [];
  expect(judged?.outputs).toMatchObject({
    "terminal-state": "blocked",
    "blocked-reason-codes": JSON.stringify(["GATE_CI_NOT_SUCCESS", "GATE_REVIEW_NOT_APPROVED"]),
  });
  expect(judged?.summary).toContain(`## Pull request ${pull.number} is blocked`);

  github.addCheckRun(github.bare.tip(pull.headRef) ?? "", { app: app(9, "own-ci") });
  const ada = github.state.users.find(({ login }) => login === "ada") ?? null;
  github.review(pull, ada, "APPROVED", { at: secondsAgo(0) });
  const open = await world.wake(GATE, pull);
  expect(logsOf(open.jobs)).toBe("");
  expect(open.jobs["gate"]?.steps[0]?.outputs).toMatchObject({ "terminal-state": "done" });
  // Whoever started the run had a hand in it: only a policy that says so lets that count, and the verdict tells of it.
  expect(open.jobs["gate"]?.steps[0]?.log).toContain("approved by ada (self-approved)");
}

/** A key stands in one step, and what may write stands where no agent is. */
function expectSecretsWhereTheyBelong(jobs: Jobs): void {
  const steps = Object.entries(jobs).flatMap(([job, { steps: each, token }]) =>
    each.map((step) => ({ name: `${job}: ${step.name}`, text: JSON.stringify(step.env), token })),
  );
  const holding = (text: (step: (typeof steps)[number]) => string): string[] =>
    steps.filter((step) => step.text.includes(text(step))).map(({ name }) => name);
  expect(holding(() => SECRETS.OPENAI_API_KEY)).toEqual(["plan / execute: Run the plan"]);
  expect(holding(() => SECRETS.ANTHROPIC_API_KEY)).toEqual(["plan / execute: Run the plan"]);
  expect(holding(({ token }) => token)).toEqual([
    "plan / preflight: Decide what may run",
    "plan / publish: Check it all again, push, open the pull request",
  ]);
  expect(JSON.stringify(jobs["plan / execute"]?.steps.map(({ env }) => env))).not.toMatch(/"(?:INPUT_|ACTIONS_)/);
}

describe("a plan run every night", () => {
  const NIGHTLY = join(ROOT, "examples/workflows/nightly.yml");

  it("ends as a pull request where the configuration consents, and is refused by name where it does not", async () => {
    const consents = ["consent: { auto-enabled: true, continuous: true, allow-apply: true, expires: 2099-12-31 }"];
    const willing = await PlanWorld.start({ configLines: consents });
    const { jobs } = await willing.schedule(NIGHTLY);
    expect(logsOf(jobs)).toBe("");
    expect(willing.github.state.pulls).toHaveLength(1);

    const silent = await PlanWorld.start();
    const refused = await silent.schedule(NIGHTLY);
    expect(refused.jobs["plan / execute"]?.outputs["blocked-reason-codes"]).toContain("CONSENT_NOT_ENABLED");
    // A blocked run is green unless fail-on says otherwise: there is nothing to run again, which is no failure.
    expect(resultsOf(refused.jobs)).toMatchObject({ execute: "success", verify: "skipped", publish: "skipped" });
    expect(silent.github.state.pulls).toEqual([]);
  });
});

describe("a run that is out of time", () => {
  it("is green, says handoff, and goes on from its artifact on other runners to the pull request", async () => {
    const world = await PlanWorld.start();
    const caller = withInput("max-minutes", "0.0001");
    const first = await world.dispatch(caller, { plan: FIRST_PLAN_PATH });
    expect(logsOf(first.jobs)).toBe("");
    expect(resultsOf(first.jobs)).toMatchObject({ execute: "success", verify: "skipped", publish: "skipped" });
    expect(first.jobs["plan / execute"]?.outputs).toMatchObject({ handoff: "true", "terminal-state": "" });

    const second = await world.dispatch(BY_HAND, { "resume-from": String(first.id) });
    expect(logsOf(second.jobs)).toBe("");
    expect(second.jobs["plan / execute"]?.outputs).toMatchObject({
      "run-id": first.jobs["plan / execute"]?.outputs["run-id"],
      "terminal-state": "blocked",
      "artifact-name": expect.stringMatching(/-leg2$/) as string,
    });
    expect(world.github.state.pulls).toHaveLength(1);
  });
});

describe("a run that is cancelled", () => {
  it("by SIGINT to the step's shell is sealed, packed and uploaded", async () => {
    const started = join(makeFolder(), "started");
    const world = await PlanWorld.start({ executor: `echo >${started}; sleep 600\n` });
    const { jobs, artifacts } = await world.dispatch(
      BY_HAND,
      { plan: FIRST_PLAN_PATH },
      { onStart: ({ id }, pid) => void (id === "run" && interruptWhen(started, pid)) },
    );
    expect(jobs["plan / execute"]?.result).toBe("failure");
    expect(stepOf(jobs, "execute", "Pack what the run hands on")?.outcome).toBe("success");
    expect(artifacts.at(-1)?.name).toMatch(/^conveyor-RUN_.*-leg1$/);
    expect(resultsOf(jobs)).toMatchObject({ verify: "skipped", publish: "skipped" });
  });
});

describe("nothing is started", () => {
  it("when the runner does not say which commit was called", async () => {
    const world = await PlanWorld.start();
    const source = { repository: "octo-org/plan-conveyor", sha: "" };
    const { jobs } = await world.dispatch(BY_HAND, { plan: FIRST_PLAN_PATH }, { source });
    expect(resultsOf(jobs)).toEqual({
      preflight: "failure",
      execute: "skipped",
      verify: "skipped",
      publish: "skipped",
    });
    const log = jobs["plan / preflight"]?.steps[0]?.log ?? "";
    expect(log.trim().split("\n")).toHaveLength(1);
    expect(log).toContain("(job.workflow_sha is empty)");
  });

  it("when fail-on is not understood", async () => {
    const world = await PlanWorld.start();
    const { jobs, artifacts } = await world.dispatch(withInput("fail-on", "never"), { plan: FIRST_PLAN_PATH });
    expect(jobs["plan / execute"]?.result).toBe("failure");
    expect(stepOf(jobs, "execute", "Run the plan")?.log).toContain("fail-on: expected words out of");
    expect(artifacts.map(({ name }) => name)).toEqual([expect.stringMatching(/^preflight-[0-9a-f]{64}$/)]);
  });

  it("S-50: on a runner of your own, unless it is allowed by name", async () => {
    const world = await PlanWorld.start({ executor: FAILS });
    const own = { runnerEnvironment: "self-hosted" };
    const refused = await world.dispatch(BY_HAND, { plan: FIRST_PLAN_PATH }, own);
    expect(refused.jobs["plan / execute"]?.steps.map(({ outcome }) => outcome).slice(0, 3)).toEqual([
      "success",
      "failure",
      "skipped",
    ]);
    expect(stepOf(refused.jobs, "execute", "Look at the runner")?.log).toContain("SELF_HOSTED_NOT_ALLOWED");
    const willing = withInput("allow", "token-write, self-hosted");
    const allowed = await world.dispatch(willing, { plan: FIRST_PLAN_PATH }, own);
    expect(stepOf(allowed.jobs, "execute", "Run the plan")?.outputs).toMatchObject({ "terminal-state": "failed" });
  });

  it("when the kill switch is a variable of the repository", async () => {
    const world = await PlanWorld.start();
    const vars = { CONVEYOR_PAUSE: "true" };
    const { jobs } = await world.dispatch(BY_HAND, { plan: FIRST_PLAN_PATH }, { vars });
    expect(resultsOf(jobs)).toEqual({
      preflight: "failure",
      execute: "skipped",
      verify: "skipped",
      publish: "skipped",
    });
    expect(logsOf(jobs)).toContain("PAUSED");
  });

  it("when the plan is not on the default branch", async () => {
    const world = await PlanWorld.start();
    const { jobs } = await world.dispatch(BY_HAND, { plan: "docs/exec-plans/active/nowhere.md" });
    expect(Object.values(resultsOf(jobs))).toContain("failure");
    expect(resultsOf(jobs)).toMatchObject({ verify: "skipped", publish: "skipped" });
    expect(logsOf(jobs)).toContain("nowhere.md");
  });
});

/** The example with one more input of the called workflow. */
function withInput(name: string, value: string): string {
  const path = join(makeFolder(), "caller.yml");
  const text = readFileSync(BY_HAND, "utf8").replace("    with:\n", `    with:\n      ${name}: "${value}"\n`);
  writeFileSync(path, text);
  return path;
}

/** Sends the signal that a runner would, once the executor is at work. */
function interruptWhen(path: string, pid: number): void {
  const timer = setInterval(() => {
    if (!existsSync(path)) return;
    clearInterval(timer);
    process.kill(pid, "SIGINT");
  }, 20);
  timer.unref();
}
