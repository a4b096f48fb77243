import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { rerunReportSchema } from "../../src/domain/rerun.ts";
import { GATES_OPEN, makeFolder, TestRepository } from "../support/conveyor.ts";
import { OtherMachine, packRun } from "../support/packs.ts";

describe("verify --rerun", () => {
  test("runs the checks of a packed run again on another machine, and says so in a report; nothing is left of it", async () => {
    const repository = new TestRepository({
      rows: [
        { step_id: "01" },
        { step_id: "02", prerequisites: "01", required_verification_commands: "test -s out/01.txt" },
      ],
      configLines: ["validation: {commands: [[test, -d, out]]}"],
    });
    const { outcome } = await repository.run(GATES_OPEN);
    const packed = await packRun(repository);
    const other = new OtherMachine(repository);
    const output = join(other.base, "rerun.json");
    const ended = await other.conveyor(["verify", packed.dir, "--rerun", "--output", output, "--format", "json"]);
    expect(ended.code, ended.stderr).toBe(0);
    const report = rerunReportSchema.parse(JSON.parse(readFileSync(output, "utf8")));
    expect(JSON.parse(ended.stdout)).toMatchObject({ agrees: true, rerun: report });
    expect(report).toMatchObject({
      run_id: outcome.run_id,
      pack_sha256: packed.pack_sha256,
      commit: repository.git("rev-parse", `${outcome.head_sha}^`),
      tree: repository.git("rev-parse", `${outcome.head_sha}^^{tree}`),
      items: ["01", "02"],
      outcome: "passed",
      failures: [],
      artifacts: ["out/01.txt", "out/02.txt"].map((path) => ({ path, status: "present" })),
    });
    expect(report.commands.map(({ purpose, command, items }) => ({ purpose, command, items }))).toEqual([
      // Two items have it; it is run once.
      { purpose: "required", command: "test -s out/01.txt", items: ["01", "02"] },
      { purpose: "validation", command: "test -d out", items: [] },
    ]);
    expect(other.leavings()).toEqual([]);
  });

  test("a command that fails there is exit 1, one that takes too long 124; the run folder stays as it was", async () => {
    const marker = join(makeFolder(), "marker");
    const check = "bash tools/check.sh";
    const repository = new TestRepository({
      rows: [{ step_id: "01", required_verification_commands: check }],
      files: { "tools/check.sh": `test ! -e ${marker} || . ${marker}\n` },
    });
    const { outcome } = await repository.run(GATES_OPEN);
    expect(outcome.terminal_state).toBe("done");
    const before = await packRun(repository);
    writeFileSync(marker, "exit 7\n");
    const output = join(makeFolder(), "rerun.json");
    const failed = await repository.conveyor(["verify", "--rerun", "--output", output]);
    expect({ code: failed.code, out: failed.stdout }).toMatchObject({
      code: 1,
      out: expect.stringContaining("exit code 7"),
    });
    expect(rerunReportSchema.parse(JSON.parse(readFileSync(output, "utf8")))).toMatchObject({
      outcome: "failed",
      pack_sha256: null,
      failures: [`required command failed: ${check}: exit code 7`],
    });
    const again = await repository.conveyor(["verify", "--rerun", "--output", output]);
    expect({ code: again.code, said: again.stderr }).toMatchObject({
      code: 2,
      said: expect.stringContaining("--output"),
    });
    writeFileSync(marker, "sleep 60\n");
    const slow = await repository.conveyor(["verify", outcome.run_id, "--rerun", "--timeout-ms", "300"]);
    expect(slow.code, slow.stdout).toBe(124);
    expect((await packRun(repository)).pack_sha256).toBe(before.pack_sha256);
  });

  test("an item that waits is held to its commands on the audited commit; nothing that passed proves nothing", async () => {
    const waiting = new TestRepository({
      rows: [{ step_id: "01", manual_gate: "signoff" }],
      configLines: ["validation: {commands: [['false']]}"],
    });
    await waiting.run();
    const ended = await waiting.conveyor(["verify", "--rerun", "--format", "json"]);
    expect(ended.code, ended.stderr).toBe(0);
    const { rerun } = JSON.parse(ended.stdout) as { rerun: { commit: string; commands: { purpose: string }[] } };
    const gate = waiting.events().find(({ type }) => type === "gate_requested");
    expect(rerun.commit).toBe(gate?.details["commit"]);
    expect(rerun.commands.map(({ purpose }) => purpose)).toEqual(["required"]);
    const failed = new TestRepository({ executor: "exit 1\n" });
    await failed.run();
    const nothing = await failed.conveyor(["verify", "--rerun"]);
    expect({ code: nothing.code, said: nothing.stderr }).toMatchObject({
      code: 1,
      said: expect.stringContaining("VERIFICATION_MISSING"),
    });
    const misplaced = await failed.conveyor(["verify", "--output", "x.json"]);
    expect({ code: misplaced.code, said: misplaced.stderr }).toMatchObject({
      code: 2,
      said: expect.stringContaining("--rerun"),
    });
  });

  test("a run that does not agree is not run again", async () => {
    const repository = new TestRepository();
    const { outcome } = await repository.run(GATES_OPEN);
    writeFileSync(join(outcome.run_dir, "note.txt"), "mine");
    const output = join(makeFolder(), "rerun.json");
    const ended = await repository.conveyor(["verify", "--rerun", "--output", output]);
    expect({ code: ended.code, out: ended.stdout }).toMatchObject({
      code: 1,
      out: expect.stringContaining("note.txt"),
    });
    expect(existsSync(output)).toBe(false);
  });
});
