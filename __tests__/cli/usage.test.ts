import { execFileSync } from "node:child_process";
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { buildProgram, UsageError } from "../../src/cli/program.ts";
import {
  auditLanes,
  buildPlan,
  CLI,
  GATES_OPEN,
  makeFolder,
  PLAN_PATH,
  ROOT,
  startProcess,
  TestRepository,
  withExecutor,
  type Ended,
} from "../support/conveyor.ts";
import { once } from "../support/once.ts";
import { EVIDENCE_PATH } from "../support/worlds.ts";

/** Ends its item at once, for tests of what comes before all work. */
const SAYS_BLOCKED = `echo '{"status": "blocked"}' > "$ORCH_RESULT_PATH"`;
const ANSI = /\u001b\[/;

/** Asserts one clear word on stderr, nothing on stdout, and that no run was begun. */
function expectRefusal(ended: Ended, root: string, ...said: string[]): void {
  for (const text of said) expect(ended.stderr).toContain(text);
  expect({ code: ended.code, stdout: ended.stdout }).toEqual({ code: 2, stdout: "" });
  expect(ended.stderr).not.toMatch(/^ {4}at /m);
  expect(existsSync(join(root, ".conveyor"))).toBe(false);
}

/**
 * What the parser of the command line says of words with which no command is begun. One row of each kind goes through a
 * process of its own and shows that what is said there gets out.
 */
async function parse(words: readonly string[]): Promise<Ended> {
  const said = { stdout: "", stderr: "" };
  const program = buildProgram(
    {
      version: "0",
      out: (text) => void (said.stdout += text),
      note: (text) => void (said.stderr += text),
    },
    () => expect.fail("a command was begun"),
  );
  try {
    await program.parseAsync(words, { from: "user" });
  } catch (fault) {
    if (fault instanceof UsageError) return { code: fault.exitCode, signal: null, ...said };
    throw fault;
  }
  return expect.fail("the parser took them");
}

describe("where there is nothing to run in", () => {
  const repository = new TestRepository();

  test("not a repository", async () => {
    const cwd = makeFolder();
    expectRefusal(await repository.conveyor(["run", "plan.md"], { cwd }), cwd, "USAGE", "expected a git checkout");
  });

  test("a bare repository", async () => {
    const cwd = makeFolder();
    repository.git("init", "--quiet", "--bare", cwd);
    const ended = await repository.conveyor(["run", "plan.md", "--format", "json"], { cwd });
    expectRefusal(ended, cwd, "REPOSITORY_UNSUPPORTED", "bare");
  });

  test("a repository without a commit", async () => {
    const cwd = makeFolder();
    repository.git("init", "--quiet", cwd);
    writeFileSync(join(cwd, "plan.md"), buildPlan([{ step_id: "01" }]));
    expectRefusal(await repository.conveyor(["run", "plan.md"], { cwd }), cwd, "PLAN_NOT_COMMITTED", "git commit");
  });
});

describe("the plan", () => {
  const repository = new TestRepository();
  repository.write({ "docs/new plan.md": buildPlan([{ step_id: "01" }]) });
  const run = (...args: string[]): Promise<Ended> => repository.conveyor(["run", ...args]);

  test("does not exist", async () => {
    expectRefusal(await run("docs/none.md"), repository.path, "USAGE no such plan: docs/none.md");
  });

  test("lies outside", async () => {
    expectRefusal(await run("../plan.md"), repository.path, "USAGE expected a plan inside", "../plan.md");
  });

  test("is not committed: the command that commits it can be pasted", async () => {
    const ended = await run("docs/new plan.md");
    expectRefusal(
      ended,
      repository.path,
      "PLAN_NOT_COMMITTED",
      `git add -- "$(git rev-parse --show-toplevel)"/'docs/new plan.md' && git commit`,
    );
  });

  test("the command that commits it can be pasted wherever one stands, and so can the one that starts a new run", async () => {
    const other = new TestRepository();
    other.write({ "docs/it's.md": buildPlan([{ step_id: "01" }]) });
    const cwd = join(other.path, "docs");
    const refused = await other.conveyor(["run", "it's.md"], { cwd });
    const paste = (command: string): string =>
      execFileSync("bash", ["-c", command.replaceAll("conveyor run", `"${process.execPath}" "${CLI}" run --dry-run`)], {
        cwd,
        env: other.env({
          GIT_AUTHOR_NAME: "A",
          GIT_AUTHOR_EMAIL: "a@b.invalid",
          GIT_COMMITTER_NAME: "A",
          GIT_COMMITTER_EMAIL: "a@b.invalid",
        }),
        encoding: "utf8",
      });
    paste(/commit it: (.*)/.exec(refused.stderr)?.[1] ?? "exit 9");
    expect(other.git("show", "--name-only", "--format=", "HEAD")).toContain("docs/it's.md");
    await other.conveyor(["run", "it's.md", ...withExecutor("git tag mine")], { cwd });
    const action = other.report().next_actions[0]?.command ?? "exit 9";
    expect(action).toMatch(/^conveyor run /);
    expect(paste(action)).toContain("dry run of plan");
  });

  test("has changes that are not committed, whatever --allow-dirty says", async () => {
    const other = new TestRepository();
    other.write({ [PLAN_PATH]: buildPlan([{ step_id: "02" }]) });
    expectRefusal(await other.conveyor(["run", PLAN_PATH]), other.path, "PLAN_NOT_COMMITTED");
    other.git("add", "--all");
    expectRefusal(await other.conveyor(["run", PLAN_PATH, "--allow-dirty"]), other.path, "PLAN_NOT_COMMITTED");
  });

  test("has errors: each is located", async () => {
    const broken = new TestRepository({
      rows: [{ step_id: "01", allowed_write_roots: "../out", requires_red_green: "perhaps" }],
    });
    const ended = await broken.conveyor(["run", PLAN_PATH]);
    expectRefusal(ended, broken.path, "PLAN_INVALID");
    expect(ended.stderr.match(new RegExp(`^${PLAN_PATH}:\\d+:\\d+ PLAN_\\w+`, "gm"))?.length).toBeGreaterThanOrEqual(2);
  });
});

test("uncommitted changes of tracked files are refused; --allow-dirty leaves them out of the run", async () => {
  const repository = new TestRepository();
  repository.write({ "README.md": "# Dirty\n", "untracked.txt": "does not matter\n" });
  expectRefusal(
    await repository.conveyor(["run", PLAN_PATH]),
    repository.path,
    "DIRTY_CHECKOUT",
    "README.md",
    "--allow-dirty",
  );
  const ended = await repository.run(["--allow-dirty", ...GATES_OPEN]);
  expect(ended.code).toBe(0);
  expect(repository.git("show", `${ended.outcome.branch}:README.md`)).toBe("# Test");
  expect(repository.git("diff", "--name-only", "main", ended.outcome.branch)).toBe(`${EVIDENCE_PATH}\nout/01.txt`);
  expect(repository.git("status", "--porcelain").split("\n")).toEqual(["M README.md", "?? untracked.txt"]);
  expect(readFileSync(join(repository.path, "README.md"), "utf8")).toBe("# Dirty\n");
});

describe("the configuration", () => {
  const executor = "executor: {use: command, command: [bash, tools/executor.sh]}";
  test.each([
    ["is not YAML", "version: 1\nlimits: {fix-rounds: 2\n", [".github/conveyor.yml:"]],
    [
      "has an unknown key",
      `version: 1\n${executor}\nlimts: {fix-rounds: 2}\n`,
      [".github/conveyor.yml:3:1 CONFIG_UNKNOWN_KEY limts"],
    ],
    [
      "has an unknown key inside",
      `version: 1\n${executor}\nlimits:\n  fix-round: 2\n`,
      [".github/conveyor.yml:4:3 CONFIG_UNKNOWN_KEY limits.fix-round"],
    ],
    [
      "has two wrong values",
      `version: 2\n${executor}\nlimits: {fix-rounds: -1}\n`,
      [".github/conveyor.yml:1:1 CONFIG_INVALID version", ".github/conveyor.yml:3:10 CONFIG_INVALID limits.fix-rounds"],
    ],
    [
      "has an unknown placeholder",
      "version: 1\nexecutor: {use: command, command: [agent, '{promt_path}']}\n",
      [":2:", "{promt_path}", "{prompt_path}"],
    ],
    ["asks for an executor that there is not", "version: 1\nexecutor: {use: other}\n", [".github/conveyor.yml:2:"]],
    ["names no executor", "version: 1\n", ["EXECUTOR_NOT_CONFIGURED", "--executor-bin"]],
  ])("%s", async (_name, config, said) => {
    const repository = new TestRepository({ config });
    expectRefusal(await repository.conveyor(["run", PLAN_PATH]), repository.path, ...said);
  });

  test("is missing, and so is the executor", async () => {
    const repository = new TestRepository({ config: null });
    expectRefusal(await repository.conveyor(["run", PLAN_PATH]), repository.path, "EXECUTOR_NOT_CONFIGURED");
  });

  test("of --config is read from disk, located there, and recorded as local", async () => {
    const repository = new TestRepository({ config: null });
    expectRefusal(
      await repository.conveyor(["run", PLAN_PATH, "--config", "none.yml"]),
      repository.path,
      "USAGE --config: cannot read none.yml",
    );
    writeFileSync(join(repository.path, "mine.yml"), `version: 1\n${executor}\nlimts: {}\n`);
    expectRefusal(
      await repository.conveyor(["run", PLAN_PATH, "--config", "mine.yml"]),
      repository.path,
      "mine.yml:3:1 CONFIG_UNKNOWN_KEY",
    );
    const blocked = `executor: {use: command, command: [bash, -c, ${JSON.stringify(SAYS_BLOCKED)}]}`;
    writeFileSync(join(repository.path, "mine.yml"), `version: 1\n${blocked}\n${auditLanes()}\n`);
    const ended = await repository.run(["--config", "mine.yml", ...GATES_OPEN]);
    expect({ code: ended.code, codes: ended.outcome.blocked_reason_codes }).toEqual({
      code: 3,
      codes: ["ITEM_BLOCKED_EXTERNAL"],
    });
    expect(repository.report()).toMatchObject({ digests: { config_authority: "local" } });
  });
});

describe("what cannot be proven is refused before anything starts", () => {
  // VERIFICATION_MISSING stands behind this: in form B a deliverable is an artifact to be checked, and one is demanded.
  test("an item that promises nothing that could be verified", async () => {
    const rows = [{ step_id: "01", required_verification_commands: "", deliverable: "none" }];
    const repository = new TestRepository({ rows });
    expectRefusal(await repository.conveyor(["run", PLAN_PATH]), repository.path, "PLAN_CELL_EMPTY", "PLAN_INVALID");
  });

  test("fewer than two audit lanes", async () => {
    const repository = new TestRepository({ configLines: ["audits: {}"] });
    expectRefusal(await repository.conveyor(["run", PLAN_PATH]), repository.path, "CONFIG_INVALID audits.lanes");
  });
});

describe("what an item asks for beyond verification stops the run where it is missing, and not before", () => {
  test("the items before are done; red/green that nobody has shown, then a gate, then evidence", async () => {
    const repository = new TestRepository({
      rows: [
        { step_id: "01" },
        { step_id: "02", requires_red_green: "yes" },
        { step_id: "03", manual_gate: "approval" },
        { step_id: "04", external_check: "human_supplied_evidence_required" },
      ],
      configLines: ["limits: {fix-rounds: 0}"],
    });
    const gated = await repository.run(["--item", "01", "--item", "03"]);
    expect({ code: gated.code, codes: gated.outcome.blocked_reason_codes }).toEqual({
      code: 3,
      codes: ["ITEM_AWAITING_HUMAN_GATE"],
    });
    expect(gated.outcome.items.map(({ terminal_state: state }) => state)).toEqual([
      "passed",
      null,
      "awaiting_human_gate",
      null,
    ]);
    const unproven = await repository.run(["--item", "02"]);
    expect({ code: unproven.code, codes: unproven.outcome.blocked_reason_codes }).toEqual({
      code: 1,
      codes: ["ITEM_ESCALATED", "FIX_BUDGET_EXHAUSTED", "RED_GREEN_NOT_PROVEN"],
    });
    const waiting = await repository.run(["--item", "04"]);
    expect({ code: waiting.code, codes: waiting.outcome.blocked_reason_codes }).toEqual({
      code: 3,
      codes: ["ITEM_BLOCKED_EXTERNAL"],
    });
    expect(waiting.outcome.items.find(({ id }) => id === "04")).toMatchObject({ attempts: 0 });
  });
});

describe("options", () => {
  const repository = new TestRepository({
    rows: [{ step_id: "01" }, { step_id: "02", prerequisites: "01" }],
    files: { "full/file.txt": "something\n" },
  });

  test.each<readonly [string[], string[]]>([
    [["--item", "07"], ["no item 07"]],
    [["--item", "02"], ["02 needs 01"]],
    [
      ["--output-dir", "full"],
      ["--output-dir", "full"],
    ],
    [
      ["--output-dir", "README.md"],
      ["--output-dir", "README.md"],
    ],
    [
      ["--timeout-ms", "0"],
      ["--timeout-ms", "above 0"],
    ],
    [["--executor-env", "NOVALUE"], ["--executor-env: expected NAME=value"]],
    [["--executor-env", "1A=x"], ["--executor-env: expected NAME=value"]],
    [["--executor-env", "=secret-value"], ["--executor-env: expected NAME=value"]],
    [
      ["--executor-env", "GIT_DIR=/somewhere"],
      ["--executor-env", "GIT_DIR is never handed to a program"],
    ],
    [
      ["--executor-env", "GH_TOKEN=secret-value"],
      ["--executor-env", "GH_TOKEN is never handed to a program"],
    ],
    [
      ["--executor-env", "PATH=."],
      ["--executor-env", "PATH is never handed to a program"],
    ],
    [
      ["--executor-bin", "x", "--executor-expected-artifact", "../out.json"],
      ["--executor-expected-artifact", "../out.json"],
    ],
    [["--executor-arg", "x"], ["--executor-bin"]],
    [["--executor-expected-artifact", "x"], ["--executor-bin"]],
    [["--no-such-option"], ["--no-such-option", "conveyor --help"]],
  ])("run %j", async (args, said) => {
    const ended = await repository.conveyor(["run", PLAN_PATH, ...args]);
    expectRefusal(ended, repository.path, ...said);
    expect(ended.stderr).not.toContain("secret-value");
  });

  test.each<readonly [string[], string[]]>([
    [
      ["--timeout-ms", "-5"],
      ["--timeout-ms", "above 0"],
    ],
    [
      ["--timeout-ms", "1.5"],
      ["--timeout-ms", "above 0"],
    ],
    [
      ["--timeout-ms", "soon"],
      ["--timeout-ms", "above 0"],
    ],
    [["--timeout-ms"], ["--timeout-ms", "argument missing"]],
    [["--deliver", "everywhere"], ["none, branch"]],
    [["--format", "xml"], ["text, json"]],
    [["another.md"], ["too many arguments"]],
  ])("run %j", async (args, said) => {
    expectRefusal(await parse(["run", PLAN_PATH, ...args]), repository.path, ...said);
  });

  test.each<readonly [string[], string]>([
    [["frobnicate"], "unknown command"],
    [["run"], "missing required argument"],
    [["items", "show", PLAN_PATH, "07"], "no item 07"],
    [["plans", "lint", "nowhere"], "no such file or folder"],
    [["status"], "no run here yet"],
    [["report", "RUN_20260325T120000Z_deadbeef"], "no such run"],
  ])("%j", async (args, said) => {
    expectRefusal(await repository.conveyor(args), repository.path, said);
  });

  test.each<readonly [string[], string]>([
    [["items", "show", PLAN_PATH], "missing required argument"],
    [["verify", "--run-again"], "unknown option"],
  ])("%j", async (args, said) => {
    expectRefusal(await parse(args), repository.path, said);
  });

  test("no command at all prints the help and is wrong usage", async () => {
    const ended = await repository.conveyor([]);
    expect(ended.code).toBe(2);
    expect(ended.stderr).toContain("Usage: conveyor");
  });

  /** One of two items in a folder of its own, and then the rest by the folder's path. */
  const inTwo = once(async () => {
    const repository = new TestRepository({ rows: [{ step_id: "01" }, { step_id: "02", prerequisites: "01" }] });
    const folder = join(makeFolder(), "a run");
    const copy = join(makeFolder(), "checkpoint.json");
    const places = ["--output-dir", folder, "--checkpoint-path", copy];
    const first = await repository.run(["--item", "01", ...places, ...GATES_OPEN]);
    const checkpoints = [copy, join(folder, "orchestrator_checkpoint.json")].map((path) => readFileSync(path, "utf8"));
    return { repository, folder, first, checkpoints, second: await repository.resume([folder, ...GATES_OPEN]) };
  });

  test("--item: the chosen ones pass, the run seals with 75, and a resume does the rest", async () => {
    const { first, second } = await inTwo();
    expect({ code: first.code, handoff: first.outcome.handoff, run: first.outcome.terminal_state }).toEqual({
      code: 75,
      handoff: true,
      run: null,
    });
    expect(first.outcome.items).toMatchObject([{ terminal_state: "passed" }, { terminal_state: null, attempts: 0 }]);
    expect(second.code).toBe(0);
    expect(second.outcome.items).toMatchObject([
      { terminal_state: "passed", attempts: 1 },
      { terminal_state: "passed", attempts: 1 },
    ]);
  });

  test("--item takes one value, so that the plan may stand behind it; several are several options", async () => {
    const planned = async (...args: string[]) => repository.conveyor(["run", ...args, "--dry-run", "--format", "json"]);
    const idsOf = ({ stdout }: Ended) => (JSON.parse(stdout) as { items: { id: string }[] }).items.map(({ id }) => id);
    expect(idsOf(await planned("--item", "01", PLAN_PATH))).toEqual(["01"]);
    expect(idsOf(await planned("--item", "02", PLAN_PATH, "--item", "01"))).toEqual(["01", "02"]);
    const unclear = await planned(PLAN_PATH, "--item", "01", "02");
    expect({ code: unclear.code, said: unclear.stderr }).toEqual({
      code: 2,
      said: expect.stringContaining("too many arguments") as string,
    });
  });

  test("a value that begins with a dash is taken as written", async () => {
    const told = join(makeFolder(), "told");
    const script = `printf "%s|" "$@" "$LEVEL" > ${told}; ${SAYS_BLOCKED}`;
    const words = ["-x", "--help", "--", "-"].flatMap((word) => ["--executor-arg", word]);
    const own = new TestRepository();
    const args = ["--executor-arg", "name", ...words, "--executor-env", "LEVEL=--deep"];
    const ended = await own.run([...withExecutor(script), ...args]);
    expect(ended.outcome.blocked_reason_codes).toEqual(["ITEM_BLOCKED_EXTERNAL"]);
    expect(readFileSync(told, "utf8")).toBe("-x|--help|--|-|--deep|");
    expect(own.events().find((event) => event.type === "run_created")?.details["executor"]).toMatchObject({
      command: ["bash", "-c", script, "name", "-x", "--help", "--", "-"],
    });
  });

  test("--output-dir and --checkpoint-path: the run lies there and can be gone on with by its path", async () => {
    const { repository, folder, first, checkpoints, second } = await inTwo();
    expect(first.outcome.run_dir).toBe(folder);
    expect(checkpoints[0]).toBe(checkpoints[1]);
    expect({ code: second.code, id: second.outcome.run_id }).toEqual({ code: 0, id: first.outcome.run_id });
    expect(repository.runFolders()).toEqual([]);
    expect((await repository.conveyor(["verify", folder])).code).toBe(0);
  });
});

test("--dry-run shows plan, commands and bounds, and starts no process", async () => {
  const marker = join(makeFolder(), "started");
  const touch = (what: string): string => `[bash, -c, "echo ${what} >> ${marker}"]`;
  const repository = new TestRepository({
    rows: [{ step_id: "01", required_verification_commands: `echo verify >> ${marker}` }],
    executor: `echo executor >> ${marker}\n`,
    configLines: [`prepare: {commands: [${touch("prepare")}]}`, `validation: {commands: [${touch("validation")}]}`],
  });
  const text = await repository.conveyor(["run", PLAN_PATH, "--dry-run"]);
  expect(text.code).toBe(0);
  for (const said of [
    "no process was started",
    "bash tools/executor.sh",
    `must pass   echo verify >> ${marker}`,
    "at most   0 manager sessions, 12 executor sessions, 4 verification commands, 0 commands on the base, 24 auditor sessions",
  ]) {
    expect(text.stdout).toContain(said);
  }
  const json = await repository.conveyor(["run", PLAN_PATH, "--dry-run", "--format", "json"]);
  expect(json.stdout.trimEnd().split("\n")).toHaveLength(1);
  expect(JSON.parse(json.stdout)).toMatchObject({
    dry_run: true,
    executor: ["bash", "tools/executor.sh"],
    most_calls: { executor_sessions: 12, verification_commands: 4, auditor_sessions: 24 },
  });
  expect(existsSync(marker)).toBe(false);
  expect(existsSync(join(repository.path, ".conveyor"))).toBe(false);
  expect(repository.git("for-each-ref", "--format=%(refname)")).toBe("refs/heads/main");
});

describe("help and version", () => {
  const commands = [
    [],
    ["demo"],
    ["init"],
    ["pack"],
    ["plans"],
    ["plans", "lint"],
    ["items"],
    ["items", "list"],
    ["items", "show"],
    ["run"],
    ["resume"],
    ["status"],
    ["report"],
    ["verify"],
    ["doctor"],
    ["audit"],
    ["prune"],
    ["approvals"],
    ["approvals", "explain"],
    ["gate"],
    ["gate", "approve"],
    ["gate", "reject"],
    ["gate", "reopen"],
    ["refresh"],
  ];

  const repository = new TestRepository();
  const WHOLE = ["", "gate approve"];
  const helpOf = async (words: readonly string[]): Promise<Ended> =>
    WHOLE.includes(words.join(" "))
      ? repository.conveyor([...words, "--help"], { cwd: repository.base })
      : parse([...words, "--help"]);

  test.each(commands.map((words) => [words.join(" ") || "conveyor itself", words] as const))(
    "--help of %s has an example",
    async (_name, words) => {
      const ended = await helpOf(words);
      expect({ code: ended.code, stderr: ended.stderr }).toEqual({ code: 0, stderr: "" });
      expect(ended.stdout).toContain(`Usage: ${["conveyor", ...words].join(" ")}`);
      expect(ended.stdout).toMatch(/Example:\n {2}conveyor [a-z]/);
    },
  );

  test("every command that there is was looked at", async () => {
    const { stdout } = await parse(["--help"]);
    const listed = [...(stdout.split("Commands:")[1]?.split("Example:")[0] ?? "").matchAll(/^ {2}([a-z]+) /gm)];
    const names = new Set(listed.flatMap((match) => match[1] ?? []).filter((name) => name !== "help"));
    expect(names).toEqual(new Set(commands.flatMap((words) => words.slice(0, 1))));
  });

  test("--version is the package's", async () => {
    const manifest = JSON.parse(readFileSync(new URL("../../package.json", import.meta.url), "utf8")) as {
      version: string;
    };
    expect(await repository.conveyor(["--version"])).toMatchObject({
      code: 0,
      stdout: `${manifest.version}\n`,
      stderr: "",
    });
  });
});

describe("output", () => {
  const repository = new TestRepository();
  /** A run that waits at its gates: each test goes on with a copy. */
  const waiting = once(async () => {
    const waits = new TestRepository();
    const env = { TERM: "xterm-256color" };
    return { waits, ended: await waits.conveyor(["run", PLAN_PATH, "--format", "json"], { env }) };
  });

  test("--format json is exactly one line on stdout, progress is plain lines on stderr", async () => {
    const { waits, ended } = await waiting();
    const repository = new TestRepository({ copyOf: waits });
    expect(ended.stdout).toMatch(/^\{.*\}\n$/);
    expect(Object.keys(JSON.parse(ended.stdout) as object)).toEqual(
      expect.arrayContaining(
        "run_id run_dir plan_id terminal_state handoff exit_code blocked_reason_codes items branch head_sha report_path next_actions".split(
          " ",
        ),
      ),
    );
    expect(ended.stderr).toMatch(/^\d\d:\d\d:\d\d stage execution$/m);
    expect(ended.stderr).toContain("01: passed");
    expect(repository.git("status", "--porcelain", "--untracked-files=all")).toBe("");
    expect(ended.stderr).not.toMatch(ANSI);
    for (const command of ["resume", "status", "verify"]) {
      expect((await repository.conveyor([command, "--format", "json"])).stdout).toMatch(/^\{.*\}\n$/);
    }
    for (const words of [
      ["plans", "lint"],
      ["items", "list", PLAN_PATH],
      ["items", "show", PLAN_PATH, "01"],
      ["doctor"],
    ]) {
      const { stdout } = await repository.conveyor([...words, "--format", "json"]);
      expect(() => JSON.parse(stdout) as unknown).not.toThrow();
    }
  });

  test("text is the verdict first, what to do next, and no colours in a pipe", async () => {
    const repository = new TestRepository({ copyOf: (await waiting()).waits });
    const ended = await repository.conveyor(["resume", "--ci-status", "success"], { env: { NO_COLOR: "1" } });
    expect(ended.stdout).toMatch(
      /^blocked \(audited\): 1 of 1 items passed: GATE_POLICY_DENIED_OR_UNKNOWN, GATE_REVIEW_NOT_APPROVED\n/,
    );
    expect(ended.stdout).toContain("conveyor resume RUN_");
    expect(ended.stdout + ended.stderr).not.toMatch(ANSI);
  });

  test("--quiet: no progress, the outcome alone", async () => {
    const ended = await repository.conveyor(["run", PLAN_PATH, "--quiet", ...withExecutor(SAYS_BLOCKED)]);
    expect(ended.stderr).toBe("");
    expect(ended.stdout).toContain("blocked (not audited)");
  });

  test("on a terminal there are colours, and with NO_COLOR there are none", async () => {
    // `script` gives the program a terminal of its own.
    const onTerminal = async (env: Record<string, string>): Promise<string> => {
      const command = `"${process.execPath}" "${CLI}" resume RUN_20260325T120000Z_deadbeef`;
      const ended = await startProcess("script", ["-qec", command, "/dev/null"], {
        cwd: repository.path,
        env: repository.env({ TERM: "xterm-256color", SHELL: "/bin/sh", ...env }),
      }).ended;
      expect(ended.stdout).toContain("no such run");
      return ended.stdout;
    };
    expect(await onTerminal({})).toMatch(ANSI);
    expect(await onTerminal({ NO_COLOR: "1" })).not.toMatch(ANSI);
  });
});

describe("what a command waits for", () => {
  const NOTE_MODULES = join(ROOT, "__tests__", "support", "note-modules.mjs");

  test.each([
    ["the command line alone", ["--version"]],
    ["a command", ["plans", "lint", "none.md"]],
  ])("no module for HTTP is loaded by %s", async (_what, args) => {
    const { ended } = startProcess(process.execPath, ["--import", NOTE_MODULES, CLI, ...args], {
      cwd: makeFolder(),
      env: { PATH: process.env["PATH"] ?? "" },
    });
    expect((await ended).stderr).toContain("loaded: []");
  });
});
