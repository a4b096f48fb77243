import { generateKeyPairSync } from "node:crypto";
import { readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import type { Preflight } from "../../src/domain/preflight.ts";
import type { RunReport } from "../../src/domain/report.ts";
import { ACTION_ROUTES, ActionWorld, expectGreen } from "../support/action-world.ts";
import { PLAN_PATH } from "../support/conveyor.ts";
import { app } from "../support/github/github.ts";
import { found } from "../support/github/routes.ts";
import { secondsAgo, type EmulatedPull } from "../support/github/state.ts";
import { CI_WORKFLOW, PlanStory } from "../support/github/story.ts";
import { REPOSITORY_ID, type StepResult } from "../support/runner.ts";

/** A token that reads, as jobs have it that write nothing. */
const READER = "token-octocat";
/** Nothing of the environment approves anything here. */
const env = { ORCH_APPROVED_MEDIUM: undefined };
const KEY = generateKeyPairSync("rsa", { modulusLength: 2048 })
  .privateKey.export({ type: "pkcs1", format: "pem" })
  .toString();
const APP = { "app-client-id": "Iv1.0123456789abcdef", "app-private-key": KEY };
const APP_TOKEN = "token-conveyor[bot]";

/** Whether the App is installed on the repository; a test takes it away for a while. */
const installed = { value: true };
const APP_ROUTES = {
  "GET /app": () => found({ slug: "conveyor" }),
  "GET /repos/:owner/:repo/installation": () =>
    installed.value ? found({ id: 42 }) : { status: 404, data: { message: "Not Found" } },
  "POST /app/installations/:id/access_tokens": () => ({ status: 201, data: { token: APP_TOKEN } }),
};

/** One required check for each way in which one can be wrong. */
const CHECKS = ["queued", "of-another-app", "on-another-commit", "green-and-red", "never-ran"];
const requires = (name: string): string => `{name: ${name}, app: github-actions, workflow: ${CI_WORKFLOW}}`;

const messagesOf = ({ annotations }: StepResult): string => annotations.map(({ message }) => message).join("\n");
const signalsOf = ({ stdout }: StepResult): string =>
  [...stdout.matchAll(/^ {2}(?:passed|closed) {2}\w+: (\w+)/gm)].map(([, signal]) => signal).join(" ");

describe("an item that waits for a person, and the gates of what became of it", async () => {
  const story = (
    await PlanStory.propose({
      rows: [{ step_id: "01", manual_gate: "approval" }],
      routes: { ...ACTION_ROUTES, ...APP_ROUTES },
      repositoryId: REPOSITORY_ID,
      policy: [`required-checks: [${CHECKS.map((name) => requires(name)).join(", ")}]`],
    })
  ).approve();
  const { github, repository, maintainer } = story;
  const world = await ActionWorld.around(repository, github);
  const { starter } = world;
  const pullOf = (): EmulatedPull => github.state.pulls.at(-1) as EmulatedPull;

  test("S-34: preflight asks by number who started it and who ran it again, and what they may do here now", async () => {
    const preflight = async (more: Readonly<Record<string, string | undefined>> = {}) =>
      await world.job(1, READER).step({ command: "preflight", plan: PLAN_PATH }, { env: { ...env, ...more } });
    const may = await preflight();
    expectGreen(may);
    const document = JSON.parse(readFileSync(may.outputs["preflight-path"] ?? "", "utf8")) as Preflight;
    expect(document).toMatchObject({ unknown: [], plan: { path: PLAN_PATH }, trust: { branch: "main" } });
    expect(document.approvals?.reviews).toHaveLength(1);

    // Nobody has told GitHub of this workflow run yet: what the runner says counts, by the number.
    const renamed = await preflight({ GITHUB_ACTOR_ID: "1002" });
    expect(messagesOf(renamed)).toContain("the login octocat belongs to another account now");
    world.register(1);
    const [run] = github.state.workflowRuns.slice(-1);
    Object.assign(run ?? {}, { triggeringActor: story.bot });
    const byBot = await preflight();
    expect(messagesOf(byBot)).toContain(
      `EVENT_NOT_ALLOWED conveyor[bot] (account ${story.bot.id}) ran the workflow run again: expected a person with write access, found a bot; or allow this account by its number: allow: actor:${story.bot.id}`,
    );
    expect(byBot.outputs).toEqual({});
    Object.assign(run ?? {}, { triggeringActor: starter });
  });

  test("what has to be known stands at the trusted branch, or nothing is started", async () => {
    const tip = github.bare.tip("main") ?? "";
    repository.git("rm", "--quiet", ".github/conveyor.yml");
    const without = repository.commit("no configuration");
    github.push("main", repository.path, without, story.author);
    const refused = await Promise.all([
      world.job(1, READER).step({ command: "preflight", plan: PLAN_PATH }, { env }),
      world.job(1, READER).step({ plan: PLAN_PATH }, { env }),
    ]);
    for (const each of refused) {
      expect([each.code, messagesOf(each)]).toEqual([
        1,
        expect.stringMatching(/expected \.github\/conveyor\.yml (?:at the tip of main|in the checked out commit)/),
      ]);
    }
    repository.git("reset", "--quiet", "--hard", tip);
    github.bare.setBranch("main", tip);
    github.state.pushes.pop();
  });

  test("it stops, and leaves as a draft at the candidate, by the App's own token", async () => {
    const ran = await world.job(1, READER).step({ plan: PLAN_PATH }, { env });
    expectGreen(ran);
    expect(ran.outputs).toMatchObject({ "terminal-state": "blocked" });
    expect(ran.outputs["blocked-reason-codes"]).toContain("ITEM_AWAITING_HUMAN_GATE");
    expect(ran.outputs["pack-sha256"]).toMatch(/^[0-9a-f]{64}$/);
    for (const artifact of world.results.artifacts) world.offer(1, artifact);

    const given = { command: "publish", "pack-sha256": ran.outputs["pack-sha256"] ?? "", ...APP };
    installed.value = false;
    const refused = await world.job(1, READER).step(given, { env });
    expect([refused.code, messagesOf(refused)]).toEqual([
      1,
      expect.stringContaining("the App is not installed on this repository"),
    ]);
    expect(refused.stdout.replaceAll(/^::add-mask::.*$/gm, "")).not.toContain(KEY.split("\n")[3]);
    expect(github.state.pulls).toEqual([story.proposal]);
    installed.value = true;
    const published = await world.job(1, READER).step(given, { env });
    expectGreen(published);
    expect(pullOf()).toMatchObject({ draft: true, user: { login: "conveyor[bot]" }, headRef: ran.outputs["branch"] });
    expect(github.state.pushes.at(-1)?.actor?.login).toBe("conveyor[bot]");
    expect(published.masks).toContain(APP_TOKEN);
    expect(pullOf().body).not.toContain("Approve workflows to run");
    expect(pullOf().body).not.toContain("The weaker profile");
  });

  test("a review on GitHub, but not the starter's, lets it go on in another checkout", async () => {
    github.review(pullOf(), starter, "APPROVED", { at: secondsAgo(0) });
    const own = await world.job(2, READER).step({ command: "preflight", "resume-from": "1" }, { env });
    expectGreen(own);
    const { manual_gate: facts } = JSON.parse(readFileSync(own.outputs["preflight-path"] ?? "", "utf8")) as Preflight;
    expect(facts).toMatchObject({ workflow_runs: [{ id: 1, actor: { id: starter.id } }], reviews: [{}] });

    const waits = await world.job(2, READER).step({ "resume-from": "1", "upload-artifact": "false" }, { env });
    expect(waits.stdout).toContain("octocat had a hand in what is to be approved");
    expect(waits.outputs["blocked-reason-codes"]).toContain("ITEM_AWAITING_HUMAN_GATE");
    github.review(pullOf(), maintainer, "APPROVED", { at: secondsAgo(0) });
    const resumed = await world.job(2, READER).step({ "resume-from": "1" }, { env });
    expectGreen(resumed);
    expect(resumed.stdout).toContain("item 01 was approved on GitHub by maintainer");
    expect(JSON.parse(resumed.outputs["blocked-reason-codes"] ?? "")).toEqual([
      "GATE_CI_NOT_SUCCESS",
      "GATE_REVIEW_NOT_APPROVED",
    ]);
    world.register(2);
    const published = await world.job(2, READER).step({ command: "publish", ...APP }, { env });
    expectGreen(published);
    expect(github.state.pulls.slice(1)).toMatchObject([{ draft: false }]);
    expect(github.bare.tip(pullOf().headRef)).toBe(resumed.outputs["head-sha"]);
  });

  const gate = async () =>
    await world
      .job(3, READER)
      .step(
        { command: "gate", plan: PLAN_PATH, "pull-request": String(pullOf().number) },
        { event: "pull_request_target", env },
      );

  test("the gate is red for a check that waits, fails once, is missing, or is another's, each with its reason", async () => {
    const head = github.bare.tip(pullOf().headRef) ?? "";
    const run = (name: string, more: object, sha = head) =>
      github.addWorkflowRun(sha, { path: CI_WORKFLOW, check: { name, ...more } });
    run("queued", { status: "queued", conclusion: null });
    github.addCheckRun(head, { name: "of-another-app", app: app(7, "evil") });
    run("on-another-commit", {}, github.bare.tip("main"));
    run("green-and-red", {});
    run("green-and-red", { conclusion: "failure" });
    const judged = await gate();
    expect([judged.code, signalsOf(judged)]).toEqual([1, "allow failure missing"]);
    const reasons = judged.stdout.split("\n").map((line) => line.trim());
    expect(reasons).toEqual(
      expect.arrayContaining([
        "queued is queued",
        "of-another-app there is none on this commit (untrusted-source: another app than github-actions made one of that name)",
        "on-another-commit there is none on this commit",
        "green-and-red ended with failure",
        "never-ran there is none on this commit",
      ]),
    );
    expect(judged.outputs).toMatchObject({
      "terminal-state": "blocked",
      "blocked-reason-codes": JSON.stringify(["GATE_CI_NOT_SUCCESS", "GATE_REVIEW_NOT_APPROVED"]),
      "pull-request-number": String(pullOf().number),
      "head-sha": head,
    });
    github.state.checkRuns.length = 0;
    for (const name of CHECKS) run(name, {});
  });

  test("the final report is given once CI and somebody without a hand in it say yes to the published head", async () => {
    const early = await world.job(3, READER).step({ command: "gate", "resume-from": "1" }, { env });
    expect(messagesOf(early)).toContain(
      "expected a run that waits for its gates alone, and item 01 waits for a person",
    );
    const final = async (more: Readonly<Record<string, string>>) =>
      await world.job(3, READER).step({ command: "gate", "resume-from": "2", ...more }, { env });
    github.review(pullOf(), starter, "APPROVED", { at: secondsAgo(0) });
    // Who started the run is known to the gate by the artifacts, to the run by its journal.
    const byStarter = await gate();
    expect([byStarter.code, signalsOf(byStarter)]).toEqual([1, "allow success missing"]);
    expect(byStarter.stdout).toContain("octocat had a hand in what is to be approved");
    const own = await final({ "upload-artifact": "false" });
    expect([own.code, own.outputs["terminal-state"]]).toEqual([1, "blocked"]);
    expect(JSON.parse(own.outputs["blocked-reason-codes"] ?? "")).toEqual(["GATE_REVIEW_NOT_APPROVED"]);
    expect(readFileSync(own.outputs["report-path"] ?? "", "utf8")).toContain(
      "octocat had a hand in what is to be approved",
    );

    github.review(pullOf(), maintainer, "APPROVED", { at: secondsAgo(0) });
    const judged = await gate();
    expectGreen(judged);
    expect(signalsOf(judged)).toBe("allow success approved");
    expect(judged.summary).toContain(`## Pull request ${pullOf().number} is done`);

    const done = await final({ "retention-days": "5" });
    expectGreen(done);
    expect(done.outputs).toMatchObject({ "terminal-state": "done", "blocked-reason-codes": "[]" });
    const report = JSON.parse(readFileSync(done.outputs["report-path"] ?? "", "utf8")) as RunReport;
    expect(report.gate_decisions.map(({ gate, passed }) => `${gate} ${passed}`)).toEqual([
      "policy true",
      "ci true",
      "review true",
    ]);
    // Nothing of the plan was started for it.
    expect(report.stage_executions.length).toBeGreaterThan(0);
    expect(done.stdout).not.toContain("tools/executor.sh");
    expect(world.results.artifacts.at(-1)).toMatchObject({
      name: expect.stringMatching(/-leg3$/) as string,
      retentionDays: 5,
    });
    expect(done.outputs["artifact-id"]).toBe(String(world.results.artifacts.at(-1)?.id));
  });
});
