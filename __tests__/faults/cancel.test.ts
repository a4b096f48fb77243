import { existsSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { auditorScript, PLAN_PATH } from "../support/conveyor.ts";
import { eventually, LedgerRepository, listProgramsOf } from "../support/faults.ts";

const PHASES = ["prepare", "executor", "verification", "audit", "validation"] as const;
const SEALED_WITHIN_MS = 5_000;

/** Every program of the run hangs when a file of its phase's name says so, with a child and a grandchild of its own. */
const HANG = [
  'where=$(cat tools/where); [ -e "$where/hang-$1" ] || exit 0',
  '[ -e "$where/deaf" ] && trap "" TERM INT HUP',
  "(sleep 600; true) &",
  'echo $$ > "$where/hanging"',
  "while true; do sleep 600; done",
  "",
].join("\n");

function makeHanging(phase: string, options: { deaf?: boolean } = {}): LedgerRepository {
  const repository = new LedgerRepository({
    rows: [{ step_id: "01", required_verification_commands: "bash tools/hang.sh verification; test -s out/01.txt" }],
    executor: "bash tools/hang.sh executor; mkdir -p out; echo done > out/01.txt\n",
    auditors: { careful: `bash tools/hang.sh audit; ${auditorScript()}`, quick: auditorScript() },
    configLines: [
      "prepare: {commands: [[bash, tools/hang.sh, prepare]]}",
      "validation: {commands: [[bash, tools/hang.sh, validation]]}",
    ],
    files: { "tools/hang.sh": HANG },
  });
  repository.write({ "tools/where": repository.base });
  repository.commit("where");
  writeFileSync(join(repository.base, `hang-${phase}`), "");
  if (options.deaf === true) writeFileSync(join(repository.base, "deaf"), "");
  return repository;
}

/** Starts a run and waits until its program hangs. */
async function startHanging(repository: LedgerRepository) {
  const started = repository.start(["run", PLAN_PATH, ...repository.options()]);
  expect(await eventually(() => existsSync(join(repository.base, "hanging")), 30_000)).toBe(true);
  return started;
}

/** Sealed: the report says by what it was interrupted, verify agrees without a note, nothing lives on. */
async function expectSealed(repository: LedgerRepository, signal: string): Promise<void> {
  expect(listProgramsOf(repository)).toEqual([]);
  const stop = repository.events().findLast((event) => event.type === "run_stopped");
  expect(stop?.details).toMatchObject({ kind: "interrupted", terminal_state: null, signal });
  const report = readFileSync(join(repository.runFolder(), "orchestrator_run_report.json"), "utf8");
  expect(JSON.parse(report)).toMatchObject({ interrupted_by: signal, terminal_state: null });
  const verified = await repository.conveyor(["verify"]);
  expect({ code: verified.code, said: verified.stderr }, verified.stdout).toEqual({ code: 0, said: "" });
}

async function expectGoesOn(repository: LedgerRepository, phase: string): Promise<void> {
  rmSync(join(repository.base, `hang-${phase}`));
  const ended = await repository.goOn();
  expect(ended.code, ended.stderr).toBe(0);
  const end = await repository.readEnd();
  expect({ ...end, tree: "" }).toMatchObject({
    verified: 0,
    complaints: "",
    terminalState: "done",
    // The item's own and the one that closes the run.
    commits: "2",
    runTwice: [],
  });
}

describe.each([
  { signal: "SIGINT", exitCode: 130 },
  { signal: "SIGTERM", exitCode: 143 },
] as const)("$signal", ({ signal, exitCode }) => {
  test.each(PHASES)("during the %s: sealed in time, nothing lives on, a resume goes on", async (phase) => {
    const repository = makeHanging(phase);
    const { child, ended } = await startHanging(repository);
    const start = performance.now();
    child.kill(signal);
    const { code, stderr } = await ended;
    expect(code, stderr).toBe(exitCode);
    expect(performance.now() - start).toBeLessThan(SEALED_WITHIN_MS);
    await expectSealed(repository, signal);
    await expectGoesOn(repository, phase);
  });
});

test("a runner's cancellation, SIGINT and 7.5 s later SIGTERM, of a program that ignores both", async () => {
  const repository = makeHanging("executor", { deaf: true });
  const { child, ended } = await startHanging(repository);
  const start = performance.now();
  child.kill("SIGINT");
  const term = setTimeout(() => child.kill("SIGTERM"), 7_500);
  const { code, stderr } = await ended;
  clearTimeout(term);
  expect(code, stderr).toBe(130);
  // The deaf program was killed and the run sealed before the second signal was due.
  expect(performance.now() - start).toBeLessThan(SEALED_WITHIN_MS);
  await expectSealed(repository, "SIGINT");
  await expectGoesOn(repository, "executor");
});

test("a second signal while the run is being sealed changes nothing", async () => {
  const repository = makeHanging("verification", { deaf: true });
  const { child, ended } = await startHanging(repository);
  child.kill("SIGINT");
  child.kill("SIGTERM");
  child.kill("SIGINT");
  // Which of two pending signals is delivered first is the kernel's choice; the one that came first counts.
  const { code } = await ended;
  expect([130, 143]).toContain(code);
  await expectSealed(repository, code === 130 ? "SIGINT" : "SIGTERM");
  await expectGoesOn(repository, "verification");
});
