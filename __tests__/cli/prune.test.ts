import {
  appendFileSync,
  cpSync,
  existsSync,
  mkdirSync,
  readdirSync,
  rmSync,
  symlinkSync,
  truncateSync,
  writeFileSync,
} from "node:fs";
import { basename, join } from "node:path";
import { beforeAll, describe, expect, test } from "vitest";
import { GATES_OPEN, type TestRepository } from "../support/conveyor.ts";
import { git } from "../support/git-run.ts";
import { buildLiveLock } from "../support/live-lock.ts";
import { makeAudited } from "../support/two-lanes.ts";

const OLD = "RUN_20200101T000000Z_";

interface Pruned {
  readonly code: number | null;
  readonly dry_run: boolean;
  readonly outcomes: readonly { act: string; kind: string; name: string; why: string }[];
}

async function prune(repository: TestRepository, ...args: string[]): Promise<Pruned> {
  const ended = await repository.conveyor(["prune", "--format", "json", ...args]);
  return { code: ended.code, ...(JSON.parse(ended.stdout) as Omit<Pruned, "code">) };
}

const runsOf = (repository: TestRepository): string[] =>
  repository
    .runFolders()
    .map((path) => basename(path))
    .sort();
const pinsOf = (repository: TestRepository): string[] =>
  repository
    .git("for-each-ref", "--format=%(refname:lstrip=3)", "refs/conveyor/base")
    .split("\n")
    .filter(Boolean)
    .sort();

describe("runs", () => {
  const repository = makeAudited({ rows: [{ step_id: "01" }, { step_id: "02" }] });
  let done: string;
  let waiting: string;
  let handedOff: string;
  let branch: string;

  beforeAll(async () => {
    const ended = await repository.run(GATES_OPEN);
    [done, branch] = [ended.outcome.run_id, ended.outcome.branch];
    waiting = (await repository.run()).outcome.run_id;
    handedOff = (await repository.run(["--item", "01"])).outcome.run_id;
  }, 60_000);

  test("that ended a short while ago are left alone", async () => {
    const { code, outcomes } = await prune(repository);
    expect(code).toBe(0);
    expect(outcomes.map(({ act, name }) => [act, name])).toEqual([
      ["kept", waiting],
      ["kept", handedOff],
    ]);
    expect(runsOf(repository)).toEqual([done, waiting, handedOff].sort());
  });

  test("--dry-run says what would go and removes nothing", async () => {
    const dry = await prune(repository, "--older-than", "0d", "--dry-run");
    expect([dry.code, dry.dry_run]).toEqual([0, true]);
    expect(dry.outcomes.map(({ act, kind, name }) => [act, kind, name])).toEqual([
      ["would_remove", "run", done],
      ["kept", "run", waiting],
      ["kept", "run", handedOff],
    ]);
    expect(dry.outcomes[1]?.why).toContain("GATE_CI_NOT_SUCCESS");
    expect([runsOf(repository), pinsOf(repository)]).toEqual([
      [done, waiting, handedOff].sort(),
      [done, waiting, handedOff].sort(),
    ]);
  });

  test("that are done and old enough go with cache and pin; the branch stays, and so does all that waits", async () => {
    mkdirSync(join(repository.cache, "conveyor", done, "homes"), { recursive: true });
    const head = repository.git("rev-parse", branch);
    const { outcomes } = await prune(repository, "--older-than", "0d");
    expect(outcomes.filter(({ act }) => act === "removed").map(({ name }) => name)).toEqual([done]);
    expect(runsOf(repository)).toEqual([waiting, handedOff].sort());
    expect(pinsOf(repository)).toEqual([waiting, handedOff].sort());
    expect(existsSync(join(repository.cache, "conveyor", done))).toBe(false);
    expect(repository.git("rev-parse", branch)).toBe(head);
    const resumed = await repository.resume([waiting, ...GATES_OPEN]);
    expect([resumed.code, resumed.outcome.terminal_state]).toEqual([0, "done"]);
  });

  test("that can be resumed or cannot be read go by name alone, and never while somebody holds them", async () => {
    const folder = join(repository.path, ".conveyor/runs", handedOff);
    appendFileSync(join(folder, "run-events.jsonl"), "garbage\n");
    expect((await prune(repository, "--older-than", "0d", "--dry-run")).outcomes).toContainEqual(
      expect.objectContaining({ act: "kept", name: handedOff, why: expect.stringContaining("doctor") as string }),
    );
    writeFileSync(join(folder, "lock.9"), buildLiveLock());
    const held = await prune(repository, "--give-up", handedOff);
    expect(held.outcomes).toEqual([expect.objectContaining({ act: "kept", name: handedOff })]);
    expect(held.outcomes[0]?.why).toContain(`is held by process ${process.pid}`);
    rmSync(join(folder, "lock.9"));
    expect((await prune(repository, "--give-up", handedOff)).outcomes).toEqual([
      { act: "removed", kind: "run", name: handedOff, why: "is given up" },
    ]);
    expect([existsSync(folder), pinsOf(repository)]).toEqual([false, [waiting]]);
    expect((await repository.conveyor(["prune", "--give-up", handedOff])).code).toBe(2);
  });

  test.each(["soon", "14", "-1d", "1e3d", "99999d"])("--older-than %s is a usage error", async (age) => {
    expect((await repository.conveyor(["prune", `--older-than=${age}`])).code).toBe(2);
  });
});

test("a run that is done and was not delivered is kept: its commits lie nowhere else", async () => {
  const repository = makeAudited();
  const { outcome } = await repository.run([...GATES_OPEN, "--deliver", "none"]);
  expect(outcome.terminal_state).toBe("done");
  const { outcomes } = await prune(repository, "--older-than", "0d");
  expect(outcomes).toEqual([expect.objectContaining({ act: "kept", kind: "run", name: outcome.run_id })]);
  expect(git(join(repository.runFolder(), "repo.git"), "rev-parse", outcome.head_sha)).toBe(outcome.head_sha);
  expect((await prune(repository, "--give-up", outcome.run_id)).outcomes).toMatchObject([{ act: "removed" }]);
});

test("what is no run folder of ours ends no command, and nothing behind a link is touched", async () => {
  const repository = makeAudited();
  const { outcome } = await repository.run(GATES_OPEN);
  const [runs, caches] = [join(repository.path, ".conveyor/runs"), join(repository.cache, "conveyor")];
  const [moved, victim] = [join(repository.base, "moved"), join(repository.base, "victim")];
  cpSync(join(runs, outcome.run_id), moved, { recursive: true });
  mkdirSync(victim);
  writeFileSync(join(victim, "precious"), "");
  symlinkSync(moved, join(runs, `${OLD}0000000a`));
  symlinkSync(victim, join(runs, `${OLD}0000000b`));
  symlinkSync(victim, join(runs, `.pruned-${OLD}0000000c`));
  symlinkSync(join(repository.base, "nowhere"), join(runs, `${OLD}0000000d`));
  writeFileSync(join(runs, `${OLD}0000000e`), "a file");
  mkdirSync(join(runs, `${OLD}0000000f`));
  symlinkSync(victim, join(runs, `${OLD}0000000f`, "link"));
  mkdirSync(caches, { recursive: true });
  symlinkSync(victim, join(caches, `${OLD}000000c1`));
  writeFileSync(join(caches, `${OLD}000000c2`), "a file");
  mkdirSync(join(caches, `${OLD}000000c3`));
  writeFileSync(join(caches, `${OLD}000000c3`, "worktrees"), "a file");
  // Larger than anything that can be read at once, and newer than all.
  mkdirSync(join(runs, "RUN_29990101T000000Z_00000001"));
  writeFileSync(join(runs, "RUN_29990101T000000Z_00000001/run-events.jsonl"), "{}\n");
  truncateSync(join(runs, "RUN_29990101T000000Z_00000001/run-events.jsonl"), 3 * 1024 ** 3);
  for (const args of [["status", "--all"], ["audit"], ["doctor"], ["status"], ["prune", "--older-than", "0d"]]) {
    const ended = await repository.conveyor(args);
    expect(ended.stderr, args.join(" ")).not.toContain("conveyor failed");
  }
  const { code, stderr } = await repository.conveyor(["status", "RUN_29990101T000000Z_00000001"]);
  expect({ code, stderr }).toMatchObject({ code: 1, stderr: expect.stringContaining("JOURNAL_CORRUPT") as string });
  expect(readdirSync(victim)).toEqual(["precious"]);
  expect(readdirSync(moved)).toContain("run-events.jsonl");
  expect(readdirSync(runs).sort()).toEqual(
    ["a", "b", "d", "e", "f"].map((end) => `${OLD}0000000${end}`).concat("RUN_29990101T000000Z_00000001"),
  );
});

test("a file in the place of the folder of runs: there are no runs, and no command ends by it", async () => {
  const repository = makeAudited();
  mkdirSync(join(repository.path, ".conveyor"));
  writeFileSync(join(repository.path, ".conveyor/.gitignore"), "*\n");
  writeFileSync(join(repository.path, ".conveyor/runs"), "");
  for (const [command, code] of [
    ["status", 2],
    ["audit", 0],
    ["doctor", 0],
    ["prune", 0],
  ] as const) {
    const ended = await repository.conveyor([command]);
    expect({ command, code: ended.code, said: /conveyor failed.*/.exec(ended.stderr) }).toEqual({
      command,
      code,
      said: null,
    });
  }
});

test("a folder that a start left without an event goes when it is old; a removal that was interrupted is ended", async () => {
  const repository = makeAudited();
  const runs = join(repository.path, ".conveyor/runs");
  for (const name of [`${OLD}00000001`, ".pruned-RUN_20200101T000000Z_00000002", "RUN_29990101T000000Z_00000003"]) {
    mkdirSync(join(runs, name, "repo.git"), { recursive: true });
  }
  const { outcomes } = await prune(repository);
  expect(outcomes.map(({ act, kind, name }) => [act, kind, name])).toEqual([["removed", "start", `${OLD}00000001`]]);
  expect(readdirSync(runs)).toEqual(["RUN_29990101T000000Z_00000003"]);
});

test("caches without a run go when they are old; one whose run lies in another checkout stays", async () => {
  const repository = makeAudited();
  const caches = join(repository.cache, "conveyor");
  const elsewhere = join(repository.base, "elsewhere/.conveyor/runs/X/repo.git");
  mkdirSync(join(elsewhere, "worktrees/w"), { recursive: true });
  const make = (name: string, gitDir: string): void => {
    mkdirSync(join(caches, name, "worktrees/w"), { recursive: true });
    writeFileSync(join(caches, name, "worktrees/w/.git"), `gitdir: ${gitDir}/worktrees/w\n`);
  };
  make(`${OLD}0000000a`, elsewhere);
  make(`${OLD}0000000b`, join(repository.base, "gone/repo.git"));
  make(`${OLD}0000000c-0123456789ab`, join(repository.base, "gone/repo.git"));
  make("RUN_29990101T000000Z_0000000d", join(repository.base, "gone/repo.git"));
  mkdirSync(join(caches, "not-a-run"));
  const { outcomes } = await prune(repository);
  expect(outcomes.map(({ act, kind, name }) => [act, kind, basename(name)])).toEqual([
    ["removed", "cache", `${OLD}0000000b`],
    ["removed", "cache", `${OLD}0000000c-0123456789ab`],
  ]);
  expect(readdirSync(caches).sort()).toEqual([`${OLD}0000000a`, "RUN_29990101T000000Z_0000000d", "not-a-run"].sort());
});

test("a pin without a run goes only when a branch or tag holds its commit as well", async () => {
  const repository = makeAudited();
  const alone = git(repository.path, "commit-tree", "-m", "alone", "main^{tree}");
  repository.git("update-ref", `refs/conveyor/base/${OLD}0000000a`, "main");
  repository.git("update-ref", `refs/conveyor/base/${OLD}0000000b`, alone);
  repository.git("update-ref", "refs/conveyor/base/RUN_29990101T000000Z_0000000c", "main");
  const { outcomes } = await prune(repository);
  expect(outcomes.map(({ act, name }) => [act, basename(name)])).toEqual([
    ["removed", `${OLD}0000000a`],
    ["kept", `${OLD}0000000b`],
  ]);
  expect(pinsOf(repository)).toEqual([`${OLD}0000000b`, "RUN_29990101T000000Z_0000000c"]);
});
