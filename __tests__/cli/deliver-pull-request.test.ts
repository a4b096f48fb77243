import { describe, expect, test } from "vitest";
import { GATES_OPEN, TestRepository } from "../support/conveyor.ts";
import type { EmulatedGithub } from "../support/github/github.ts";
import { BOT, startGithub } from "../support/publishing.ts";

const PULL_REQUEST = ["--deliver", "pull-request"];

function envOf(github: EmulatedGithub, token = `token-${BOT}`): { env: Record<string, string> } {
  return { env: github.env(token) };
}

describe("--deliver pull-request", () => {
  test("brings a closed run to the branch here, the branch there and one pull request; a resume adds none", async () => {
    const repository = new TestRepository();
    const { github } = await startGithub(repository);
    const ran = await repository.run(PULL_REQUEST, envOf(github));
    expect(ran.code, ran.stderr).toBe(3);
    const { branch, head_sha: head } = ran.outcome;
    expect(ran.outcome).toMatchObject({ pull_request_number: 1, blocked_reason_codes: expect.any(Array) });
    expect([repository.git("rev-parse", branch), github.bare.tip(branch)]).toEqual([head, head]);
    expect(github.state.pulls).toMatchObject([{ headRef: branch, baseRef: "main", draft: false }]);
    expect(github.state.pulls[0]?.body).not.toContain("Approve workflows");
    expect(repository.report()).toMatchObject({ pull_request: { number: 1, draft: false } });
    const resumed = await repository.resume(GATES_OPEN, envOf(github));
    expect(resumed.code, resumed.stderr).toBe(0);
    expect(resumed.outcome).toMatchObject({ terminal_state: "done", pull_request_number: 1 });
    expect(github.state.pulls).toHaveLength(1);
    const verified = await repository.conveyor(["verify"]);
    expect(verified.code, verified.stdout).toBe(0);
  });

  test("publishes a candidate that waits as a draft, which the finished run turns into one to review", async () => {
    const repository = new TestRepository({ rows: [{ step_id: "01", manual_gate: "approval" }] });
    const { github } = await startGithub(repository);
    const ran = await repository.run(PULL_REQUEST, envOf(github));
    expect(ran.code, ran.stderr).toBe(3);
    const commit = repository.events().find(({ type }) => type === "gate_requested")?.details["commit"];
    expect(ran.outcome).toMatchObject({ blocked_reason_codes: ["ITEM_AWAITING_HUMAN_GATE"], pull_request_number: 1 });
    expect(github.bare.tip(ran.outcome.branch)).toBe(commit);
    expect(github.state.pulls).toMatchObject([{ draft: true }]);
    expect((await repository.resume([], envOf(github))).code).toBe(3);
    const approve = ["gate", "approve", ran.outcome.run_id, "01", "--by", "ann", "--note", "good"];
    expect((await repository.conveyor(approve)).code).toBe(0);
    const resumed = await repository.resume(GATES_OPEN, envOf(github));
    expect(resumed.code, resumed.stderr).toBe(0);
    expect(github.bare.tip(ran.outcome.branch)).toBe(resumed.outcome.head_sha);
    expect(github.state.pulls).toMatchObject([{ draft: false, title: "Plan test-plan: ready for review" }]);
    expect((await repository.conveyor(["verify"])).code).toBe(0);
  });

  test("that is refused stops the run as failed, and a resume with a better token delivers", async () => {
    const repository = new TestRepository();
    const { github } = await startGithub(repository);
    const ran = await repository.run(PULL_REQUEST, envOf(github, "token-nobody"));
    expect(ran.code, ran.stderr).toBe(1);
    expect(ran.outcome).toMatchObject({ blocked_reason_codes: ["DELIVERY_REFUSED"], pull_request_number: null });
    expect(github.state.pulls).toEqual([]);
    const resumed = await repository.resume(GATES_OPEN, envOf(github));
    expect(resumed.code, resumed.stderr).toBe(0);
    expect(github.state.pulls).toHaveLength(1);
    expect((await repository.conveyor(["verify"])).code).toBe(0);
  });

  test("a waiting run whose draft was refused waits all the same, and a resume publishes it", async () => {
    const repository = new TestRepository({ rows: [{ step_id: "01", manual_gate: "approval" }] });
    const { github } = await startGithub(repository);
    const ran = await repository.run(PULL_REQUEST, envOf(github, "token-nobody"));
    expect(ran.outcome).toMatchObject({
      blocked_reason_codes: ["ITEM_AWAITING_HUMAN_GATE"],
      pull_request_number: null,
    });
    expect(github.state.pulls).toEqual([]);
    const resumed = await repository.resume([], envOf(github));
    expect(resumed.code, resumed.stderr).toBe(3);
    expect(resumed.outcome).toMatchObject({ pull_request_number: 1 });
    expect(github.state.pulls).toMatchObject([{ draft: true }]);
  });

  test.each([
    ["no token", { GITHUB_REPOSITORY: "acme/widgets" }, "in GITHUB_TOKEN, found none"],
    ["no repository", { GITHUB_TOKEN: "x" }, "expected GITHUB_REPOSITORY=owner/name, or a remote origin"],
    [
      "a repository that is none",
      { GITHUB_TOKEN: "x", GITHUB_REPOSITORY: "widgets" },
      "expected owner/name, found widgets",
    ],
  ] as const)("with %s nothing is started", async (_what, env, message) => {
    const repository = new TestRepository();
    const ran = await repository.run(PULL_REQUEST, { env });
    expect(ran.code).toBe(2);
    expect(ran.stderr).toContain(message);
    expect(repository.runFolders()).toEqual([]);
  });
});
