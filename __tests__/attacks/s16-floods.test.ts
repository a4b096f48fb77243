import { existsSync, readFileSync, readdirSync, statSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { GATES_OPEN, PLAN_PATH, withExecutor, type Outcome } from "../support/conveyor.ts";
import { AttackedRepository, ONE_ROUND, refusedByScope, WORK } from "../support/attacks.ts";
import { isLong, listProgramsOf } from "../support/faults.ts";

const MB = 1024 * 1024;
const RSS_MAX = 300 * MB;
const CLONES = isLong ? 400 : 60;
/** A million files take their time to be made and removed. */
const PATIENCE_MS = isLong ? 900_000 : 60_000;

/** Runs the plan and looks at the most memory that the orchestrator itself ever held. */
async function measure(repository: AttackedRepository, script: string) {
  const { child, ended } = repository.start([
    "run",
    PLAN_PATH,
    "--format",
    "json",
    ...GATES_OPEN,
    ...withExecutor(`${WORK}\n${script}`),
  ]);
  let peak = 0;
  const look = setInterval(() => {
    try {
      const kilobytes = /^VmHWM:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${child.pid ?? 0}/status`, "utf8"))?.[1];
      peak = Math.max(peak, Number(kilobytes ?? 0) * 1024);
    } catch {
      // It has ended.
    }
  }, 50);
  const start = performance.now();
  const { code, stdout, stderr } = await ended;
  clearInterval(look);
  const outcome = JSON.parse(stdout.split("\n")[0] ?? "{}") as Outcome;
  return { code, stderr, outcome, peak, seconds: (performance.now() - start) / 1000 };
}

/** Bytes below a folder as they lie on the disk. */
function sizeOf(folder: string): number {
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .reduce((sum, entry) => sum + statSync(join(entry.parentPath, entry.name)).blocks * 512, 0);
}

async function expectFlood(script: string, codes: readonly string[], configLines = [ONE_ROUND], files = {}) {
  const repository = new AttackedRepository({ configLines, files });
  const flooded = await repository.untouched(() => measure(repository, script));
  expect({ code: flooded.code, codes: flooded.outcome.blocked_reason_codes }, flooded.stderr).toEqual({
    code: 1,
    codes: ["ITEM_ESCALATED", ...codes],
  });
  expect(flooded.outcome.terminal_state).toBe("failed");
  expect(repository.git("for-each-ref", "refs/heads/conveyor")).toBe("");
  expect(flooded.peak).toBeGreaterThan(0);
  expect(flooded.peak).toBeLessThan(RSS_MAX);
  expect(sizeOf(repository.runFolder())).toBeLessThan(20 * MB);
  expect(listProgramsOf(repository)).toEqual([]);
  return { repository, ...flooded };
}

const TOO_MUCH = refusedByScope("DIFF_LIMIT_EXCEEDED");

describe("S-16: floods", () => {
  test("a file of nearly 2 GB, which is never read", async () => {
    const { repository, seconds } = await expectFlood("truncate -s 1900M out/big", TOO_MUCH);
    expect(repository.report().items[0]?.attempts[0]?.candidates[0]?.violations).toMatchObject([
      { code: "DIFF_LIMIT_EXCEEDED", detail: expect.stringContaining("10485760 are not read") as string },
    ]);
    expect(seconds).toBeLessThan(30);
  });

  test("a tracked file that grows to nearly 2 GB", async () => {
    const { seconds } = await expectFlood("truncate -s 1900M out/tracked", TOO_MUCH, [ONE_ROUND], {
      "out/tracked": "small\n",
    });
    expect(seconds).toBeLessThan(30);
  });

  test("a file larger than sandbox.file-bytes ends the program that writes it", async () => {
    const config = [ONE_ROUND, "sandbox: {file-bytes: 1000000}"];
    await expectFlood("head -c 2000000 /dev/zero > out/big", ["EXIT_NONZERO"], config);
  });

  test("a large file that the base has is no flood when it stays, nor when it shrinks", async () => {
    const repository = new AttackedRepository({
      configLines: ["limits: {diff-bytes: 1000}"],
      files: { "out/large": "large\n".repeat(10_000), "out/other": "other\n".repeat(10_000) },
    });
    const ended = await repository.untouched(
      () => repository.attack(`${WORK}; head -c 60 out/other > new; mv new out/other`),
      {
        delivers: true,
      },
    );
    // Its lines count as deleted, which is another limit; nothing was refused unread.
    expect(ended.violations.map(([code]) => code)).toEqual(
      ended.code === 0
        ? []
        : ["DIFF_LIMIT_EXCEEDED", "DIFF_LIMIT_EXCEEDED", "DIFF_LIMIT_EXCEEDED", "DIFF_LIMIT_EXCEEDED"],
    );
    expect(ended.events.map(({ type }) => type)).not.toContain("candidate_refused");
  });

  test(
    `${isLong ? "a million" : "20,000"} files`,
    async () => {
      const count = isLong ? 1_000_000 : 20_000;
      const { repository } = await expectFlood(`cd out && seq ${count} | xargs touch`, TOO_MUCH);
      expect(repository.events().map(({ type }) => type)).toContain("candidate_refused");
    },
    PATIENCE_MS,
  );

  test(
    `${isLong ? "2 GB" : "200 MB"} of output without a line feed`,
    async () => {
      const [bytes, config] = isLong
        ? ["2G", [ONE_ROUND]]
        : ["200M", [ONE_ROUND.replace("}", ", output-bytes: 100000000}")]];
      const { repository } = await expectFlood(`head -c ${bytes} /dev/zero | tr '\\0' x`, ["OUTPUT_LIMIT"], config);
      const [log] = repository
        .events()
        .flatMap(({ type, details }) =>
          type === "session_finished" ? (details["files"] as { path: string; bytes: number }[]) : [],
        );
      expect(log?.bytes).toBeLessThan(3 * MB);
    },
    PATIENCE_MS,
  );

  test("output on both streams at once, of lines and of none", async () => {
    const config = [ONE_ROUND.replace("}", ", output-bytes: 20000000}")];
    await expectFlood("yes '::error::x' & yes | tr -d '\\n' >&2; wait", ["OUTPUT_LIMIT"], config);
  });

  test(`${CLONES} processes that fork, ignore signals and leave their session`, async () => {
    // Bounded by its own counter: a real bomb would take the machine of whoever runs the tests.
    const clone = "trap '' TERM HUP INT; sleep 60 & wait";
    const script = `for n in $(seq ${CLONES}); do setsid bash -c "${clone}" < /dev/null > /dev/null 2>&1 & done; sleep 0.2`;
    await expectFlood(script, ["PROCESS_SURVIVED"]);
  });

  test("a result of nearly 2 GB is no result", async () => {
    await expectFlood('truncate -s 1900M "$ORCH_RESULT_PATH"', ["RESULT_MALFORMED"]);
  });

  test.each([
    ["a pipe in the place of a tracked file", "rm out/tracked; mkfifo out/tracked", refusedByScope("PATH_UNSAFE")],
    ["a pipe in the place of the result", 'mkfifo "$ORCH_RESULT_PATH"', ["RESULT_MALFORMED"]],
    ["a pipe in the place of the .git file", "rm .git; mkfifo .git", ["GIT_TAMPERED"]],
  ])("%s: nobody waits for it", async (_what, script, codes) => {
    const { seconds } = await expectFlood(script, codes, [ONE_ROUND], { "out/tracked": "small\n" });
    expect(seconds).toBeLessThan(30);
  });

  test("folders that are deeper than any path may be: what git cannot reach is in no candidate, and all of it is removed", async () => {
    const repository = new AttackedRepository();
    const script =
      'cd out; for n in $(seq 60); do mkdir "$(printf "d%.0s" $(seq 200))" && cd d*; done; echo deep > file; chmod 500 .';
    const deep = await repository.untouched(() => measure(repository, script), { delivers: true });
    expect(deep.code, deep.stderr).toBe(0);
    expect(deep.peak).toBeLessThan(RSS_MAX);
    expect(repository.git("ls-tree", "-r", "--name-only", deep.outcome.branch, "out/")).toBe("out/01.txt");
    const cache = join(repository.cache, "conveyor", deep.outcome.run_id);
    expect(existsSync(cache) ? readdirSync(cache, { recursive: true }) : []).toEqual([]);
  });
});
