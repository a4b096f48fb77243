import { existsSync } from "node:fs";
import { chmod, mkdir, stat, writeFile } from "node:fs/promises";
import { relative } from "node:path";
import { describe, expect, test } from "vitest";
import { SYSTEM_PATH, isAlive, openBench, waitForFile } from "./bench.ts";

const quick = { timing: { timeoutGraceMs: 400, cancelGraceMs: 200 } };

describe("a program ends for exactly one reason", () => {
  test.each([0, 1, 3, 126, 127, 255])("exited with %i", async (code) => {
    await using bench = await openBench();
    const report = await bench.bash(`echo out; echo err >&2; exit ${code}`);
    expect(report).toMatchObject({ ending: { kind: "exited", exit_code: code }, stdoutBytes: 4, stderrBytes: 4 });
    expect(report.survivors).toEqual([]);
    expect(await bench.stdout()).toBe("out\n");
    expect(await bench.stderr()).toBe("err\n");
    expect((await stat(bench.path("logs/stdout"))).mode & 0o777).toBe(0o600);
  });

  test("signalled by somebody else", async () => {
    await using bench = await openBench();
    const report = await bench.bash("kill -SEGV $$");
    expect(report.ending).toEqual({ kind: "signalled", signal: "SIGSEGV" });
  });

  test("timed out, and what it said until then is kept", async () => {
    await using bench = await openBench(quick);
    const report = await bench.bash("trap 'echo tidy; exit 0' TERM; echo begun; sleep 60 & wait", { timeoutMs: 300 });
    expect(report.ending).toEqual({ kind: "timed_out", timeout_ms: 300 });
    expect(await bench.stdout()).toBe("begun\ntidy\n");
    expect(report.durationMs).toBeGreaterThanOrEqual(290);
    expect(report.durationMs).toBeLessThan(3_000);
    expect(report.survivors).toEqual([]);
  });

  test("timed out, TERM ignored by the whole group: killed after the grace", async () => {
    await using bench = await openBench(quick);
    const script =
      "trap '' TERM; echo $$ > a; (echo $BASHPID > b; while :; do sleep 0.1; done) & while :; do sleep 0.1; done";
    const report = await bench.bash(script, { timeoutMs: 300 });
    expect(report.ending.kind).toBe("timed_out");
    expect(report.durationMs).toBeGreaterThanOrEqual(690);
    expect(report.durationMs).toBeLessThan(4_000);
    expect([bench.pid("a"), bench.pid("b")].filter(isAlive)).toEqual([]);
  });

  test("timed out: a daemon that left the session is killed too, but is no survivor", async () => {
    await using bench = await openBench(quick);
    const report = await bench.bash("setsid bash -c 'echo $$ > daemon; sleep 60' & sleep 60", { timeoutMs: 400 });
    expect(report).toMatchObject({ ending: { kind: "timed_out" }, survivors: [] });
    expect(isAlive(bench.pid("daemon"))).toBe(false);
  });

  test("output limit: an endless writer is ended", async () => {
    await using bench = await openBench(quick);
    const report = await bench.bash("yes", { outputBytesMax: 1_000_000 });
    expect(report.ending).toEqual({ kind: "output_limit", output_bytes_max: 1_000_000 });
    expect(report.stdoutBytes).toBeGreaterThan(1_000_000);
  });

  test("output limit counts both streams, and it does not matter that the program was quicker than its reader", async () => {
    await using bench = await openBench(quick);
    const script = "head -c 60000 /dev/zero; head -c 60000 /dev/zero >&2";
    for (let round = 0; round < 5; round += 1) {
      expect((await bench.bash(script, { outputBytesMax: 119_999 })).ending.kind).toBe("output_limit");
      expect((await bench.bash(script, { outputBytesMax: 120_000 })).ending.kind).toBe("exited");
    }
  });

  test("output limit: what is said just after the program's own end counts too", async () => {
    await using bench = await openBench(quick);
    const report = await bench.bash("(sleep 0.1; head -c 60000 /dev/zero) & exit 0", { outputBytesMax: 50_000 });
    expect(report.ending.kind).toBe("output_limit");
  });

  test("cancelled before the start: nothing is started", async () => {
    await using bench = await openBench();
    const report = await bench.bash("touch started", { signal: AbortSignal.abort() });
    expect(report).toMatchObject({ ending: { kind: "cancelled" }, stdoutBytes: 0, stderrBytes: 0 });
    expect(existsSync(bench.path("started"))).toBe(false);
    expect(await bench.stdout()).toBe("");
  });

  test("cancelled while it runs, TERM ignored", async () => {
    await using bench = await openBench(quick);
    const abort = new AbortController();
    const running = bench.bash("trap '' TERM; echo $$ > a; while :; do sleep 0.1; done", { signal: abort.signal });
    await waitForFile(bench.path("a"));
    const from = performance.now();
    abort.abort();
    expect((await running).ending).toEqual({ kind: "cancelled" });
    expect(performance.now() - from).toBeLessThan(2_500);
    expect(isAlive(bench.pid("a"))).toBe(false);
  });

  test("cancelled during the grace of a timeout: still timed out, but sooner", async () => {
    await using bench = await openBench({ timing: { timeoutGraceMs: 30_000, cancelGraceMs: 100 } });
    const abort = new AbortController();
    const script = "trap 'echo x > got' TERM; while :; do sleep 0.1; done";
    const running = bench.bash(script, { signal: abort.signal, timeoutMs: 200 });
    await waitForFile(bench.path("got"));
    abort.abort();
    const report = await running;
    expect(report.ending.kind).toBe("timed_out");
    expect(report.durationMs).toBeLessThan(5_000);
  });
});

describe("spawn_failed names the program", () => {
  test("a name that no folder of PATH has", async () => {
    await using bench = await openBench();
    const { ending } = await bench.run(["no-such-program"]);
    expect(ending).toMatchObject({ kind: "spawn_failed", message: expect.stringContaining("no-such-program") });
  });

  test("an absolute path, a relative path, a folder, a file without permission", async () => {
    await using bench = await openBench();
    await mkdir(bench.path("folder"));
    await writeFile(bench.path("plain"), "#!/bin/sh\n", { mode: 0o644 });
    for (const name of [bench.path("missing"), "./missing", "./folder", "./plain"]) {
      const { ending } = await bench.run([name]);
      expect(ending, name).toMatchObject({ kind: "spawn_failed", message: expect.stringContaining(name) });
    }
  });

  test("a working folder that does not exist", async () => {
    await using bench = await openBench();
    const { ending } = await bench.run(["true"], { cwd: bench.path("nowhere") });
    expect(ending).toMatchObject({ kind: "spawn_failed", message: expect.stringMatching(/true.*nowhere/) });
  });

  test("a script whose interpreter is missing", async () => {
    await using bench = await openBench();
    await writeFile(bench.path("script"), "#!/no/such/interpreter\n");
    await chmod(bench.path("script"), 0o755);
    const { ending } = await bench.run(["./script"]);
    expect(ending).toMatchObject({ kind: "spawn_failed", message: expect.stringContaining("script") });
  });

  test("an argument that no program can get", async () => {
    await using bench = await openBench();
    const { ending } = await bench.run(["echo", "a\0b"]);
    expect(ending).toMatchObject({ kind: "spawn_failed", message: expect.stringContaining("echo") });
  });

  test("relative and empty entries of PATH are not searched", async () => {
    await using bench = await openBench();
    await mkdir(bench.path("bin"));
    for (const name of ["tool", "bin/tool"])
      await writeFile(bench.path(name), "#!/bin/sh\necho mine\n", { mode: 0o755 });
    const fromHere = relative(process.cwd(), bench.path("bin"));
    for (const path of [fromHere, `bin:${SYSTEM_PATH}`, `.:${SYSTEM_PATH}`, `:${SYSTEM_PATH}:`, ""]) {
      expect((await bench.run(["tool"], { env: { PATH: path } })).ending.kind, path).toBe("spawn_failed");
    }
    const absolute = { env: { PATH: `bin:${bench.path("bin")}:${SYSTEM_PATH}` } };
    expect((await bench.run(["tool"], absolute)).ending).toEqual({ kind: "exited", exit_code: 0 });
    expect((await bench.run(["bin/tool"])).ending).toEqual({ kind: "exited", exit_code: 0 });
  });
});
