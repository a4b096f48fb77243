import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { boundCalls } from "../../src/domain/call-bound.ts";
import { buildCommitMessage } from "../../src/domain/commit-message.ts";
import { defaultConfig, type Config } from "../../src/domain/config.ts";
import { judgeEnvironment, type EnvironmentFacts } from "../../src/domain/doctor.ts";
import { buildFindings } from "../../src/domain/findings.ts";
import { newItem, type AttemptState, type CandidateState } from "../../src/domain/item.ts";
import type { ProcessEnding } from "../../src/domain/process-report.ts";
import { REASON_CODE_NAMES, REASON_CODES } from "../../src/domain/reason-codes.ts";
import { assertNever, err, ok } from "../../src/domain/result.ts";
import { buildSkippedExecution, buildStageExecution } from "../../src/domain/stage-execution.ts";
import { describeEnding, hasSucceeded, judgeValidation, judgeVerification } from "../../src/domain/verification.ts";
import { stageExecutionSchema } from "../../src/domain/journal.ts";
import { PACKET_SHA, buildPlan, EXIT_0, EXIT_1 } from "./run-fixtures.ts";

const ENDINGS: readonly (readonly [ProcessEnding, words: string, status: string, verdict: string])[] = [
  [EXIT_0, "exit code 0", "success", "passed"],
  [{ kind: "exited", exit_code: 3 }, "exit code 3", "failed", "failed"],
  [{ kind: "exited", exit_code: 75 }, "exit code 75", "failed", "failed"],
  [{ kind: "signalled", signal: "SIGSEGV" }, "ended by SIGSEGV", "failed", "failed"],
  [{ kind: "timed_out", timeout_ms: 50 }, "over its limit of 50 ms", "timeout", "timeout"],
  [{ kind: "spawn_failed", message: "ENOENT" }, "could not be started: ENOENT", "spawn_failed", "failed"],
  [{ kind: "output_limit", output_bytes_max: 9 }, "more than 9 bytes of output", "failed", "failed"],
  [{ kind: "process_limit", processes_max: 9 }, "more than 9 processes", "failed", "failed"],
  [{ kind: "cancelled" }, "cancelled", "failed", "cancelled"],
];

describe("a verification", () => {
  const facts = (input: Partial<Parameters<typeof judgeVerification>[0]> = {}) => ({
    prepare_ending: null,
    prepare_tracked_changes: [],
    commands: [],
    artifacts: [],
    ...input,
  });
  const command = (ending: ProcessEnding, required = true) => ({ command: "npm test", required, ending });

  it.each(ENDINGS)("with a required command that ended %j", (ending, words, _status, verdict) => {
    const judged = judgeVerification(facts({ commands: [command(EXIT_0), command(ending)] }));
    expect(judged).toEqual(
      verdict === "failed"
        ? { kind: "failed", failures: [`required command failed: npm test: ${words}`] }
        : { kind: verdict },
    );
    expect(judgeValidation({ prepare_ending: null, commands: [{ command: "npm test", ending }], tamper: [] })).toEqual(
      judged,
    );
  });

  it.each(ENDINGS)("with a suggested command that ended %j passes", (ending) => {
    expect(judgeVerification(facts({ commands: [command(ending, false)] }))).toEqual({ kind: "passed" });
  });

  it.each(ENDINGS.slice(1))("with a preparation that ended %j", (ending, words, _status, verdict) => {
    const judged = judgeVerification(facts({ prepare_ending: ending }));
    expect(judged).toEqual(
      verdict === "failed" ? { kind: "failed", failures: [`prepare failed: ${words}`] } : { kind: verdict },
    );
  });

  it("tells every failure, in the order of the work", () => {
    expect(
      judgeVerification(
        facts({
          prepare_tracked_changes: ["package.json"],
          commands: [command(EXIT_1), command(EXIT_1, false)],
          artifacts: [
            { path: "a", status: "present" },
            { path: "b", status: "missing" },
            { path: "c", status: "empty" },
            { path: "d.json", status: "malformed" },
          ],
        }),
      ),
    ).toEqual({
      kind: "failed",
      failures: [
        "prepare changed the tracked file package.json",
        "required command failed: npm test: exit code 1",
        "required artifact missing: b",
        "required artifact empty: c",
        "required artifact malformed: d.json",
      ],
    });
  });

  it("that was cut short is not judged, and a signal outranks the clock", () => {
    const late: ProcessEnding = { kind: "timed_out", timeout_ms: 1 };
    expect(judgeVerification(facts({ commands: [command(EXIT_1), command(late)] }))).toEqual({ kind: "timeout" });
    expect(judgeVerification(facts({ commands: [command(late), command({ kind: "cancelled" })] }))).toEqual({
      kind: "cancelled",
    });
    expect(judgeValidation({ prepare_ending: EXIT_1, commands: [], tamper: [] }).kind).toBe("failed");
  });

  it("of a plan that changed git metadata fails, also when it was cut short", () => {
    const commands = [{ command: "npm test", ending: { kind: "cancelled" as const } }];
    expect(judgeValidation({ prepare_ending: null, commands, tamper: [{ detail: "HEAD changed" }] })).toEqual({
      kind: "failed",
      failures: ["git metadata was changed: HEAD changed"],
    });
  });
});

describe("the record of a program", () => {
  const build = (ending: ProcessEnding, artifacts: { missing?: string[]; malformed?: string[] } = {}) =>
    buildStageExecution({
      stage: "execution",
      purpose: "executor",
      itemId: "01",
      step: "item:01 attempt:1 session:1",
      command: ["node", "a.mjs", "--x"],
      env: { Z: "secret", A: "secret" },
      report: { ending, startedAt: "2026-03-25T12:00:00.000Z", durationMs: 12.6, network: [] },
      ...(artifacts.missing === undefined ? {} : { missingArtifacts: artifacts.missing }),
      ...(artifacts.malformed === undefined ? {} : { malformedArtifacts: artifacts.malformed }),
    });

  it.each(ENDINGS)("that ended %j", (ending, words, status) => {
    expect([hasSucceeded(ending), describeEnding(ending)]).toEqual([status === "success", words]);
    expect(build(ending)).toMatchObject({
      status,
      error: status === "success" ? null : words,
      exit_code: ending.kind === "exited" ? ending.exit_code : null,
    });
    // How it ended says more than what it then did not leave.
    expect(build(ending, { missing: ["x"] }).status).toBe(status === "success" ? "artifact_missing" : status);
  });

  it("has everything but the values of its variables", () => {
    const record = build(EXIT_0);
    expect(record).toEqual({
      stage: "execution",
      idempotency_key: "stage:Execution item:01 attempt:1 session:1",
      item_id: "01",
      purpose: "executor",
      command: "node",
      args: ["a.mjs", "--x"],
      env_keys: ["A", "Z"],
      started_at: "2026-03-25T12:00:00.000Z",
      duration_ms: 13,
      exit_code: 0,
      status: "success",
      error: null,
      missing_artifacts: [],
      malformed_artifacts: [],
      agent: null,
      network: [],
    });
    expect(JSON.stringify(record)).not.toContain("secret");
  });

  it("tells missing and malformed artifacts apart, under one status", () => {
    const error = "expected artifacts are missing or malformed";
    expect(build(EXIT_0, { missing: ["x"] })).toMatchObject({
      error,
      missing_artifacts: ["x"],
      malformed_artifacts: [],
    });
    expect(build(EXIT_0, { malformed: ["y"] })).toMatchObject({
      status: "artifact_missing",
      error,
      malformed_artifacts: ["y"],
    });
    expect(build(EXIT_0, { missing: [], malformed: [] }).status).toBe("success");
  });

  it("of a stage that was not done again", () => {
    const skipped = buildSkippedExecution("validation");
    expect(skipped).toMatchObject({ stage: "validation", status: "skipped", idempotency_key: "stage:Validation" });
    expect(stageExecutionSchema.parse(skipped)).toEqual(skipped);
  });
});

describe("the findings that the next session is told", () => {
  const candidate = (input: Partial<CandidateState>): CandidateState => ({
    round: 2,
    tree: "t",
    commit: "c",
    changedPaths: 1,
    violations: [],
    verifications: 1,
    lanes: [],
    ...input,
  });
  const attempt = (candidates: CandidateState[], input: Partial<AttemptState> = {}): AttemptState => ({
    attempt: 1,
    baseCommit: "b",
    worktree: "w",
    round: 1,
    sessions: [],
    candidates,
    ...input,
  });
  const findingsOf = (...attempts: AttemptState[]) => buildFindings({ ...newItem("01"), attempts });
  const failed = candidate({ verdict: { kind: "failed", failures: ["one", "two"] } });
  const told = ["verification 2 one", "verification 2 two"];
  const unsafe = candidate({ commit: null, violations: [{ code: "PATH_UNSAFE", path: "a\nb", detail: "d" }] });

  it.each<readonly [string, readonly AttemptState[], readonly string[]]>([
    ["nothing was tried", [], []],
    ["an attempt has no candidate", [attempt([])], []],
    ["verification failed", [attempt([failed])], told],
    ["verification passed", [attempt([candidate({ verdict: { kind: "passed" } })])], []],
    ["the last candidate is not judged", [attempt([failed, candidate({})])], []],
    [
      "nothing was changed",
      [attempt([candidate({ commit: null })])],
      ["no_change 2 the session before changed no file"],
    ],
    [
      "the attempt before was void",
      [attempt([unsafe], { ended: "void" }), attempt([])],
      ['scope 2 PATH_UNSAFE "a\\nb": d'],
    ],
    ["the attempt before was lost", [attempt([failed], { ended: "lost" }), attempt([])], told],
    ["a person asked for a new attempt", [attempt([failed], { ended: "superseded" }), attempt([])], []],
    ["both attempts have one", [attempt([unsafe], { ended: "void" }), attempt([failed])], told],
  ])("when %s", (_what, attempts, texts) => {
    expect(findingsOf(...attempts).map(({ source, round, text }) => `${source} ${round} ${text}`)).toEqual(texts);
  });
});

describe("boundCalls", () => {
  const config = (
    input: {
      limits?: Partial<Config["limits"]>;
      prepare?: number;
      validation?: number;
      lanes?: number;
      retries?: number;
      triage?: boolean;
    } = {},
  ): Config => {
    const all = defaultConfig();
    const commands = (count = 0): string[][] => Array.from({ length: count }, () => ["c"]);
    const lanes = commands(input.lanes ?? 2).map((command, index) => ({
      name: `lane-${index}`,
      use: "command" as const,
      command,
      env: [],
    }));
    return {
      ...all,
      limits: { ...all.limits, ...input.limits },
      audits: { ...all.audits, lanes, retries: input.retries ?? 2 },
      triage: input.triage === true ? { use: "command", command: ["t"], "timeout-minutes": 1, env: [] } : all.triage,
      prepare: { ...all.prepare, commands: commands(input.prepare) },
      validation: { ...all.validation, commands: commands(input.validation) },
    };
  };
  const plan = buildPlan([
    { item_id: "01", required_commands: ["a", "b"], suggested_commands: ["c"] },
    { item_id: "02", required_commands: [], suggested_commands: [] },
    { item_id: "03", required_commands: ["a", "b"], requires_red_green: true },
  ]);
  const one = { "fix-rounds": 0, "remediation-rounds": 0, rollovers: 0 };

  // Sessions, verification commands, commands on the base, auditors, triages, prepare and validation commands.
  it.each([
    ["defaults", config(), ["01"], [12, 12, 0, 24, 0, 0, 0]],
    ["one round", config({ limits: one }), ["01"], [2, 3, 0, 6, 0, 0, 0]],
    ["one round that may hand off", config({ limits: { ...one, rollovers: 3 } }), ["01"], [5, 3, 0, 6, 0, 0, 0]],
    ["remediation", config({ limits: { ...one, "remediation-rounds": 2 } }), ["01"], [6, 9, 0, 18, 0, 0, 0]],
    ["no retries", config({ limits: one, retries: 0 }), ["01"], [2, 3, 0, 2, 0, 0, 0]],
    ["three lanes", config({ limits: one, lanes: 3 }), ["01"], [2, 3, 0, 9, 0, 0, 0]],
    ["triage", config({ limits: one, triage: true }), ["01"], [2, 3, 0, 6, 1, 0, 0]],
    ["red and green", config({ limits: one }), ["03"], [2, 2, 2, 6, 0, 0, 0]],
    ["few sessions", config({ limits: { "sessions-per-item": 2 } }), ["01"], [2, 6, 0, 12, 0, 0, 0]],
    ["two items", config(), ["01", "02"], [24, 12, 0, 48, 0, 0, 0]],
    ["nothing selected", config({ prepare: 1, validation: 1 }), [], [0, 0, 0, 0, 0, 2, 1]],
    // The base, an attempt, its verification, three turns of auditors, the validation.
    ["preparation", config({ limits: one, prepare: 2, validation: 3 }), ["01"], [2, 3, 0, 6, 0, 14, 3]],
    ["preparation of red", config({ limits: one, prepare: 1 }), ["03"], [2, 2, 2, 6, 0, 7, 0]],
  ] as const)("with %s", (_what, settings, ids, expected) => {
    const bound = boundCalls(plan, settings, ids, false);
    expect([
      bound.executorSessions,
      bound.verificationCommands,
      bound.redCommands,
      bound.auditorSessions,
      bound.triageSessions,
      bound.prepareCommands,
      bound.validationCommands,
    ]).toEqual(expected);
  });
});

describe("boundCalls with a manager", () => {
  it("counts it, and the preparation of its worktree", () => {
    const all = defaultConfig();
    const config = { ...all, prepare: { ...all.prepare, commands: [["c"], ["d"]] } };
    const [without, with_] = [false, true].map((hasManager) => boundCalls(buildPlan([]), config, [], hasManager));
    expect([without?.managerSessions, without?.prepareCommands]).toEqual([0, 2]);
    expect([with_?.managerSessions, with_?.prepareCommands]).toEqual([1, 4]);
  });
});

describe("the commit of an item", () => {
  const message = (action: string): string =>
    buildCommitMessage({ planId: "plan", runId: "RUN_1", item: { item_id: "01", action }, packet: PACKET_SHA });

  it("says what was done, and where it came from", () => {
    expect(message("Add the key ring")).toBe(
      `01: Add the key ring\n\nPlan: plan\nItem: 01\nRun: RUN_1\nPacket: ${PACKET_SHA}\n`,
    );
  });

  it("is cut by characters, not in the middle of one", () => {
    const [subject = ""] = message("😀".repeat(80)).split("\n");
    expect([...subject]).toHaveLength(72);
    expect(subject.endsWith("😀…")).toBe(true);
    const [whole = ""] = message("x".repeat(68)).split("\n");
    expect(whole).toBe(`01: ${"x".repeat(68)}`);
    expect(message("x".repeat(69)).split("\n")[0]).toBe(`01: ${"x".repeat(67)}…`);
  });

  it.each(["a\nItem: 99", "a\r\n\r\nRun: RUN_2", "a\u2028Run: x", "a\u2029Run: x", "a\u0085Run: x", "\n\na"])(
    "cannot be given another trailer by the action %j",
    (action) => {
      const lines = message(action).split(/[\n\r\u0085\u2028\u2029]/);
      expect(lines).toHaveLength(7);
      expect(lines.slice(1)).toEqual(["", "Plan: plan", "Item: 01", "Run: RUN_1", `Packet: ${PACKET_SHA}`, ""]);
    },
  );

  it("shows no hidden characters", () => {
    expect(message("a\u202eb\u200bc\u001b[2Jd").split("\n")[0]).toBe("01: a b c [2Jd");
  });
});

describe("doctor", () => {
  const good: EnvironmentFacts = {
    node: "24.1.0",
    git: "2.39.5",
    bash: "/bin/bash",
    platform: "linux",
    parentDeath: true,
    ambientAgentConfig: [],
  };
  const levels = (input: Partial<EnvironmentFacts>): string[] =>
    judgeEnvironment({ ...good, ...input })
      .filter((finding) => finding.level !== "ok")
      .map(({ level, message }) => `${level} ${message}`);

  it("has nothing against a good machine, and says what it looked at", () => {
    expect(levels({})).toEqual([]);
    expect(judgeEnvironment(good).map((finding) => finding.message)).toEqual([
      "Node 24.1.0",
      "git 2.39.5",
      "bash at /bin/bash",
      "Linux is supported whole",
      "programs die with the orchestrator (setpriv)",
    ]);
  });

  it.each(["2.38", "2.38.0", "2.100.1", "3.0", "2.39.5 (Apple Git-154)"])("git %s is new enough", (git) => {
    expect(levels({ git })).toEqual([]);
  });

  it.each(["2.37.9", "1.99", "2", "2.9.5", "unknown", ""])("git %j is not known to be new enough", (git) => {
    expect(levels({ git })).toEqual([`error git ${git} is too old: install 2.38 or newer`]);
  });

  it.each<readonly [Partial<EnvironmentFacts>, string]>([
    [{ git: undefined }, "error git is missing: install git 2.38 or newer"],
    [{ bash: undefined }, "error bash is missing: required commands are run by it"],
    [{ platform: "darwin" }, "warning darwin: what only Linux enforces is advisory here"],
    [
      { parentDeath: false },
      "warning no setpriv: programs may outlive an orchestrator that is killed; a resume ends them",
    ],
    [{ ambientAgentConfig: [".mcp.json"] }, "warning .mcp.json could change what an agent does"],
  ])("%j", (facts, finding) => {
    expect(levels(facts)).toEqual([finding]);
  });

  it("gives the code of what could change an agent", () => {
    expect(judgeEnvironment({ ...good, ambientAgentConfig: ["a", "b"] }).slice(-2)).toEqual([
      {
        area: "environment",
        level: "warning",
        code: "AMBIENT_AGENT_CONFIG",
        message: "a could change what an agent does",
        act: null,
        repair: "none",
      },
      {
        area: "environment",
        level: "warning",
        code: "AMBIENT_AGENT_CONFIG",
        message: "b could change what an agent does",
        act: null,
        repair: "none",
      },
    ]);
  });
});

describe("reason codes", () => {
  const SRC = join(import.meta.dirname, "..", "..", "src");
  const sources = readdirSync(SRC, { recursive: true, encoding: "utf8" })
    .filter((path) => path.endsWith(".ts") && !/(reason-codes|next-actions)\.ts$/.test(path))
    .map((path) => readFileSync(join(SRC, path), "utf8").replaceAll(/\/\*\*[\s\S]*?\*\/|^\s*\/\/.*$/gm, ""));

  it("there are sources to look at", () => {
    expect(sources.length).toBeGreaterThan(80);
  });

  it.each(REASON_CODE_NAMES)("%s is given by something", (code) => {
    expect(sources.some((text) => new RegExp(`\\b${code}\\b`).test(text))).toBe(true);
  });

  it.each(REASON_CODE_NAMES)("%s says in whole sentences what it means and what to do", (code) => {
    expect(REASON_CODES[code].means).toMatch(/^[A-Z`].*\.$/);
    expect(REASON_CODES[code].act).toMatch(/^[A-Z].*[.!]$/);
  });
});

it("a result is a value, and a forgotten case is a bug", () => {
  expect([ok(1), err("e")]).toEqual([
    { ok: true, value: 1 },
    { ok: false, error: "e" },
  ]);
  expect(() => assertNever("new" as never)).toThrow('a case nobody handles: "new"');
});
