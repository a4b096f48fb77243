import { setTimeout as sleep } from "node:timers/promises";
import { expect, test } from "vitest";
import {
  createRandom,
  eventually,
  forAll,
  isLong,
  LedgerRepository,
  listProgramsOf,
  expectGoesOn,
  readUndisturbedEnd,
  CAMPAIGN_MS,
} from "../support/faults.ts";

const SEED = 20_260_325;
const KILLS = isLong ? 500 : 20;

/** Four items; the second passes only in its second round. Programs take a moment, and have children of their own. */
const make = () =>
  new LedgerRepository({
    rows: ["01", "02", "03", "04"].map((id, index) => ({
      step_id: id,
      prerequisites: index === 0 ? "none" : `0${index}`,
      required_verification_commands: id === "02" ? "grep -q right out/02.txt" : `sleep 0.05; test -s out/${id}.txt`,
    })),
    executor: [
      "mkdir -p out",
      'word=right; if [ "$ORCH_ITEM_ID" = 02 ] && [ "$ORCH_ROUND" = 1 ]; then word=wrong; fi',
      'echo "$ORCH_ITEM_ID $word" > "out/$ORCH_ITEM_ID.txt"',
      "sleep 0.1",
      "",
    ].join("\n"),
  });

test(
  "a run of four items that is killed at a random moment ends as an undisturbed one",
  { timeout: CAMPAIGN_MS },
  async () => {
    const { end, durationMs } = await readUndisturbedEnd(make);
    expect(end.items.map((item) => item.state)).toEqual(["passed", "passed", "passed", "passed"]);
    const random = createRandom(SEED);
    // One moment in each of as many slices of an undisturbed run, so that none of it is left out by chance.
    const shares = Array.from({ length: KILLS }, (_, index) => (index + random()) / KILLS);
    let lastsMs = durationMs;
    let kills = 0;
    let late = 0;
    await forAll(shares, async (share) => {
      const name = `kill after ${Math.round(share * lastsMs)} of ${Math.round(lastsMs)} ms (seed ${SEED})`;
      const repository = make();
      const started = performance.now();
      const { child, ended } = repository.startFaulty({});
      await sleep(share * lastsMs);
      if (child.kill("SIGKILL")) kills += 1;
      // A run that was over before its kill tells that the machine has become faster since the first one was timed.
      if ((await ended).signal === null) {
        late += 1;
        lastsMs = Math.min(lastsMs, performance.now() - started);
      }
      expect(await eventually(() => listProgramsOf(repository).length === 0, 2_000), `${name}: still alive`).toBe(true);
      await expectGoesOn(repository, end, name);
      repository.remove();
    });
    console.log(`kills: ${kills} at random moments of a four-item run, ${late} of them after its end`);
    expect(kills - late).toBeGreaterThan(KILLS / 2);
  },
);

test("programs of a killed orchestrator die with it, and so does what they started", { timeout: 60_000 }, async () => {
  const repository = new LedgerRepository({ executor: "sleep 600 & (sleep 600; true) & sleep 600\n" });
  const { child, ended } = repository.startFaulty({});
  expect(await eventually(() => listProgramsOf(repository).length >= 4, 20_000)).toBe(true);
  child.kill("SIGKILL");
  await ended;
  const allDead = await eventually(() => listProgramsOf(repository).length === 0, 2_000);
  for (const pid of listProgramsOf(repository)) process.kill(pid, "SIGKILL");
  expect(allDead).toBe(true);
});
