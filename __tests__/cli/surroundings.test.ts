import { chmodSync, existsSync, mkdirSync, readFileSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { CLI, GATES_OPEN, PLAN_PATH, startProcess, TestRepository } from "../support/conveyor.ts";

describe("a signal to the whole group, as Ctrl-C in a terminal sends it", () => {
  test("does not reach git in the middle of a step: the run is sealed as interrupted and goes on", async () => {
    const repository = new TestRepository();
    const bin = join(repository.base, "bin");
    const sent = join(repository.base, "sent");
    mkdirSync(bin);
    // This git sends the signal itself, once, while the candidate is being built. Its parent leads the group.
    const wrapper = [
      "#!/bin/bash",
      `if [[ " $* " == *" write-tree "* ]] && [ ! -e '${sent}' ]; then touch '${sent}'; kill -INT -- "-$PPID"; fi`,
      `PATH="\${PATH#*:}" exec git "$@"`,
      "",
    ].join("\n");
    writeFileSync(join(bin, "git"), wrapper);
    chmodSync(join(bin, "git"), 0o755);
    const ended = await startProcess("setsid", ["--wait", process.execPath, CLI, "run", PLAN_PATH], {
      cwd: repository.path,
      env: repository.env({ PATH: `${bin}:${process.env["PATH"] ?? ""}` }),
    }).ended;
    expect(existsSync(sent)).toBe(true);
    expect({ code: ended.code, failure: /conveyor failed.*/.exec(ended.stderr)?.[0] }).toEqual({ code: 130 });
    expect(repository.events().at(-1)?.type).toBe("report_written");
    const resumed = await repository.resume(GATES_OPEN);
    expect(resumed.outcome).toMatchObject({ terminal_state: "done", items: [{ attempts: 1 }] });
  });
});

describe("code under test that reaches for git metadata", () => {
  test("is found after the verification: GIT_TAMPERED, nothing is committed", async () => {
    const repository = new TestRepository({
      rows: [{ step_id: "01", required_verification_commands: "git update-ref refs/heads/evil HEAD" }],
    });
    const ended = await repository.run();
    expect(ended.code).toBe(1);
    expect(ended.outcome.items[0]).toMatchObject({ terminal_state: "escalated", reason_codes: ["GIT_TAMPERED"] });
    expect(repository.git("branch", "--list", "conveyor/*")).toBe("");
  });
});

describe("a checkout that is reached by a link", () => {
  test("a plan named by its whole path through the link is inside", async () => {
    const repository = new TestRepository();
    const link = join(repository.base, "link");
    symlinkSync(repository.path, link);
    const ended = await repository.conveyor(["run", join(link, PLAN_PATH), "--dry-run"]);
    expect(ended).toMatchObject({ code: 0, stderr: "" });
  });
});

describe("what the machine refuses", () => {
  test.each([
    ["a cache folder that cannot be", { XDG_CACHE_HOME: "/dev/null" }, 1, "conveyor failed: ENOTDIR"],
    ["no git on PATH", { PATH: "/nowhere" }, 2, "expected git on PATH"],
  ])("%s is one clear message, no stack", async (_name, env, code, said) => {
    const ended = await new TestRepository().conveyor(["run", PLAN_PATH], { env });
    expect(ended.code).toBe(code);
    expect(ended.stderr).toContain(said);
    expect(ended.stderr).not.toMatch(/^ {4}at /m);
  });

  test("no PATH at all", async () => {
    const repository = new TestRepository();
    const ended = await startProcess(process.execPath, [CLI, "run", PLAN_PATH], { cwd: repository.path, env: {} })
      .ended;
    expect(ended).toMatchObject({ code: 2 });
    expect(ended.stderr).toContain("expected git on PATH");
  });
});

test("an executor without a name is refused before anything starts", async () => {
  const ended = await new TestRepository().conveyor(["run", PLAN_PATH, "--executor-bin", ""]);
  expect(ended).toMatchObject({ code: 2, stdout: "" });
  expect(ended.stderr).toContain("expected a program, found an empty word");
});

describe("a promised artifact", () => {
  test.each([
    ["a required command", { required_verification_commands: "mkdir -p out && echo y > out/01.txt" }, []],
    [
      "prepare",
      { required_verification_commands: "test -s out/01.txt" },
      ["prepare: {commands: [[bash, -c, 'mkdir -p out && echo y > out/01.txt']], inputs: []}"],
    ],
  ])("that %s makes, and no commit holds, is missing", async (_who, row, configLines) => {
    const repository = new TestRepository({
      rows: [{ step_id: "01", ...row }],
      executor: "mkdir -p out && echo x > out/other.txt\n",
      configLines: [...configLines, "limits: {fix-rounds: 0}"],
    });
    const { outcome } = await repository.run();
    expect(outcome).toMatchObject({ terminal_state: "failed", items: [{ terminal_state: "escalated" }] });
    expect(repository.events().find((event) => event.type === "verification_finished")?.details["artifacts"]).toEqual([
      { path: "out/01.txt", status: "missing" },
    ]);
  });
});

describe("what a run hands out again", () => {
  test("the report of a sealed run is the very file that was saved, in both forms", async () => {
    const repository = new TestRepository();
    await repository.run();
    const saved = (name: string): string => readFileSync(join(repository.runFolder(), name), "utf8");
    expect((await repository.conveyor(["report"])).stdout).toBe(saved("orchestrator_run_report.json"));
    expect((await repository.conveyor(["report", "--markdown"])).stdout).toBe(saved("report.md"));
  });

  test.each(["", "."])("a second checkpoint cannot be the folder %j: exit 2, nothing is started", async (path) => {
    const repository = new TestRepository();
    const refused = await repository.conveyor(["run", PLAN_PATH, "--checkpoint-path", path]);
    expect(refused).toMatchObject({ code: 2, stdout: "" });
    expect(refused.stderr).toContain("USAGE --checkpoint-path: expected the name of a file");
    expect(repository.runFolders()).toEqual([]);
  });
});
