import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { isAlive } from "../effects/bench.ts";
import {
  auditLanes,
  buildPlan,
  makeFolder,
  once,
  onceFor,
  PLAN_PATH,
  TestRepository,
  withExecutor,
  type Row,
} from "../support/conveyor.ts";

const WORK = "mkdir -p out && echo done > out/01.txt";
const GATES_SHUT = ["GATE_POLICY_DENIED_OR_UNKNOWN", "GATE_CI_NOT_SUCCESS", "GATE_REVIEW_NOT_APPROVED"];

/** Path of a file outside every checkout that a test makes to let a program go on. */
function marker(): string {
  return join(makeFolder("conveyor-marker-"), "marker");
}

/** A root of `.` is a high risk: a run of such a plan is approved, so that what is refused is refused nevertheless. */
const APPROVED = { env: { ORCH_APPROVED_HIGH: "1" } };

describe("scope: a void attempt, nothing verified, escalated when the rounds are used", () => {
  // Item 01 may write everywhere, item 02 below `out` alone: what is refused for 01 is refused whatever the roots say.
  const build = (fixRounds: number, rest: Partial<Row> = {}): TestRepository =>
    new TestRepository({
      rows: [
        { step_id: "01", allowed_write_roots: ".", ...rest },
        { step_id: "02", allowed_write_roots: "out", ...rest },
      ],
      configLines: [
        `limits: {fix-rounds: ${fixRounds}, remediation-rounds: 0, sessions-per-item: 30, diff-lines: 50, diff-files: 5, diff-bytes: 5000}`,
        "policy: {protected-paths: ['deploy/**']}",
      ],
      files: { "out/old.txt": "old\n", "lib/old.txt": "old\n" },
    });
  const write = (path: string): string => `mkdir -p "$(dirname '${path}')" && echo change >> '${path}'`;
  const PROTECTED = ["PROTECTED_PATH_CHANGED"];
  const UNSAFE = ["PATH_UNSAFE"];

  const refused: readonly (readonly [name: string, item: string, script: string, codes: readonly string[]])[] = [
    ["a file outside the roots", "02", write("other.txt"), ["SCOPE_VIOLATION"]],
    ["a change outside the roots", "02", write("README.md"), ["SCOPE_VIOLATION"]],
    ["a deletion outside the roots", "02", "rm lib/old.txt", ["SCOPE_VIOLATION"]],
    ["a move out of the roots", "02", "mv out/old.txt old.txt", ["SCOPE_VIOLATION"]],
    ["a sibling whose name begins like the root", "02", write("outside/a.txt"), ["SCOPE_VIOLATION"]],
    ["the root itself as a file in another case", "02", write("OUT/a.txt"), ["SCOPE_VIOLATION", "PATH_UNSAFE"]],
    ["the configuration", "01", write(".github/conveyor.yml"), PROTECTED],
    ["a workflow", "01", write(".github/workflows/ci.yml"), PROTECTED],
    ["a workflow in another case", "01", write(".GitHub/Workflows/ci.yml"), ["PROTECTED_PATH_CHANGED", "PATH_UNSAFE"]],
    ["the plan file", "01", write(PLAN_PATH), PROTECTED],
    ["the plan file deleted", "01", `rm ${PLAN_PATH}`, PROTECTED],
    ["the folder of plans", "01", write("docs/exec-plans/active/next.md"), PROTECTED],
    ["the folder of blueprints", "01", write("docs/future/idea.md"), PROTECTED],
    ["code owners in any folder and case", "01", write("docs/codeowners"), PROTECTED],
    ["the action", "01", write("action.yml"), PROTECTED],
    ["git attributes in a folder", "01", write("lib/.gitattributes"), PROTECTED],
    ["git modules", "01", write(".gitmodules"), PROTECTED],
    ["npm configuration in a folder", "01", write("lib/.npmrc"), PROTECTED],
    ["hooks", "01", write(".husky/pre-commit"), PROTECTED],
    ["instructions of agents", "01", write("lib/agents.override.md"), PROTECTED],
    ["settings of agents", "01", write(".Claude/settings.json"), PROTECTED],
    ["servers of agents", "01", write(".mcp.json"), PROTECTED],
    ["a path that configuration protects, in another case", "01", write("Deploy/prod/main.tf"), PROTECTED],
    ["a protected path outside the roots", "02", write(".github/a.yml"), ["PROTECTED_PATH_CHANGED", "SCOPE_VIOLATION"]],
    ["a symlink that climbs out", "02", "mkdir -p out && ln -s ../../secret out/link", UNSAFE],
    ["an absolute symlink", "02", "mkdir -p out && ln -s /etc/passwd out/link", UNSAFE],
    ["a symlink into git's folder", "02", "mkdir -p out && ln -s ../.git out/link", UNSAFE],
    [".git in another case", "02", write("out/.GIT/config"), UNSAFE],
    [".git with a trailing dot", "02", write("out/.git./config"), UNSAFE],
    [".git as a short name", "02", write("out/git~1/config"), UNSAFE],
    [
      "a nested repository",
      "02",
      "git init -q out/inner && git -C out/inner -c user.name=a -c user.email=a@b commit -q --allow-empty -m a",
      UNSAFE,
    ],
    ["a name with a line feed", "02", "mkdir -p out && echo a > $'out/a\\nb'", UNSAFE],
    ["twins that differ in case alone", "02", `${write("out/a.txt")} && ${write("out/A.txt")}`, UNSAFE],
    ["more lines than limits.diff-lines", "02", "mkdir -p out && seq 60 > out/many.txt", ["DIFF_LIMIT_EXCEEDED"]],
    ["more files than limits.diff-files", "02", "mkdir -p out && touch out/{1..7}.txt", ["DIFF_LIMIT_EXCEEDED"]],
    [
      "more bytes than limits.diff-bytes",
      "02",
      "mkdir -p out && head -c 6000 /dev/zero > out/big.bin",
      ["DIFF_LIMIT_EXCEEDED"],
    ],
  ];

  type Refused = (typeof refused)[number];
  const isAlike = ([, item, , codes]: Refused, [, otherItem, , otherCodes]: Refused): boolean =>
    item === otherItem && codes.join() === otherCodes.join();

  // Rows that end alike are rounds of one run: each begins in a fresh worktree, since the one before it is void. What is
  // let through by mistake fails its required command, so that the rows after it still have rounds of their own.
  const runOf = onceFor(async (key: string) => {
    const rows = refused.filter((row) => key === keyOf(row));
    const item = rows[0]?.[1] ?? "";
    const rounds = rows.map(([, , script], index) => `${index + 1}) ${script} ;;\n`);
    const executor = `mkdir -p out && echo done > out/${item}.txt\ncase "$ORCH_ROUND" in\n${rounds.join("")}esac`;
    const repository = build(rows.length - 1, { required_verification_commands: "false" });
    const ended = await repository.run(["--item", item, ...withExecutor(executor)], APPROVED);
    return { repository, rows, ended };
  });
  const keyOf = (row: Refused): string => String(refused.findIndex((other) => isAlike(row, other)));

  test.each(refused)(
    "refuses %s",
    async (name, item, script, codes) => {
      const { repository, rows, ended } = await runOf(keyOf([name, item, script, codes]));
      const round = rows.findIndex(([other]) => other === name) + 1;
      expect(ended.outcome.blocked_reason_codes).toEqual(["ITEM_ESCALATED", "FIX_BUDGET_EXHAUSTED", ...codes]);
      expect({ exit: ended.code, run: ended.outcome.terminal_state }).toEqual({ exit: 1, run: "failed" });
      const reported = repository.report().items.find((each) => each.item_id === item);
      expect(reported).toMatchObject({ terminal_state: "escalated", commit: null });
      const attempt = reported?.attempts.find(({ candidates }) => candidates.some((each) => each.round === round));
      const candidate = attempt?.candidates.find((each) => each.round === round);
      expect({ ended: attempt?.ended, verification: candidate?.verification }).toEqual({
        ended: "void",
        verification: "not_judged",
      });
      expect([...new Set(candidate?.violations.map(({ code }) => code))]).toEqual(codes);
      const verified = repository.events().filter((event) => event.type === "verification_started");
      expect(verified.map(({ details }) => details["round"])).not.toContain(round);
      expect(repository.git("branch", "--list", "conveyor/*")).toBe("");
    },
    180_000,
  );

  test("lets through what stays inside: a symlink within the tree, a quoted and a non-ASCII name, a deletion", async () => {
    const script = `mkdir -p out/sub && echo done > out/02.txt && ln -s ../02.txt out/sub/link && echo a > 'out/it'"'"'s "ä".txt' && rm out/old.txt`;
    const ended = await build(0).run(["--item", "02", ...withExecutor(script)], APPROVED);
    expect(ended.outcome.items.find((item) => item.id === "02")?.terminal_state).toBe("passed");
    expect(ended.code).toBe(75);
  });
});

test("plan and configuration are protected wherever they lie and however they were named", async () => {
  const repository = new TestRepository({
    rows: [{ step_id: "01", allowed_write_roots: "." }],
    config: null,
    files: {
      "mine/Plan.md": buildPlan([{ step_id: "01", allowed_write_roots: "." }]),
      "mine/conveyor.yml": `version: 1\nlimits: {fix-rounds: 1, remediation-rounds: 0}\n${auditLanes()}\n`,
    },
  });
  const script = `if [ "$ORCH_ROUND" = 1 ]; then echo >> mine/Plan.md; else echo >> mine/conveyor.yml; fi`;
  const options = ["--config", "../mine/conveyor.yml", "--format", "json", ...withExecutor(`${WORK}; ${script}`)];
  const ended = await repository.conveyor(["run", "../mine/Plan.md", ...options], {
    cwd: join(repository.path, "tools"),
    ...APPROVED,
  });
  expect(JSON.parse(ended.stdout)).toMatchObject({
    blocked_reason_codes: ["ITEM_ESCALATED", "FIX_BUDGET_EXHAUSTED", "PROTECTED_PATH_CHANGED"],
  });
  expect(repository.report().items[0]?.attempts.map(({ candidates }) => candidates[0]?.violations)).toMatchObject([
    [{ code: "PROTECTED_PATH_CHANGED", path: "mine/Plan.md" }],
    [{ code: "PROTECTED_PATH_CHANGED", path: "mine/conveyor.yml" }],
  ]);
});

test("a void attempt counts as a round: the next is told why, in a fresh worktree, and can pass", async () => {
  const repository = new TestRepository({ configLines: ["limits: {fix-rounds: 1}"] });
  const script = [
    'if [ "$ORCH_STAGE" = execute ]; then echo change > outside.txt; mkdir out; echo leftover > out/leftover.txt; exit 0; fi',
    `test ! -e outside.txt && test ! -e out/leftover.txt && ${WORK}`,
    'cp "$ORCH_FINDINGS_PATH" out/findings.json && cp "$ORCH_PROMPT_PATH" out/prompt.md',
    'echo "$ORCH_STAGE attempt $ORCH_ATTEMPT session $ORCH_SESSION round $ORCH_ROUND" > out/told.txt',
  ].join("\n");
  const { outcome } = await repository.run(withExecutor(script));
  expect(outcome.items).toMatchObject([{ terminal_state: "passed", attempts: 2 }]);
  expect(repository.report().items[0]?.attempts.map((attempt) => attempt.ended)).toEqual(["void", "kept"]);
  const show = (path: string): string => repository.git("show", `${outcome.branch}:${path}`);
  expect(show("out/told.txt")).toBe("fix attempt 2 session 1 round 2");
  expect(JSON.parse(show("out/findings.json"))).toEqual([
    { source: "scope", round: 1, text: 'SCOPE_VIOLATION "outside.txt": outside the write roots out' },
  ]);
  expect(show("out/prompt.md")).toContain('SCOPE_VIOLATION "outside.txt"');
});

describe("git metadata changed by a session: void, no retry", () => {
  const repository = new TestRepository();
  const as = "git -c user.name=a -c user.email=a@b";
  const tampering: readonly (readonly [name: string, script: string, kind: string])[] = [
    ["a commit", `${as} commit -q --allow-empty -m mine`, "head"],
    ["a checkout of another commit", `git checkout -q --detach "$(${as} commit-tree -m a 'HEAD^{tree}')"`, "head"],
    ["a tag", "git tag mine", "refs"],
    ["a ref of its own", "git update-ref refs/heads/mine HEAD", "refs"],
    [
      "the run branch",
      `git update-ref "$(git for-each-ref --format='%(refname)' refs/heads/conveyor)" "$(${as} commit-tree -m a 'HEAD^{tree}')"`,
      "refs",
    ],
    [
      "the run branch deleted",
      `git update-ref -d "$(git for-each-ref --format='%(refname)' refs/heads/conveyor)"`,
      "refs",
    ],
    ["configuration", "git config core.hooksPath /tmp", "config"],
    [
      "a hook",
      'mkdir -p "$(git rev-parse --git-common-dir)/hooks" && echo true > "$(git rev-parse --git-common-dir)/hooks/pre-commit"',
      "hooks",
    ],
    [
      "attributes of the repository",
      'echo "* filter=x" >> "$(git rev-parse --git-common-dir)/info/attributes"',
      "info",
    ],
    ["alternates", 'echo /tmp >> "$(git rev-parse --git-common-dir)/objects/info/alternates"', "alternates"],
    ["an index flag", "git update-index --skip-worktree README.md", "index-flags"],
    ["the worktree's pointer", "rm .git && git init -q .", "worktree-pointer"],
  ];

  const runOf = onceFor(async (script: string) => {
    const ended = await repository.run(withExecutor(`${WORK}; ${script}`));
    return { ended, events: repository.events() };
  });

  test.each(tampering)("%s", async (_name, script, kind) => {
    const { ended, events } = await runOf(script);
    expect(ended.outcome.blocked_reason_codes).toEqual(["ITEM_ESCALATED", "GIT_TAMPERED"]);
    expect(ended.code).toBe(1);
    expect(ended.outcome.items).toMatchObject([
      { terminal_state: "escalated", attempts: 1, reason_codes: ["GIT_TAMPERED"] },
    ]);
    expect(events.filter((event) => event.type === "session_started")).toHaveLength(1);
    expect(events.map((event) => event.type)).not.toContain("candidate_built");
    const found = events.find((event) => event.type === "session_finished")?.details["tamper"];
    expect(found).toContainEqual(expect.objectContaining({ kind }));
    expect(repository.git("branch", "--list", "conveyor/*", "mine")).toBe("");
  });

  test("is final for its run: neither a resume nor a new attempt builds on that repository", async () => {
    const { outcome } = (await runOf("git tag mine")).ended;
    const journal = join(outcome.run_dir, "run-events.jsonl");
    const before = readFileSync(journal);
    for (const args of [[], ["--new-attempt", "01"]]) {
      const ended = await repository.conveyor(["resume", outcome.run_id, ...args]);
      expect(ended.code).toBe(1);
      expect(ended.stderr).toContain(`conveyor run "$(git rev-parse --show-toplevel)"/${PLAN_PATH}`);
    }
    expect(readFileSync(journal)).toEqual(before);
  });

  test("looking around and staging is not tampering", async () => {
    const ended = await new TestRepository().run(
      withExecutor(`${WORK}; git status && git diff && git log --oneline && git add --all`),
    );
    expect(ended.outcome.items[0]?.terminal_state).toBe("passed");
  });
});

test("a process that outlives its session is ended: void, no retry, and a person may ask for a new attempt", async () => {
  const repository = new TestRepository();
  const file = join(makeFolder(), "pid");
  const script = `${WORK}; setsid bash -c 'echo $$ > "${file}.part"; mv "${file}.part" "${file}"; exec sleep 300' > /dev/null 2>&1 &
    while [ ! -e "${file}" ]; do sleep 0.01; done`;
  try {
    const ended = await repository.run(withExecutor(`if [ "$ORCH_ATTEMPT" = 1 ]; then ${script}\nelse ${WORK}; fi`));
    expect(ended.code).toBe(1);
    expect(ended.outcome.blocked_reason_codes).toEqual(["ITEM_ESCALATED", "PROCESS_SURVIVED"]);
    const events = repository.events();
    expect(events.filter((event) => event.type === "session_started")).toHaveLength(1);
    expect(events.map((event) => event.type)).not.toContain("candidate_built");
    expect(isAlive(Number(readFileSync(file, "utf8")))).toBe(false);
    const resumed = await repository.resume(["--new-attempt", "01"]);
    expect(resumed.outcome.items).toMatchObject([{ terminal_state: "passed", attempts: 2 }]);
  } finally {
    const pid = existsSync(file) ? Number(readFileSync(file, "utf8")) : 0;
    if (pid > 1 && isAlive(pid)) process.kill(pid, "SIGKILL");
  }
});

describe("no change", () => {
  const repository = new TestRepository();

  test("one more session, then escalated", async () => {
    const ended = await repository.run(withExecutor("true"));
    expect(ended.code).toBe(1);
    expect(ended.outcome.blocked_reason_codes).toEqual(["ITEM_ESCALATED", "NO_CHANGE_PRODUCED"]);
    expect(repository.report().items[0]?.attempts).toMatchObject([
      { ended: "kept", sessions: [{ outcome: "finished" }, { outcome: "finished" }] },
    ]);
  });

  test("the second session is told and can pass", async () => {
    const ended = await repository.run(
      withExecutor(`if [ "$ORCH_SESSION" = 2 ]; then ${WORK}; cp "$ORCH_FINDINGS_PATH" out/findings.json; fi`),
    );
    expect(ended.outcome.items).toMatchObject([{ terminal_state: "passed", attempts: 1 }]);
    expect(repository.git("show", `${ended.outcome.branch}:out/findings.json`)).toContain("no_change");
  });
});

describe("a required command fails", () => {
  test("a fix round in the same worktree gets the finding, and passes", async () => {
    const repository = new TestRepository({
      rows: [{ step_id: "01", required_verification_commands: "grep -q good out/01.txt; test -s out/01.txt" }],
    });
    const script = [
      'mkdir -p out; echo "$ORCH_STAGE attempt $ORCH_ATTEMPT session $ORCH_SESSION round $ORCH_ROUND ${ORCH_FINDINGS_PATH:+told}" >> out/told.txt',
      'if [ "$ORCH_STAGE" = fix ]; then echo good > out/01.txt; cp "$ORCH_FINDINGS_PATH" out/findings.json; else echo bad > out/01.txt; fi',
    ].join("\n");
    const { outcome } = await repository.run(withExecutor(script));
    expect(outcome.items).toMatchObject([{ terminal_state: "passed", attempts: 1 }]);
    const show = (path: string): string => repository.git("show", `${outcome.branch}:${path}`);
    expect(show("out/told.txt").split("\n")).toEqual([
      "execute attempt 1 session 1 round 1 ",
      "fix attempt 1 session 2 round 2 told",
    ]);
    expect(JSON.parse(show("out/findings.json"))).toEqual([
      { source: "verification", round: 1, text: "required command failed: grep -q good out/01.txt: exit code 1" },
    ]);
    expect(repository.report().items[0]?.attempts[0]?.candidates.map((candidate) => candidate.verification)).toEqual([
      "failed",
      "passed",
    ]);
    expect((await repository.conveyor(["verify"])).code).toBe(0);
  });

  test("for ever: escalated when fix and remediation rounds are used, and later items do not start", async () => {
    const repository = new TestRepository({
      rows: [{ step_id: "01", required_verification_commands: "false" }, { step_id: "02" }],
      configLines: ["limits: {fix-rounds: 1}"],
    });
    const ended = await repository.run(withExecutor('mkdir -p out; echo "$ORCH_ROUND" > out/01.txt'));
    expect(ended.code).toBe(1);
    expect(ended.outcome.terminal_state).toBe("failed");
    expect(ended.outcome.blocked_reason_codes).toEqual([
      "ITEM_ESCALATED",
      "FIX_BUDGET_EXHAUSTED",
      "VERIFICATION_FAILED",
    ]);
    expect(ended.outcome.items).toMatchObject([
      {
        id: "01",
        terminal_state: "escalated",
        attempts: 1,
        reason_codes: ["FIX_BUDGET_EXHAUSTED", "VERIFICATION_FAILED"],
      },
      { id: "02", terminal_state: null, attempts: 0 },
    ]);
    expect(repository.report().items[0]?.attempts[0]?.sessions).toMatchObject([
      { kind: "execute", round: 1 },
      { kind: "fix", round: 2 },
      { kind: "remediation", round: 3 },
    ]);
    expect(ended.outcome.next_actions).toMatchObject([
      { command: `conveyor resume ${ended.outcome.run_id} --new-attempt 01` },
    ]);
  });

  test("over its time limit: the run is resumable, and the same candidate is verified again without a session", async () => {
    const go = marker();
    const repository = new TestRepository({
      rows: [{ step_id: "01", required_verification_commands: `test -e ${go} \\|\\| exec sleep 60` }],
    });
    const first = await repository.run(["--timeout-ms", "800"]);
    expect({ exit: first.code, run: first.outcome.terminal_state }).toEqual({ exit: 124, run: "timeout" });
    expect(first.outcome.blocked_reason_codes).toEqual(["PROCESS_TIMEOUT"]);
    expect(first.outcome.items).toMatchObject([{ terminal_state: null, attempts: 1 }]);
    writeFileSync(go, "");
    const second = await repository.resume();
    expect(second.outcome.items).toMatchObject([{ terminal_state: "passed", attempts: 1 }]);
    const events = repository.events().map((event) => event.type);
    expect(events.filter((type) => type === "session_started")).toHaveLength(1);
    expect(events.filter((type) => type === "verification_started")).toHaveLength(2);
  });

  test("a suggested command that fails is run and reported, and blocks nothing", async () => {
    const repository = new TestRepository({ rows: [{ step_id: "01", suggested_verification_commands: "exit 7" }] });
    const ended = await repository.run();
    expect(ended.outcome.blocked_reason_codes).toEqual(GATES_SHUT);
    expect(repository.report().stage_executions).toContainEqual(
      expect.objectContaining({ purpose: "suggested_command", status: "failed", exit_code: 7 }),
    );
  });
});

describe("a required artifact", () => {
  const bad: readonly (readonly [status: string, script: string])[] = [
    ["missing", "echo a > out/other.txt"],
    ["empty", ": > out/report.json"],
    ["malformed", "echo '{' > out/report.json"],
    ["missing", "ln -s nowhere.json out/report.json"],
  ];
  const build = (fixRounds: number): TestRepository =>
    new TestRepository({
      rows: [{ step_id: "01", required_verification_commands: "", required_verification_artifacts: "out/report.json" }],
      configLines: [`limits: {fix-rounds: ${fixRounds}, remediation-rounds: 0}`],
    });
  // Each row is a round of one run, which begins with an empty folder.
  const failing = once(async () => {
    const repository = build(bad.length - 1);
    const rounds = bad.map(([, script], index) => `${index + 1}) ${script} ;;\n`);
    const executor = `rm -rf out; mkdir out\ncase "$ORCH_ROUND" in\n${rounds.join("")}esac`;
    return { repository, ended: await repository.run(withExecutor(executor)) };
  });

  test.each(bad)("that is %s fails the item: %s", async (status, script) => {
    const { repository, ended } = await failing();
    expect(ended.code).toBe(1);
    expect(ended.outcome.blocked_reason_codes).toEqual([
      "ITEM_ESCALATED",
      "FIX_BUDGET_EXHAUSTED",
      "VERIFICATION_FAILED",
    ]);
    const round = bad.findIndex(([, other]) => other === script) + 1;
    const candidates = repository.report().items[0]?.attempts[0]?.candidates ?? [];
    expect(candidates.find((candidate) => candidate.round === round)?.failures).toEqual([
      `required artifact ${status}: out/report.json`,
    ]);
  });

  test("that is there with content passes it", async () => {
    const ended = await build(0).run(withExecutor("mkdir -p out; echo '{}' > out/report.json"));
    expect(ended.outcome.items[0]?.terminal_state).toBe("passed");
  });
});

test("an executor that is blocked: its candidate is set aside and nothing is verified", async () => {
  const repository = new TestRepository();
  const ended = await repository.run(
    withExecutor(`${WORK}; echo '{"status": "blocked", "reason": "needs a key"}' > "$ORCH_RESULT_PATH"`),
  );
  expect({ exit: ended.code, run: ended.outcome.terminal_state }).toEqual({ exit: 3, run: "blocked" });
  expect(ended.outcome.items).toMatchObject([
    { terminal_state: "blocked_external", reason_codes: ["ITEM_BLOCKED_EXTERNAL"] },
  ]);
  expect(repository.events().map((event) => event.type)).not.toContain("candidate_built");
});

describe("limits of an item stop the run blocked, with no item state", () => {
  test("limits.sessions-per-item; a new attempt counts anew", async () => {
    const repository = new TestRepository({
      rows: [{ step_id: "01", required_verification_commands: "grep -q good out/01.txt" }],
      configLines: ["limits: {sessions-per-item: 1}"],
    });
    const script =
      'mkdir -p out; if [ "$ORCH_ATTEMPT" = 2 ]; then echo good > out/01.txt; else echo bad > out/01.txt; fi';
    const ended = await repository.run(withExecutor(script));
    expect({ exit: ended.code, run: ended.outcome.terminal_state }).toEqual({ exit: 3, run: "blocked" });
    expect(ended.outcome.blocked_reason_codes).toEqual(["SESSION_LIMIT"]);
    expect(ended.outcome.items).toMatchObject([{ terminal_state: null, attempts: 1 }]);
    const again = await repository.resume();
    expect(again.code).toBe(3);
    expect(again.outcome.blocked_reason_codes).toEqual(["SESSION_LIMIT"]);
    expect(repository.events().filter((event) => event.type === "session_started")).toHaveLength(1);
    expect(again.outcome.next_actions).toMatchObject([
      { command: `conveyor resume ${ended.outcome.run_id} --new-attempt 01` },
    ]);
    const anew = await repository.resume(["--new-attempt", "01"]);
    expect(anew.outcome.items).toMatchObject([{ terminal_state: "passed", attempts: 2 }]);
  });

  test("two handoffs in a row with the same tree", async () => {
    const repository = new TestRepository();
    const first = await repository.run(withExecutor(`${WORK}; exit 75`));
    expect({ exit: first.code, run: first.outcome.terminal_state }).toEqual({ exit: 3, run: "blocked" });
    expect(first.outcome.blocked_reason_codes).toEqual(["NO_PROGRESS"]);
    const second = await repository.resume();
    expect(second.outcome.blocked_reason_codes).toEqual(["NO_PROGRESS"]);
    expect(repository.events().filter((event) => event.type === "session_started")).toHaveLength(2);
  });
});

describe("prepare", () => {
  const prepare = (script: string): string[] => [`prepare: {commands: [[bash, -c, ${JSON.stringify(script)}]]}`];

  test("failing on the base fails the run before any attempt; a resume tries it again", async () => {
    const go = marker();
    const repository = new TestRepository({ configLines: prepare(`test -e ${go}`) });
    const first = await repository.run();
    expect({ exit: first.code, run: first.outcome.terminal_state }).toEqual({ exit: 1, run: "failed" });
    expect(first.outcome.blocked_reason_codes).toEqual(["PREPARE_FAILED"]);
    expect(first.outcome.items).toMatchObject([{ terminal_state: null, attempts: 0 }]);
    writeFileSync(go, "");
    const second = await repository.resume();
    expect(second.outcome.blocked_reason_codes).toEqual(GATES_SHUT);
    expect((await repository.conveyor(["verify"])).stdout).toContain("agrees");
  });

  test("that changes a tracked file is a failure that names it", async () => {
    const repository = new TestRepository({ configLines: prepare("echo more >> README.md") });
    const ended = await repository.run();
    expect(ended.code).toBe(1);
    expect(ended.outcome.blocked_reason_codes).toEqual(["PREPARE_FAILED"]);
    expect(repository.report().failure).toContain("README.md");
  });

  test("over its time limit is a timeout", async () => {
    const ended = await new TestRepository({ configLines: prepare("exec sleep 60") }).run(["--timeout-ms", "300"]);
    expect({ exit: ended.code, run: ended.outcome.terminal_state }).toEqual({ exit: 124, run: "timeout" });
    expect(ended.outcome.blocked_reason_codes).toEqual(["PROCESS_TIMEOUT"]);
  });

  const mended = [
    ["fails", "prepare failed: exit code 1"],
    ["changes a tracked file", "prepare changed the tracked file README.md"],
  ] as const;
  // Each row is a round of one run, which a last one mends.
  const mending = once(async () => {
    const script = "if grep -qs worse out/01.txt; then echo more >> README.md; fi; ! grep -qs bad out/01.txt";
    const repository = new TestRepository({ configLines: prepare(script) });
    const words = 'case "$ORCH_ROUND" in 1) echo bad ;; 2) echo worse ;; *) echo good ;; esac';
    return { repository, ended: await repository.run(withExecutor(`mkdir -p out; ${words} > out/01.txt`)) };
  });

  test.each(mended)("of a candidate that %s is a finding, and a fix round mends it", async (name, finding) => {
    const { repository, ended } = await mending();
    expect(ended.outcome.items).toMatchObject([{ terminal_state: "passed", attempts: 1 }]);
    const failures = repository.report().items[0]?.attempts[0]?.candidates.map((candidate) => candidate.failures);
    expect(failures).toHaveLength(mended.length + 1);
    expect(failures?.[mended.findIndex(([other]) => other === name)]).toEqual([
      expect.stringContaining(finding) as string,
    ]);
    expect(failures?.at(-1)).toEqual([]);
  });
});

describe("a validation command", () => {
  const go = marker();
  const repository = new TestRepository({
    configLines: [`validation: {commands: [[bash, -c, "test -e ${go} || exit 5"]]}`],
  });

  test("that fails fails the run though every item passed; a resume does that stage again and no other", async () => {
    const first = await repository.run();
    expect({ exit: first.code, run: first.outcome.terminal_state }).toEqual({ exit: 1, run: "failed" });
    expect(first.outcome.blocked_reason_codes).toEqual(["VERIFICATION_FAILED"]);
    expect(first.outcome.items).toMatchObject([{ terminal_state: "passed" }]);
    expect(repository.report().gate_decisions).toEqual([]);
    expect(repository.git("branch", "--list", "conveyor/*")).toBe("");
    expect((await repository.resume()).code).toBe(1);
    writeFileSync(go, "");
    const third = await repository.resume();
    expect(third.outcome.blocked_reason_codes).toEqual(GATES_SHUT);
    const events = repository.events().map((event) => event.type);
    expect(events.filter((type) => type === "session_started")).toHaveLength(1);
    expect(events.filter((type) => type === "validation_started")).toHaveLength(3);
    expect((await repository.conveyor(["verify"])).code).toBe(0);
  });

  test("over its time limit is a timeout, and a resume does it again", async () => {
    const slow = marker();
    const other = new TestRepository({
      configLines: [`validation: {commands: [[bash, -c, "test -e ${slow} || exec sleep 60"]]}`],
    });
    const first = await other.run(["--timeout-ms", "800"]);
    expect({ exit: first.code, codes: first.outcome.blocked_reason_codes }).toEqual({
      exit: 124,
      codes: ["PROCESS_TIMEOUT"],
    });
    writeFileSync(slow, "");
    expect((await other.resume()).outcome.blocked_reason_codes).toEqual(GATES_SHUT);
  });
});
