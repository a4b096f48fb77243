import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { reportFault } from "../../src/action/refusals.ts";
import type { Step } from "../../src/action/step.ts";
import { STAGES } from "../../src/domain/stages.ts";
import { PLAN_PATH, TestRepository } from "../support/conveyor.ts";
import { ResultsService } from "../support/results-service.ts";
import { JobRunner } from "../support/runner.ts";

const GIVEN = {
  plan: PLAN_PATH,
  gates: "inputs",
  "policy-status": "allow",
  "ci-status": "success",
  "review-status": "approved",
};

describe("a plan that runs in one job", async () => {
  // What a program says can neither begin nor end a group.
  const executor = "echo ::endgroup::; echo '::group::lie'; mkdir -p out; echo done > out/01.txt\n";
  const repository = new TestRepository({ executor, files: { "docs/keep.md": "x\n" } });
  const results = await ResultsService.start();
  const runner = new JobRunner(repository.path, results.env());
  const ended = await runner.step({ ...GIVEN, "retention-days": "3" });

  test("ends done, and says so in outputs, log and summary", () => {
    expect(ended.code, ended.stdout + ended.stderr).toBe(0);
    const [folder = ""] = runner.runFolders();
    const { outputs } = ended;
    expect(outputs).toMatchObject({
      "terminal-state": "done",
      "plan-id": "test-plan",
      "blocked-reason-codes": "[]",
      handoff: "false",
      "report-path": join(folder, "orchestrator_run_report.json"),
      "checkpoint-path": join(folder, "orchestrator_checkpoint.json"),
      "cost-usd": "0",
      "tokens-in": "0",
      "tokens-out": "0",
    });
    const report = JSON.parse(readFileSync(outputs["report-path"] ?? "", "utf8")) as {
      run_id: string;
      head_sha: string;
    };
    expect(outputs).toMatchObject({ "run-id": report.run_id, branch: `conveyor/test-plan/${report.run_id}` });
    expect(outputs["head-sha"]).toMatch(/^[0-9a-f]{40}$/);
    expect(ended.summary.split("\n")[0]).toContain("done");
    expect(ended.commands.filter(({ name }) => name.endsWith("group"))).toMatchObject(
      STAGES.flatMap((stage) => [{ name: "group", message: stage }, { name: "endgroup" }]),
    );
    expect(ended.exported).toBe("");
    expect(ended.stderr).toBe("");
  });

  test("its artifact is uploaded under the name of its leg, and its digest is an output", () => {
    const [artifact] = results.artifacts;
    expect(results.artifacts).toHaveLength(1);
    expect(artifact).toMatchObject({
      name: `conveyor-${ended.outputs["run-id"]}-leg1`,
      sha256: ended.outputs["artifact-digest"],
      retentionDays: 3,
    });
    expect(ended.outputs).toMatchObject({
      "artifact-id": String(artifact?.id),
      "artifact-url": `https://github.com/octo-org/hello/actions/runs/9001/artifacts/${artifact?.id}`,
    });
  });

  test("nothing is left in the checkout", () => {
    expect(repository.git("status", "--porcelain", "--ignored")).toBe("");
  });
});

test("a fault in the middle of a stage is told outside of the group of the stage", async () => {
  const said: string[] = [];
  const step: Step = {
    log: (text) => said.push(text),
    write: (line) => said.push(line),
    annotate: (level, message) => said.push(`${level}: ${message.split("\n")[0] ?? ""}`),
    mask: () => expect.fail("nothing is masked"),
    output: () => expect.fail("nothing is handed on"),
    summarize: async (markdown) => void said.push(markdown.split("\n")[0] ?? ""),
  };
  expect(await reportFault(step, "the disk is gone")).toBe(1);
  expect(said).toEqual(["::endgroup::", "error: Plan Conveyor failed: the disk is gone", "## Plan Conveyor failed"]);
});
