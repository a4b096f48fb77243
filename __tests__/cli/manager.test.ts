import { existsSync, readFileSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { GATES_OPEN, PLAN_PATH, TestRepository } from "../support/conveyor.ts";

const PLANS = "mkdir -p plan && echo '{\"steps\": 1}' > plan/actions.json\n";

/** A repository whose manager is `tools/manager.sh`. */
function managed(body: string, lines = "", input: { configLines?: readonly string[] } = {}): TestRepository {
  return new TestRepository({
    files: { "tools/manager.sh": body },
    configLines: [
      `manager: {command: [bash, tools/manager.sh], expected-artifacts: [plan/actions.json]${lines}}`,
      ...(input.configLines ?? []),
    ],
  });
}

const executionsOf = (repository: TestRepository) =>
  repository.report().stage_executions.filter(({ purpose }) => purpose === "manager");

describe("the manager program", () => {
  test("plans in a clean worktree of the base before anything is executed, and leaves nothing in the candidate", async () => {
    const repository = managed(`${PLANS}pwd > "$HOME/where"; env | grep ^ORCH_ | sort\n`);
    const ended = await repository.run(GATES_OPEN);
    expect(ended.code).toBe(0);
    expect(executionsOf(repository)).toMatchObject([
      { stage: "planning", status: "success", exit_code: 0, idempotency_key: "stage:Planning manager" },
    ]);
    const types = repository.events().map(({ type }) => type);
    expect(types.indexOf("manager_finished")).toBeLessThan(types.indexOf("trust_read"));
    const told = readFileSync(join(repository.runFolder(), "manager-1", "stdout.log"), "utf8").split("\n");
    expect(told.filter(Boolean).map((line) => line.split("=")[0])).toEqual([
      "ORCH_MODE",
      "ORCH_PLAN_FILE",
      "ORCH_PLAN_ID",
      "ORCH_RISK_TIER",
      "ORCH_RUN_ID",
      "ORCH_STAGE",
    ]);
    expect(told).toContain("ORCH_STAGE=planning");
    const kept = "manager-1/artifacts/plan/actions.json";
    expect(JSON.parse(readFileSync(join(repository.runFolder(), kept), "utf8"))).toEqual({ steps: 1 });
    const finished = repository.events().find(({ type }) => type === "manager_finished");
    expect(finished?.details["files"]).toContainEqual(expect.objectContaining({ path: kept }));
    expect(repository.git("ls-tree", "-r", "--name-only", ended.outcome.branch)).not.toContain("plan/actions.json");
    expect(repository.report().completed_stages).toContain("stage:Planning");
    expect((await repository.conveyor(["verify"])).code).toBe(0);
  });

  test.each([
    ["ends badly", `${PLANS}exit 7\n`, "EXIT_NONZERO", "failed"],
    ["writes nothing", "true\n", "ARTIFACT_MISSING", "artifact_missing"],
    ["writes no JSON", "mkdir -p plan && echo '{' > plan/actions.json\n", "ARTIFACT_MALFORMED", "artifact_missing"],
    ["changes git metadata", `${PLANS}git update-ref refs/heads/mine HEAD\n`, "GIT_TAMPERED", "success"],
  ])("%s: planning fails, and nothing is executed", async (_what, body, code, status) => {
    const repository = managed(body);
    const ended = await repository.run(GATES_OPEN);
    expect({ exit: ended.code, state: ended.outcome.terminal_state }).toEqual({ exit: 1, state: "failed" });
    expect(ended.outcome.blocked_reason_codes).toEqual([code]);
    expect(executionsOf(repository)).toMatchObject([{ status }]);
    expect(repository.report().completed_stages).toEqual([]);
    expect(repository.events().map(({ type }) => type)).not.toContain("trust_read");
    expect((await repository.conveyor(["verify"])).code).toBe(0);
    const again = await repository.resume(GATES_OPEN);
    // It fails again: the stage is done once more, unless the repository is not to be trusted any more.
    expect(again.outcome.blocked_reason_codes).toEqual([code]);
    expect(executionsOf(repository)).toHaveLength(code === "GIT_TAMPERED" ? 1 : 2);
  });

  test("an artifact that is named like a file in the writing is kept by every repair", async () => {
    const script = "mkdir -p plan && echo 1 > plan/x.writing";
    const repository = new TestRepository({
      configLines: [`manager: {command: [bash, -c, "${script}"], expected-artifacts: [plan/x.writing]}`],
    });
    await repository.run();
    expect((await repository.conveyor(["doctor", "--fix-safe"])).code).toBe(0);
    expect((await repository.resume(GATES_OPEN)).code).toBe(0);
    expect((await repository.conveyor(["verify"])).code).toBe(0);
  });

  test("a program that cannot be started is SPAWN_FAILED", async () => {
    const repository = new TestRepository({ configLines: ["manager: {command: [./no-such-program]}"] });
    const ended = await repository.run();
    expect(ended.code).toBe(1);
    expect(ended.outcome.blocked_reason_codes).toEqual(["SPAWN_FAILED"]);
    expect(executionsOf(repository)).toMatchObject([{ status: "spawn_failed" }]);
  });

  test("one that takes too long ends the run as timeout, and a resume does planning again", async () => {
    const repository = managed(`if [ -n "$SLOW" ]; then sleep 600; fi\n${PLANS}`);
    const slow = await repository.run(["--manager-env", "SLOW=1", "--timeout-ms", "1500"]);
    expect({ exit: slow.code, state: slow.outcome.terminal_state }).toEqual({ exit: 124, state: "timeout" });
    expect(slow.outcome.blocked_reason_codes).toEqual(["PROCESS_TIMEOUT"]);
    expect(slow.outcome.next_actions[0]?.command).toContain('--manager-env SLOW="$SLOW"');
    expect((await repository.conveyor(["verify"])).code).toBe(0);
    const without = await repository.conveyor(["resume"]);
    expect(without.code).toBe(2);
    expect(without.stderr).toContain("--manager-env SLOW=");
    const ended = await repository.resume(["--manager-env", "SLOW=", ...GATES_OPEN]);
    expect(ended.code).toBe(0);
    expect(executionsOf(repository).map(({ status }) => status)).toEqual(["timeout", "success"]);
  });

  test("one that has planned is not run again, and its variables are not needed any more", async () => {
    const repository = managed(PLANS);
    expect((await repository.run(["--manager-env", "TOKEN=a-secret-of-mine"])).code).toBe(3);
    expect((await repository.resume(GATES_OPEN)).code).toBe(0);
    expect(executionsOf(repository)).toHaveLength(1);
    expect(repository.report().stage_executions).toContainEqual(
      expect.objectContaining({ stage: "planning", status: "skipped", idempotency_key: "stage:Planning" }),
    );
    expect(executionsOf(repository)[0]?.env_keys).toContain("TOKEN");
    for (const file of readdirSync(repository.runFolder(), { recursive: true, withFileTypes: true })) {
      if (!file.isFile() || file.parentPath.includes("repo.git")) continue;
      expect(readFileSync(join(file.parentPath, file.name), "utf8")).not.toContain("a-secret-of-mine");
    }
  });

  test("the command line's manager takes the place of the configured one", async () => {
    const repository = managed("exit 1\n");
    const artifact = ["--manager-expected-artifact", "out/run.json"];
    const script = "mkdir -p out && echo 1 > out/run.json";
    const ended = await repository.run([
      "--manager-bin",
      "bash",
      "--manager-arg",
      "-c",
      "--manager-arg",
      script,
      ...artifact,
      ...GATES_OPEN,
    ]);
    expect(ended.code).toBe(0);
    expect(repository.report()).toMatchObject({
      options: { manager: { value: ["bash", "-c", script], source: "command_line" } },
    });
  });
});

describe("what is refused before anything is started", () => {
  const repository = new TestRepository();

  test.each([
    [["--manager-arg", "x"], "--manager-arg and --manager-expected-artifact need --manager-bin"],
    [["--manager-expected-artifact", "x"], "need --manager-bin"],
    [["--manager-bin", "true", "--manager-expected-artifact", "../x"], "expected a path inside the worktree"],
    [["--manager-env", "TOKEN=1"], "there is no manager"],
    [["--manager-bin", "true", "--manager-env", "TOKEN"], "--manager-env: expected NAME=value"],
    [["--manager-bin", "true", "--manager-env", "GIT_DIR=x"], "--manager-env: GIT_DIR is never handed"],
  ])("%j", async (args, message) => {
    const refused = await repository.conveyor(["run", PLAN_PATH, ...args]);
    expect({ code: refused.code, stdout: refused.stdout }).toEqual({ code: 2, stdout: "" });
    expect(refused.stderr).toContain(message);
    expect(existsSync(join(repository.path, ".conveyor"))).toBe(false);
  });

  test("a placeholder that a manager has not", async () => {
    const wrong = new TestRepository({ configLines: ['manager: {command: [plan, "{item_id}"]}'] });
    const refused = await wrong.conveyor(["run", PLAN_PATH]);
    expect(refused.code).toBe(2);
    expect(refused.stderr).toContain("unknown placeholder {item_id}; expected one of {stage} {run_id} {plan_id}");
  });
});
