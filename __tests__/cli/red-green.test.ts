import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { GATES_OPEN, makeFolder, TestRepository, type RepositoryInput, type Row } from "../support/conveyor.ts";

/** The base greets nobody; the item makes it greet by name, with a test that asks for it. */
const CHECK = "bash tests/greet.sh";
const ROW: Row = {
  step_id: "01",
  requires_red_green: "yes",
  allowed_write_roots: "src; tests",
  deliverable: "src/greet.txt",
  required_verification_commands: CHECK,
};
const WORK = "mkdir -p src tests; echo hello Ada > src/greet.txt";
const TEST = "echo 'grep -q Ada src/greet.txt' > tests/greet.sh";

function makeRepository({ configLines = [], files = {}, ...input }: RepositoryInput): TestRepository {
  return new TestRepository({
    rows: [ROW],
    ...input,
    configLines: ["validation: {test-paths: ['tests/**']}", ...configLines],
    files: { "src/greet.txt": "hello\n", "tests/greet.sh": "test -s src/greet.txt\n", ...files },
  });
}

function judged(repository: TestRepository) {
  return repository
    .events()
    .filter((event) => event.type === "red_green_judged")
    .map(({ details }) => ({
      paths: details["test_paths"],
      prepare: details["prepare_ending"],
      red: (details["red"] as { ending: unknown }[]).map(({ ending }) => ending),
    }));
}

const kinds = (repository: TestRepository) =>
  repository.report().items[0]?.attempts.map(({ sessions }) => sessions.map(({ kind }) => kind));

async function expectVerified(repository: TestRepository): Promise<void> {
  const verified = await repository.conveyor(["verify"]);
  expect({ code: verified.code, out: verified.code === 0 ? "" : verified.stdout }).toEqual({ code: 0, out: "" });
}

const NO_ROUNDS = ["limits: {fix-rounds: 0, remediation-rounds: 0}"];
const exited = (exit_code: number) => ({ kind: "exited", exit_code });

test("proven: the candidate's tests fail on the base and pass on the candidate", async () => {
  const repository = makeRepository({ executor: `${WORK}; ${TEST}` });
  const ended = await repository.run(GATES_OPEN);
  expect({ code: ended.code, state: ended.outcome.terminal_state }, ended.stderr).toEqual({ code: 0, state: "done" });
  expect(judged(repository)).toEqual([{ paths: ["tests/greet.sh"], prepare: null, red: [exited(1)] }]);
  const reds = repository.report().stage_executions.filter((execution) => execution.purpose === "red_command");
  expect(reds.map(({ status, exit_code }) => ({ status, exit_code }))).toEqual([{ status: "failed", exit_code: 1 }]);
  const types = repository.events().map((event) => event.type);
  expect(types.indexOf("red_green_judged")).toBeLessThan(types.indexOf("packet_frozen"));
  await expectVerified(repository);
});

describe("not proven: escalated with both codes, never audited", () => {
  test.each<[string, string, Row, unknown[]]>([
    ["no test file was changed", WORK, { ...ROW, required_verification_commands: "grep -q Ada src/greet.txt" }, []],
    [
      "the test passes on the base too",
      `${WORK}; echo 'test -s src/greet.txt # new' > tests/greet.sh`,
      ROW,
      [exited(0)],
    ],
    [
      "a deleted test",
      `${WORK}; rm tests/greet.sh`,
      { ...ROW, required_verification_commands: "test ! -e tests/greet.sh" },
      [],
    ],
    ...[126, 127].map((code): [string, string, Row, unknown[]] => [
      `the command ends with ${code} on the base`,
      `${WORK}; echo 'grep -q Ada src/greet.txt || exit ${code}' > tests/greet.sh`,
      ROW,
      [exited(code)],
    ]),
    [
      "the command is ended by a signal on the base",
      `${WORK}; echo 'grep -q Ada src/greet.txt || kill -9 $PPID $$' > tests/greet.sh`,
      { ...ROW, required_verification_commands: `\`${CHECK}; true\`` },
      [{ kind: "signalled", signal: "SIGKILL" }],
    ],
  ])("%s", async (_name, executor, row, red) => {
    const repository = makeRepository({ rows: [row], executor, configLines: NO_ROUNDS });
    const ended = await repository.run(GATES_OPEN);
    expect({ code: ended.code, items: ended.outcome.items }, ended.stderr).toMatchObject({
      code: 1,
      items: [{ terminal_state: "escalated", reason_codes: ["FIX_BUDGET_EXHAUSTED", "RED_GREEN_NOT_PROVEN"] }],
    });
    expect(judged(repository).map((each) => each.red)).toEqual([red]);
    expect(repository.events().some((event) => event.type === "packet_frozen")).toBe(false);
    await expectVerified(repository);
  });

  test("a command over its time limit on the base: the run stops as timeout, and nothing is proven", async () => {
    const repository = makeRepository({
      executor: `${WORK}; echo 'grep -q Ada src/greet.txt || exec sleep 60' > tests/greet.sh`,
    });
    const ended = await repository.run(["--timeout-ms", "2500", ...GATES_OPEN]);
    expect({ code: ended.code, codes: ended.outcome.blocked_reason_codes }, ended.stderr).toEqual({
      code: 124,
      codes: ["PROCESS_TIMEOUT"],
    });
    expect(judged(repository).map(({ red }) => red)).toMatchObject([[{ kind: "timed_out" }]]);
    expect(repository.events().some((event) => event.type === "packet_frozen")).toBe(false);
    await expectVerified(repository);
  });

  test("the preparation of the base fails where that of the candidate does not", async () => {
    const repository = makeRepository({
      executor: `${WORK}; ${TEST}; echo ok > src/dep.txt`,
      // The base could be prepared when the run began; since then what it needs is gone, and so is the cached result.
      configLines: [
        `prepare: {commands: [[bash, -c, "{ test -e src/dep.txt || test ! -e ${GONE}; } && echo dep > dep.txt"]]}`,
        ...NO_ROUNDS,
      ],
      rows: [
        {
          ...ROW,
          required_verification_commands: `\`${CHECK}; touch ${GONE}; rm -rf "$(dirname "$(dirname "$PWD")")/prepare"\``,
        },
      ],
    });
    const ended = await repository.run(GATES_OPEN);
    expect(existsSync(GONE)).toBe(true);
    expect({ code: ended.code, items: ended.outcome.items }, ended.stderr).toMatchObject({
      code: 1,
      items: [{ terminal_state: "escalated", reason_codes: ["FIX_BUDGET_EXHAUSTED", "RED_GREEN_NOT_PROVEN"] }],
    });
    expect(judged(repository)).toEqual([{ paths: ["tests/greet.sh"], prepare: exited(1), red: [] }]);
    await expectVerified(repository);
  });
});

const GONE = join(makeFolder(), "gone");

test("not proven is mended in a fix round, which is told what is missing", async () => {
  const found = join(makeFolder(), "findings");
  const repository = makeRepository({
    executor: `${WORK}; if test "$ORCH_STAGE" = fix; then cp "$ORCH_FINDINGS_PATH" ${found}; ${TEST}; fi`,
  });
  const ended = await repository.run(GATES_OPEN);
  expect({ code: ended.code, state: ended.outcome.terminal_state }, ended.stderr).toEqual({ code: 0, state: "done" });
  expect(kinds(repository)).toEqual([["execute", "fix"]]);
  expect(judged(repository).map(({ paths }) => paths)).toEqual([[], ["tests/greet.sh"]]);
  expect(readFileSync(found, "utf8")).toContain("no changed file matches validation.test-paths");
  await expectVerified(repository);
});

test("the rounds are used up: fix, fix, remediation, then both codes", async () => {
  const repository = makeRepository({ executor: `${WORK}; echo "$ORCH_ROUND" >> src/greet.txt` });
  const ended = await repository.run(GATES_OPEN);
  expect({ code: ended.code, codes: ended.outcome.blocked_reason_codes }, ended.stderr).toEqual({
    code: 1,
    codes: ["ITEM_ESCALATED", "FIX_BUDGET_EXHAUSTED", "RED_GREEN_NOT_PROVEN"],
  });
  expect(kinds(repository)).toEqual([["execute", "fix", "fix", "remediation"]]);
  expect(repository.events().some((event) => event.type === "audit_started")).toBe(false);
  await expectVerified(repository);
});
