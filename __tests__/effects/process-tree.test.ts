import { spawn } from "node:child_process";
import { stat } from "node:fs/promises";
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { describe, expect, test } from "vitest";
import { psTable } from "../../src/effects/process-tree.ts";
import { isAlive, openBench, waitForFile, waitUntil } from "./bench.ts";

const daemon = `bash -c 'echo $$ > daemon; exec sleep 61'`;
const untilDaemon = "until test -s daemon; do sleep 0.01; done";

/** Ways to leave something behind; each has written its pid before the program ends. */
const leavers: readonly (readonly [string, string])[] = [
  ["a grandchild that holds stdout", `${daemon} & ${untilDaemon}`],
  ["setsid", `setsid ${daemon} >/dev/null 2>&1 & ${untilDaemon}`],
  ["setsid --fork that holds stdout", `setsid -f ${daemon}; ${untilDaemon}`],
  ["nohup", `nohup ${daemon} >/dev/null 2>&1 & ${untilDaemon}`],
  ["double fork", `( ( ${daemon} >/dev/null 2>&1 & ) & ); ${untilDaemon}`],
  ["double fork into a session of its own", `( ( setsid -f ${daemon} & ) & ); ${untilDaemon}`],
  ["TERM and HUP ignored", `trap '' TERM HUP; ${daemon} & ${untilDaemon}`],
  ["no environment, but still in the session", `env -i /bin/${daemon} & ${untilDaemon}`],
];

describe("what a program leaves behind", () => {
  test.each(leavers)("%s: found, reported, killed", async (_, script) => {
    await using bench = await openBench();
    const report = await bench.bash(`${script}; exit 0`);
    const pid = bench.pid("daemon");
    expect(report.ending).toEqual({ kind: "exited", exit_code: 0 });
    expect(report.survivors).toContainEqual({ pid, command: "sleep 61" });
    expect(isAlive(pid)).toBe(false);
    expect(report.durationMs).toBeLessThan(3_000);
  });

  test("many of them", async () => {
    await using bench = await openBench();
    const report = await bench.bash("for i in 1 2 3 4 5 6 7 8; do setsid sleep 61 & sleep 61 & done; sleep 0.2");
    expect(report.survivors).toHaveLength(16);
    expect(report.survivors.filter(({ pid }) => isAlive(pid))).toEqual([]);
  });

  test("neither environment nor session, but seen while it still had its parent", async () => {
    await using bench = await openBench({ timing: { observeEveryMs: 30 } });
    const report = await bench.bash(`env -i /usr/bin/setsid /bin/${daemon} & ${untilDaemon}; sleep 0.3`);
    expect(report.survivors.map(({ pid }) => pid)).toEqual([bench.pid("daemon")]);
    expect(isAlive(bench.pid("daemon"))).toBe(false);
  });

  test("timed out: neither environment nor session, but its parent lived until TERM", async () => {
    await using bench = await openBench({ timing: { observeEveryMs: 60_000 } });
    const report = await bench.bash(`env -i /usr/bin/setsid /bin/${daemon} & sleep 60`, { timeoutMs: 400 });
    expect(report.ending.kind).toBe("timed_out");
    expect(isAlive(bench.pid("daemon"))).toBe(false);
  });

  test("one that forks and exits without end", async () => {
    await using bench = await openBench();
    const report = await bench.bash("touch go; hop() { test -e go && echo >> hops && hop & }; hop; sleep 0.2");
    expect(report.survivors.length).toBeGreaterThan(0);
    const hops = (await stat(bench.path("hops"))).size;
    await sleep(200);
    expect((await stat(bench.path("hops"))).size).toBe(hops);
  });

  test("the documented limit: neither environment nor relations. The result does not wait for it", async () => {
    await using bench = await openBench();
    const report = await bench.bash(`env -i /usr/bin/setsid -f /bin/${daemon}; ${untilDaemon}`);
    const pid = bench.pid("daemon");
    expect(report.ending).toEqual({ kind: "exited", exit_code: 0 });
    expect(report.durationMs).toBeLessThan(4_000);
    if (isAlive(pid)) process.kill(pid, "SIGKILL");
  });

  test("a pipeline and a process substitution that are just ending are no survivors", async () => {
    await using bench = await openBench();
    const script = "seq 100000 | sort -r | head -n 1; echo late > >(sleep 0.1; cat)";
    const report = await bench.bash(script);
    expect(report).toMatchObject({ ending: { kind: "exited", exit_code: 0 }, survivors: [] });
    expect(await bench.stdout()).toBe("99999\nlate\n");
  });

  test("two programs at once: ending one does not touch the other", async () => {
    await using bench = await openBench();
    const slow = bench.bash("sleep 1; echo done", {
      stdoutPath: bench.path("slow"),
      stderrPath: bench.path("slow-err"),
    });
    const quick = await bench.bash(`setsid ${daemon} & ${untilDaemon}`);
    expect(quick.survivors).toHaveLength(1);
    expect(isAlive(bench.pid("daemon"))).toBe(false);
    expect(await slow).toMatchObject({ ending: { kind: "exited", exit_code: 0 }, survivors: [] });
  });

  test("without /proc the group is found with ps", async () => {
    await using bench = await openBench({ processTable: psTable });
    const report = await bench.bash(`nohup ${daemon} >/dev/null 2>&1 & ${untilDaemon}`);
    expect(report.survivors).toEqual([{ pid: bench.pid("daemon"), command: "sleep 61" }]);
    expect(isAlive(bench.pid("daemon"))).toBe(false);
  });
});

describe("when the orchestrator is killed", () => {
  const orchestrator = fileURLToPath(new URL("../fixtures/programs/orchestrator.ts", import.meta.url));

  async function killOrchestrator(bench: { folder: string; path(name: string): string }): Promise<void> {
    const child = spawn(process.execPath, [orchestrator, bench.folder], { stdio: "ignore" });
    const hasStarted = await waitForFile(bench.path("child"));
    child.kill("SIGKILL");
    expect(hasStarted).toBe(true);
  }

  test("its program dies with it, or the probe says that it may not", async () => {
    await using bench = await openBench();
    const { kind } = await bench.processes.probeParentDeath();
    await killOrchestrator(bench);
    const pid = bench.pid("child");
    const hasDied = await waitUntil(() => !isAlive(pid), 2_000);
    expect(hasDied).toBe(kind === "setpriv");
  });

  test("no setpriv: programs run all the same, and the probe gives the reason", async () => {
    await using bench = await openBench({ setprivPaths: ["/no/such/setpriv", "/bin/false"] });
    const probed = await bench.processes.probeParentDeath();
    expect(probed).toEqual({ kind: "advisory", reason: expect.stringContaining("/no/such/setpriv, /bin/false") });
    expect((await bench.bash("exit 4")).ending).toEqual({ kind: "exited", exit_code: 4 });
  });
});
