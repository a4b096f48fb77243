import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { GATES_OPEN, PLAN_PATH, ROOT, TestRepository } from "../support/conveyor.ts";

/** A run that stopped because nobody approved its risk, and the branch that went on meanwhile. */
async function stoppedRun(): Promise<{ repository: TestRepository; run: string; base: string }> {
  const repository = new TestRepository();
  const base = repository.git("rev-parse", "HEAD");
  const { outcome } = await repository.run([], { env: { ORCH_APPROVED_MEDIUM: "" } });
  repository.write({ "README.md": "# Newer\n" });
  repository.commit("newer");
  return { repository, run: outcome.run_id, base };
}

const pin = (repository: TestRepository, run: string): string =>
  repository.git("rev-parse", `refs/conveyor/base/${run}`);

describe("refresh", () => {
  test("moves the base of a run that nothing passed in, pins it, and the run builds on it", async () => {
    const { repository, run, base } = await stoppedRun();
    const tip = repository.git("rev-parse", "main");
    const moved = await repository.conveyor(["refresh", run, "--onto", "main"]);
    expect(moved.stderr).toContain(`conveyor resume ${run}`);
    expect({ code: moved.code, stdout: moved.stdout }).toEqual({ code: 0, stdout: `${run} now builds on ${tip}\n` });
    expect(pin(repository, run)).toBe(tip);
    expect(repository.events().find(({ type }) => type === "base_refresh_started")?.details).toMatchObject({
      onto: "main",
      from: base,
      to: tip,
    });
    expect((await repository.conveyor(["verify"])).code).toBe(0);
    const ended = await repository.resume(GATES_OPEN);
    expect(ended.code).toBe(0);
    expect(repository.report()).toMatchObject({ base_commit: tip });
    expect(repository.git("show", `${ended.outcome.branch}:README.md`)).toBe("# Newer");
    expect(repository.git("merge-base", "main", ended.outcome.branch)).toBe(tip);
    expect((await repository.conveyor(["verify"])).code).toBe(0);
  });

  test("an attempt that stood on the old base is not gone on with", async () => {
    const repository = new TestRepository({
      executor: 'test -z "$BREAK" || exit 75\nmkdir -p out && echo x > out/01.txt\n',
    });
    const first = await repository.run(["--executor-env", "BREAK=1"]);
    expect([3, 75]).toContain(first.code);
    repository.write({ "README.md": "# Newer\n" });
    const tip = repository.commit("newer");
    expect((await repository.conveyor(["refresh", first.outcome.run_id, "--onto", tip])).code).toBe(0);
    const ended = await repository.resume(["--executor-env", "BREAK=", ...GATES_OPEN]);
    expect(ended.code).toBe(0);
    const attempts = repository.report().items[0]?.attempts as unknown as { ended: string; base_commit: string }[];
    expect(attempts.map((attempt) => attempt.ended)).toEqual(["superseded", "kept"]);
    expect(attempts[1]?.base_commit).toBe(tip);
    expect((await repository.conveyor(["verify"])).code).toBe(0);
  });

  test("planning and its manager are done again on the new base", async () => {
    const repository = new TestRepository({
      configLines: ['manager: {command: [bash, -c, "cat README.md"]}', 'prepare: {commands: [[bash, -c, "true"]]}'],
    });
    const { outcome } = await repository.run([], { env: { ORCH_APPROVED_MEDIUM: "" } });
    repository.write({ "README.md": "# Newer\n" });
    repository.commit("newer");
    expect((await repository.conveyor(["refresh", outcome.run_id, "--onto", "main"])).code).toBe(0);
    expect((await repository.resume(GATES_OPEN)).code).toBe(0);
    expect(readFileSync(join(repository.runFolder(), "manager-2", "stdout.log"), "utf8")).toBe("# Newer\n");
  });
});

test("a refresh that is killed before or after the branch moved is ended by whoever comes next", async () => {
  const nodeArgs = ["--import", join(ROOT, "__tests__", "support", "kill-at.mjs")];
  let at = 1;
  for (const wanted of ["not moved", "moved"]) {
    const { repository, run, base } = await stoppedRun();
    const tip = repository.git("rev-parse", "main");
    const typeOfLast = (): string => repository.events().at(-1)?.type ?? "";
    for (; typeOfLast() !== "base_refresh_started"; at += 1) {
      // Killed before its first event it has done nothing, and is tried again.
      expect(typeOfLast()).toBe("report_written");
      const env = { FAULT_CALLS: "write", FAULT_AT: String(at) };
      await repository.start(["refresh", run, "--onto", "main"], { nodeArgs, env }).ended;
    }
    const branch = `refs/heads/${repository.report().branch}`;
    const privateDir = join(repository.runFolder(), "repo.git");
    expect(repository.git("--git-dir", privateDir, "rev-parse", branch)).toBe(wanted === "moved" ? tip : base);
    const ended = await repository.resume(GATES_OPEN);
    expect(ended.code).toBe(0);
    expect(repository.git("merge-base", "main", ended.outcome.branch)).toBe(tip);
    expect(repository.events().filter(({ type }) => type === "base_refreshed")).toHaveLength(1);
    expect((await repository.conveyor(["verify"])).code).toBe(0);
  }
});

describe("what refresh refuses, with exit 2 and nothing changed", () => {
  const refused = async (repository: TestRepository, args: readonly string[], ...said: string[]): Promise<void> => {
    const journal = join(repository.runFolder(), "run-events.jsonl");
    const before = readFileSync(journal);
    const ended = await repository.conveyor(["refresh", ...args]);
    expect({ code: ended.code, stdout: ended.stdout }).toEqual({ code: 2, stdout: "" });
    for (const text of said) expect(ended.stderr).toContain(text);
    expect(readFileSync(journal)).toEqual(before);
  };

  test("a ref that is none, the base itself, a commit beside it, one that the trust ref does not contain", async () => {
    const { repository, run, base } = await stoppedRun();
    await refused(repository, [run, "--onto", "nowhere"], "USAGE", "nowhere names no commit here");
    await refused(repository, [run, "--onto", base], "USAGE", "there is nothing to move");
    const beside = repository.git("commit-tree", "-m", "beside", `${base}^{tree}`);
    await refused(repository, [run, "--onto", beside], "BASE_MOVED", "does not descend from the base");
    const ahead = repository.git("commit-tree", "-m", "ahead", "-p", "main", "main^{tree}");
    await refused(repository, [run, "--onto", ahead], "BASE_MOVED", "is not contained in refs/heads/main");
    await refused(repository, ["no-such-run", "--onto", "main"], "USAGE", "no such run");
    await refused(repository, [run], "required option '--onto <ref>'");
    expect(pin(repository, run)).toBe(base);
  });

  test.each([
    ["another plan", PLAN_PATH, "PLAN_DIGEST_CHANGED"],
    ["another policy", ".github/conveyor.yml", "POLICY_DIGEST_CHANGED"],
  ])("%s", async (_what, path, code) => {
    const { repository, run } = await stoppedRun();
    const text = readFileSync(join(repository.path, path), "utf8");
    repository.write({ [path]: path === PLAN_PATH ? `${text}\nMore.\n` : `${text}limits: {fix-rounds: 5}\n` });
    repository.commit("changed");
    await refused(repository, [run, "--onto", "main"], code, "start a new run");
  });

  test("a run in which an item passed, one that is done, one that waits at a gate", async () => {
    const repository = new TestRepository({ rows: [{ step_id: "01" }, { step_id: "02" }] });
    const first = await repository.run(["--item", "01"]);
    expect(first.code).toBe(75);
    repository.commit("newer");
    const run = first.outcome.run_id;
    await refused(repository, [run, "--onto", "main"], "USAGE", "item 01 has passed on the old base");
    expect((await repository.resume(GATES_OPEN)).code).toBe(0);
    await refused(repository, [run, "--onto", "main"], "USAGE", "the run is done");
    const gated = new TestRepository({ rows: [{ step_id: "01", manual_gate: "signoff" }] });
    const { outcome } = await gated.run();
    gated.commit("newer");
    await refused(
      gated,
      [outcome.run_id, "--onto", "main"],
      "USAGE",
      "item 01 has a gate about a commit on the old base",
    );
  });
});
