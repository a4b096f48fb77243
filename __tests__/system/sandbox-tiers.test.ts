import { spawnSync } from "node:child_process";
import { chmodSync, copyFileSync, existsSync, mkdirSync, readFileSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { beforeAll, describe, expect, test } from "vitest";
import { runReportSchema } from "../../src/domain/report.ts";
import { SANDBOX_PROBES } from "../../src/domain/sandbox.ts";
import { CLI, GATES_OPEN, makeFolder, PLAN_PATH, startProcess, TestRepository } from "../support/conveyor.ts";

const BWRAP = "/usr/bin/bwrap";

beforeAll(() => {
  const { error } = spawnSync(BWRAP, ["--version"]);
  if (error !== undefined)
    throw new Error(`this suite needs bubblewrap: apt-get install bubblewrap (${error.message})`);
});

/** Runs the command line on a machine whose bubblewrap is another program, or none that can be started. */
async function runWhere(repository: TestRepository, replacement: string | undefined, args: readonly string[]) {
  const folder = makeFolder();
  const real = join(folder, "real-bwrap");
  const fake = join(folder, "bwrap");
  copyFileSync(BWRAP, real);
  writeFileSync(fake, (replacement ?? "").replaceAll("@REAL@", real));
  chmodSync(fake, replacement === undefined ? 0o644 : 0o755);
  const outer = ["--dev-bind", "/", "/", "--ro-bind", fake, BWRAP, "--", process.execPath, CLI, ...args];
  return startProcess(real, outer, { cwd: repository.path, env: repository.env() }).ended;
}

const RUN = ["run", PLAN_PATH, ...GATES_OPEN];
/** A bubblewrap that leaves the machine's network where it is. */
const WITH_NETWORK = '#!/bin/bash\nexec @REAL@ "${@/#--unshare-all/--unshare-pid}"\n';

describe("a sandbox that is required", () => {
  test("and is there lets the run go on", async () => {
    const repository = new TestRepository({ configLines: ["sandbox: {level: required, minimum-tier: 3}"] });
    const ended = await runWhere(repository, '#!/bin/bash\nexec @REAL@ "$@"\n', RUN);
    expect(ended.code, ended.stderr).toBe(0);
    expect(repository.report().sandbox).toMatchObject({ tier: 3, level: "required", minimum_tier: 3 });
  });

  test("and cannot be made refuses the run, before any program of the plan: SANDBOX_UNAVAILABLE", async () => {
    const repository = new TestRepository({
      executor: "touch $LEDGER\n",
      configLines: ["sandbox: {level: required, minimum-tier: 3}"],
    });
    const ledger = join(repository.base, "ledger");
    const ended = await runWhere(repository, undefined, [...RUN, "--executor-env", `LEDGER=${ledger}`]);
    expect(ended.code).toBe(1);
    expect(ended.stdout).toContain("SANDBOX_UNAVAILABLE");
    expect(existsSync(ledger)).toBe(false);
    const report = repository.report();
    expect(report).toMatchObject({ terminal_state: "failed", blocked_reason_codes: ["SANDBOX_UNAVAILABLE"] });
    expect(report.failure).toMatch(/^expected a sandbox of tier 3 or higher, found tier 1: /);
    expect(report.stage_executions).toEqual([]);
    expect((await repository.conveyor(["verify"])).code).toBe(0);
    // On a machine that has one the very run goes on.
    const resumed = await repository.conveyor([
      "resume",
      "--sandbox",
      "required",
      ...GATES_OPEN,
      "--executor-env",
      `LEDGER=${ledger}`,
    ]);
    expect(resumed.stdout, resumed.stderr).not.toContain("SANDBOX_UNAVAILABLE");
    expect(repository.report().sandbox).toMatchObject({ tier: 3 });
  });

  test("is never satisfied by tier 1, which every machine has", async () => {
    const repository = new TestRepository();
    const ended = await runWhere(repository, undefined, [...RUN, "--sandbox", "required"]);
    expect(ended.code).toBe(1);
    expect(repository.report().failure).toContain("expected a sandbox of tier 2 or higher, found tier 1");
  });

  test("and leaks is not there: the probe that found it is named", async () => {
    const repository = new TestRepository();
    const ended = await runWhere(repository, WITH_NETWORK, [...RUN, "--sandbox", "required"]);
    expect(ended.code, ended.stderr).toBe(1);
    expect(repository.report().failure).toMatch(/did not hold: loopback_of_the_machine.*connected to port/);
  });
});

describe("a sandbox that is wanted", () => {
  test("and leaks is not used: the run goes on in tier 1, and says why", async () => {
    const repository = new TestRepository();
    const ended = await runWhere(repository, WITH_NETWORK, RUN);
    expect(ended.code, ended.stderr).toBe(0);
    const { sandbox } = repository.report();
    expect(sandbox).toMatchObject({ tier: 1, level: "auto" });
    expect(sandbox?.why).toContain("loopback_of_the_machine");
    expect(sandbox?.layers.find(({ layer }) => layer === "network")?.strength).toBe("advisory");
    expect(readFileSync(join(repository.runFolder(), "report.md"), "utf8")).toMatch(
      /\| loopback_of_the_machine +\| open +\| connected to port/,
    );
  });

  test("and is there is used by itself", async () => {
    const repository = new TestRepository();
    const ended = await repository.run(["--sandbox", "auto", ...GATES_OPEN]);
    expect(ended.code, ended.stderr).toBe(0);
    const report = repository.report();
    expect(report.sandbox).toMatchObject({ tier: 3, level: "auto", why: "every probe held" });
    expect(report.sandbox?.facts).toMatchObject({ platform: "linux", bubblewrap: BWRAP, setpriv: true, prlimit: true });
    const { trial } = report.sandbox?.facts ?? expect.fail("no facts");
    if (trial.kind !== "ran") expect.fail(trial.why);
    expect(trial.probes.map(({ probe, outcome }) => [probe, outcome])).toEqual(
      SANDBOX_PROBES.map((probe) => [probe, "held"]),
    );
    runReportSchema.parse(report);
    expect((await repository.conveyor(["verify"])).code).toBe(0);
  });
});

describe("conveyor doctor", () => {
  test("shows tier, and what each protection is worth", async () => {
    const repository = new TestRepository();
    const { stdout } = await repository.conveyor(["doctor"]);
    expect(stdout).toContain("sandbox tier 3: every probe held");
    expect(stdout).toMatch(/sandbox, enforced: .*network/);
    expect(stdout).toMatch(/sandbox, advisory: .*disk_and_memory/);
  });

  test("is not healthy where a required sandbox is missing", async () => {
    const repository = new TestRepository({ configLines: ["sandbox: {level: required}"] });
    const ended = await runWhere(repository, undefined, ["doctor"]);
    expect(ended.code).toBe(1);
    expect(ended.stdout).toMatch(/error +environment: SANDBOX_UNAVAILABLE expected a sandbox of tier 2/);
  });
});

describe("tools of a hidden folder", () => {
  test("run in tier 3 when PATH, the command or a variable that is handed on names them", async () => {
    const repository = new TestRepository({
      executor: [
        "mkdir -p out",
        "my-tool > out/01.txt",
        'cat "$TOOL_HOME/data" >> out/01.txt',
        "linked-tool >> out/01.txt",
        // A variable that names a home, or a folder around what is hidden, shows nothing of it.
        "if [[ -e $WHOLE_HOME/.netrc || -e $WHOLE_CACHE/private ]]; then exit 8; fi",
        "if my-tool --break > /dev/null 2>&1; then exit 9; fi",
        "",
      ].join("\n"),
      rows: [{ step_id: "01", required_verification_commands: "test 3 = $(wc -l < out/01.txt)" }],
      configLines: ["sandbox: {env: [TOOL_HOME, WHOLE_HOME, WHOLE_CACHE]}"],
    });
    const { base } = repository;
    const write = (path: string, text: string) => {
      mkdirSync(join(base, path, ".."), { recursive: true });
      writeFileSync(join(base, path), text, { mode: 0o755 });
    };
    write(
      "tools/bin/my-tool",
      '#!/bin/bash\n[[ $1 == --break ]] && echo x > "$0" && exit 0\ncat "${0%/*}/../lib/words" || exit 1\n[[ $1 != --break ]]\n',
    );
    write("tools/lib/words", "from lib\n");
    write("elsewhere/pack/bin/linked-tool", "#!/bin/bash\necho linked\n");
    write("given/data", "given\n");
    write(".netrc", "password\n");
    write("cache/private", "of another run\n");
    symlinkSync(join(base, "elsewhere/pack/bin/linked-tool"), join(base, "tools/bin/linked-tool"));
    const ended = await repository.run(["--sandbox", "required", ...GATES_OPEN], {
      env: {
        PATH: `${join(base, "tools/bin")}:${process.env["PATH"] ?? ""}`,
        TOOL_HOME: join(base, "given"),
        WHOLE_HOME: base,
        WHOLE_CACHE: repository.cache,
      },
    });
    expect(ended.code, ended.stderr + JSON.stringify(repository.report().failure)).toBe(0);
  });
});

test("a link that one session leaves beside the program shows nothing to the next", async () => {
  const repository = new TestRepository({
    files: { "tools/run.sh": "" },
    config: [
      "version: 1",
      "executor: {use: command, command: [./tools/run.sh]}",
      "audits: {lanes: [{name: careful, use: command, command: [bash, tools/audit-careful.sh]}, {name: quick, use: command, command: [bash, tools/audit-quick.sh]}]}",
      "limits: {rollovers: 0}",
      "",
    ].join("\n"),
  });
  const secret = join(repository.base, "secret");
  mkdirSync(secret);
  // The place stands in the program itself: a path that a variable names is shown to it.
  const script = [
    "#!/bin/bash",
    "mkdir -p out && echo x > out/01.txt",
    `if [[ $ORCH_SESSION == 1 ]]; then ln -s '${join(secret, "key")}' tools/leak; exit 75; fi`,
    "cat tools/leak 2>/dev/null && echo leaked",
    "rm tools/leak",
    "",
  ].join("\n");
  writeFileSync(join(repository.path, "tools/run.sh"), script);
  chmodSync(join(repository.path, "tools/run.sh"), 0o755);
  repository.commit("executable");
  writeFileSync(join(secret, "key"), "the key\n");
  const options = ["--sandbox", "required", ...GATES_OPEN];
  expect((await repository.run(options)).outcome.blocked_reason_codes).toEqual(["ROLLOVER_LIMIT"]);
  // Another process: it finds the link when it looks for what the program needs.
  const ended = await repository.resume(options);
  expect(ended.code, ended.stderr).toBe(0);
  const log = join(repository.runFolder(), "items/01/attempt-1/round-1/session-2/stdout.log");
  expect(readFileSync(log, "utf8")).toBe("");
});

test("a program that is over its time gets TERM first, also in tier 3", async () => {
  const repository = new TestRepository({
    executor: "trap 'echo ended in order; exit 3' TERM\nmkdir -p out; echo x > out/01.txt\nsleep 60 & wait\n",
  });
  const ended = await repository.run(["--sandbox", "required", "--timeout-ms", "4000", ...GATES_OPEN]);
  expect(ended.code, ended.stderr).toBe(124);
  const log = join(repository.runFolder(), "items/01/attempt-1/round-1/session-1/stdout.log");
  expect(readFileSync(log, "utf8")).toBe("ended in order\n");
});

test("nothing is left of a program when the orchestrator is killed in tier 3", async () => {
  const repository = new TestRepository({ executor: "exec -a conveyor-test-orphan sleep 300\n" });
  const { child, ended } = repository.start(["run", PLAN_PATH, "--sandbox", "required"]);
  await waitFor(() => countProcesses("conveyor-test-orphan") > 0);
  child.kill("SIGKILL");
  await ended;
  await waitFor(() => countProcesses("conveyor-test-orphan") === 0);
});

async function waitFor(isTrue: () => boolean): Promise<void> {
  for (let round = 0; round < 300; round += 1) {
    if (isTrue()) return;
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
  throw new Error("waited in vain");
}

function countProcesses(name: string): number {
  const { stdout } = spawnSync("ps", ["-eo", "args"], { encoding: "utf8" });
  return stdout.split("\n").filter((line) => line.startsWith(name)).length;
}
