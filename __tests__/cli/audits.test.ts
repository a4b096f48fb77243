import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { judgeLane } from "../../src/domain/item-audit.ts";
import type { EventDetails } from "../../src/domain/journal.ts";
import {
  auditLanes,
  auditorScript,
  GATES_OPEN,
  makeFolder,
  TestRepository,
  type AnsweredFinding,
} from "../support/conveyor.ts";
import { once } from "../support/once.ts";

const ONE_ROUND = "limits: {fix-rounds: 0, remediation-rounds: 0}";
const TRIAGE = "triage: {use: command, command: [node, TRIAGE]}";
const BLOCKING: AnsweredFinding = { title: "It is wrong", severity: "high", is_blocking: true };
const REMARK: AnsweredFinding = { title: "A word is misspelt", severity: "low", is_blocking: false };
const passes = auditorScript();
const blocks = auditorScript({ findings: [BLOCKING] });

/** A triage program, outside of every checkout, that gives each finding the same disposition. */
function triageWith(repository: TestRepository, disposition: string): string {
  const path = join(repository.base, "triage.mjs");
  writeFileSync(
    path,
    `import { createHash } from "node:crypto";
import { readFileSync, writeFileSync } from "node:fs";
const { ORCH_FINDINGS_PATH: path, ORCH_RESULT_PATH: result, ORCH_ITEM_ID, ORCH_ATTEMPT, ORCH_NONCE: nonce } = process.env;
const bytes = readFileSync(path);
const dispositions = JSON.parse(bytes).findings.map(({ id }) => ({ finding_id: id, disposition: "${disposition}", reason: "all fine" }));
const findings_sha256 = createHash("sha256").update(bytes).digest("hex");
writeFileSync(result, JSON.stringify({ schema_version: "conveyor.triage_report.v1", item_id: ORCH_ITEM_ID, attempt: Number(ORCH_ATTEMPT), findings_sha256, nonce, dispositions, notes: "" }));
`,
  );
  return path;
}

/** Bash that does something else each time, by what a word stands for: from 1 up. */
function inTurn(word: string, scripts: readonly string[]): string {
  const cases = scripts.map((script, index) => `${index + 1})\n${script}\n;;\n`);
  return `case ${word} in\n${cases.join("")}esac\n`;
}

/** The same by how often it was started, which is counted outside of every checkout. */
function inTurnOfStarts(scripts: readonly string[]): string {
  const starts = join(makeFolder(), "starts");
  return `echo >> ${starts}\n${inTurn(`$(wc -l < ${starts})`, scripts)}`;
}

/** A repository whose triage program sorts everything alike. */
function sorted(disposition: string, input: ConstructorParameters<typeof TestRepository>[0] = {}): TestRepository {
  const repository = new TestRepository({ ...input, configLines: [...(input.configLines ?? [])] });
  const triage = TRIAGE.replace("TRIAGE", triageWith(repository, disposition));
  const config = readFileSync(join(repository.path, ".github/conveyor.yml"), "utf8");
  repository.write({ ".github/conveyor.yml": `${config}${triage}\n` });
  repository.commit("triage");
  return repository;
}

const roundsOf = (repository: TestRepository) => repository.report().audit.items[0]?.rounds ?? [];

async function expectVerified(repository: TestRepository): Promise<void> {
  expect((await repository.conveyor(["verify"])).stdout).toContain("agrees with its journal");
}

describe("an item that is not proven, while a triage program says that all is fine, does not pass", () => {
  test("a required command fails: no auditor is asked", async () => {
    const rows = [{ step_id: "01", required_verification_commands: "test -e out/never" }];
    const repository = sorted("false_positive", { rows, configLines: [ONE_ROUND] });
    const { code, outcome } = await repository.run(GATES_OPEN);
    expect({ code, codes: outcome.blocked_reason_codes }).toEqual({
      code: 1,
      codes: ["ITEM_ESCALATED", "FIX_BUDGET_EXHAUSTED", "VERIFICATION_FAILED"],
    });
    expect(repository.events().filter(({ type }) => type === "audit_started")).toEqual([]);
    expect(outcome.audit.status).toBe("not_audited");
    expect(repository.report().verdict).toContain("failed (not audited)");
    await expectVerified(repository);
  });

  /** What the lanes say of the candidate of each round. */
  const ROUNDS: readonly (readonly [what: string, careful: string, quick: string, together: string])[] = [
    ["one lane alone blocks", passes, blocks, "disagree"],
    ["the other lane alone blocks", blocks, passes, "disagree"],
    ["both lanes block", blocks, blocks, "findings"],
    [
      "a lane passes beside its blocking finding",
      auditorScript({ verdict: "pass", findings: [BLOCKING] }),
      passes,
      "disagree",
    ],
  ];

  /** One run with a round for each: that there is another, or the failure of the last, is that the item did not pass. */
  const blocked = once(async () => {
    const repository = sorted("false_positive", {
      executor: 'mkdir -p out && echo "$ORCH_ROUND" > out/01.txt\n',
      auditors: {
        careful: inTurn(
          '"$ORCH_ROUND"',
          ROUNDS.map(([, careful]) => careful),
        ),
        quick: inTurn(
          '"$ORCH_ROUND"',
          ROUNDS.map(([, , quick]) => quick),
        ),
      },
      configLines: [`limits: {fix-rounds: ${ROUNDS.length - 1}, remediation-rounds: 0}`],
    });
    const ran = await repository.run(GATES_OPEN);
    await expectVerified(repository);
    return { repository, ...ran };
  });

  test.each(ROUNDS.map(([what, , , together], index) => [what, together, index] as const))(
    "%s",
    async (_what, together, index) => {
      const { repository, code, outcome } = await blocked();
      expect({ code, codes: outcome.blocked_reason_codes }).toEqual({
        code: 1,
        codes: ["ITEM_ESCALATED", "FIX_BUDGET_EXHAUSTED", "AUDIT_BLOCKING_FINDING"],
      });
      expect(outcome.head_sha).toBe(repository.git("rev-parse", "main"));
      const rounds = roundsOf(repository);
      expect(rounds).toHaveLength(ROUNDS.length);
      expect(rounds[index]).toMatchObject({
        round: index + 1,
        outcome: together,
        findings: [{ title: "It is wrong", disposition: "actionable", decided_by: "rules" }],
        triage: {
          answer: "read",
          refused: [
            { asked: "false_positive", why: "a blocking finding can at most be marked requires_human_judgment" },
          ],
        },
      });
    },
  );
});

const AS = "git -c user.name=a -c user.email=a@b";
/** What an auditor does that proves nothing, and what is said of it. */
const WORTHLESS: readonly (readonly [what: string, script: string, why: RegExp])[] = [
  ["gives another nonce", auditorScript({ wrong: { nonce: "0".repeat(32) } }), /nonce/],
  ["gives another digest", auditorScript({ wrong: { packet_sha256: "0".repeat(64) } }), /packet_sha256/],
  ["speaks as another lane", auditorScript({ wrong: { lane: "quick" } }), /lane/],
  ["writes no file", "true\n", /./],
  ["writes broken JSON", 'printf "{" > "$ORCH_RESULT_PATH"\n', /./],
  ["gives two verdicts", passes.replace('"verdict":', '"verdict":"issues_found","verdict":'), /"verdict" twice/],
  ["gives two lists of findings", passes.replace('"findings":', '"findings":[{}],"findings":'), /"findings" twice/],
  ["exits with 1 after it passed", `${passes}exit 1\n`, /exit code 1/],
  ["finds issues and names none", auditorScript({ verdict: "issues_found" }), /without a finding/],
  ["is inconclusive", auditorScript({ verdict: "inconclusive" }), /inconclusive decides nothing/],
  ["is blocked", auditorScript({ verdict: "blocked" }), /blocked decides nothing/],
  ["leaves a process behind", `${passes}sleep 60 &\n`, /left processes running/],
];

/** How often a lane is asked in one run of those below: the wait doubles each time. */
const TRIES = 4;

function detailsOf<T extends "audit_started" | "audit_finished">(repository: TestRepository, type: T) {
  const events = repository.events().filter((event) => event.type === type);
  return events.map(({ details }) => details as EventDetails<T>);
}

describe("an auditor that proves nothing is asked again and never waved through", () => {
  /** A run for every few of the answers, all at once: what follows each is that it is asked again, or the end. */
  const worthless = once(async () => {
    const runs = Array.from({ length: WORTHLESS.length / TRIES }, async (_, index) => {
      const scripts = WORTHLESS.slice(index * TRIES, (index + 1) * TRIES).map(([, script]) => script);
      const repository = new TestRepository({
        auditors: { careful: inTurnOfStarts(scripts), quick: passes },
        configLines: [auditLanes(["careful", "quick"], { retries: `${TRIES - 1}` })],
      });
      const ran = await repository.run(GATES_OPEN);
      await expectVerified(repository);
      return { repository, ...ran };
    });
    return Promise.all(runs);
  });

  test.each(WORTHLESS.map(([what, , why], index) => [what, why, index] as const))(
    "it %s",
    async (_what, why, index) => {
      const run = (await worthless())[Math.floor(index / TRIES)];
      if (run === undefined) throw new Error("expected a run for each answer");
      const [{ repository, code, outcome }, turn] = [run, index % TRIES];
      expect({ code, codes: outcome.blocked_reason_codes }).toEqual({
        code: 1,
        codes: ["ITEM_ESCALATED", "AUDIT_ENGINE_FAILED"],
      });
      const started = detailsOf(repository, "audit_started");
      const [lane, ...others] = detailsOf(repository, "audit_finished")[turn]?.lanes ?? [];
      expect([lane?.lane, lane?.nonce]).toEqual(["careful", started[turn]?.lanes[0]?.nonce]);
      expect(lane && judgeLane(lane, false)).toEqual({
        kind: "engine_failed",
        why: expect.stringMatching(why) as string,
      });
      expect(others).toMatchObject(turn === 0 ? [{ lane: "quick", facts: { verdict: "pass" } }] : []);
      // The lane that answered is not asked again; the other gets a nonce of its own each time.
      const again = Array.from({ length: TRIES - 1 }, () => ["careful"]);
      expect(started.map(({ lanes }) => lanes.map(({ lane }) => lane))).toEqual([["careful", "quick"], ...again]);
      expect(new Set(started.flatMap(({ lanes }) => lanes.map(({ nonce }) => nonce))).size).toBe(TRIES + 1);
      const lastWhy = WORTHLESS[index - turn + TRIES - 1]?.[2];
      expect(roundsOf(repository)).toMatchObject([
        {
          outcome: "engine_failed",
          lanes: [
            {
              lane: "careful",
              outcome: "engine_failed",
              failed_answers: TRIES,
              why: expect.stringMatching(lastWhy ?? "none") as string,
            },
            { lane: "quick", outcome: "pass", failed_answers: 0 },
          ],
        },
      ]);
      expect(repository.report().verdict).toContain("failed (not audited)");
    },
  );

  describe("over a changed checkout", () => {
    /** It changes something else each time it is asked, and says so when it was not handed a checkout as it should be. */
    const changed = once(async () => {
      const isFresh = 'test "$(cat gen/tool out/01.txt)" = "$(printf "good\\n01 done")" || exit 9';
      const repository = new TestRepository({
        auditors: {
          careful: inTurnOfStarts([
            `${isFresh}\nchmod -R u+w . ; echo more >> out/01.txt\n${passes}`,
            `${isFresh}\necho evil > gen/tool\n${passes}`,
          ]),
          quick: passes,
        },
        configLines: [
          auditLanes(["careful", "quick"], { retries: "1" }),
          "prepare: {commands: [[bash, -c, 'mkdir -p gen; echo good > gen/tool']], inputs: [README.md]}",
        ],
        files: { ".gitignore": "gen\n" },
      });
      const ran = await repository.run(GATES_OPEN);
      await expectVerified(repository);
      return { repository, ...ran };
    });

    test.each([
      ["it changes the checkout that both share: no answer over it counts", 0],
      ["it changes what was prepared for both: no answer over it counts, though git ignores the file", 1],
    ])("%s", async (_what, turn) => {
      const { repository, code, outcome } = await changed();
      expect({ code, codes: outcome.blocked_reason_codes }).toEqual({
        code: 1,
        codes: ["ITEM_ESCALATED", "AUDIT_ENGINE_FAILED"],
      });
      const { lanes, checkout_changed: isChanged } = detailsOf(repository, "audit_finished")[turn] ?? {};
      expect(isChanged).toBe(true);
      expect(lanes).toMatchObject([
        { lane: "careful", ending: { exit_code: 0 }, facts: { verdict: "pass" } },
        { lane: "quick", ending: { exit_code: 0 }, facts: { verdict: "pass" } },
      ]);
      const lane = { outcome: "engine_failed", why: "the shared checkout was changed while it was audited" };
      expect(roundsOf(repository)).toMatchObject([{ lanes: [lane, lane] }]);
      expect(roundsOf(repository)[0]?.lanes.map(({ failed_answers: count }) => count)).toEqual([2, 2]);
    });
  });

  describe("their checkout cannot be prepared", () => {
    /** Prepares every worktree but those of auditors; what it makes names the worktree, so that none is handed a copy. */
    const prepare = (otherwise: string): string =>
      `mkdir -p gen; echo "$PWD" > gen/where\ncase "$PWD" in *-audit-*) ${otherwise};; esac\n`;
    const runWith = async (otherwise: string, args: readonly string[] = []) => {
      const repository = new TestRepository({
        configLines: [
          auditLanes(["careful", "quick"], { retries: "1" }),
          "prepare: {commands: [[bash, tools/prepare.sh]], inputs: [README.md]}",
        ],
        files: { "tools/prepare.sh": prepare(otherwise), ".gitignore": "gen\n" },
      });
      return { repository, ...(await repository.run([...GATES_OPEN, ...args])) };
    };
    const asked = (repository: TestRepository) =>
      repository.report().stage_executions.filter((execution) => execution.purpose === "auditor").length;

    test("a command fails: nobody is asked, it is tried again, and the engine has failed", async () => {
      const { repository, code, outcome } = await runWith("exit 3");
      expect({ code, codes: outcome.blocked_reason_codes, asked: asked(repository) }).toEqual({
        code: 1,
        codes: ["ITEM_ESCALATED", "AUDIT_ENGINE_FAILED"],
        asked: 0,
      });
      expect(repository.events().filter(({ type }) => type === "audit_finished")).toHaveLength(2);
      const [first] = roundsOf(repository);
      expect(first?.lanes.map(({ why }) => /not prepared.*exit code 3/.test(why))).toEqual([true, true]);
      await expectVerified(repository);
    });

    test("it is over its time limit: the run can be resumed, and nobody was asked", async () => {
      const { repository, code, outcome } = await runWith("sleep 60", ["--timeout-ms", "4000"]);
      expect({ code, state: outcome.terminal_state, asked: asked(repository) }).toEqual({
        code: 124,
        state: "timeout",
        asked: 0,
      });
      await expectVerified(repository);
    });
  });

  test.each([
    ["tampers with git", `${AS} update-ref refs/heads/mine HEAD`],
    ["removes the checkout", 'here=$PWD; cd ..; rm -rf "$here"'],
  ])("it %s: escalated at once, nothing is asked again", async (_what, script) => {
    const auditors = { careful: `${script}\n${passes}`, quick: passes };
    const repository = new TestRepository({ auditors });
    const { code, outcome } = await repository.run(GATES_OPEN);
    expect({ code, codes: outcome.blocked_reason_codes }).toEqual({
      code: 1,
      codes: ["ITEM_ESCALATED", "GIT_TAMPERED"],
    });
    expect(repository.events().filter(({ type }) => type === "audit_started")).toHaveLength(1);
    await expectVerified(repository);
  });

  test("it answers the second time: the item passes, and the first try is shown", async () => {
    const repository = new TestRepository({
      auditors: { careful: passes, quick: passes },
      configLines: [auditLanes(["careful", "quick"], { retries: "1" })],
    });
    const once = join(repository.base, "asked-once");
    repository.write({ "tools/audit-careful.sh": `if ! test -e ${once}; then touch ${once}; exit 1; fi\n${passes}` });
    repository.commit("once");
    const { code } = await repository.run(GATES_OPEN);
    expect(code).toBe(0);
    expect(roundsOf(repository)).toMatchObject([
      { outcome: "pass", lanes: [{ lane: "careful", outcome: "pass", failed_answers: 1 }, { lane: "quick" }] },
    ]);
    await expectVerified(repository);
  });
});

/** One run in which both lanes are slow, and one of them has a remark. */
const remarked = once(async () => {
  const slow = (findings: readonly AnsweredFinding[]): string => `sleep 2\n${auditorScript({ findings })}`;
  const repository = new TestRepository({ auditors: { careful: slow([REMARK]), quick: slow([]) } });
  expect((await repository.run(GATES_OPEN)).code).toBe(0);
  return repository;
});

test("lanes run side by side: two slow ones take as long as one, not as both", async () => {
  const repository = await remarked();
  const events = repository.events();
  const at = (type: string): number => Date.parse(events.find((event) => event.type === type)?.at ?? "");
  const both = at("audit_finished") - at("audit_started");
  const runs = repository.report().stage_executions.filter(({ purpose }) => purpose === "auditor");
  // What the same two programs take one after the other is what they took each.
  const serial = runs.reduce((sum, { duration_ms }) => sum + duration_ms, 0);
  expect(runs).toHaveLength(2);
  expect(serial).toBeGreaterThanOrEqual(4000);
  expect(both).toBeLessThan(serial - 1000);
});

describe("findings that do not block", () => {
  test("are noted by the rules, and hold nothing up", async () => {
    expect(roundsOf(await remarked())).toMatchObject([
      { outcome: "findings", findings: [{ disposition: "noted", decided_by: "rules" }], triage: { answer: "rules" } },
    ]);
  });

  test("may be set aside by a triage program, with its reason", async () => {
    const auditors = { careful: auditorScript({ findings: [{ ...REMARK, severity: "high" }] }), quick: passes };
    const repository = sorted("false_positive", { auditors });
    const { code, outcome } = await repository.run(GATES_OPEN);
    expect({ code, state: outcome.terminal_state }).toEqual({ code: 0, state: "done" });
    expect(roundsOf(repository)).toMatchObject([
      {
        findings: [{ disposition: "false_positive", disposition_reason: "all fine", decided_by: "triage" }],
        triage: { answer: "read", refused: [] },
      },
    ]);
    const markdown = readFileSync(join(repository.runFolder(), "report.md"), "utf8");
    expect(markdown).toContain("false_positive by triage");
    await expectVerified(repository);
  });
});

test("a triage program that changes git metadata: escalated, whatever it says", async () => {
  const repository = sorted("false_positive", {
    auditors: { careful: auditorScript({ findings: [REMARK] }), quick: passes },
  });
  const path = join(repository.base, "triage.mjs");
  const evil = `import { execFileSync } from "node:child_process";
import { globSync } from "node:fs";
const [git] = globSync("${repository.path}/.conveyor/runs/*/repo.git");
execFileSync("git", ["--git-dir", git, "config", "core.attributesFile", "/tmp/evil"]);
`;
  writeFileSync(path, `${evil}${readFileSync(path, "utf8")}`);
  const { code, outcome } = await repository.run(GATES_OPEN);
  expect({ code, codes: outcome.blocked_reason_codes }).toEqual({ code: 1, codes: ["ITEM_ESCALATED", "GIT_TAMPERED"] });
  await expectVerified(repository);
});

test("a blocking finding that needs a person's judgment waits at a custom gate; the audited commit passes", async () => {
  const repository = sorted("requires_human_judgment", { auditors: { careful: passes, quick: blocks } });
  const first = await repository.run(GATES_OPEN);
  expect({ code: first.code, codes: first.outcome.blocked_reason_codes }).toEqual({
    code: 3,
    codes: ["ITEM_AWAITING_HUMAN_GATE"],
  });
  const [round] = roundsOf(repository);
  const waiting = repository.report().audit.items[0]?.gate;
  expect(round?.findings).toMatchObject([{ disposition: "requires_human_judgment", decided_by: "triage" }]);
  expect(waiting).toMatchObject({ gate_type: "custom", decision: "none", commit: round?.commit });
  expect(waiting?.finding_ids).toEqual(round?.findings.map(({ id }) => id));
  const { run_id: runId } = first.outcome;
  expect((await repository.conveyor(["status"])).stdout).toContain("gate custom open");
  const approved = await repository.conveyor(["gate", "approve", runId, "01", "--by", "Ada", "--note", "I looked"]);
  expect(approved.code).toBe(0);
  const second = await repository.resume(GATES_OPEN);
  // Below the closing commit stands the very commit that was audited.
  const passed = repository.git("rev-parse", `${second.outcome.head_sha}^`);
  expect({ code: second.code, passed }).toEqual({ code: 0, passed: round?.commit });
  expect(repository.report().audit.items[0]?.gate).toMatchObject({
    decision: "approved",
    by: "Ada",
    note: "I looked",
    authority: "local-unverified",
  });
  expect((await repository.conveyor(["status"])).stdout).toContain("gate custom approved by Ada");
  await expectVerified(repository);
});

test("lanes that disagree are shown side by side, to people and to programs", async () => {
  const once = 'test "$ORCH_ROUND" -gt 1';
  const quick = `if ${once}; then\n${passes}else\n${blocks}fi\n`;
  const executor = 'mkdir -p out && echo "$ORCH_ITEM_ID $ORCH_ROUND" > "out/$ORCH_ITEM_ID.txt"\n';
  const repository = new TestRepository({ auditors: { careful: passes, quick }, executor });
  const ended = await repository.conveyor(["run", "docs/exec-plans/active/plan.md", ...GATES_OPEN]);
  expect(ended.code).toBe(0);
  const shown = `${ended.stderr}${ended.stdout}`;
  expect(shown).toContain("01: audits: careful pass; quick findings, blocks (It is wrong)");
  expect(shown).toContain("done (audited): 1 of 1 items passed");
  const [first, second] = roundsOf(repository);
  expect([first?.outcome, second?.outcome]).toEqual(["disagree", "pass"]);
  expect(first?.packet_sha256).not.toBe(second?.packet_sha256);
  const markdown = readFileSync(join(repository.runFolder(), "report.md"), "utf8");
  const row = markdown.split("\n").find((line) => line.includes(first?.packet_sha256 ?? "none"));
  expect(
    row
      ?.split("|")
      .map((cell) => cell.trim())
      .slice(1, -2),
  ).toEqual(["01", "1", "1", "", "pass", "1 found, blocks", "disagree"]);
  await expectVerified(repository);
});
