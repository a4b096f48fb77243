import { spawnSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { beforeAll, expect, test } from "vitest";
import { CLI, inTier1, PLAN_PATH, startProcess, type Ended } from "../support/conveyor.ts";
import { forAll, isLong, LedgerRepository, expectGoesOn, readUndisturbedEnd, wasStruck } from "../support/faults.ts";

const CALLS = "fsync,fdatasync,rename,renameat,renameat2,link,linkat,truncate,ftruncate";
const KILLS_MAX = 28;
const make = () => new LedgerRepository();

beforeAll(() => {
  const { error } = spawnSync("strace", ["--version"]);
  if (error !== undefined) throw new Error(`this suite needs strace: apt-get install strace (${error.message})`);
});

/** The orchestrator under strace: its main thread, which makes every call by which a run becomes durable. */
function startTraced(
  repository: LedgerRepository,
  options: readonly string[],
  command: readonly string[] = ["run", PLAN_PATH],
): Promise<Ended> {
  const args = ["-qq", ...options, process.execPath, CLI, ...inTier1([...command, ...repository.options()])];
  return startProcess("strace", args, { cwd: repository.path, env: repository.env() }).ended;
}

test(
  "a run that is killed by the kernel at its fsyncs, renames and links ends as an undisturbed one",
  { timeout: 600_000 },
  async () => {
    const { end } = await readUndisturbedEnd(make);
    const counted = make();
    const log = join(counted.base, "trace");
    const traced = await startTraced(counted, ["-o", log, "-e", `trace=${CALLS}`]);
    expect(traced.code, `strace could not trace; is ptrace allowed here? ${traced.stderr}`).toBe(0);
    const calls = readFileSync(log, "utf8")
      .split("\n")
      .filter((line) => /^[a-z0-9]+\(/.test(line));
    expect(calls.length).toBeGreaterThan(50);
    const step = isLong ? 1 : Math.ceil(calls.length / KILLS_MAX);
    // strace counts every kind of call for itself.
    const met = new Map<string, number>();
    const numbered = calls.map((call) => {
      const kind = call.slice(0, call.indexOf("("));
      met.set(kind, (met.get(kind) ?? 0) + 1);
      return { kind, at: met.get(kind) ?? 0 };
    });
    const kills = numbered.filter((_, index) => index % step === 0);
    await forAll(kills, async ({ kind, at }) => {
      const name = `kill at ${kind} ${at}`;
      const repository = make();
      const ended = await startTraced(repository, [
        "-o",
        "/dev/null",
        "-e",
        `trace=${kind}`,
        "-e",
        `inject=${kind}:signal=SIGKILL:when=${at}`,
      ]);
      if (wasStruck(ended.signal === "SIGKILL", ended, at, met.get(kind) ?? 0, name))
        await expectGoesOn(repository, end, name);
      repository.remove();
    });
    console.log(`kills: ${kills.length} of ${calls.length} calls, by strace`);
  },
);

test("an fsync that fails with EIO stops the run before it claims anything", { timeout: 120_000 }, async () => {
  const { end } = await readUndisturbedEnd(make);
  for (const at of [3, 20, 40]) {
    const repository = make();
    const ended = await startTraced(repository, [
      "-o",
      "/dev/null",
      "-e",
      "trace=fsync",
      "-e",
      `inject=fsync:error=EIO:when=${at}`,
    ]);
    expect(ended.code, ended.stderr).toBe(1);
    expect(ended.stderr).toContain("STATE_WRITE_FAILED");
    expect(ended.stdout).toBe("");
    expect((await repository.goOn()).code).toBe(0);
    expect(await repository.readEnd(), String(at)).toEqual(end);
    repository.remove();
  }
});
