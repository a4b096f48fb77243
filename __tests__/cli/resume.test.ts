import { cpSync, existsSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { isAlive, waitForFile, waitUntil } from "../effects/bench.ts";
import {
  auditLanes,
  buildPlan,
  GATES_OPEN,
  makeFolder,
  PLAN_PATH,
  TestRepository,
  withExecutor,
  type Ended,
  type Outcome,
} from "../support/conveyor.ts";
import { once } from "../support/once.ts";

const WORK = 'mkdir -p out && echo done > "out/$ORCH_ITEM_ID.txt"';
const GATES_SHUT = ["GATE_POLICY_DENIED_OR_UNKNOWN", "GATE_CI_NOT_SUCCESS", "GATE_REVIEW_NOT_APPROVED"];
/** The first handoff stops the run, so that there is something to resume. */
const NO_ROLLOVER = "limits: {rollovers: 0}";
/** Hands off in the first session, does the work in the second. */
const IN_TWO = withExecutor(
  `if [ "$ORCH_SESSION" = 1 ]; then mkdir -p out; echo part > out/part.txt; exit 75; fi; ${WORK}`,
);

/** A run that the first handoff has stopped, made once: each test goes on with a copy. */
const handedOff = once(async () => {
  const repository = new TestRepository({ configLines: [NO_ROLLOVER] });
  return { repository, ...(await repository.run(IN_TWO)) };
});
const copyHandedOff = async () => {
  const { repository, outcome } = await handedOff();
  return { repository: new TestRepository({ copyOf: repository }), outcome };
};

/** Every file of a folder with its bytes, to see that nothing was changed. */
function readTree(folder: string): Record<string, string> {
  const files = readdirSync(folder, { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile());
  return Object.fromEntries(
    files
      .map((entry) => join(entry.parentPath, entry.name))
      .map((path) => [path, readFileSync(path).toString("latin1")]),
  );
}

function countEvents(repository: TestRepository, type: string): number {
  return repository.events().filter((event) => event.type === type).length;
}

describe("handed off: a new session in the same attempt, over the same files", () => {
  const configLines = ['prepare: {commands: [[bash, -c, "mkdir -p deps && echo dep > deps/dep.txt"]]}'];
  const files = { ".gitignore": "/deps/\n" };
  const executor = withExecutor(
    [
      'if [ "$ORCH_SESSION" = 1 ]; then',
      "  mkdir -p out; echo part > out/part.txt; ln -s part.txt out/link; rm README.md",
      '  echo \'{"status": "handoff_required", "summary": "half of it"}\' > "$ORCH_RESULT_PATH"; exit 0',
      "fi",
      "set -e",
      'test "$(cat out/part.txt)" = part; test "$(readlink out/link)" = part.txt; test ! -e README.md; test -s deps/dep.txt',
      `git show HEAD:README.md > README.md; ${WORK}`,
      'echo "$ORCH_STAGE attempt $ORCH_ATTEMPT session $ORCH_SESSION round $ORCH_ROUND" > out/told.txt; cp "$ORCH_HANDOFF_PATH" out/note.json',
    ].join("\n"),
  );

  /** The run where it was made, and a copy of that before anybody goes on with it. */
  const halfDone = once(async () => {
    const repository = new TestRepository({ configLines: [...configLines, NO_ROLLOVER], files });
    const first = await repository.run(executor);
    return { first, repository, untouched: new TestRepository({ copyOf: repository }) };
  });

  test.each(["where it was", "after the cache was emptied", "on a copy in another clone"])("%s", async (place) => {
    const made = await halfDone();
    const { first } = made;
    // Only where it was made are its worktrees still its own.
    const repository = place === "where it was" ? made.repository : new TestRepository({ copyOf: made.untouched });
    expect(first.code).toBe(3);
    expect(first.outcome).toMatchObject({
      terminal_state: "blocked",
      blocked_reason_codes: ["ROLLOVER_LIMIT"],
      items: [{ terminal_state: null, attempts: 1 }],
    });
    expect(first.outcome.next_actions).toMatchObject([{ command: `conveyor resume ${first.outcome.run_id}` }]);
    const other = join(makeFolder(), "clone");
    const copy = join(makeFolder(), "carried");
    const original = repository.runFolder();
    if (place === "after the cache was emptied") rmSync(repository.cache, { recursive: true, force: true });
    const isCopy = place === "on a copy in another clone";
    if (isCopy) {
      repository.git("clone", "--quiet", repository.path, other);
      cpSync(original, copy, { recursive: true, verbatimSymlinks: true });
      rmSync(join(repository.cache, "conveyor"), { recursive: true });
    }
    const before = readTree(original);
    const cwd = isCopy ? other : repository.path;
    const name = isCopy ? [copy] : [];
    const second = await repository.conveyor(["resume", ...name, "--format", "json"], { cwd });
    const outcome = JSON.parse(second.stdout) as typeof first.outcome;
    expect(outcome.items).toMatchObject([{ terminal_state: "passed", attempts: 1 }]);
    const show = (path: string): string => repository.git("-C", cwd, "show", `${outcome.branch}:${path}`);
    expect(show("out/told.txt")).toBe("execute attempt 1 session 2 round 1");
    expect(JSON.parse(show("out/note.json"))).toMatchObject({ item_id: "01", session: 1, summary: "half of it" });
    const verified = await repository.conveyor(["verify", ...name], { cwd });
    expect(verified.stdout).toContain("agrees with its journal");
    if (isCopy) {
      expect(readTree(original)).toEqual(before);
      expect(repository.git("branch", "--list", "conveyor/*")).toBe("");
    }
  });
});

test("handed off, cache emptied, and its preparation fails now: a failure, after which the same attempt goes on", async () => {
  const broken = join(makeFolder(), "broken");
  const repository = new TestRepository({
    configLines: [NO_ROLLOVER, `prepare: {commands: [[bash, -c, "test ! -e ${broken}"]]}`],
  });
  await repository.run(IN_TWO);
  rmSync(repository.cache, { recursive: true, force: true });
  writeFileSync(broken, "");
  const failed = await repository.resume();
  expect({ code: failed.code, codes: failed.outcome.blocked_reason_codes }).toEqual({
    code: 1,
    codes: ["PREPARE_FAILED"],
  });
  expect(countEvents(repository, "session_started")).toBe(1);
  rmSync(broken);
  const second = await repository.resume(GATES_OPEN);
  expect(second.code).toBe(0);
  expect(second.outcome.items).toMatchObject([{ terminal_state: "passed", attempts: 1 }]);
  expect(repository.git("show", `${second.outcome.branch}:out/part.txt`)).toBe("part");
  expect((await repository.conveyor(["verify"])).stdout).toContain("agrees");
});

describe("cut short: the session proves nothing, the next attempt starts afresh", () => {
  const slowAt1 = (file: string): string[] =>
    withExecutor(
      `if [ "$ORCH_ATTEMPT" = 1 ]; then mkdir -p out; echo half > out/half.txt; echo $$ > "${file}"; exec sleep 60; fi; test ! -e out/half.txt && ${WORK}`,
    );

  test("by its time limit", async () => {
    const repository = new TestRepository();
    const first = await repository.run([...slowAt1(join(makeFolder(), "pid")), "--timeout-ms", "600"]);
    expect({ exit: first.code, codes: first.outcome.blocked_reason_codes }).toEqual({
      exit: 124,
      codes: ["PROCESS_TIMEOUT"],
    });
    const second = await repository.resume();
    expect(second.outcome.items).toMatchObject([{ terminal_state: "passed", attempts: 2 }]);
    expect(repository.report().items[0]?.attempts.map((attempt) => attempt.ended)).toEqual(["lost", "kept"]);
  });

  test.each([
    ["SIGINT", 130],
    ["SIGTERM", 143],
    ["SIGKILL", null],
  ] as const)("by %s", async (signal, code) => {
    const repository = new TestRepository();
    const file = join(makeFolder(), "pid");
    const running = repository.start(["run", PLAN_PATH, "--format", "json", ...slowAt1(file)]);
    expect(await waitForFile(file)).toBe(true);
    const executor = Number(readFileSync(file, "utf8"));
    running.child.kill(signal);
    const ended = await running.ended;
    expect({ code: ended.code, signal: ended.signal }).toEqual(
      code === null ? { code, signal } : { code, signal: null },
    );
    expect(await waitUntil(() => !isAlive(executor), 10_000)).toBe(true);
    if (code !== null) {
      expect(JSON.parse(ended.stdout)).toMatchObject({ exit_code: code, terminal_state: null, handoff: false });
      expect(repository.report()).toMatchObject({ interrupted_by: signal });
    }
    const second = await repository.resume();
    expect(second.outcome.items).toMatchObject([{ terminal_state: "passed", attempts: 2 }]);
    expect((await repository.conveyor(["verify"])).code).toBe(0);
  });
});

describe("settled otherwise than passed: the answer names what goes on, and a new attempt does", () => {
  const SETTLED = [
    ["blocked_external", '{"status": "blocked"}', 3, "ITEM_BLOCKED_EXTERNAL", "--evidence-dir DIR"],
    ["escalated", '{"status": "failed"}', 1, "ITEM_ESCALATED", "--new-attempt 02"],
  ] as const;

  interface Settled {
    readonly ended: Ended & { readonly outcome: Outcome };
    readonly answered: Ended & { readonly outcome: Outcome };
    readonly refused: readonly (number | null)[];
    /** Trees of the run folder before it was answered, and after. */
    readonly trees: readonly Record<string, string>[];
  }

  /** Attempts of one item, each settled in its way, and at last one that passes. */
  const attempted = once(async () => {
    const repository = new TestRepository({ rows: [{ step_id: "01" }, { step_id: "02", prerequisites: "01" }] });
    const ways = SETTLED.map(
      ([, payload], index) =>
        `"02 ${index + 1}") mkdir -p out; echo half > out/half.txt; echo '${payload}' > "$ORCH_RESULT_PATH";;`,
    );
    const executor = `test ! -e out/half.txt || exit 9\ncase "$ORCH_ITEM_ID $ORCH_ATTEMPT" in\n${ways.join("\n")}\n*) ${WORK};;\nesac`;
    const look = async (ended: Settled["ended"]): Promise<Settled> => {
      const before = readTree(repository.runFolder());
      const answered = await repository.resume();
      const refused = [];
      for (const item of ["01", "03"])
        refused.push((await repository.conveyor(["resume", "--new-attempt", item])).code);
      return { ended, answered, refused, trees: [before, readTree(repository.runFolder())] };
    };
    const settled = [
      await look(await repository.run(withExecutor(executor))),
      await look(await repository.resume(["--new-attempt", "02"])),
    ];
    const anew = await repository.resume(["--new-attempt", "02", ...GATES_OPEN]);
    return { repository, settled, anew, verified: await repository.conveyor(["verify"]) };
  });

  test.each(SETTLED.map((row, index) => [...row, index + 1] as const))(
    "%s",
    async (state, _payload, exit, code, way, attempt) => {
      const { repository, settled, anew, verified } = await attempted();
      const { ended, answered, refused, trees } = settled[attempt - 1] ?? expect.fail("it was not settled");
      expect(ended.code).toBe(exit);
      expect(ended.outcome.blocked_reason_codes).toEqual([code]);
      expect(ended.outcome.items).toMatchObject([
        { terminal_state: "passed" },
        { terminal_state: state, attempts: attempt },
      ]);
      expect(answered.code).toBe(exit);
      expect(answered.stderr).toContain(code);
      expect(answered.stderr).toContain(`conveyor resume ${ended.outcome.run_id} ${way}`);
      expect(answered.outcome).toMatchObject({
        run_id: ended.outcome.run_id,
        exit_code: exit,
        terminal_state: ended.outcome.terminal_state,
      });
      expect(refused).toEqual([2, 2]);
      expect(trees[1]).toEqual(trees[0]);
      expect({ code: anew.code, run: anew.outcome.terminal_state }).toEqual({ code: 0, run: "done" });
      expect(anew.outcome.items).toMatchObject([
        { terminal_state: "passed", attempts: 1 },
        { terminal_state: "passed", attempts: 3 },
      ]);
      expect(countEvents(repository, "session_started")).toBe(4);
      expect(verified.code).toBe(0);
    },
  );
});

/** A run that waits at gates of which two were open, and whose branch nobody wanted: each test goes on with a copy. */
const atGates = once(async () => {
  const log = join(makeFolder(), "log");
  const repository = new TestRepository({
    executor: `echo executor >> ${log}\n${WORK}\n`,
    configLines: [
      `prepare: {commands: [[bash, -c, "echo prepare >> ${log}"]]}`,
      `validation: {commands: [[bash, -c, "echo validation >> ${log}"]]}`,
    ],
  });
  const signals = ["--policy-status", "allow", "--ci-status", "success"];
  return { log, repository, ...(await repository.run(["--deliver", "none", ...signals])) };
});

describe("waiting at the gates", () => {
  test("the gates alone are evaluated: no program starts, what is skipped is recorded with its key", async () => {
    const { log, repository: waits } = await atGates();
    const repository = new TestRepository({ copyOf: waits });
    const started = readFileSync(log, "utf8");
    expect(started).toContain("validation");
    const before = repository.events();
    const waiting = await repository.resume(["--ci-status", "success"]);
    expect(waiting.code).toBe(3);
    expect(waiting.outcome.next_actions).toMatchObject([
      {
        command: `conveyor resume ${waiting.outcome.run_id} --ci-status success --policy-status allow --review-status approved`,
      },
    ]);
    const types = repository
      .events()
      .slice(before.length)
      .map((event) => event.type);
    const skipped = Array<string>(4).fill("stage_skipped");
    expect(types).toEqual([
      "run_resumed",
      ...skipped,
      "stage_started",
      "gates_evaluated",
      "run_stopped",
      "report_written",
    ]);
    const executions = repository.report().stage_executions.filter((execution) => execution.status === "skipped");
    const keys = ["stage:Planning", "stage:PolicyIngestion", "stage:Execution", "stage:Validation"];
    expect(executions.map((execution) => execution.idempotency_key)).toEqual(keys);
    expect(executions.map((execution) => execution.stage)).toEqual([
      "planning",
      "policy_ingestion",
      "execution",
      "validation",
    ]);
    const done = await repository.resume(GATES_OPEN);
    expect(done.code).toBe(0);
    expect(readFileSync(log, "utf8")).toBe(started);
    expect(repository.report().completed_stages).toEqual([...keys, "stage:Closure"]);
  });

  test("signals of the call before do not count", async () => {
    const repository = new TestRepository({ copyOf: (await atGates()).repository });
    const second = await repository.resume(["--review-status", "approved"]);
    expect(second.outcome.blocked_reason_codes).toEqual(GATES_SHUT.slice(0, 2));
  });

  test("a branch that was not wanted at first is delivered when it is asked for", async () => {
    const { outcome, repository: waits } = await atGates();
    const repository = new TestRepository({ copyOf: waits });
    expect(repository.git("branch", "--list", "conveyor/*")).toBe("");
    const second = await repository.resume();
    expect(repository.git("branch", "--list", "conveyor/*")).toBe("");
    expect(second.outcome.blocked_reason_codes).toEqual(GATES_SHUT);
    const third = await repository.resume(["--deliver", "branch", ...GATES_OPEN]);
    expect(third.code).toBe(0);
    expect(repository.git("rev-parse", outcome.branch)).toBe(outcome.head_sha);
    expect(repository.report().delivered).toBe(true);
    expect((await repository.conveyor(["verify"])).code).toBe(0);
  });
});

test("done: says so with exit 0 and changes nothing", async () => {
  const repository = new TestRepository({ copyOf: (await atGates()).repository });
  const first = await repository.resume(["--deliver", "branch", ...GATES_OPEN]);
  expect({ code: first.code, run: first.outcome.terminal_state }).toEqual({ code: 0, run: "done" });
  const before = readTree(repository.runFolder());
  const again = await repository.resume();
  expect(again.code).toBe(0);
  expect(again.stderr).toContain(`${first.outcome.run_id} is done`);
  expect(again.outcome).toMatchObject({ run_id: first.outcome.run_id, terminal_state: "done", exit_code: 0 });
  expect((await repository.conveyor(["resume", first.outcome.run_id, "--new-attempt", "01"])).code).toBe(2);
  expect(readTree(repository.runFolder())).toEqual(before);
});

test("held by a live process: 73, says who, nothing is changed", async () => {
  const repository = new TestRepository();
  const folder = makeFolder();
  const [atWork, go] = [join(folder, "at-work"), join(folder, "go")];
  const wait = `echo $$ > "${atWork}"; while [ ! -e "${go}" ]; do sleep 0.02; done`;
  const running = repository.start(["run", PLAN_PATH, ...GATES_OPEN, ...withExecutor(`${wait}; ${WORK}`)]);
  expect(await waitForFile(atWork)).toBe(true);
  const before = readTree(repository.runFolder());
  const refused = await repository.conveyor(["resume"]);
  expect(refused.code).toBe(73);
  expect(refused.stderr).toContain("LOCKED");
  expect(refused.stderr).toContain(`process ${running.child.pid}`);
  expect(readTree(repository.runFolder())).toEqual(before);
  expect((await repository.conveyor(["status"])).stdout).toContain(`process ${running.child.pid}`);
  writeFileSync(go, "");
  expect((await running.ended).code).toBe(0);
});

test("no such run: 2, and never a fresh start", async () => {
  const repository = new TestRepository();
  for (const name of [[], ["RUN_20260325T120000Z_deadbeef"], ["./nowhere"], ["README.md"]]) {
    const refused = await repository.conveyor(["resume", ...name]);
    expect({ code: refused.code, stdout: refused.stdout }).toEqual({ code: 2, stdout: "" });
  }
  expect(existsSync(join(repository.path, ".conveyor"))).toBe(false);
});

describe("policy is decided again at the tip of the branch", () => {
  const otherPlan = { [PLAN_PATH]: buildPlan([{ step_id: "01", action: "Something else" }]) };
  const config = `version: 1\nexecutor: {use: command, command: [bash, tools/executor.sh]}\n${auditLanes()}\n`;
  const otherConfig = { ".github/conveyor.yml": `${config}limits: {fix-rounds: 9, rollovers: 0}\n` };
  const changeTo = (files: Record<string, string>) => (repository: TestRepository) => {
    repository.write(files);
    repository.commit("change");
  };
  const restore = (repository: TestRepository, base: string): void => {
    repository.git("checkout", "--quiet", base, "--", ".");
    repository.commit("restore");
  };

  interface Change {
    readonly name: string;
    readonly codes: readonly string[];
    readonly change: (repository: TestRepository) => unknown;
    readonly undo: (repository: TestRepository, base: string) => unknown;
  }
  const change = (name: string, files: Record<string, string>, codes: readonly string[]): Change => ({
    name,
    codes,
    change: changeTo(files),
    undo: restore,
  });
  /** One after the other in the same run. What moves the branch itself comes first, while it still names the base. */
  const CHANGES: readonly Change[] = [
    {
      name: "the branch was rewritten",
      codes: ["BASE_MOVED"],
      change: (repository) => repository.git("commit", "--quiet", "--amend", "-m", "rewritten"),
      undo: (repository, base) => repository.git("reset", "--quiet", "--hard", base),
    },
    {
      name: "the branch is gone",
      codes: ["BASE_MOVED", "PLAN_DIGEST_CHANGED", "POLICY_DIGEST_CHANGED"],
      change: (repository) => repository.git("branch", "--quiet", "-m", "main", "other"),
      undo: (repository) => repository.git("branch", "--quiet", "-m", "other", "main"),
    },
    change("the plan was changed", otherPlan, ["PLAN_DIGEST_CHANGED"]),
    change("the policy was changed", otherConfig, ["POLICY_DIGEST_CHANGED"]),
    change("the configuration cannot be read", { ".github/conveyor.yml": "version: 2\n" }, ["POLICY_DIGEST_CHANGED"]),
    change("both were changed", { ...otherPlan, ...otherConfig }, ["PLAN_DIGEST_CHANGED", "POLICY_DIGEST_CHANGED"]),
  ];

  const decided = once(async () => {
    const { repository } = await copyHandedOff();
    const base = repository.git("rev-parse", "HEAD");
    const refusals: { ended: Ended & { outcome: Outcome }; sessions: number }[] = [];
    for (const { change, undo } of CHANGES) {
      change(repository);
      refusals.push({ ended: await repository.resume(), sessions: countEvents(repository, "session_started") });
      undo(repository, base);
    }
    // The branch has moved forward by all that was done and undone.
    repository.write({ "new.txt": "new\n", ".github/conveyor.yml": `# a comment\n${config}${NO_ROLLOVER}\n` });
    repository.commit("forward");
    return { repository, base, refusals, second: await repository.resume(GATES_OPEN) };
  });

  test.each(CHANGES.map(({ name, codes }, index) => [name, codes, index] as const))(
    "%s: refused with 3; restored: goes on",
    async (_name, codes, index) => {
      const { refusals, second } = await decided();
      const { ended, sessions } = refusals[index] ?? expect.fail("it was not refused");
      expect({ code: ended.code, run: ended.outcome.terminal_state }).toEqual({ code: 3, run: "blocked" });
      expect(ended.outcome.blocked_reason_codes).toEqual(codes);
      expect(sessions).toBe(1);
      expect(second.code).toBe(0);
      expect(second.outcome.items).toMatchObject([{ terminal_state: "passed", attempts: 1 }]);
    },
  );

  test("the branch moved forward, also with a comment in the configuration: goes on from its own base", async () => {
    const { repository, base, second } = await decided();
    expect(second.code).toBe(0);
    expect(repository.git("rev-parse", "main")).not.toBe(base);
    expect(repository.git("merge-base", second.outcome.branch, "main")).toBe(base);
  });

  test("the plan changed while an item was at work: nothing is delivered", async () => {
    const repository = new TestRepository();
    const change = `echo more >> ${join(repository.path, PLAN_PATH)}; git -C ${repository.path} -c user.name=a -c user.email=a@b commit -qam change`;
    const ended = await repository.run(withExecutor(`${WORK}; ${change}`));
    expect(ended.code).toBe(3);
    expect(ended.outcome.blocked_reason_codes).toEqual(["PLAN_DIGEST_CHANGED"]);
    expect(repository.git("branch", "--list", "conveyor/*")).toBe("");
    expect(repository.report().gate_decisions).toEqual([]);
    repository.git("reset", "--quiet", "--hard", "HEAD~1");
    expect((await repository.resume(GATES_OPEN)).code).toBe(0);
  });
});

test("values of --executor-env are needed again and are written nowhere", async () => {
  const repository = new TestRepository({ configLines: [NO_ROLLOVER] });
  const secret = "correct-horse-battery-staple";
  const executor = withExecutor(
    `mkdir -p out; echo "\${#API_TOKEN}" >> out/01.txt; if [ "$ORCH_SESSION" = 1 ]; then exit 75; fi`,
  );
  const first = await repository.run([...executor, "--executor-env", `API_TOKEN=${secret}`]);
  expect(first.code).toBe(3);
  const before = readTree(repository.runFolder());
  const refused = await repository.conveyor(["resume"]);
  expect({ code: refused.code, stdout: refused.stdout }).toEqual({ code: 2, stdout: "" });
  expect(refused.stderr).toContain("--executor-env API_TOKEN=");
  expect(readTree(repository.runFolder())).toEqual(before);
  const second = await repository.resume(["--executor-env", `API_TOKEN=${secret}`]);
  expect(repository.git("show", `${second.outcome.branch}:out/01.txt`)).toBe(`${secret.length}\n${secret.length}`);
  const report = repository.report();
  expect(report.stage_executions.find((execution) => execution.purpose === "executor")?.env_keys).toContain(
    "API_TOKEN",
  );
  expect(report.stage_executions.find((execution) => execution.purpose === "required_command")?.env_keys).not.toContain(
    "API_TOKEN",
  );
  for (const folder of [repository.runFolder(), repository.cache]) {
    if (existsSync(folder))
      expect(Object.entries(readTree(folder)).filter(([, bytes]) => bytes.includes(secret))).toEqual([]);
  }
  expect(first.stdout + first.stderr + second.stdout + second.stderr).not.toContain(secret);
});

test("the run branch is somebody else's: DELIVERY_REFUSED, theirs stays; when it is gone the resume delivers", async () => {
  const { repository, outcome } = await copyHandedOff();
  const theirs = repository.commit("theirs");
  repository.git("branch", outcome.branch);
  const refused = await repository.resume(GATES_OPEN);
  expect({ code: refused.code, run: refused.outcome.terminal_state }).toEqual({ code: 1, run: "failed" });
  expect(refused.outcome.blocked_reason_codes).toEqual(["DELIVERY_REFUSED"]);
  expect(repository.git("rev-parse", outcome.branch)).toBe(theirs);
  repository.git("branch", "--quiet", "-D", outcome.branch);
  const second = await repository.resume(GATES_OPEN);
  expect(second.code).toBe(0);
  expect(repository.git("rev-parse", outcome.branch)).toBe(second.outcome.head_sha);
  expect(countEvents(repository, "session_started")).toBe(2);
});
