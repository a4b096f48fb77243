import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { GATES_OPEN, ROOT, TestRepository, withExecutor } from "../support/conveyor.ts";

const fixture = (name: string) => readFileSync(join(ROOT, "__tests__/fixtures/plans", name), "utf8");
const ACTIVE = "docs/exec-plans/active";

/** Runs a plan with all gates open and gives what it printed. */
async function runPlan(repository: TestRepository, path: string, args: readonly string[] = []) {
  const ended = await repository.conveyor(["run", path, "--format", "json", ...GATES_OPEN, ...args]);
  const outcome = JSON.parse(ended.stdout === "" ? "{}" : ended.stdout) as {
    terminal_state: string;
    branch: string;
    head_sha: string;
    blocked_reason_codes: string[];
  };
  return { ...ended, outcome };
}

const promptOf = (repository: TestRepository, item: string) =>
  readFileSync(join(repository.runFolder(), `items/${item}/attempt-1/round-1/session-1/prompt.md`), "utf8");

const KEYS_DONE =
  "mkdir -p src/session docs/runbooks; echo ring > src/session/key-ring.js; echo rotate > docs/runbooks/session-keys.md";

describe("a plan that is one item, in the style of a conveyor's plans", () => {
  const path = `${ACTIVE}/session-key-rotation.md`;
  const files = { [path]: fixture("conveyor-style.md") };

  test("is linted as it is, and runs from its criteria and boxes to the completed plans", async () => {
    const repository = new TestRepository({
      files,
      // Would fail: the plan has validation commands of its own.
      configLines: ["validation: {commands: [['false']]}"],
      executor: KEYS_DONE,
    });
    const linted = await repository.conveyor(["plans", "lint", path]);
    expect([linted.code, linted.stdout]).toEqual([0, ""]);
    const ended = await runPlan(repository, path);
    expect(ended.stderr).not.toContain("PLAN_");
    expect([ended.code, ended.outcome.terminal_state]).toEqual([0, "done"]);
    const prompt = promptOf(repository, "01");
    expect(prompt).toContain("Sessions signed with the old key stay valid for 24 hours; new ones use the new key.");
    expect(prompt).toContain("(2) `runbook` The runbook says how to rotate, by day and by night");
    expect(prompt).toContain("- [ ] `ring` The key ring holds two keys, and the newer one signs");
    expect(prompt).toContain("grep -q rotate docs/runbooks/session-keys.md");
    expect(prompt).not.toContain("Why now");
    const validated = repository.events().find(({ type }) => type === "validation_finished");
    expect(validated?.details["commands"]).toHaveLength(2);
    const tree = repository.git("ls-tree", "-r", "--name-only", ended.outcome.head_sha).split("\n");
    const completed = tree.find((name) => name.startsWith("docs/exec-plans/completed/")) ?? "";
    expect(repository.git("show", `${ended.outcome.head_sha}:${completed}`)).toContain("- Status: completed\n");
    expect(tree).not.toContain(path);
    expect((await repository.conveyor(["verify"])).code).toBe(0);
  });

  test("does not pass while one of its commands fails, and writes nowhere but in its targets", async () => {
    const repository = new TestRepository({
      files,
      executor: "mkdir -p src/session; echo ring > src/session/key-ring.js",
    });
    const missing = await runPlan(repository, path);
    expect(missing.outcome.blocked_reason_codes).toContain("VERIFICATION_FAILED");
    const outside = await runPlan(repository, path, withExecutor(`${KEYS_DONE}; echo x > src/other.js`));
    expect(outside.outcome.blocked_reason_codes).toContain("SCOPE_VIOLATION");
  });

  test("is held to the configured commands when it has none of its own", async () => {
    const bare = fixture("conveyor-style.md").replace(/- Validation:\n.*\n.*\n/, "");
    const config = (command: string) => ({
      files: { [path]: bare },
      configLines: [`validation: {commands: [${command}]}`],
      executor: KEYS_DONE,
    });
    const refused = new TestRepository({ files: { [path]: bare } });
    expect((await runPlan(refused, path)).stderr).toContain("VERIFICATION_MISSING");
    const failing = new TestRepository(config("[test, -s, it's not there]"));
    const ended = await runPlan(failing, path);
    expect(ended.outcome.blocked_reason_codes).toEqual(
      expect.arrayContaining(["VERIFICATION_FAILED", "FIX_BUDGET_EXHAUSTED"]),
    );
    const passing = new TestRepository(config("[test, -s, src/session/key-ring.js]"));
    expect((await runPlan(passing, path)).code).toBe(0);
    expect((await passing.conveyor(["verify"])).code).toBe(0);
  });

  test("may write everything when it does not say what, warns, and needs an approval of high risk", async () => {
    const open = fixture("conveyor-style.md").replace(/- Implementation-Targets:.*\n/, "");
    const repository = new TestRepository({ files: { [path]: open }, executor: KEYS_DONE });
    const linted = await repository.conveyor(["plans", "lint", path]);
    expect(linted.code).toBe(0);
    expect(linted.stdout).toContain(`${path}:1:1 PLAN_TARGETS_MISSING warning: `);
    const ended = await runPlan(repository, path);
    expect(ended.outcome.blocked_reason_codes).toEqual(["RISK_HIGH_NOT_APPROVED"]);
    const approved = await repository.conveyor(["run", path, ...GATES_OPEN], { env: { ORCH_APPROVED_HIGH: "1" } });
    expect(approved.code).toBe(0);
  });

  test("fails when its own validation does", async () => {
    const text = fixture("conveyor-style.md").replace(
      "`grep -q rotate docs/runbooks/session-keys.md`",
      '`test "$ORCH_STAGE" = verify`',
    );
    const repository = new TestRepository({ files: { [path]: text }, executor: KEYS_DONE });
    const ended = await runPlan(repository, path);
    expect([ended.code, ended.outcome.terminal_state]).toEqual([1, "failed"]);
    expect(ended.outcome.blocked_reason_codes).toEqual(["VERIFICATION_FAILED"]);
    expect((await repository.conveyor(["verify"])).code).toBe(0);
  });
});

test("a playbook is linted as it is, and runs up to its signature and on", async () => {
  const path = "examples/launch_demo_playbook/playbook.md";
  const repository = new TestRepository({ files: { [path]: fixture("playbook-style.md") } });
  const linted = await repository.conveyor(["plans", "lint", path]);
  expect([linted.code, linted.stdout]).toEqual([0, ""]);
  const ended = await runPlan(repository, path);
  expect([ended.code, ended.outcome.terminal_state]).toEqual([3, "blocked"]);
  expect(promptOf(repository, "01")).toContain("Plain words.");
  const approved = await repository.conveyor([
    "gate",
    "approve",
    repository.report().run_id,
    "03",
    "--by",
    "Ada",
    "--note",
    "read",
  ]);
  expect(approved.code).toBe(0);
  expect((await repository.conveyor(["resume", ...GATES_OPEN])).code).toBe(0);
  expect((await repository.conveyor(["verify"])).code).toBe(0);
});

const FRONT = `---
# Two items. This comment stays.
plan-id: front
status:   queued # as long as it waits
owner: '@platform'
acceptance-criteria: Both files are there
risk: low
items:
  - {id: '01', title: First, exit-criteria: it is there, write-roots: [out], deliverables: [out/01.txt], verify: [test -s out/01.txt]}
  - id: '02'
    title: Second
    after: ['01']
    exit-criteria: it is there
    surfaces: [out/01.txt]
    write-roots: [out]
    deliverables: [out/02.txt]
---
# Front matter

For everybody.

## 01 First

For the first alone.
`;

describe("a plan in front matter", () => {
  const path = `${ACTIVE}/front.md`;

  test("runs, tells each item its own text, and is closed without a change to anything else in it", async () => {
    const repository = new TestRepository({ files: { [path]: FRONT } });
    const ended = await runPlan(repository, path);
    expect([ended.code, ended.outcome.terminal_state]).toEqual([0, "done"]);
    expect(promptOf(repository, "01")).toContain("For everybody.");
    expect(promptOf(repository, "01")).toContain("For the first alone.");
    expect(promptOf(repository, "02")).toContain("For everybody.");
    expect(promptOf(repository, "02")).not.toContain("For the first alone.");
    const head = ended.outcome.head_sha;
    const completed = repository.git("ls-tree", "-r", "--name-only", head, "docs/exec-plans/completed/");
    const closed = repository.git("show", `${head}:${completed}`);
    const evidence = "docs/exec-plans/evidence-index/front.md";
    const expected = FRONT.replace("status:   queued", "status:   completed").replace(
      "plan-id: front",
      `done-evidence: ${evidence}\nplan-id: front`,
    );
    expect(closed.startsWith(expected)).toBe(true);
    expect(closed).toContain("## Validation evidence");
    expect((await repository.conveyor(["verify"])).code).toBe(0);
    // The closed plan is a plan.
    repository.git("merge", "--quiet", "--ff-only", ended.outcome.branch);
    const linted = await repository.conveyor(["plans", "lint", completed]);
    expect([linted.code, linted.stdout]).toEqual([0, ""]);
  });

  test("an item that may change nothing passes without a change, and no other does", async () => {
    const idle = withExecutor('if [ "$ORCH_ITEM_ID" = 01 ]; then mkdir -p out; echo x > out/01.txt; fi');
    const plan = FRONT.replace("deliverables: [out/02.txt]", "deliverables: [out/01.txt]\n    allow-no-change: true");
    const repository = new TestRepository({ files: { [path]: plan } });
    const ended = await runPlan(repository, path, idle);
    expect([ended.code, ended.outcome.terminal_state]).toEqual([0, "done"]);
    const second = repository.report().items[1];
    expect(repository.git("diff", "--stat", `${String(second?.commit)}^`, String(second?.commit))).toBe("");
    expect((await repository.conveyor(["verify"])).code).toBe(0);
    const strict = new TestRepository({
      files: { [path]: plan.replace("allow-no-change: true", "allow-no-change: false") },
    });
    const refused = await runPlan(strict, path, idle);
    expect(refused.outcome.blocked_reason_codes).toContain("NO_CHANGE_PRODUCED");
  });

  test("with a fault starts nothing", async () => {
    const repository = new TestRepository({ files: { [path]: FRONT.replace("risk: low", "risk-tier: low") } });
    const ended = await runPlan(repository, path);
    expect(ended.code).toBe(2);
    expect(ended.stderr).toContain(`${path}:7:1 PLAN_FRONT_MATTER_KEY_UNKNOWN `);
    expect(existsSync(join(repository.path, ".conveyor"))).toBe(false);
  });
});

const example = (name: string) => readFileSync(join(ROOT, "examples/plans", name), "utf8");

const MAIN = `console.log(process.argv.includes("--bye") ? "Goodbye!" : "Hello!");`;

describe("the examples", () => {
  test.each(["front-matter.md", "one-item.md", "three-items.md"])("%s lints without a word", async (name) => {
    const repository = new TestRepository({
      files: { [`${ACTIVE}/${name}`]: example(name), "src/main.js": "\n" },
    });
    const linted = await repository.conveyor(["plans", "lint", `${ACTIVE}/${name}`]);
    expect([linted.code, linted.stdout]).toEqual([0, ""]);
  });

  test("one-item.md runs", async () => {
    const path = `${ACTIVE}/one-item.md`;
    const test = `require("node:test")("it says goodbye", () => {});`;
    const repository = new TestRepository({
      files: { [path]: example("one-item.md"), "src/main.js": "console.log(1);\n" },
      executor: `printf '%s' '${MAIN}' > src/main.js; printf '%s' '${test}' > src/main.test.js`,
    });
    expect((await runPlan(repository, path)).outcome.terminal_state).toBe("done");
  });

  test("front-matter.md runs, with proof of red and green, up to its signature", async () => {
    const path = `${ACTIVE}/front-matter.md`;
    const test = `require("node:test")("there are greetings", () => void require("./greetings.js"));`;
    const repository = new TestRepository({
      files: { [path]: example("front-matter.md"), "src/main.js": MAIN },
      configLines: ["validation: {test-paths: ['**/*.test.js']}"],
      executor: [
        `if [ "$ORCH_ITEM_ID" = 01 ]; then echo "module.exports = {}" > src/greetings.js; printf '%s' '${test}' > src/greetings.test.js`,
        "else mkdir -p docs; echo languages > docs/languages.md; fi",
      ].join("\n"),
    });
    const ended = await runPlan(repository, path);
    expect([ended.code, ended.outcome.blocked_reason_codes]).toEqual([3, ["ITEM_AWAITING_HUMAN_GATE"]]);
    const { run_id: run } = repository.report();
    expect((await repository.conveyor(["gate", "approve", run, "02", "--by", "Ada", "--note", "read"])).code).toBe(0);
    expect((await repository.conveyor(["resume", ...GATES_OPEN])).code).toBe(0);
  });
});
