import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { judgeCheckpoint } from "../../src/domain/checkpoint.ts";
import { parseJournal } from "../../src/domain/journal-text.ts";
import {
  countCalls,
  forAll,
  LedgerRepository,
  expectGoesOn,
  readUndisturbedEnd,
  sample,
  CAMPAIGN_MS,
  wasStruck,
} from "../support/faults.ts";

const CALLS = "write,fsync,rename,link,truncate";
const CODES = ["ENOSPC", "EIO", "EROFS"];
const make = () => new LedgerRepository();

test(
  "a write that fails stops the run before it claims anything, and a resume goes on",
  { timeout: CAMPAIGN_MS },
  async () => {
    const { end } = await readUndisturbedEnd(make);
    const calls = await countCalls(make, CALLS);
    const all = calls.map((kind, index) => ({ kind, at: index + 1, when: CODES[index % CODES.length] ?? "EIO" }));
    const cases = sample(all, 10);
    await forAll(cases, async ({ kind, at, when }) => {
      const name = `${when} at call ${at} of ${calls.length} (${kind})`;
      const repository = make();
      const failed = await repository.startFaulty({ at, when, calls: CALLS }).ended;
      if (wasStruck(existsSync(repository.proof), failed, at, calls.length, name)) {
        expect(failed.code, `${name}: ${failed.stderr}`).toBe(1);
        expect(failed.stderr, name).toContain("STATE_WRITE_FAILED");
        expect(failed.stdout, name).toBe("");
        expectOldOrNewCheckpoint(repository, name);
        await expectGoesOn(repository, end, name);
      }
      repository.remove();
    });
    console.log(`failures: ${cases.length} of ${calls.length} calls`);
  },
);

test("a resume whose write fails is resumed in turn", { timeout: CAMPAIGN_MS }, async () => {
  const { end } = await readUndisturbedEnd(make);
  const boundaries = await countCalls(make, CALLS);
  const cut = async (repository: LedgerRepository) =>
    repository.startFaulty({ at: Math.floor(boundaries.length / 2), when: "before", calls: CALLS }).ended;
  const calls = await countCalls(make, CALLS, { prepare: cut, args: ["resume"] });
  const all = calls.map((_, index) => ({ at: index + 1, when: CODES[index % CODES.length] ?? "EIO" }));
  const cases = sample(all, 24);
  const wasCut = make();
  await cut(wasCut);
  await forAll(cases, async ({ at, when }) => {
    const name = `${when} at call ${at} of the resume`;
    const repository = new LedgerRepository({ copyOf: wasCut });
    const failed = await repository.startFaulty({ at, when, calls: CALLS }, ["resume"]).ended;
    if (wasStruck(existsSync(repository.proof), failed, at, calls.length, name)) {
      expect(failed.code, `${name}: ${failed.stderr}`).toBe(1);
      expect(failed.stderr, name).toContain("STATE_WRITE_FAILED");
      const ended = await repository.goOn();
      expect(ended.code, `${name}: ${ended.stderr}`).toBe(0);
      expect(await repository.readEnd(), name).toEqual(end);
    }
    repository.remove();
  });
  console.log(`failures: ${cases.length} of ${calls.length} calls of a resume`);
});

/** Old or new, never half: one that names an event the journal has, or none at all yet. */
function expectOldOrNewCheckpoint(repository: LedgerRepository, name: string): void {
  if (!repository.hasRun()) return;
  const folder = repository.runFolder();
  const journal = parseJournal(readFileSync(join(folder, "run-events.jsonl")));
  expect(journal.ok, name).toBe(true);
  if (!journal.ok) return;
  const { events } = journal.value;
  const text = readIfThere(join(folder, "orchestrator_checkpoint.json"));
  const verdict = judgeCheckpoint(text, "", {
    seq: events.length + 1,
    headAt: (seq) => events[seq]?.prev ?? journal.value.head,
  });
  expect(verdict.kind, `${name}: ${JSON.stringify(verdict)}`).toBe("rebuild");
  if (text !== undefined) expect(JSON.stringify(verdict), name).toContain("older than the journal");
}

function readIfThere(path: string): string | undefined {
  try {
    return readFileSync(path, "utf8");
  } catch {
    return undefined;
  }
}
