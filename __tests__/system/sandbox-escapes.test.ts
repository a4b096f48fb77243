import { spawnSync } from "node:child_process";
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { beforeAll, describe, expect, test } from "vitest";
import type { LayerReport } from "../../src/domain/sandbox-layers.ts";
import { GATES_OPEN, TestRepository, withExecutor, type Report } from "../support/conveyor.ts";
import {
  FILL_THE_DISK,
  GIT_WAYS,
  layBait,
  OUTSIDE_WAYS,
  quietWays,
  tryWays,
  type Bait,
  type Way,
} from "../support/escapes.ts";

beforeAll(() => {
  const { error } = spawnSync("/usr/bin/bwrap", ["--version"]);
  if (error !== undefined)
    throw new Error(`this suite needs bubblewrap: apt-get install bubblewrap (${error.message})`);
});

const TIER_3 = ["--sandbox", "required", ...GATES_OPEN];
const TIER_1 = ["--sandbox", "off", ...GATES_OPEN];

/** What one run, whose executor tried all these ways, says of each. */
interface Trial {
  readonly outcomes: ReadonlyMap<string, string>;
  readonly report: Report;
  readonly bait: Pick<Bait, "visits">;
  readonly repository: TestRepository;
}

async function tryAll(tier: readonly string[], list: (repository: TestRepository, bait: Bait) => readonly Way[]) {
  const repository = new TestRepository({ files: { ".gitignore": ".env\nwritten\n" } });
  await using bait = await layBait(repository);
  const ways = list(repository, bait);
  const ended = await repository.run([...withExecutor(tryWays(ways)), ...tier], { env: { ...bait.env } });
  const log = join(repository.runFolder(), "items/01/attempt-1/round-1/session-1/stdout.log");
  const lines = readFileSync(log, "utf8").split("\n").filter(Boolean);
  const outcomes = new Map(lines.map((line) => line.split("\t", 2) as [string, string]));
  expect([...outcomes.keys()], ended.stderr).toEqual(ways.map(({ name }) => name));
  return { outcomes, report: repository.report(), bait, repository, ended };
}

/** The strength that a report gives to a protection. */
function strengthOf(report: Report, layer: LayerReport["layer"]): string | undefined {
  return report.sandbox?.layers.find((each) => each.layer === layer)?.strength;
}

/** A way by its name alone: what it needs of a repository is made when it is tried. */
const QUIET = quietWays(
  { base: "", path: "", cache: "" } as TestRepository,
  {
    tcpPort: 0,
    tcp6Port: 0,
    udpPort: 0,
    abstractName: "",
    socketPath: "",
  } as Bait,
);

describe("in tier 3", () => {
  let trial: Trial & { ended: { code: number | null; stderr: string } };
  beforeAll(async () => {
    trial = await tryAll(TIER_3, (repository, bait) => [
      ...GIT_WAYS,
      ...quietWays(repository, bait),
      ...OUTSIDE_WAYS,
      FILL_THE_DISK,
    ]);
  }, 120_000);

  test("the run that tried everything is a good one: what cannot happen is nobody's fault", () => {
    expect(trial.ended.code, trial.ended.stderr).toBe(0);
    expect(trial.report).toMatchObject({ terminal_state: "done", sandbox: { tier: 3, level: "required" } });
  });

  test.each([...GIT_WAYS, ...QUIET, ...OUTSIDE_WAYS, FILL_THE_DISK])("a program cannot $name", (way) => {
    expect(trial.outcomes.get(way.name)).toBe("held");
    expect(strengthOf(trial.report, way.layer)).toBe("enforced");
    if (way.visit !== undefined) expect(trial.bait.visits).not.toContain(way.visit);
  });

  test("nothing was written outside", () => {
    const { base, path, cache } = trial.repository;
    const written = [`${base}/written`, `${path}/written`, `${path}/.conveyor/written`, `${cache}/conveyor/written`];
    expect(written.filter((file) => existsSync(file))).toEqual([]);
  });

  test("hosts that were asked for in vain stand in the report", () => {
    const executor = trial.report.stage_executions.find(({ purpose }) => purpose === "executor");
    expect(executor?.network).toEqual([
      { host: "example.net", port: 443, allowed: false, requests: 1, sent_bytes: 0, received_bytes: 0 },
      { host: "169.254.169.254", port: 80, allowed: false, requests: 1, sent_bytes: 0, received_bytes: 0 },
    ]);
  });

  test("a daemon ends with the program that left it, and cannot be told from none", async () => {
    const repository = new TestRepository();
    const script =
      'mkdir -p out; setsid bash -c "exec -a conveyor-test-daemon sleep 300" & echo $! > out/01.txt; sleep 0.2';
    const ended = await repository.run([...withExecutor(script), ...TIER_3]);
    expect(ended.code, ended.stderr).toBe(0);
    expect(listProcesses("conveyor-test-daemon")).toEqual([]);
  });

  test("an auditor cannot change the checkout that it shares", async () => {
    const script = "if echo x >> README.md; then exit 9; fi 2>/dev/null\n";
    const { auditorScript } = await import("../support/conveyor.ts");
    const repository = new TestRepository({
      auditors: { careful: script + auditorScript(), quick: script + auditorScript() },
    });
    const ended = await repository.run(TIER_3);
    expect(ended.code, ended.stderr).toBe(0);
    expect(strengthOf(repository.report(), "audit_checkout")).toBe("enforced");
  });
});

describe("in tier 1", () => {
  let trial: Trial;
  beforeAll(async () => {
    trial = await tryAll(TIER_1, (repository, bait) => [...quietWays(repository, bait), FILL_THE_DISK]);
  }, 120_000);

  test.each(QUIET)("a program can $name, and the report calls that advisory", (way) => {
    expect(trial.outcomes.get(way.name)).toBe("worked");
    expect(strengthOf(trial.report, way.layer)).toBe("advisory");
    if (way.visit !== undefined) expect(trial.bait.visits).toContain(way.visit);
  });

  test("the report claims nothing about the network, where nothing was tried that would leave the machine", () => {
    expect(trial.report.sandbox).toMatchObject({ tier: 1, level: "off" });
    expect(strengthOf(trial.report, "network")).toBe("advisory");
  });

  test("a program cannot fill the disk with one file: that is enforced here, too", () => {
    expect(trial.outcomes.get(FILL_THE_DISK.name)).toBe("held");
    expect(strengthOf(trial.report, "file_size")).toBe("enforced");
  });

  test.each(GIT_WAYS)("a program can $name, which is detected: GIT_TAMPERED", async ({ script, layer }) => {
    const repository = new TestRepository();
    const ended = await repository.run([
      ...withExecutor(`mkdir -p out; echo x > out/01.txt; ${script}; exit 0`),
      ...TIER_1,
    ]);
    expect(ended.outcome.blocked_reason_codes, ended.stderr).toContain("GIT_TAMPERED");
    expect(strengthOf(repository.report(), layer)).toBe("detected");
  });

  test("a daemon is detected and ended: PROCESS_SURVIVED", async () => {
    const repository = new TestRepository();
    const script =
      'mkdir -p out; echo x > out/01.txt; setsid bash -c "exec -a conveyor-test-daemon sleep 300" & sleep 0.2';
    const ended = await repository.run([...withExecutor(script), ...TIER_1]);
    expect(ended.outcome.blocked_reason_codes, ended.stderr).toContain("PROCESS_SURVIVED");
    expect(strengthOf(repository.report(), "process_lifetime")).toBe("detected");
    expect(listProcesses("conveyor-test-daemon")).toEqual([]);
  });
});

describe.each([
  ["tier 3", TIER_3],
  ["tier 1", TIER_1],
])("in %s", (_name, tier) => {
  test("a program that forks without end is ended", { timeout: 120_000 }, async () => {
    const repository = new TestRepository({ configLines: ["sandbox: {processes: 40}"] });
    // As many as end the program, and no more: the machine is shared.
    const script = "mkdir -p out; echo x > out/01.txt; for i in {1..80}; do sleep 30 & done; wait";
    const ended = await repository.run([...withExecutor(script), ...tier]);
    expect(ended.outcome.blocked_reason_codes, ended.stderr).toContain("EXIT_NONZERO");
    const executor = repository.report().stage_executions.find(({ purpose }) => purpose === "executor");
    const isRoot = process.getuid?.() === 0;
    const enforced = tier === TIER_3 && !isRoot;
    expect(strengthOf(repository.report(), "process_count")).toBe(enforced ? "enforced" : "detected");
    if (!enforced) expect(executor?.error).toBe("more than 40 processes");
    expect(executor?.duration_ms).toBeLessThan(25_000);
  });
});

test("a run has the same results in both tiers", { timeout: 120_000 }, async () => {
  const results = [];
  for (const tier of [TIER_3, TIER_1]) {
    const repository = new TestRepository({
      rows: [{ step_id: "01" }, { step_id: "02", prerequisites: "01" }],
      configLines: [
        "prepare: {commands: [[bash, -c, mkdir -p gen && echo made > gen/x]]}",
        "validation: {commands: [[test, -s, out/02.txt]]}",
      ],
      files: { ".gitignore": "gen\n" },
    });
    const ended = await repository.run([...tier]);
    const verified = await repository.conveyor(["verify"]);
    const report = repository.report();
    results.push({
      code: ended.code,
      verified: [verified.code, verified.stderr],
      items: report.items.map(({ item_id, terminal_state, reason_codes }) => [item_id, terminal_state, reason_codes]),
      trees: repository.git("log", "--format=%T %s", `${report.branch}~1`),
      executions: report.stage_executions.map(({ purpose, status, exit_code }) => [purpose, status, exit_code]),
    });
  }
  expect(results[0]).toEqual(results[1]);
  expect(results[0]).toMatchObject({ code: 0, verified: [0, ""] });
});

function listProcesses(name: string): string[] {
  const { stdout } = spawnSync("ps", ["-eo", "args"], { encoding: "utf8" });
  return stdout.split("\n").filter((line) => line.startsWith(name));
}
