import { mkdirSync, readFileSync, readdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { leftOutSchema } from "../../src/domain/left-out.ts";
import { GATES_OPEN, makeFolder, once, PLAN_PATH, TestRepository } from "../support/conveyor.ts";
import { git } from "../support/git-run.ts";
import { buildLiveLock } from "../support/live-lock.ts";
import { OtherMachine, packRun, readEntries } from "../support/packs.ts";
import { WAIT_FOR_TEST, waitForFile } from "../support/worlds.ts";

const WORK = 'mkdir -p out && echo done > "out/$ORCH_ITEM_ID.txt"\n';
/** What a log of a required command takes to be the largest file of its run by far. */
const NOISE = "seq 1 60000 && test -s out/01.txt";
const DECISION = ["--by", "Ada", "--note", "read and tried"];

async function expectVerified(machine: OtherMachine, name: string) {
  const verified = await machine.conveyor(["verify", name]);
  expect({ code: verified.code, out: verified.code === 0 ? "" : verified.stdout + verified.stderr }).toEqual({
    code: 0,
    out: "",
  });
}

/** A run and its packed folder. Made once: tests read it, and change a copy. */
const doneRun = once(async () => {
  const repository = new TestRepository({ rows: [{ step_id: "01" }, { step_id: "02", prerequisites: "01" }] });
  const { outcome } = await repository.run(GATES_OPEN);
  return { repository, outcome, packed: await packRun(repository) };
});

/** The same of one that waits at a gate. */
const waitingRun = once(async () => {
  const rows = [
    { step_id: "01", manual_gate: "signoff", required_verification_commands: NOISE },
    { step_id: "02", prerequisites: "01" },
  ];
  const repository = new TestRepository({ rows });
  const { outcome } = await repository.run();
  return { repository, outcome, packed: await packRun(repository) };
});

describe("a run that is done", () => {
  test("is packed with the same bytes twice, the journal first, and nothing of this machine", async () => {
    const { repository, outcome, packed } = await doneRun();
    expect(packed).toMatchObject({ leg: 1, artifact_name: `conveyor-${outcome.run_id}-leg1`, left_out: [] });
    expect((await packRun(repository, [outcome.run_id])).pack_sha256).toBe(packed.pack_sha256);
    expect(packed.files.map(({ path }) => path)).toContain("orchestrator_run_report.json");
    expect(readdirSync(packed.dir).sort()).toEqual(["SHA256SUMS", ...packed.files.map(({ path }) => path)].sort());
    const names = readEntries(readFileSync(join(packed.dir, "run.tar"))).map(({ name }) => name);
    expect(names[0]).toBe("run-events.jsonl");
    expect(names.filter((name) => /^(repo\.git|lock\.)/.test(name))).toEqual([]);
  });

  test("is read on another machine from nothing but that and the repository, and leaves nothing there", async () => {
    const { repository, outcome, packed } = await doneRun();
    const other = new OtherMachine(repository);
    await expectVerified(other, packed.dir);
    const status = await other.conveyor(["status", packed.dir, "--format", "json"]);
    expect(JSON.parse(status.stdout)).toMatchObject({ run_dir: packed.dir, terminal_state: "done" });
    const report = await other.conveyor(["report", packed.dir]);
    expect(report.stdout).toBe(readFileSync(join(packed.dir, "orchestrator_run_report.json"), "utf8"));
    const again = await other.conveyor(["pack", packed.dir, join(other.base, "again"), "--format", "json"]);
    expect(JSON.parse(again.stdout), again.stderr).toMatchObject({ pack_sha256: packed.pack_sha256 });
    const doctor = await other.conveyor(["doctor", packed.dir]);
    expect([doctor.code, doctor.stdout, doctor.stderr]).toEqual([
      2,
      "",
      `USAGE doctor: expected a run of this checkout, found the packed folder ${packed.dir}; conveyor verify judges it, conveyor resume makes a run of it\n`,
    ]);
    expect(other.leavings()).toEqual([]);
    const resumed = await other.conveyor(["resume", packed.dir]);
    expect({ code: resumed.code, said: resumed.stderr }).toMatchObject({
      code: 0,
      said: expect.stringContaining("is done"),
    });
    expect(other.leavings()).toEqual([outcome.run_id]);
  });

  test("its bundle is one that git itself reads: the run branch can be fetched from it", async () => {
    const { repository, outcome, packed } = await doneRun();
    const other = new OtherMachine(repository);
    const bundle = readEntries(readFileSync(join(packed.dir, "run.tar"))).find(({ name }) => name === "run.bundle");
    writeFileSync(join(other.base, "run.bundle"), bundle?.bytes ?? "");
    git(
      other.path,
      "fetch",
      "--quiet",
      join(other.base, "run.bundle"),
      `refs/heads/${outcome.branch}:refs/heads/fetched`,
    );
    expect(git(other.path, "rev-parse", "fetched")).toBe(outcome.head_sha);
  });
});

describe("a run that stopped is gone on with in a third checkout", () => {
  test("at a manual gate: decided there, passed with the commit that was audited", async () => {
    const { repository, outcome, packed } = await waitingRun();
    const { dir, pack_sha256: digest } = packed;
    const other = new OtherMachine(repository);
    const waiting = await other.conveyor(["resume", dir, "--format", "json"]);
    expect(waiting.code).toBe(3);
    const approved = await other.conveyor(["gate", "approve", dir, "01", ...DECISION]);
    expect(approved.code, approved.stderr).toBe(0);
    const resumed = await other.conveyor(["resume", dir, "--pack-sha256", digest, "--format", "json", ...GATES_OPEN]);
    expect({ code: resumed.code, said: resumed.stderr }).toMatchObject({
      code: 0,
      said: expect.stringContaining("lies here already"),
    });
    await expectVerified(other, outcome.run_id);
  });

  test("the next leg is packed from there; whoever knows less is not overwritten", async () => {
    const { repository, outcome, packed } = await waitingRun();
    const { dir } = packed;
    const other = new OtherMachine(repository);
    await other.conveyor(["gate", "approve", dir, "01", ...DECISION]);
    await other.conveyor(["resume", outcome.run_id, ...GATES_OPEN]);
    const second = await other.conveyor(["pack", outcome.run_id, join(other.base, "leg2"), "--format", "json"]);
    expect(JSON.parse(second.stdout)).toMatchObject({ leg: 2, artifact_name: `conveyor-${outcome.run_id}-leg2` });
    const back = await repository.conveyor(["resume", join(other.base, "leg2")]);
    expect({ code: back.code, said: back.stderr }).toMatchObject({
      code: 2,
      said: expect.stringContaining("lies here already"),
    });
    expect(repository.runFolders()).toHaveLength(1);
  });

  test("after sessions that handed off: a new one in the same attempt, with the files as they were left", async () => {
    const executor = [
      'mkdir -p out; echo "session $ORCH_SESSION" >> out/log.txt',
      'if test "$ORCH_SESSION" -le 2; then exit 75; fi',
      WORK,
    ].join("\n");
    const repository = new TestRepository({ executor, configLines: ["limits: {rollovers: 1}"] });
    const first = await repository.run();
    expect(first.outcome.blocked_reason_codes).toEqual(["ROLLOVER_LIMIT"]);
    const { dir } = await packRun(repository);
    const other = new OtherMachine(repository);
    const folder = join(other.base, "state");
    const resumed = await other.conveyor(["resume", dir, "--output-dir", folder, "--format", "json", ...GATES_OPEN]);
    expect(resumed.code, resumed.stderr).toBe(0);
    expect(JSON.parse(resumed.stdout)).toMatchObject({
      run_dir: folder,
      items: [{ attempts: 1, terminal_state: "passed" }],
    });
    expect(git(other.path, "show", `${first.outcome.branch}:out/log.txt`)).toBe("session 1\nsession 2\nsession 3");
    expect(other.leavings()).toEqual([]);
    await expectVerified(other, folder);
  });

  test("killed in a session: what it left is not handed on, a new attempt does it", async () => {
    const signals = makeFolder();
    const repository = new TestRepository({
      executor: `if test "$ORCH_ATTEMPT" = 1; then ${WAIT_FOR_TEST}fi\n${WORK}`,
    });
    const env = ["--executor-env", `SIGNALS=${signals}`];
    const { child, ended } = repository.start(["run", PLAN_PATH, ...env]);
    await waitForFile(join(signals, "begun-01"));
    child.kill("SIGKILL");
    await ended;
    const packed = await packRun(repository);
    const report = JSON.parse(readFileSync(join(packed.dir, "orchestrator_run_report.json"), "utf8")) as object;
    expect(report).toMatchObject({ terminal_state: null, stopped_at: null });
    const other = new OtherMachine(repository);
    const read = await other.conveyor(["verify", packed.dir]);
    expect({ code: read.code, said: read.stderr }).toMatchObject({
      code: 0,
      said: expect.stringContaining("not sealed"),
    });
    const resumed = await other.conveyor(["resume", packed.dir, ...env, "--format", "json", ...GATES_OPEN]);
    expect(resumed.code, resumed.stderr).toBe(0);
    expect(JSON.parse(resumed.stdout)).toMatchObject({ items: [{ attempts: 2, terminal_state: "passed" }] });
    await expectVerified(other, packed.run_id);
  });

  test("that failed: exit 1 until a new attempt is asked for", async () => {
    const repository = new TestRepository({ executor: `test "$ORCH_ATTEMPT" = 2 || exit 1\n${WORK}` });
    expect((await repository.run()).outcome.terminal_state).toBe("failed");
    const { dir } = await packRun(repository);
    const other = new OtherMachine(repository);
    expect((await other.conveyor(["resume", dir])).code).toBe(1);
    const resumed = await other.conveyor(["resume", dir, "--new-attempt", "01", ...GATES_OPEN]);
    expect(resumed.code, resumed.stderr).toBe(0);
  });
});

describe("what is too large", () => {
  test("logs are left out, the largest first, and listed; verify knows that from a file that is missing", async () => {
    const { repository, packed: whole } = await waitingRun();
    const total = whole.files.reduce((sum, { bytes }) => sum + bytes, 0);
    const packed = await packRun(repository, ["--max-bytes", String(total - 100_000)]);
    expect(packed.left_out.map(({ path }) => path)).toEqual([
      "items/01/attempt-1/round-1/verification-1-1/command-1.stdout.log",
    ]);
    expect(packed.files.reduce((sum, { bytes }) => sum + bytes, 0)).toBeLessThan(total - 100_000);
    const other = new OtherMachine(repository);
    const verified = await other.conveyor(["verify", packed.dir, "--format", "json"]);
    expect(JSON.parse(verified.stdout)).toMatchObject({
      agrees: true,
      left_out: packed.left_out.map(({ path }) => path),
    });
    await other.conveyor(["gate", "approve", packed.dir, "01", ...DECISION]);
    const resumed = await other.conveyor(["resume", packed.run_id, ...GATES_OPEN]);
    expect(resumed.code, resumed.stderr).toBe(0);
    const list = leftOutSchema.parse(
      JSON.parse(readFileSync(join(other.runFolder(packed.run_id), "left-out.json"), "utf8")),
    );
    const again = await other.conveyor(["pack", packed.run_id, join(other.base, "again"), "--format", "json"]);
    expect(JSON.parse(again.stdout), again.stderr).toMatchObject({ left_out: list.files });
  });

  test("what verify needs is never left out: exit 2 says how much it takes", async () => {
    const { repository } = await doneRun();
    const target = join(makeFolder(), "packed");
    const ended = await repository.conveyor(["pack", target, "--max-bytes", "5000"]);
    expect({ code: ended.code, said: ended.stderr }).toMatchObject({
      code: 2,
      said: expect.stringMatching(/expected at least \d+ bytes/),
    });
    expect(readdirSync(join(target, ".."))).toEqual([]);
  });
});

describe("pack refuses", () => {
  test("a run that another process holds, with 73; a folder with something in it; one inside the run folder; a foreign file", async () => {
    const repository = new TestRepository({ copyOf: (await doneRun()).repository });
    const run = repository.runFolder();
    const target = join(makeFolder(), "packed");
    mkdirSync(target);
    const empty = await repository.conveyor(["pack", target]);
    expect(empty.code, empty.stderr).toBe(0);
    const full = await repository.conveyor(["pack", target]);
    expect({ code: full.code, said: full.stderr }).toMatchObject({
      code: 2,
      said: expect.stringContaining("new or empty folder"),
    });
    const inside = await repository.conveyor(["pack", join(run, "packed")]);
    expect({ code: inside.code, said: inside.stderr }).toMatchObject({
      code: 2,
      said: expect.stringContaining("lies in the run folder"),
    });
    writeFileSync(join(run, "note.txt"), "mine");
    const foreign = await repository.conveyor(["pack", join(makeFolder(), "p")]);
    expect({ code: foreign.code, said: foreign.stderr }).toMatchObject({
      code: 1,
      said: expect.stringContaining("ARTIFACT_TAMPERED note.txt"),
    });
    writeFileSync(join(run, "lock.99"), buildLiveLock());
    const held = await repository.conveyor(["pack", join(makeFolder(), "p")]);
    expect({ code: held.code, said: held.stderr }).toMatchObject({ code: 73, said: expect.stringContaining("LOCKED") });
  });
});

describe("a packed folder is refused as RUN", () => {
  test("when it is not the one that somebody vouches for, or this repository lacks its base", async () => {
    const { repository, packed } = await doneRun();
    const { dir } = packed;
    const other = new OtherMachine(repository);
    const wrong = await other.conveyor(["resume", dir, "--pack-sha256", "0".repeat(64)]);
    expect({ code: wrong.code, said: wrong.stderr }).toMatchObject({
      code: 1,
      said: expect.stringContaining("ARTIFACT_TAMPERED SHA256SUMS"),
    });
    const misplaced = await repository.conveyor(["verify", "--pack-sha256", "0".repeat(64)]);
    expect({ code: misplaced.code, said: misplaced.stderr }).toMatchObject({
      code: 2,
      said: expect.stringContaining("--pack-sha256"),
    });
    const output = await repository.conveyor(["resume", "--output-dir", "x"]);
    expect({ code: output.code, said: output.stderr }).toMatchObject({
      code: 2,
      said: expect.stringContaining("--output-dir"),
    });
    const stranger = new TestRepository({ files: { "other.txt": "1" } });
    const lacks = await stranger.conveyor(["verify", dir]);
    expect({ code: lacks.code, said: lacks.stderr }).toMatchObject({
      code: 2,
      said: expect.stringContaining("git fetch origin"),
    });
    expect(other.leavings()).toEqual([]);
  });
});
