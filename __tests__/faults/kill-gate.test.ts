import { readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { GATES_OPEN, PLAN_PATH } from "../support/conveyor.ts";
import { countCalls, forAll, LedgerRepository, sample, CAMPAIGN_MS, wasKilled } from "../support/faults.ts";

const BOUNDARIES = "fsync,rename,link,truncate";
const DECISION = ["--by", "Ada", "--note", "read"];
/** One item with two auditors and a gate. */
const make = () => new LedgerRepository({ rows: [{ step_id: "01", manual_gate: "signoff" }] });

/** Numbers of the calls to be killed at. */
function sampleOf(calls: readonly string[], every: number): number[] {
  return sample(
    calls.map((_, index) => index + 1),
    every,
  );
}

function gate(verb: string): string[] {
  return ["gate", verb, "latest", "01", ...DECISION];
}

/** Goes on as a person would: resumes until the gate waits, decides when nobody has, resumes to the end. */
async function bringToEnd(repository: LedgerRepository): Promise<number | null> {
  for (let turn = 0; turn < 4; turn += 1) {
    const ended = await repository.goOn(GATES_OPEN);
    if (ended.code !== 3) return ended.code;
    const decided = await repository.conveyor(withRun(repository, gate("approve")));
    expect(decided.code, decided.stderr).toBe(0);
  }
  return null;
}

function withRun(repository: LedgerRepository, args: readonly string[]): string[] {
  return args.map((word) => (word === "latest" ? repository.runFolder() : word));
}

async function expectEnd(repository: LedgerRepository, name: string): Promise<void> {
  const end = await repository.readEnd();
  expect(end, name).toMatchObject({
    verified: 0,
    complaints: "",
    terminalState: "done",
    items: [{ id: "01", state: "passed", codes: [] }],
    // The item's own and the one that closes the run.
    commits: "2",
    runTwice: [],
  });
  const events = repository.events();
  const requested = events.filter((event) => event.type === "gate_requested");
  const decided = events.filter((event) => event.type === "gate_decided");
  // Decided once, about the commit that was asked about last, and that very commit is on the branch.
  expect(decided, name).toHaveLength(1);
  expect(repository.report().items[0]?.commit, name).toBe(requested.at(-1)?.details["commit"]);
  expect(decided[0]?.details["commit"], name).toBe(requested.at(-1)?.details["commit"]);
}

test(
  "an audited item with a gate, killed on the way to it, ends as an undisturbed one",
  { timeout: CAMPAIGN_MS },
  async () => {
    const calls = await countCalls(make, BOUNDARIES);
    const kills = sampleOf(calls, 24);
    await forAll(kills, async (at) => {
      const name = `kill at boundary ${at} of ${calls.length}`;
      const repository = make();
      const killed = await repository.startFaulty({ at, calls: BOUNDARIES }).ended;
      if (wasKilled(repository, killed, at, calls.length, name)) {
        expect(await bringToEnd(repository), name).toBe(0);
        await expectEnd(repository, name);
      }
      repository.remove();
    });
    console.log(`kills: ${kills.length} of ${calls.length} boundaries up to the gate`);
  },
);

test.each(["the decision", "the resume after it"])("killed during %s", { timeout: CAMPAIGN_MS }, async (what) => {
  const atGate = async (repository: LedgerRepository): Promise<void> => {
    const ended = await repository.conveyor(["run", PLAN_PATH, ...repository.options()]);
    expect(ended.code, ended.stderr).toBe(3);
    if (what === "the decision") return;
    expect((await repository.conveyor(withRun(repository, gate("approve")))).code).toBe(0);
  };
  const start = (repository: LedgerRepository, fault: Parameters<LedgerRepository["startFaulty"]>[0]) =>
    what === "the decision"
      ? repository.startFaultyAs(fault, withRun(repository, gate("approve")))
      : repository.startFaulty(fault, ["resume"]);
  const waiting = make();
  await atGate(waiting);
  const counted = new LedgerRepository({ copyOf: waiting });
  const log = join(counted.base, "calls");
  await start(counted, { calls: BOUNDARIES, log }).ended;
  const calls = readFileSync(log, "utf8").trim().split("\n");
  counted.remove();
  const kills = sampleOf(calls, what === "the decision" ? 6 : 16);
  await forAll(kills, async (at) => {
    const name = `kill at boundary ${at} of ${calls.length} of ${what}`;
    const repository = new LedgerRepository({ copyOf: waiting });
    if (wasKilled(repository, await start(repository, { at, calls: BOUNDARIES }).ended, at, calls.length, name)) {
      expect(await bringToEnd(repository), name).toBe(0);
      await expectEnd(repository, name);
      expect(repository.sessions(), name).toEqual(["01 1 1"]);
    }
    repository.remove();
  });
  console.log(`kills: ${kills.length} of ${calls.length} boundaries of ${what}`);
});
