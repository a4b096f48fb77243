import { expect, test } from "vitest";
import { GATES_OPEN, PLAN_PATH } from "../support/conveyor.ts";
import {
  countCalls,
  forAll,
  isLong,
  LedgerRepository,
  expectGoesOn,
  readUndisturbedEnd,
  sample,
  CAMPAIGN_MS,
  wasKilled,
} from "../support/faults.ts";

const BOUNDARIES = "fsync,rename,link,truncate";
const make = () => new LedgerRepository();

/** Killing right after an fsync leaves what killing before it leaves: a kill takes no written byte away. */
function listKills(calls: readonly string[]): { at: number; when: "before" | "after" }[] {
  return calls.flatMap((kind, index) => [
    { at: index + 1, when: "before" as const },
    ...(kind === "fsync" && !isLong ? [] : [{ at: index + 1, when: "after" as const }]),
  ]);
}

test(
  "a run that is killed at any fsync, rename or link ends as an undisturbed one",
  { timeout: CAMPAIGN_MS },
  async () => {
    const { end } = await readUndisturbedEnd(make);
    const calls = await countCalls(make, BOUNDARIES);
    const kills = sample(listKills(calls), 10);
    await forAll(kills, async ({ at, when }) => {
      const name = `kill ${when} boundary ${at} (${calls[at - 1] ?? ""})`;
      const repository = make();
      const ended = await repository.startFaulty({ at, when, calls: BOUNDARIES }).ended;
      if (wasKilled(repository, ended, at, calls.length, name)) await expectGoesOn(repository, end, name);
      repository.remove();
    });
    expect(calls.length).toBeGreaterThan(50);
    console.log(`kills: ${kills.length} at ${calls.length} boundaries of a one-item run`);
  },
);

test("a resume that is killed at a boundary of its own is resumed in turn", { timeout: CAMPAIGN_MS }, async () => {
  const { end } = await readUndisturbedEnd(make);
  // Killed while its session is open, so that the resume has the most to do: set aside, lose the attempt, start again.
  const boundaries = await countCalls(make, BOUNDARIES);
  const first = Math.floor(boundaries.length / 3);
  const interrupt = async (repository: LedgerRepository) =>
    repository.startFaulty({ at: first, calls: BOUNDARIES }).ended;
  const calls = await countCalls(make, BOUNDARIES, { prepare: interrupt, args: ["resume"] });
  const kills = sample(listKills(calls), 24);
  const interrupted = make();
  await interrupt(interrupted);
  await forAll(kills, async ({ at, when }) => {
    const name = `kill ${when} boundary ${at} of the resume`;
    const repository = new LedgerRepository({ copyOf: interrupted });
    const killed = await repository.startFaulty({ at, when, calls: BOUNDARIES }, ["resume"]).ended;
    if (wasKilled(repository, killed, at, calls.length, name)) {
      const ended = await repository.goOn();
      expect(ended.code, `${name}: ${ended.stderr}`).toBe(0);
      expect(await repository.readEnd(), name).toEqual(end);
    }
    repository.remove();
  });
  console.log(`kills: ${kills.length} of a resume, one before them`);
});

test(
  "a run that waits at its gates is killed while it is resumed, and the item is not run again",
  { timeout: CAMPAIGN_MS },
  async () => {
    const { end } = await readUndisturbedEnd(make);
    const block = async (repository: LedgerRepository) => {
      const blocked = await repository.conveyor(["run", PLAN_PATH, ...repository.options([])]);
      expect(blocked.code).toBe(3);
    };
    const calls = await countCalls(make, BOUNDARIES, { prepare: block, args: ["resume"] });
    const kills = sample(listKills(calls), 12);
    const blocked = make();
    await block(blocked);
    await forAll(kills, async ({ at, when }) => {
      const name = `kill ${when} boundary ${at} of the resume at the gates`;
      const repository = new LedgerRepository({ copyOf: blocked });
      const killed = await repository.startFaulty({ at, when, calls: BOUNDARIES }, ["resume"]).ended;
      if (wasKilled(repository, killed, at, calls.length, name)) {
        const ended = await repository.goOn(GATES_OPEN);
        expect(ended.code, `${name}: ${ended.stderr}`).toBe(0);
        expect(await repository.readEnd(), name).toEqual(end);
        expect(repository.sessions(), name).toEqual(["01 1 1"]);
      }
      repository.remove();
    });
    console.log(`kills: ${kills.length} between gates and done`);
  },
);
