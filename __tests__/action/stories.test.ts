import { describe, expect, test } from "vitest";
import { ActionWorld, expectGreen, TOKEN } from "../support/action-world.ts";
import { PLAN_PATH, TestRepository } from "../support/conveyor.ts";

const OPEN = { gates: "inputs", "policy-status": "allow", "ci-status": "success", "review-status": "approved" };

describe("a run in one job, published in another", async () => {
  const world = await ActionWorld.start(new TestRepository());
  const runner = world.job(1);
  const ran = await runner.step({ plan: PLAN_PATH, ...OPEN });
  world.register(1);

  test("the run is done and handed on", () => {
    expectGreen(ran);
    expect(ran.outputs["terminal-state"]).toBe("done");
  });

  test.each([
    ["another run", { "run-id": "RUN_20260101T000000Z_deadbeef" }, "expected run id RUN_20260101T000000Z_deadbeef"],
    ["another plan", { "plan-id": "other" }, "expected plan id other"],
    ["another head", { "head-sha": "f".repeat(40) }, `expected head ${"f".repeat(40)}`],
    ["other packed bytes", { "pack-sha256": "a".repeat(64) }, "SHA256SUMS"],
    ["a rerun that left nothing", { "rerun-report": "missing" }, "rerun: the report cannot be read"],
  ] as const)("what was said of %s is refused by name, and nothing is said or pushed", async (_what, said, message) => {
    const refused = await world.job(1, TOKEN).step({ command: "publish", ...said });
    expect(refused.code, refused.stdout).toBe(1);
    const [text = "", ...more] = refused.annotations.map((annotation) => annotation.message);
    expect(more).toEqual([]);
    expect(text).toContain("ARTIFACT_TAMPERED");
    expect(text).toContain(message);
    expect(refused.outputs).not.toHaveProperty("head-sha");
    expect(world.github.state.pulls).toEqual([]);
    expect(world.github.bare.tip(ran.outputs["branch"] ?? "")).toBeUndefined();
  });

  test("another checkout publishes it: the branch at that head, one pull request, also the second time", async () => {
    const anchors = ["artifact-digest", "run-id", "plan-id", "head-sha"].map((name) => [name, ran.outputs[name] ?? ""]);
    const given = { command: "publish", ...(Object.fromEntries(anchors) as Record<string, string>) };
    world.github.requests.length = 0;
    for (const job of [world.job(1, TOKEN), world.job(1, TOKEN)]) {
      const published = await job.step(given, { env: { GITHUB_GRAPHQL_URL: `${world.github.url}/api/graphql` } });
      expectGreen(published);
      expect(published.outputs).toMatchObject({
        "pull-request-number": String(world.github.state.pulls[0]?.number),
        "head-sha": ran.outputs["head-sha"],
        branch: ran.outputs["branch"],
      });
      expect(published.masks).toContain(TOKEN);
      expect(published.stdout.replaceAll(/^::add-mask::.*$/gm, "")).not.toContain(TOKEN);
    }
    expect(world.github.state.pulls).toHaveLength(1);
    // Whose token it is, was asked where the runner says that GraphQL is.
    expect(world.github.state.pulls[0]?.body).toContain("*Approve workflows to run*");
    expect(world.github.requests.filter(({ path }) => /graphql/.test(path)).map(({ path }) => path)).toEqual([
      "/api/graphql",
      "/api/graphql",
    ]);
    expect(world.github.bare.tip(ran.outputs["branch"] ?? "")).toBe(ran.outputs["head-sha"]);
  });

  test("in the job that ran it, by a token that GitHub does not tell of, it says both", async () => {
    world.github.faults.push({
      when: ({ path }) => path === "/graphql",
      instead: (response) => {
        response.writeHead(403, { "content-type": "application/json" }).end("{}");
        return true;
      },
    });
    const published = await runner.step({ command: "publish", "github-token": TOKEN });
    expectGreen(published);
    expect(published.annotations.map(({ message }) => message)).toEqual([
      expect.stringMatching(/^GitHub did not say whose token publishes/),
    ]);
    const [pull, ...more] = world.github.state.pulls;
    expect(more).toEqual([]);
    expect(pull?.body).toContain("GitHub did not say whose token pushed");
    expect(pull?.body).toContain("The weaker profile");
  });
});

describe("a run that hands off, resumed from its artifact on another runner", async () => {
  const executor = 'mkdir -p out; echo done > "out/$ORCH_ITEM_ID.txt"; [ "$ORCH_ITEM_ID" = 01 ] || sleep 0.1\n';
  const world = await ActionWorld.start(
    new TestRepository({ rows: [{ step_id: "01" }, { step_id: "02", prerequisites: "01" }], executor }),
  );
  const first = await world.job(1).step({ plan: PLAN_PATH, ...OPEN, items: "01" });
  world.register(1);

  test("it is green and says that it handed off", () => {
    expectGreen(first);
    expect(first.outputs).toMatchObject({ "terminal-state": "", handoff: "true" });
  });

  test("the next leg goes on where it stopped, from nothing but artifact and repository", async () => {
    const runner = world.job(2, TOKEN);
    const resumed = await runner.step({ "resume-from": "1", ...OPEN });
    expectGreen(resumed);
    expect(resumed.outputs).toMatchObject({
      "run-id": first.outputs["run-id"],
      "terminal-state": "done",
      handoff: "false",
    });
    expect(world.results.artifacts.map(({ name }) => name)).toEqual([
      `conveyor-${first.outputs["run-id"]}-leg1`,
      `conveyor-${first.outputs["run-id"]}-leg2`,
    ]);
  });

  test.each([
    ["of another plan", { plan: "docs/exec-plans/active/other.md" }, "the artifact is a run of"],
    ["of another plan, before a runner is paid for,", { command: "preflight", plan: "other.md" }, "is a run of"],
    ["with another digest", { "artifact-digest": "a".repeat(64) }, "expected aaaaaaaa"],
    ["of another name", { "resume-artifact": "conveyor-RUN_20260325T120000Z_deadbeef-leg1" }, "has no artifact"],
  ] as const)("an artifact %s is refused by name", async (_name, inputs, said) => {
    const runner = world.job(2, TOKEN);
    const refused = await runner.step({ "resume-from": "1", ...("command" in inputs ? {} : OPEN), ...inputs });
    expect(refused.code).toBe(1);
    expect(refused.annotations.map(({ message }) => message).join("\n")).toContain(said);
  });

  test("an artifact of a tag that is called like the trusted branch is refused by name", async () => {
    const { bare, state } = world.github;
    const [run] = state.workflowRuns;
    if (run === undefined) throw new Error("there is no workflow run");
    const tagged = bare.git("commit-tree", "-m", "tagged main", bare.git("rev-parse", "main^{tree}"));
    state.workflowRuns.splice(0, 1, { ...run, headSha: tagged });
    const refused = await world.job(2, TOKEN).step({ "resume-from": "1", ...OPEN });
    state.workflowRuns.splice(0, 1, run);
    expect(refused.annotations[0]?.message).toContain("which main does not have");
  });
});
