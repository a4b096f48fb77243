import { execFileSync, spawn } from "node:child_process";
import {
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { hostname } from "node:os";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { GATES_OPEN, PLAN_PATH } from "../support/conveyor.ts";
import { CAMPAIGN_MS, eventually, isLong, LedgerRepository } from "../support/faults.ts";

const BOOT_ID = readFileSync("/proc/sys/kernel/random/boot_id", "utf8").trim();
const PID_NAMESPACE = readlinkSync("/proc/self/ns/pid");

/** A run that waits at its gates; `lock.1` is that of a process that has ended. */
async function makeBlocked(): Promise<{ repository: LedgerRepository; folder: string }> {
  const repository = new LedgerRepository();
  expect((await repository.conveyor(["run", PLAN_PATH, ...repository.options([])])).code).toBe(3);
  return { repository, folder: repository.runFolder() };
}

function readStartTime(pid: number): string {
  const stat = readFileSync(`/proc/${pid}/stat`, "utf8");
  return stat.slice(stat.lastIndexOf(")") + 2).split(" ")[19] ?? "";
}

/** The lock of the process that runs this test, which is alive, changed as told. */
function buildLock(changes: Readonly<Record<string, unknown>> = {}): string {
  const own = {
    run_id: "RUN_20260325T120000Z_deadbeef",
    pid: process.pid,
    start_time: readStartTime(process.pid),
    boot_id: BOOT_ID,
    host: hostname(),
    pid_namespace: PID_NAMESPACE,
    nonce: "00",
    taken_at: "2026-03-25T12:00:00.000Z",
  };
  return `${JSON.stringify({ ...own, ...changes })}\n`;
}

/** The number of a process that has ended. */
async function findDeadPid(): Promise<number> {
  const child = spawn("true");
  await new Promise((resolve) => child.once("exit", resolve));
  return child.pid ?? 0;
}

describe("a lock", () => {
  const live: { name: string; lock: string }[] = [
    { name: "of a live process", lock: buildLock() },
    { name: "of a live process, from the future", lock: buildLock({ taken_at: "2999-01-01T00:00:00.000Z" }) },
    { name: "of a live process whose start nobody wrote down", lock: buildLock({ start_time: null }) },
    { name: "of a process in another pid namespace", lock: buildLock({ pid: 4_000_000, pid_namespace: "pid:[1]" }) },
    { name: "of a process on a machine whose boot nobody knows", lock: buildLock({ pid: 4_000_000, boot_id: null }) },
    { name: "that is empty", lock: "" },
    { name: "that is no JSON", lock: "\0garbage{" },
    { name: "that lacks a field", lock: '{"pid": 1}\n' },
  ];
  test.each(live)("$name is not taken over: exit 73, nothing changed", async ({ lock }) => {
    const { repository, folder } = await makeBlocked();
    writeFileSync(join(folder, "lock.2"), lock);
    const before = readFileSync(join(folder, "run-events.jsonl"));
    const start = performance.now();
    const ended = await repository.conveyor(["resume", ...repository.options()]);
    expect(ended.code, ended.stderr).toBe(73);
    expect(performance.now() - start).toBeLessThan(5_000);
    expect(ended.stderr).toContain("LOCKED");
    expect(ended.stderr).toContain(
      lock.includes('"nonce"') ? /"pid":(\d+)/.exec(lock)?.[1] : "lock.2, which cannot be read",
    );
    expect(readFileSync(join(folder, "run-events.jsonl"))).toEqual(before);
    expect(readdirSync(folder).filter((name) => name.startsWith("lock."))).toEqual(["lock.1", "lock.2"]);
  });

  test.each([
    { name: "of a process that has ended", change: async () => ({ pid: await findDeadPid() }) },
    { name: "of a process whose number another one has now", change: async () => ({ start_time: "1" }) },
    {
      name: "from before the machine was booted",
      change: async () => ({ boot_id: "00000000-0000-4000-8000-000000000000" }),
    },
    {
      name: "from before the boot, in another pid namespace",
      change: async () => ({ boot_id: "0", pid_namespace: "pid:[1]" }),
    },
    {
      name: "of a process that has ended, from the future",
      change: async () => ({ pid: await findDeadPid(), taken_at: "2999-01-01T00:00:00.000Z" }),
    },
  ])("$name is taken over, with the next number", async ({ change }) => {
    const { repository, folder } = await makeBlocked();
    writeFileSync(join(folder, "lock.2"), buildLock(await change()));
    const ended = await repository.conveyor(["resume", ...repository.options()]);
    expect(ended.code, ended.stderr).toBe(0);
    expect(repository.events().at(-1)?.fence).toBe(3);
  });
});

test.each([
  ["a pipe", (path: string) => execFileSync("mkfifo", [path])],
  ["a link to what has no end", (path: string) => symlinkSync("/dev/zero", path)],
  ["a folder", (path: string) => mkdirSync(path)],
])("a lock that is %s is somebody's, and holds no command up", { timeout: 60_000 }, async (_what, plant) => {
  const { repository, folder } = await makeBlocked();
  plant(join(folder, "lock.2"));
  const resumed = await repository.goOn();
  expect(resumed.code).toBe(73);
  expect(resumed.stderr).toContain("lock.2, which cannot be read");
  expect((await repository.conveyor(["doctor"])).stdout).toContain("LOCKED");
  expect((await repository.conveyor(["prune", "--older-than", "0d"])).stdout).toContain("is held by whoever wrote");
});

test("a lock that another process is about to take is left alone: the file is that process's own", async () => {
  const { repository, folder } = await makeBlocked();
  const taking = join(folder, "lock.2.0123456789abcdef.writing");
  writeFileSync(taking, buildLock());
  expect((await repository.conveyor(["resume", ...repository.options()])).code).toBe(0);
  expect(existsSync(taking)).toBe(true);
  expect((await repository.conveyor(["verify"])).code).toBe(0);
});

test("the fence grows with every takeover and stands in every line", async () => {
  const { repository, folder } = await makeBlocked();
  for (let fence = 2; fence <= 4; fence += 1) {
    const ended = await repository.conveyor(["resume", ...repository.options(fence === 4 ? GATES_OPEN : [])]);
    expect(ended.code).toBe(fence === 4 ? 0 : 3);
    expect(existsSync(join(folder, `lock.${fence}`))).toBe(true);
  }
  const fences = repository.events().map((event) => event.fence);
  expect(fences).toEqual([...fences].sort((left, right) => left - right));
  expect(new Set(fences)).toEqual(new Set([1, 2, 3, 4]));
  expect((await repository.conveyor(["verify"])).code).toBe(0);
});

test(
  "twenty processes resume one run at once: one works, the others name it, nothing is lost",
  { timeout: CAMPAIGN_MS },
  async () => {
    for (let round = 0; round < (isLong ? 20 : 2); round += 1) {
      // An executor that waits for the others: whoever wins still holds the run when the last of them asks.
      const repository = new LedgerRepository({
        executor: 'mkdir -p out; echo done > out/01.txt; while [ ! -e "$LEDGER.go" ]; do sleep 0.05; done\n',
      });
      const { child, ended: killed } = repository.start(["run", PLAN_PATH, ...repository.options()]);
      expect(await eventually(() => repository.sessions().length === 1, 20_000)).toBe(true);
      child.kill("SIGKILL");
      await killed;
      const racers = Array.from({ length: 20 }, () => {
        const start = performance.now();
        return repository.conveyor(["resume", ...repository.options()]).then((ended) => {
          losers += ended.code === 73 ? 1 : 0;
          if (losers === 19) writeFileSync(`${repository.ledger}.go`, "");
          return { ...ended, ms: performance.now() - start };
        });
      });
      let losers = 0;
      const release = setTimeout(() => writeFileSync(`${repository.ledger}.go`, ""), 30_000);
      const all = await Promise.all(racers);
      clearTimeout(release);
      expect(
        all.map((one) => one.code ?? 0).toSorted((left, right) => left - right),
        all.map((one) => one.stderr).join("\n"),
      ).toEqual([0, ...Array.from({ length: 19 }, () => 73)]);
      for (const one of all.filter(({ code }) => code === 73)) {
        expect(one.stderr).toMatch(/LOCKED .* is held by (process \d+ on|another process that was quicker)/);
      }
      expect(repository.sessions()).toEqual(["01 1 1", "01 2 1"]);
      expect(repository.events().at(-1)?.fence).toBe(2);
      const { verified, complaints, terminalState } = await repository.readEnd();
      expect({ verified, complaints, terminalState }).toEqual({ verified: 0, complaints: "", terminalState: "done" });
      expect(readdirSync(repository.runFolder()).filter((name) => name.startsWith("lock."))).toEqual([
        "lock.1",
        "lock.2",
      ]);
      // All were refused while the winner still worked; how fast depends on how many processors share 20 starts of Node.
      console.log(
        `20 at once: the slowest refusal took ${Math.round(Math.max(...all.filter(({ code }) => code === 73).map(({ ms }) => ms)))} ms`,
      );
      rmSync(repository.base, { recursive: true, force: true });
    }
  },
);

test("a paused orchestrator whose run was taken over writes no further line", { timeout: 60_000 }, async () => {
  const repository = new LedgerRepository({
    executor: 'mkdir -p out; echo done > out/01.txt; while [ ! -e "$LEDGER.go" ]; do sleep 0.05; done\n',
  });
  const { child, ended } = repository.start(["run", PLAN_PATH, ...repository.options()]);
  expect(await eventually(() => repository.sessions().length === 1, 20_000)).toBe(true);
  child.kill("SIGSTOP");
  const folder = repository.runFolder();
  const before = readFileSync(join(folder, "run-events.jsonl"), "utf8");
  writeFileSync(join(folder, "lock.2"), buildLock({ pid: await findDeadPid() }));
  writeFileSync(`${repository.ledger}.go`, "");
  child.kill("SIGCONT");
  const { code, stderr, stdout } = await ended;
  expect(code).toBe(1);
  expect(stderr).toContain("STATE_WRITE_FAILED");
  expect(stderr).toContain("another process holds the run now (lock.2)");
  expect(stdout).toBe("");
  expect(readFileSync(join(folder, "run-events.jsonl"), "utf8")).toBe(before);
  const resumed = await repository.goOn();
  expect(resumed.code, resumed.stderr).toBe(0);
  expect(repository.events().at(-1)?.fence).toBe(3);
});
