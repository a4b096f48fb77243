import { execFileSync } from "node:child_process";
import {
  appendFileSync,
  chmodSync,
  existsSync,
  mkdirSync,
  readFileSync,
  readdirSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { basename, delimiter, join } from "node:path";
import { beforeAll, describe, expect, test } from "vitest";
import { z } from "zod";
import { checkpointSchema } from "../../src/domain/checkpoint.ts";
import { journalEventSchema } from "../../src/domain/journal.ts";
import { runReportSchema } from "../../src/domain/report.ts";
import {
  auditLanes,
  auditorScript,
  buildPlan,
  CLI,
  GATES_OPEN,
  makeFolder,
  once,
  onceFor,
  PLAN_PATH,
  startProcess,
  TestRepository,
  type Ended,
  type RepositoryInput,
} from "../support/conveyor.ts";
import { AGENT_CONFIG, AgentWorld, PRICE } from "../support/agent-world.ts";
import { PlanStory, REQUIRED_CHECK } from "../support/github/story.ts";
import { conveyorAt, WAIT_FOR_TEST, waitForFile } from "../support/worlds.ts";

const WORK = 'mkdir -p out && echo "$ORCH_ITEM_ID done" > "out/$ORCH_ITEM_ID.txt"\n';
const NO_FIXES = "limits: {fix-rounds: 0, remediation-rounds: 0}";

/** How much of these worlds was audited; nothing of the others. */
const AUDITED: Readonly<Record<string, string>> = {
  done: "audited",
  gates: "audited",
  resumed: "audited",
  validation: "audited",
  decided: "audited",
  handoff: "partly_audited",
  agents: "audited",
  budgets: "audited",
  github: "audited",
};

/** A run that ended, or was left running, in a state of its own. */
interface World {
  readonly repository: TestRepository;
  readonly runFolder: string;
  readonly ended: Ended | undefined;
}

async function makeWorld(
  input: RepositoryInput,
  args: readonly string[] = GATES_OPEN,
  env: Record<string, string> = {},
): Promise<World> {
  const repository = new TestRepository(input);
  const ended = await repository.run(args, { env });
  return { repository, runFolder: ended.outcome.run_dir, ended };
}

/** Starts a run whose executor waits, and gives it when the executor has begun. */
async function startWorld() {
  const repository = new TestRepository({ executor: WAIT_FOR_TEST + WORK });
  const signals = join(repository.base, "signals");
  mkdirSync(signals);
  const running = repository.start(["run", PLAN_PATH, "--executor-env", `SIGNALS=${signals}`, ...GATES_OPEN]);
  await waitForFile(join(signals, "begun-01"));
  return { repository, runFolder: repository.runFolder(), running, signals };
}

/** Answers that nobody expects the first time; then asks for a person, and says something of a finding nobody raised. */
const TRIAGE = `import { createHash } from "node:crypto";
import { existsSync, readFileSync, writeFileSync } from "node:fs";
const { ORCH_FINDINGS_PATH, ORCH_RESULT_PATH, ORCH_ITEM_ID, ORCH_ATTEMPT, ORCH_NONCE } = process.env;
const bytes = readFileSync(ORCH_FINDINGS_PATH);
const asked = [...JSON.parse(bytes).findings.map(({ id }) => [id, "requires_human_judgment"]), ["none", "false_positive"]];
const first = !existsSync(process.argv[2]);
writeFileSync(process.argv[2], "asked");
writeFileSync(ORCH_RESULT_PATH, first ? "all fine" : JSON.stringify({
  schema_version: "conveyor.triage_report.v1", item_id: ORCH_ITEM_ID, attempt: Number(ORCH_ATTEMPT), nonce: ORCH_NONCE,
  findings_sha256: createHash("sha256").update(bytes).digest("hex"), notes: "",
  dispositions: asked.map(([finding_id, disposition]) => ({ finding_id, disposition, reason: "a person knows" })),
}));
`;

/**
 * An item that asks for everything: evidence from outside; red/green, not proven by a first test that passes alone; a finding, about which triage
 * first says nothing and then asks for a person; a gate, which is approved with evidence.
 */
async function makeDecided(): Promise<World> {
  const row = {
    step_id: "01",
    requires_red_green: "yes",
    manual_gate: "signoff",
    required_verification_commands: "grep -qr done out",
  };
  const plan = buildPlan([{ ...row, external_check: "human_supplied_evidence_required" }])
    .replace(" manual_gate |", " manual_gate | manual_gate_evidence |")
    .replace(" signoff |", " signoff | the ticket |")
    .replace(/^\| ---/m, "| --- | ---");
  const triage = join(makeFolder(), "triage.mjs");
  writeFileSync(triage, TRIAGE);
  const repository = new TestRepository({
    executor: `${WORK}echo "$ORCH_ROUND" > out/round.txt; if test "$ORCH_ROUND" = 1; then echo done; else echo grep; fi > out/01.test.txt\n`,
    auditors: {
      careful: auditorScript({ findings: [{ severity: "high", is_blocking: true }] }),
      quick: auditorScript({ wrong: { limitations: ["did not run it"] } }),
    },
    files: { [PLAN_PATH]: plan },
    configLines: [
      "validation: {test-paths: ['**/*.test.txt'], commands: [[test, -s, out/01.txt]]}",
      `triage: {use: command, command: [node, '${triage}', '${triage}.asked']}`,
    ],
  });
  const supplied = makeFolder();
  const ticket = join(supplied, "ticket.txt");
  writeFileSync(ticket, "4711\n");
  await repository.run();
  await repository.resume(["--evidence-dir", supplied]);
  const words = ["--by", "Ada", "--note", "tried it", "--evidence", ticket];
  await repository.conveyor(["gate", "approve", basename(repository.runFolder()), "01", ...words]);
  const ended = await repository.resume(GATES_OPEN);
  return { repository, runFolder: ended.outcome.run_dir, ended };
}

/** Whose token publishes on the emulated GitHub. */
const WRITER = {
  id: 77,
  login: "conveyor[bot]",
  type: "Bot",
  email: "bot@noreply.invalid",
  permission: "write",
  roleName: "write",
} as const;

/** A run whose gates are shut. */
const makeGates = once(() => makeWorld({}, []));

/** The same run in a repository of its own, for whoever changes it. */
function copyWorld({ repository, ended }: World): World {
  const copy = new TestRepository({ copyOf: repository });
  return { repository: copy, runFolder: copy.runFolder(), ended };
}

/** One run for every way a run can stop. Made once; each test reads them. */
const MAKERS = {
  done: () => makeWorld({}),
  gates: makeGates,
  resumed: async () => {
    const world = copyWorld(await makeGates());
    rmSync(join(world.runFolder, "orchestrator_checkpoint.json"));
    await world.repository.resume(GATES_OPEN);
    return world;
  },
  scope: () => makeWorld({ executor: `${WORK}echo x > elsewhere\n`, configLines: [NO_FIXES] }),
  verification: () => makeWorld({ executor: "mkdir -p out; echo x > out/other\n", configLines: [NO_FIXES] }),
  tampered: () => makeWorld({ executor: `${WORK}git config user.name Somebody\n` }),
  survived: () => makeWorld({ executor: `${WORK}sleep 300 > /dev/null 2>&1 &\n` }),
  timeout: () =>
    makeWorld({ executor: "exec sleep 300\n", configLines: ["limits: {stall-minutes: 0.001}"] }, [
      ...GATES_OPEN,
      "--timeout-ms",
      "500",
    ]),
  handoff: () => makeWorld({ rows: [{ step_id: "01" }, { step_id: "02" }] }, [...GATES_OPEN, "--item", "01"]),
  denied: () => makeWorld({}, GATES_OPEN, { ORCH_APPROVED_MEDIUM: "" }),
  engine: () =>
    makeWorld({
      auditors: { careful: "exit 1\n", quick: auditorScript() },
      configLines: [auditLanes(["careful", "quick"], { retries: "0" })],
    }),
  decided: makeDecided,
  rollovers: () =>
    makeWorld({
      executor: `${WORK}echo '{"status": "handoff_required", "summary": "half"}' > "$ORCH_RESULT_PATH"; exit 75\n`,
      configLines: ["limits: {rollovers: 0}"],
    }),
  interrupted: async () => {
    const { repository, runFolder, running } = await startWorld();
    running.child.kill("SIGTERM");
    return { repository, runFolder, ended: await running.ended };
  },
  killed: async () => {
    const { repository, runFolder, running, signals } = await startWorld();
    running.child.kill("SIGKILL");
    const ended = await running.ended;
    writeFileSync(join(signals, "go-01"), "");
    return { repository, runFolder, ended };
  },
  validation: () => makeWorld({ configLines: ["validation: {commands: [[test, -e, nowhere]]}"] }),
  artifacts: () =>
    makeWorld(
      {
        config: [
          "version: 1",
          "executor:",
          "  {use: command, command: [bash, tools/executor.sh], env: [SHOP_TOKEN, API_KEY], expected-artifacts: [out/a.json, out/b.txt]}",
          auditLanes(),
          "",
        ].join("\n"),
        executor: `${WORK}echo "$SHOP_TOKEN"; echo '{' > out/a.json\n`,
      },
      GATES_OPEN,
      { SHOP_TOKEN: "shop-4711-hush-0815", API_KEY: "none" },
    ),
  unproven: () => makeWorld({ configLines: ["policy: {require-github-identity: true}"] }),
  agents: async () => {
    // An edit that is denied, a call that fails and is tried again, and an agent of which nobody knows the price.
    const config = AGENT_CONFIG.map((line) => line.replace(`, ${PRICE}`, "").replace("retries: 0", "retries: 1"));
    const world = new AgentWorld(config, {
      acts: { executor: ["recorded:claude-denied:0", "good"], "audit:two": ["recorded:claude-api-failed:1", "good"] },
    });
    const ended = await world.run();
    return { repository: world.repository, runFolder: ended.outcome.run_dir, ended };
  },
  budgets: async () => {
    const claude = "use: claude, model: claude-stub, budget-usd: 3, env: [ANTHROPIC_API_KEY]";
    const lanes = ["one", "two"].map((name) => `{name: ${name}, ${claude}}`);
    const world = new AgentWorld(["version: 1", `executor: {${claude}}`, `audits: {lanes: [${lanes.join(", ")}]}`]);
    const ended = await world.run();
    return { repository: world.repository, runFolder: ended.outcome.run_dir, ended };
  },
  github: async () => {
    // Approved by who wrote it, which this policy allows and every verdict tells.
    const policy = [REQUIRED_CHECK, "approvals: {medium: {count: 1, self: true}}"];
    const story = await PlanStory.propose({
      rows: [{ step_id: "01", manual_gate: "approval" }],
      writer: WRITER,
      policy,
    });
    story.github.review(story.proposal, story.author);
    story.accept();
    const args = ["--gates", "github", "--deliver", "pull-request"];
    const ended = await story.repository.run(args, { env: story.env({ GITHUB_TOKEN: `token-${WRITER.login}` }) });
    return { repository: story.repository, runFolder: ended.outcome.run_dir, ended };
  },
} satisfies Record<string, () => Promise<World>>;

const worlds = {} as Record<keyof typeof MAKERS, World>;

beforeAll(async () => {
  const names = Object.keys(MAKERS) as (keyof typeof MAKERS)[];
  const make = async (): Promise<void> => {
    for (let name = names.shift(); name !== undefined; name = names.shift()) worlds[name] = await MAKERS[name]();
  };
  await Promise.all([make(), make(), make()]);
}, 180_000);

/** What verify says of a world that nobody has changed. */
const verifyWorld = onceFor((name) =>
  worlds[name as keyof typeof worlds].repository.conveyor(["verify", "--format", "json"]),
);

describe("status", () => {
  test.each([
    ["done", 0, /done \(audited\): 1 of 1 items passed/],
    ["resumed", 0, /done \(audited\)/],
    ["gates", 3, /blocked \(audited\).*GATE_CI_NOT_SUCCESS/],
    ["scope", 1, /failed \(not audited\).*SCOPE_VIOLATION/],
    ["validation", 1, /failed \(audited\).*VERIFICATION_FAILED/],
    ["timeout", 124, /timeout \(not audited\).*PROCESS_TIMEOUT/],
    ["handoff", 3, /handoff \(1 of 2 items audited\)/],
    ["rollovers", 3, /blocked \(not audited\).*ROLLOVER_LIMIT/],
    ["denied", 3, /blocked \(not audited\).*RISK_MEDIUM_NOT_APPROVED/],
    ["engine", 1, /failed \(not audited\).*AUDIT_ENGINE_FAILED/],
    ["decided", 0, /done \(audited\): 1 of 1 items passed/],
    ["interrupted", 3, /interrupted \(not audited\)/],
    ["killed", 3, /not stopped \(not audited\): 0 of 1 items passed, stage execution/],
  ] as const)("of a run that is %s gives exit code %i", async (name, code, verdict) => {
    const { repository, runFolder } = worlds[name];
    const text = await repository.conveyor(["status", "--exit-code"]);
    expect(text.code).toBe(code);
    expect(text.stdout).toMatch(verdict);
    expect(text.stdout).toContain(runFolder);
    const json = await repository.conveyor(["status", runFolder, "--format", "json"]);
    expect(json.code).toBe(0);
    const facts = JSON.parse(json.stdout) as {
      verdict: string;
      held_by: string | null;
      run_dir: string;
      next_actions: unknown[];
    };
    expect(facts).toMatchObject({ run_dir: runFolder, held_by: null, plan_id: "test-plan" });
    expect(facts.verdict).toMatch(verdict);
    expect(facts.next_actions).toHaveLength(code === 0 ? 0 : 1);
  });

  test("of a run that is running says who holds it and gives 0; a resume gives 73", async () => {
    const { repository, runFolder, running, signals } = await startWorld();
    const status = await repository.conveyor(["status", "--exit-code", "--format", "json"]);
    expect(status.code).toBe(0);
    expect(JSON.parse(status.stdout)).toMatchObject({
      held_by: expect.stringContaining(`process ${running.child.pid}`) as string,
      terminal_state: null,
      current_stage: "execution",
      next_actions: [],
    });
    expect((await repository.conveyor(["status"])).stdout).toContain(`held    by process ${running.child.pid}`);
    expect((await repository.conveyor(["doctor", runFolder])).stdout).toContain(
      `is held by process ${running.child.pid}`,
    );
    const resumed = await repository.conveyor(["resume", "--executor-env", `SIGNALS=${signals}`]);
    expect([resumed.code, resumed.stderr]).toEqual([73, expect.stringContaining(`process ${running.child.pid}`)]);
    writeFileSync(join(signals, "go-01"), "");
    expect((await running.ended).code).toBe(0);
  });

  test("without a run, or of an unknown one, is a usage error", async () => {
    const repository = new TestRepository();
    for (const command of ["status", "report", "verify", "resume"]) {
      const none = await repository.conveyor([command]);
      expect([command, none.code, none.stdout]).toEqual([command, 2, ""]);
      expect(none.stderr).toContain("there is no run here yet");
      const unknown = await repository.conveyor([command, "RUN_20260101T000000Z_00000000"]);
      expect([command, unknown.code]).toEqual([command, 2]);
      expect(unknown.stderr).toContain("no such run");
    }
  });
});

/** Keys that only a run in tier 3 fills; __tests__/system/sandbox-tiers.test.ts sees to it that it does. */
const OF_TIER_3 = /^\.(sandbox\.facts\.(bubblewrap|root|trial)|stage_executions\[\]\.network)/;

describe("what is on disk", () => {
  const reports = (): z.infer<typeof runReportSchema>[] =>
    Object.values(worlds)
      .map(({ runFolder }) => join(runFolder, "orchestrator_run_report.json"))
      .filter((file) => existsSync(file))
      .map((file) => runReportSchema.parse(JSON.parse(readFileSync(file, "utf8"))));

  test("every report, checkpoint and journal line is what its schema says", () => {
    expect(reports()).toHaveLength(Object.keys(MAKERS).length - 1);
    for (const { runFolder } of Object.values(worlds)) {
      checkpointSchema.parse(JSON.parse(readFileSync(join(runFolder, "orchestrator_checkpoint.json"), "utf8")));
      const lines = readFileSync(join(runFolder, "run-events.jsonl"), "utf8").trimEnd().split("\n");
      for (const line of lines) journalEventSchema.parse(JSON.parse(line));
    }
  });

  test("every key of the report says something in some run", () => {
    const said = new Set(reports().flatMap((report) => spokenKeys(report)));
    const keys = schemaKeys(z.toJSONSchema(runReportSchema));
    expect(keys).toEqual(expect.arrayContaining([".stage_executions[].malformed_artifacts[]", ".versions.*"]));
    expect(keys.filter((key) => !said.has(key) && !OF_TIER_3.test(key))).toEqual([]);
  });

  test("every run agrees with its journal, also one that was killed", async () => {
    for (const name of Object.keys(worlds)) {
      const verified = await verifyWorld(name);
      expect([name, verified.code, verified.stdout]).toEqual([name, 0, expect.stringContaining('"agrees":true')]);
      const { audit } = JSON.parse(verified.stdout) as { audit: string };
      expect([name, audit]).toEqual([name, AUDITED[name] ?? "not_audited"]);
    }
  }, 180_000);
});

describe("verify --format json", () => {
  test("counts what it looked at, and names what differs", async () => {
    const { repository, runFolder, ended } = copyWorld(worlds.done);
    const good = await verifyWorld("done");
    expect(ended?.code).toBe(0);
    const answer = JSON.parse(good.stdout) as { checked: Record<string, number> };
    expect(answer).toMatchObject({ agrees: true, audit: "audited", mismatches: [] });
    for (const count of Object.values(answer.checked)) expect(count).toBeGreaterThan(0);
    appendFileSync(join(runFolder, "report.md"), "more");
    const bad = await repository.conveyor(["verify", "--format", "json"]);
    expect(bad.code).toBe(1);
    const { agrees, mismatches } = JSON.parse(bad.stdout) as { agrees: boolean; mismatches: { where: string }[] };
    expect([agrees, ...new Set(mismatches.map(({ where }) => where))]).toEqual([false, "report.md"]);
  });
});

describe("report", () => {
  test("renders again what was written when the run stopped", async () => {
    const { repository, runFolder } = worlds.gates;
    const json = await repository.conveyor(["report"]);
    const written = JSON.parse(readFileSync(join(runFolder, "orchestrator_run_report.json"), "utf8")) as Record<
      string,
      unknown
    >;
    // One event later: the one that names the report itself.
    expect(runReportSchema.parse(JSON.parse(json.stdout))).toMatchObject({
      verdict: written["verdict"],
      items: written["items"],
    });
    const markdown = await repository.conveyor(["report", "--markdown"]);
    expect(markdown.stdout.split("\n")[0]).toMatch(/^# blocked \(audited\): 1 of 1 items passed/);
    expect(markdown.stdout).toContain("--policy-status allow --ci-status success --review-status approved");
    expect(readFileSync(join(runFolder, "report.md"), "utf8").split("\n")[0]).toBe(markdown.stdout.split("\n")[0]);
  });

  test("wakes nothing that a plan or a program has written", async () => {
    const active =
      "a \\| b `x` ``y`` <img src=x onerror=1> @octocat ![x](https://evil.example/y) [l](javascript:1) www.evil.example #1 GH-2 **bold** ~~s~~ &lt; fixes #3";
    const { repository } = await makeWorld({
      rows: [
        {
          step_id: "01",
          action: active,
          required_verification_commands: "`test -n '<b> @octocat #4 ![z](https://evil.example)' -a -e nowhere`",
        },
      ],
      executor: `${WORK}echo x > 'out/@octocat <img> #5 | https:'\n`,
      configLines: [NO_FIXES],
    });
    const { stdout } = await repository.conveyor(["report", "--markdown"]);
    expect(stdout).toContain("octocat");
    const prose = stdout
      .replaceAll("<!-- -->", "\u0000")
      .replaceAll(/\\[!-/:-@[-`{-~]/g, "\u0001")
      .split("\n")
      .filter((line) => !/^\| (---|what {2,}|base|head|branch|plan digest|policy digest|journal head)/.test(line))
      .map((line) => line.replaceAll(/`[^`]*`/g, ""));
    const text = prose.join("\n");
    expect(text).not.toMatch(/[<>[\]!&~]/);
    expect(text).not.toMatch(/@\w/);
    expect(text).not.toMatch(/#\d|\u0001\d|GH-\d/);
    expect(text).not.toMatch(/:\/\/|www\./);
    const rows = prose.filter((line) => line.startsWith("|"));
    const tables = rows.map((line) => line.split("|").length);
    expect(rows.find((line) => line.includes("octocat"))?.split("|")).toHaveLength(8);
    expect(new Set(tables)).toEqual(new Set([8, 9, 4, 5]));
  });
});

describe("plans lint", () => {
  const bad = buildPlan([{ step_id: "01" }, { step_id: "02", prerequisites: "03", requires_red_green: "maybe" }]);

  test("prints every problem with its place, for files, folders and the active plans", async () => {
    const repository = new TestRepository({
      files: { "docs/exec-plans/active/sub/bad.md": bad, "elsewhere/good.md": buildPlan([{ step_id: "01" }]) },
    });
    const all = await repository.conveyor(["plans", "lint"]);
    expect(all.code).toBe(2);
    const lines = all.stdout.trimEnd().split("\n");
    expect(lines.length).toBeGreaterThan(1);
    for (const line of lines) expect(line).toMatch(/^docs\/exec-plans\/active\/sub\/bad\.md:\d+:\d+ PLAN_[A-Z_]+ .+/);
    expect(all.stderr).toContain(`2 plans, ${lines.length} errors`);
    const json = JSON.parse((await repository.conveyor(["plans", "lint", "--format", "json"])).stdout) as {
      files: number;
      errors: number;
      problems: unknown[];
    };
    expect(json).toMatchObject({ files: 2, errors: lines.length });
    expect(json.problems[0]).toMatchObject({ path: "docs/exec-plans/active/sub/bad.md", severity: "error", line: 8 });
    const good = await repository.conveyor(["plans", "lint", "elsewhere", PLAN_PATH]);
    expect([good.code, good.stdout]).toEqual([0, ""]);
    expect(good.stderr).toContain("2 plans, 0 errors");
    expect(
      (
        await repository.conveyor(["plans", "lint", "../active"], {
          cwd: join(repository.path, "docs/exec-plans/active"),
        })
      ).code,
    ).toBe(2);
    expect((await repository.conveyor(["plans", "lint", "nowhere.md"])).code).toBe(2);
  });

  test("prints the problems of the configuration too", async () => {
    const repository = new TestRepository({ config: "version: 1\nlimits: {fix-rouns: 1}\n" });
    const linted = await repository.conveyor(["plans", "lint"]);
    expect(linted.code).toBe(2);
    expect(linted.stdout).toMatch(/^\.github\/conveyor\.yml:2:\d+ CONFIG_UNKNOWN_KEY /);
  });

  test("outside a repository checks what needs none", async () => {
    const repository = new TestRepository();
    const folder = join(repository.base, "outside");
    mkdirSync(folder);
    writeFileSync(join(folder, "bad.md"), bad);
    writeFileSync(join(folder, "good.md"), buildPlan([{ step_id: "01" }]));
    expect((await repository.conveyor(["plans", "lint", "good.md"], { cwd: folder })).code).toBe(0);
    expect((await repository.conveyor(["plans", "lint", "."], { cwd: folder })).code).toBe(2);
    const unnamed = await repository.conveyor(["plans", "lint"], { cwd: folder });
    expect([unnamed.code, unnamed.stdout]).toEqual([2, ""]);
    expect(unnamed.stderr).toContain("name the plans");
  });
});

describe("items", () => {
  const rows = [{ step_id: "02", prerequisites: "01", action: "Second \\| `thing`" }, { step_id: "01" }];

  test("list gives them in the order of work, show gives one with all its fields", async () => {
    const repository = new TestRepository({ rows });
    const list = await repository.conveyor(["items", "list", PLAN_PATH]);
    expect(list.code).toBe(0);
    expect(list.stdout.split("\n").map((line) => line.split(" ")[0])).toEqual(["ITEM", "01", "02", ""]);
    const json = JSON.parse((await repository.conveyor(["items", "list", PLAN_PATH, "--format", "json"])).stdout) as {
      item_id: string;
    }[];
    expect(json.map((item) => item.item_id)).toEqual(["01", "02"]);
    const show = await repository.conveyor(["items", "show", PLAN_PATH, "02"]);
    expect(show.stdout).toMatch(/^item 02\n {2}phase +build\n {2}action +Second \| `thing`\n/);
    const one = JSON.parse(
      (await repository.conveyor(["items", "show", PLAN_PATH, "02", "--format", "json"])).stdout,
    ) as unknown;
    expect(one).toEqual(json[1]);
    expect(existsSync(join(repository.path, ".conveyor"))).toBe(false);
  });

  test("an unknown item, a missing plan and a wrong plan are usage errors", async () => {
    const repository = new TestRepository({ rows, files: { "bad.md": "# Nothing\n" } });
    const unknown = await repository.conveyor(["items", "show", PLAN_PATH, "99"]);
    expect([unknown.code, unknown.stdout]).toEqual([2, ""]);
    expect(unknown.stderr).toContain("it has 02, 01");
    expect((await repository.conveyor(["items", "list", "nowhere.md"])).code).toBe(2);
    const wrong = await repository.conveyor(["items", "list", "bad.md"]);
    expect([wrong.code, wrong.stdout]).toEqual([2, ""]);
    expect(wrong.stderr).toMatch(/^bad\.md:\d+:\d+ PLAN_/);
  });
});

describe("doctor", () => {
  const examine = async (
    repository: TestRepository,
    args: readonly string[] = [],
    env: Record<string, string> = {},
    cwd = repository.path,
  ) => {
    const ended = await repository.conveyor(["doctor", ...args, "--format", "json"], { env, cwd });
    const answer = JSON.parse(ended.stdout) as {
      healthy: boolean;
      findings: { area: string; level: string; code: string | null; message: string }[];
    };
    expect(ended.code).toBe(answer.healthy ? 0 : 1);
    // Whether a sandbox can be had is the machine's affair, and the system suites'.
    const isOfSandbox = ({ area, message }: { area: string; message: string }): boolean =>
      area === "environment" && message.startsWith("sandbox tier");
    return { ...answer, bad: answer.findings.filter((each) => each.level !== "ok" && !isOfSandbox(each)) };
  };

  test("finds nothing wrong where a run would start", async () => {
    const repository = new TestRepository();
    const { healthy, bad, findings } = await examine(repository, ["--plan", PLAN_PATH]);
    expect([healthy, bad]).toEqual([true, []]);
    expect(findings.map((finding) => finding.area)).toEqual(expect.arrayContaining(["environment", "plan"]));
    expect((await repository.conveyor(["doctor"])).stdout).toMatch(/^ok {6}environment: Node /);
    expect(existsSync(join(repository.path, ".conveyor"))).toBe(false);
  });

  test("warns of uncommitted changes and of settings of agents, in the home folder and in the checkout", async () => {
    const repository = new TestRepository({ files: { ".mcp.json": "{}", ".claude/settings.json": "{}" } });
    const home = join(repository.base, "home");
    mkdirSync(join(home, ".codex"), { recursive: true });
    writeFileSync(join(home, ".codex/config.toml"), "");
    appendFileSync(join(repository.path, "README.md"), "more\n");
    const { healthy, bad } = await examine(repository, [], { HOME: home });
    expect(healthy).toBe(true);
    expect(bad.map(({ level, code }) => [level, code])).toEqual([
      ["warning", "AMBIENT_AGENT_CONFIG"],
      ["warning", "AMBIENT_AGENT_CONFIG"],
      ["warning", "AMBIENT_AGENT_CONFIG"],
      ["warning", "DIRTY_CHECKOUT"],
    ]);
    expect(bad.map(({ message }) => message).join("\n")).toContain(join(home, ".codex/config.toml"));
  });

  test("names what is wrong with configuration and plan", async () => {
    const wrongConfig = new TestRepository({ config: "version: 2\n" });
    expect((await examine(wrongConfig)).bad.map(({ area, code }) => [area, code])).toEqual([
      ["configuration", "CONFIG_INVALID"],
    ]);
    const wrongPlan = new TestRepository({ rows: [{ step_id: "01", prerequisites: "02" }] });
    expect((await examine(wrongPlan)).bad).toEqual([]);
    const examined = await examine(wrongPlan, ["--plan", PLAN_PATH]);
    expect(examined.bad.map(({ area, code }) => [area, code])).toEqual([["plan", "PLAN_INVALID"]]);
    expect(examined.bad[0]?.message).toContain(`${PLAN_PATH}:7:`);
    const noExecutor = new TestRepository({ config: null });
    expect((await examine(noExecutor, ["--plan", PLAN_PATH])).bad.map(({ code }) => code)).toEqual([
      "EXECUTOR_NOT_CONFIGURED",
      "CONFIG_INVALID",
    ]);
    const outside = makeFolder();
    expect((await examine(wrongPlan, [], {}, outside)).bad.map(({ area, level }) => [area, level])).toEqual([
      ["repository", "error"],
    ]);
  });

  test("looks at the latest run, or the one that is named: sealed, killed, tampered, unreadable", async () => {
    const { repository: sealed, runFolder: sealedFolder } = worlds.gates;
    expect((await examine(sealed)).findings.at(-1)).toMatchObject({
      area: "run",
      level: "ok",
      message: expect.stringContaining("is sealed") as string,
    });
    expect((await examine(sealed, [sealedFolder])).bad).toEqual([]);
    expect((await examine(worlds.killed.repository)).bad).toContainEqual(
      expect.objectContaining({
        area: "run",
        level: "warning",
        message: expect.stringContaining("was cut short") as string,
      }),
    );
    const { repository, runFolder } = copyWorld(worlds.done);
    appendFileSync(join(runFolder, "plan.md"), "more");
    const tampered = await examine(repository);
    expect(tampered.bad.map(({ code, message }) => [code, message.split(":")[0]])).toContainEqual([
      "ARTIFACT_TAMPERED",
      "plan.md",
    ]);
    const journal = join(runFolder, "run-events.jsonl");
    writeFileSync(journal, readFileSync(journal, "utf8").replace('"test-plan"', '"best-plan"'));
    expect((await examine(repository)).bad.map(({ area, level, code }) => [area, level, code])).toEqual([
      ["run", "error", "JOURNAL_CORRUPT"],
    ]);
    expect((await repository.conveyor(["doctor", "RUN_20260101T000000Z_00000000"])).code).toBe(2);
  });

  test("says that git is too old, that git is missing, that bash is missing", async () => {
    const repository = new TestRepository();
    const real = findProgram("git");
    const folder = (name: string, programs: Record<string, string>): string => {
      const path = join(repository.base, name);
      mkdirSync(path);
      for (const [program, content] of Object.entries(programs)) {
        if (content.startsWith("/")) symlinkSync(content, join(path, program));
        else {
          writeFileSync(join(path, program), content);
          chmodSync(join(path, program), 0o755);
        }
      }
      return path;
    };
    const fake = `#!${findProgram("bash")}\nfor word in "$@"; do if test "$word" = version; then echo "git version 2.30.1"; exit 0; fi; done\nexec '${real}' "$@"\n`;
    const old = await examine(repository, [], {
      PATH: folder("old", { git: fake }) + delimiter + (process.env["PATH"] ?? ""),
    });
    expect(old.bad).toEqual([
      expect.objectContaining({ level: "error", message: expect.stringContaining("git 2.30.1 is too old") as string }),
    ]);
    const noBash = await examine(repository, [], { PATH: folder("no-bash", { git: real }) });
    expect(noBash.bad).toEqual([
      expect.objectContaining({ level: "error", message: expect.stringContaining("bash is missing") as string }),
    ]);
    const path = folder("no-git", { bash: findProgram("bash") });
    const noGit = await examine(repository, [], { PATH: path });
    expect(noGit.bad.map(({ area, level }) => [area, level])).toEqual([
      ["environment", "error"],
      ["repository", "error"],
    ]);
    const run = await repository.run([], { env: { PATH: path } });
    expect([run.code, run.stderr]).toEqual([2, expect.stringContaining("expected git on PATH, found none")]);
  });
});

describe("demo", () => {
  test("ends well in less than 30 seconds and leaves nothing", async () => {
    const repository = new TestRepository();
    const temporary = join(repository.base, "tmp");
    mkdirSync(temporary);
    const since = performance.now();
    const ended = await repository.conveyor(["demo"], { cwd: makeFolder(), env: { TMPDIR: temporary } });
    expect(performance.now() - since).toBeLessThan(30_000);
    expect(ended.code, ended.stderr).toBe(0);
    expect(ended.stdout).toMatch(/done \(audited\): 2 of 2 items passed/);
    expect(ended.stdout).toContain("agrees with its journal");
    expect(ended.stderr).toContain(
      "01: audits: careful findings, blocks (greet does not say what it does); quick pass",
    );
    expect(ended.stderr).toContain("01: executor, fix, round 2");
    expect(ended.stderr).toContain("02: waits for a person: signoff");
    expect(readdirSync(temporary)).toEqual([]);
    expect(filesBelow(repository.cache)).toEqual([]);
  });

  test("keeps its repository in a new folder, which can be looked into as it says", async () => {
    const repository = new TestRepository();
    const folder = join(repository.base, "kept demo");
    const ended = await repository.conveyor(["demo", "--keep", "kept demo"], { cwd: repository.base });
    expect(ended.code, ended.stderr).toBe(0);
    expect((await repository.conveyor(["verify"], { cwd: folder })).code).toBe(0);
    expect(execFileSync("git", ["status", "--porcelain"], { cwd: folder, encoding: "utf8" })).toBe("");
    const commands = ended.stderr.slice(ended.stderr.indexOf("Look around:")).split("\n").slice(1, 3).join("\n");
    expect(execFileSync("bash", ["-c", commands], { cwd: "/", encoding: "utf8", env: repository.env() })).toContain(
      "src/greet.js",
    );
    const again = await repository.conveyor(["demo", "--keep", folder]);
    expect([again.code, again.stdout]).toEqual([2, ""]);
    expect(again.stderr).toContain("expected a new or empty folder");
    expect((await repository.conveyor(["verify"], { cwd: folder })).code).toBe(0);
  });
});

describe("the entry under an older Node", () => {
  const expectOneLine = (ended: Ended, version: string): void => {
    expect([ended.code, ended.stdout]).toEqual([2, ""]);
    expect(ended.stderr).toBe(
      `conveyor needs Node 24 or newer, this is ${version}: run it with  npx -y node@24 dist/cli.js\n`,
    );
  };

  test("says in one line what is missing", async () => {
    const fake =
      'data:text/javascript,Object.defineProperty(process, "versions", { value: { ...process.versions, node: "18.20.4" } });';
    expectOneLine(
      await startProcess(process.execPath, ["--import", fake, CLI, "demo"], { cwd: "/", env: {} }).ended,
      "18.20.4",
    );
    // A real one says the same, on a machine that has it; the faked one stands for it elsewhere.
    const older = findOlderNode();
    if (older === undefined) return;
    expectOneLine(await startProcess(older.path, [CLI, "demo"], { cwd: "/", env: {} }).ended, older.version);
  });
});

describe("options of run", () => {
  test("a second copy of the checkpoint, a run folder and a configuration of one's own choice", async () => {
    const repository = new TestRepository({ config: null });
    const config = join(repository.base, "my config.yml");
    writeFileSync(
      config,
      `version: 1\nexecutor: {use: command, command: [bash, tools/executor.sh]}\n${auditLanes()}\n`,
    );
    const folder = join(repository.base, "runs/first");
    const copy = join(repository.base, "copies/checkpoint.json");
    const args = ["run", PLAN_PATH, "--config", config, "--output-dir", folder, "--checkpoint-path", copy];
    const first = await conveyorAt(repository, repository.path, args);
    expect(first.code, first.stderr).toBe(3);
    expect(first.outcome.run_dir).toBe(folder);
    // A run outside its usual place is not found by its id.
    expect(first.outcome.next_actions[0]?.command).toContain(
      `conveyor resume '${folder}'`.replaceAll("'", /[^\w./-]/.test(folder) ? "'" : ""),
    );
    const checkpoint = (): string => readFileSync(join(folder, "orchestrator_checkpoint.json"), "utf8");
    expect(readFileSync(copy, "utf8")).toBe(checkpoint());
    const resumed = await conveyorAt(repository, repository.path, [
      "resume",
      folder,
      "--checkpoint-path",
      copy,
      ...GATES_OPEN,
    ]);
    expect(resumed.code, resumed.stderr).toBe(0);
    expect(readFileSync(copy, "utf8")).toBe(checkpoint());
    const report = runReportSchema.parse(
      JSON.parse(readFileSync(join(folder, "orchestrator_run_report.json"), "utf8")),
    );
    expect(report.digests.config_authority).toBe("local");
    expect(report.options["config"]).toEqual({ value: config, source: "command_line" });
    expect(report.options["executor"]?.source).toBe("configuration");
    expect((await repository.conveyor(["verify", folder])).code).toBe(0);
    const occupied = await conveyorAt(repository, repository.path, args);
    expect([occupied.code, occupied.stdout]).toEqual([2, ""]);
    expect(occupied.stderr).toContain("expected a new or empty folder");
  });

  test("a configuration that is not there is a usage error, and an option's value may begin with a dash", async () => {
    const repository = new TestRepository({ config: `version: 1\n${auditLanes()}\n` });
    const missing = await repository.run(["--config", "nowhere.yml"]);
    expect([missing.code, missing.stdout]).toEqual([2, ""]);
    expect(missing.stderr).toContain("--config: cannot read nowhere.yml");
    const ran = await repository.run([
      "--executor-bin",
      "bash",
      "--executor-arg",
      "-eu",
      "--executor-arg",
      "tools/executor.sh",
      ...GATES_OPEN,
    ]);
    expect(ran.code, ran.stderr).toBe(0);
  });
});

/** Keys of a JSON Schema, with `[]` for the elements of a list and `*` for the values of a record. */
function schemaKeys(root: object): string[] {
  const definitions = (root as { $defs?: Record<string, unknown> }).$defs ?? {};
  const walk = (schema: unknown, at: string): string[] => {
    const { $ref, properties, items, additionalProperties, anyOf } = schema as Record<string, unknown>;
    if (typeof $ref === "string") return walk(definitions[$ref.replace("#/$defs/", "")], at);
    const below = [
      ...Object.entries(properties ?? {}).map(([name, child]) => [`${at}.${name}`, child] as const),
      ...(items === undefined ? [] : [[`${at}[]`, items] as const]),
      ...(typeof additionalProperties === "object" ? [[`${at}.*`, additionalProperties] as const] : []),
    ];
    const choices = Array.isArray(anyOf) ? anyOf.flatMap((choice) => walk(choice, at)) : [];
    return [...below.flatMap(([path, child]) => [path, ...walk(child, path)]), ...choices];
  };
  return [...new Set(walk(root, ""))];
}

/** Keys under which a report says something: not null, empty, zero or false. */
function spokenKeys(value: unknown, at = ""): string[] {
  if (value === null || value === "" || value === 0 || value === false) return [];
  if (Array.isArray(value))
    return value.length === 0 ? [] : [at, ...value.flatMap((element) => spokenKeys(element, `${at}[]`))];
  if (typeof value !== "object") return [at];
  const isRecord = at === ".options" || at === ".versions";
  const children = Object.entries(value).flatMap(([name, child]) =>
    spokenKeys(child, `${at}.${isRecord ? "*" : name}`),
  );
  return children.length === 0 ? [] : [at, ...children];
}

function findProgram(name: string): string {
  const found = (process.env["PATH"] ?? "").split(delimiter).map((folder) => join(folder, name));
  return found.find((path) => existsSync(path)) ?? expect.fail(`${name} is not on PATH`);
}

/** A Node of the machine, not of this package, that is older than 24. */
function findOlderNode(): { path: string; version: string } | undefined {
  const folders = [...(process.env["PATH"] ?? "").split(delimiter), "/usr/local/bin", "/usr/bin"];
  return [...new Set(folders)]
    .filter((folder) => folder.startsWith("/") && !folder.includes("node_modules"))
    .map((folder) => join(folder, "node"))
    .filter((path) => existsSync(path))
    .map((path) => ({
      path,
      version: execFileSync(path, ["-p", "process.versions.node"], { encoding: "utf8" }).trim(),
    }))
    .find(({ version }) => Number(version.split(".")[0]) < 24);
}

function filesBelow(folder: string): string[] {
  if (!existsSync(folder)) return [];
  return readdirSync(folder, { recursive: true, withFileTypes: true }).flatMap((entry) =>
    entry.isDirectory() ? [] : [entry.name],
  );
}
