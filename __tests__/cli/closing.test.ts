import { execFileSync } from "node:child_process";
import { readFileSync, symlinkSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { buildPlan, GATES_OPEN, makeFolder, PLAN_PATH, TestRepository, type Row } from "../support/conveyor.ts";
import { LedgerRepository } from "../support/faults.ts";
import { forgeRun } from "../support/forgery.ts";

const METADATA = "## Metadata\n\n- Plan-ID: test-plan\n- Status: queued\n- Risk-Tier: low\n\n";
const EVIDENCE = "docs/exec-plans/evidence-index/test-plan.md";

const withMetadata = (rows: readonly Row[] = [{ step_id: "01" }]): Record<string, string> => ({
  [PLAN_PATH]: buildPlan(rows).replace("## 2. Items", `${METADATA}## 2. Items`),
});

const changesOf = (repository: TestRepository, commit: string): string[] =>
  repository.git("diff-tree", "-r", "--no-renames", "--name-status", "--no-commit-id", commit).split("\n");

/** The event, and the digest of the line before it. */
const closingOf = (repository: TestRepository) =>
  repository.events().find(({ type }) => type === "closing_prepared") as unknown as {
    prev: string;
    details: { commit: string; parent: string; date: string };
  };

describe("the closing commit", () => {
  test("moves a plan with metadata to completed, with evidence, as the last commit, and nothing else", async () => {
    const rows = [{ step_id: "01" }, { step_id: "02" }];
    const repository = new TestRepository({
      files: withMetadata(rows),
      configLines: ['validation: {commands: [[bash, -c, "git rev-parse HEAD"]]}'],
    });
    const ended = await repository.run(GATES_OPEN);
    expect(ended.code).toBe(0);
    const { branch, head_sha: head } = ended.outcome;
    const { prev, details } = closingOf(repository);
    expect(repository.git("rev-parse", branch)).toBe(head);
    expect(details.commit).toBe(head);
    const validated = repository.events().find(({ type }) => type === "validation_finished")?.details["commit"];
    expect(repository.git("rev-parse", `${head}^@`)).toBe(validated);
    const completed = `docs/exec-plans/completed/${details.date}-test-plan.md`;
    expect(changesOf(repository, head)).toEqual([`D\t${PLAN_PATH}`, `A\t${completed}`, `A\t${EVIDENCE}`]);
    const closed = repository.git("show", `${head}:${completed}`);
    expect(closed).toContain("- Status: completed\n");
    expect(closed).toContain(`- Done-Evidence: ${EVIDENCE}\n`);
    for (const { commit } of repository.report().items) expect(closed).toContain(String(commit));
    expect(repository.git("show", `${head}:${EVIDENCE}`)).toContain(`Journal head before this commit: \`${prev}\``);
    const trailers = repository.git("log", "-1", "--format=%B", head).split("\n");
    expect(trailers).toEqual(
      expect.arrayContaining(["Plan: test-plan", `Run: ${ended.outcome.run_id}`, `Journal-Head: ${prev}`]),
    );
    expect(trailers.filter((line) => /^Packet: [0-9a-f]{64}$/.test(line))).toHaveLength(2);
    // The gates are for that very head, and come after it.
    const types = repository.events().map(({ type }) => type);
    expect(types.indexOf("closing_committed")).toBeLessThan(types.indexOf("delivery_started"));
    expect(repository.events().find(({ type }) => type === "gates_evaluated")?.details["head"]).toBe(head);
    expect((await repository.conveyor(["verify"])).code).toBe(0);
  });

  test("leaves a plan without metadata where it is, and adds the evidence alone", async () => {
    const repository = new TestRepository();
    const ended = await repository.run(GATES_OPEN);
    expect(changesOf(repository, ended.outcome.branch)).toEqual([`A\t${EVIDENCE}`]);
    expect(repository.git("show", `${ended.outcome.branch}:${EVIDENCE}`)).toContain(`- Plan: \`${PLAN_PATH}\``);
  });

  test("stands in the folders of the configuration, with the plan's bytes kept", async () => {
    const text = withMetadata()[PLAN_PATH]?.replaceAll("\n", "\r\n") ?? "";
    const repository = new TestRepository({
      files: { [PLAN_PATH]: `\uFEFF${text}` },
      configLines: ["paths: {completed: archive/plans, evidence: archive/proof}"],
    });
    const ended = await repository.run(GATES_OPEN);
    expect(ended.code).toBe(0);
    const { date } = closingOf(repository).details;
    expect(changesOf(repository, ended.outcome.branch)).toEqual([
      `A\tarchive/plans/${date}-test-plan.md`,
      "A\tarchive/proof/test-plan.md",
      `D\t${PLAN_PATH}`,
    ]);
    // Read as bytes: whoever trims takes the byte order mark with the blanks.
    const file = `${ended.outcome.branch}:archive/plans/${date}-test-plan.md`;
    const closed = execFileSync("git", ["-C", repository.path, "show", file], { encoding: "utf8" });
    expect(closed.startsWith("\uFEFF# Test plan\r\n")).toBe(true);
    expect((await repository.conveyor(["verify"])).code).toBe(0);
  });

  test("is made once: gates that block and later calls leave it as it is", async () => {
    const repository = new TestRepository({ files: withMetadata() });
    const blocked = await repository.run();
    expect(blocked.code).toBe(3);
    expect(repository.git("rev-parse", blocked.outcome.branch)).toBe(closingOf(repository).details.commit);
    const ended = await repository.resume(GATES_OPEN);
    expect(ended.outcome.head_sha).toBe(blocked.outcome.head_sha);
    expect(repository.events().filter(({ type }) => type === "closing_prepared")).toHaveLength(1);
  });

  test("is not made when an item, validation or policy stops the run", async () => {
    const failing = new TestRepository({ configLines: ["validation: {commands: [[bash, -c, 'exit 1']]}"] });
    expect((await failing.run(GATES_OPEN)).code).toBe(1);
    expect(failing.events().map(({ type }) => type)).not.toContain("closing_prepared");
    const waiting = new TestRepository({ rows: [{ step_id: "01", manual_gate: "signoff" }] });
    expect((await waiting.run(GATES_OPEN)).code).toBe(3);
    expect(waiting.events().map(({ type }) => type)).not.toContain("closing_prepared");
    // The executor changes the plan at the trust ref's tip while the run is under way.
    const moved = new TestRepository({
      executor:
        'mkdir -p out && echo x > out/01.txt && cd "$REPO" && echo more >> README.md && echo >> docs/exec-plans/active/plan.md && git -c user.name=t -c user.email=t@t.invalid commit -qam later\n',
    });
    const refused = await moved.run(["--executor-env", `REPO=${moved.path}`, ...GATES_OPEN]);
    expect(refused.outcome.blocked_reason_codes).toEqual(["PLAN_DIGEST_CHANGED"]);
    expect(moved.events().map(({ type }) => type)).not.toContain("closing_prepared");
    expect(moved.git("branch", "--list", "conveyor/*")).toBe("");
  });
});

describe("something in the place of a folder that the closing writes to", () => {
  test.each([
    ["completed", "docs/exec-plans/completed", "a file"],
    ["evidence", "docs/exec-plans/evidence-index", "a file"],
  ])("paths.%s: %s in the commit is found before anything starts", async (key, path, text) => {
    const repository = new TestRepository({ files: { ...withMetadata(), [path]: text } });
    const refused = await repository.run(GATES_OPEN);
    expect({ code: refused.code, runs: repository.runFolders() }).toEqual({ code: 2, runs: [] });
    expect(refused.stderr).toContain(`CONFIG_INVALID paths.${key}: expected a folder at ${path}, found a file`);
  });

  test("a link is no folder, and a plan without metadata needs no folder of completed plans", async () => {
    const repository = new TestRepository({ files: { "docs/exec-plans/completed": "a file" } });
    expect((await repository.run(GATES_OPEN)).code).toBe(0);
    expect((await repository.conveyor(["verify"])).code).toBe(0);
    symlinkSync("../../tools", join(repository.path, "docs/exec-plans/evidence-index"));
    repository.commit("a link");
    const refused = await repository.run(GATES_OPEN);
    expect(refused.code).toBe(2);
    expect(refused.stderr).toContain("CONFIG_INVALID paths.evidence");
  });

  test("a file that an item put there is not removed: the run fails in closure, and verify agrees", async () => {
    const repository = new TestRepository({
      executor: "mkdir -p out; echo done > out/01.txt; echo work > proof\n",
      rows: [{ step_id: "01", allowed_write_roots: "out; proof" }],
      configLines: ["paths: {evidence: proof/of/plans}"],
    });
    const ended = await repository.run(GATES_OPEN);
    expect({ code: ended.code, codes: ended.outcome.blocked_reason_codes }).toEqual({
      code: 1,
      codes: ["PATH_UNSAFE"],
    });
    expect(repository.report().failure).toContain("proof is in the way of proof/of/plans/test-plan.md");
    expect(repository.git("for-each-ref", "refs/heads/conveyor")).toBe("");
    expect((await repository.conveyor(["verify"])).code).toBe(0);
  });
});

test("verify builds the files again: another date, another digest, another commit in its place are found", async () => {
  const repository = new TestRepository({ files: withMetadata() });
  await repository.run(GATES_OPEN);
  const folder = repository.runFolder();
  const journal = readFileSync(join(folder, "run-events.jsonl"), "utf8");
  for (const edit of [
    { date: "2020-01-01" },
    { changes: [{ path: EVIDENCE, sha256: "0".repeat(64) }] },
    { tree: "0".repeat(40) },
  ]) {
    expect(
      forgeRun(folder, (events) =>
        events.map((event) =>
          event.type === "closing_prepared" ? { ...event, details: { ...event.details, ...edit } } : event,
        ),
      ),
    ).toBe(true);
    const verified = await repository.conveyor(["verify"]);
    expect(verified.code).toBe(1);
    expect(verified.stdout).toMatch(/closing|plan, packets and journal/);
    forgeRun(folder, () =>
      journal
        .split("\n")
        .filter(Boolean)
        .map((line) => JSON.parse(line)),
    );
  }
  expect((await repository.conveyor(["verify"])).code).toBe(0);
});

test.each([
  ["before the branch moved", 2],
  ["after the branch moved", 3],
])("a run that is killed %s takes the very commit that it had prepared", async (what, offset) => {
  const log = join(makeFolder(), "calls");
  await new LedgerRepository({ files: withMetadata() }).startFaulty({ calls: "write", log }).ended;
  // The last git dir that is made is the closing commit's; then come the lines of its intent and of its receipt.
  const writes = readFileSync(log, "utf8").split("\n");
  const at = writes.findLastIndex((line) => line.endsWith("/attributes")) + 1 + offset;
  const repository = new LedgerRepository({ files: withMetadata() });
  await repository.startFaulty({ calls: "write", at }).ended;
  const last = repository.events().at(-1);
  expect(last?.type).toBe("closing_prepared");
  const prepared = String(last?.details["commit"]);
  const branch = String(repository.events()[0]?.details["run_branch"]);
  const privateDir = join(repository.runFolder(), "repo.git");
  const tip = repository.git("--git-dir", privateDir, "rev-parse", `refs/heads/${branch}`);
  expect(tip === prepared).toBe(what === "after the branch moved");
  expect((await repository.goOn()).code).toBe(0);
  expect(repository.git("rev-parse", branch)).toBe(prepared);
  expect(repository.events().filter(({ type }) => type === "closing_prepared")).toHaveLength(1);
  expect((await repository.conveyor(["verify"])).code).toBe(0);
});
