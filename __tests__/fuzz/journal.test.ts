import { cpSync, mkdirSync, readFileSync, readdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import * as fc from "fast-check";
import { beforeAll, describe, expect, test } from "vitest";
import { sha256 } from "../../src/domain/digest.ts";
import { parseJournal } from "../../src/domain/journal-text.ts";
import { parseSavedRun } from "../../src/domain/saved-run.ts";
import { auditorScript, GATES_OPEN, makeFolder, TestRepository } from "../support/conveyor.ts";
import { expectUnpolluted, withinTime } from "../support/measured.ts";
import { FUZZ, hostileFiles, mutated } from "../support/mutations.ts";

const JOURNAL = "run-events.jsonl";

/** A run with a finding, a fix round, two items and a gate: many kinds of events. */
const repository = new TestRepository({
  rows: [{ step_id: "01" }, { step_id: "02", prerequisites: "01", manual_gate: "signoff" }],
  executor: 'mkdir -p out && echo "$ORCH_ITEM_ID in round $ORCH_ROUND" > "out/$ORCH_ITEM_ID.txt"\n',
  auditors: {
    careful: `if [ "$ORCH_ITEM_ID$ORCH_ROUND" = 011 ]; then\n${auditorScript({ findings: [{ is_blocking: true }] })}else\n${auditorScript()}fi\n`,
    quick: auditorScript(),
  },
});
let folder = "";
let lines: readonly string[] = [];
let inputs: { plan: Buffer; policy: Buffer };

beforeAll(async () => {
  expect((await repository.run([...GATES_OPEN])).code).toBe(3);
  folder = repository.runFolder();
  lines = readFileSync(join(folder, JOURNAL), "utf8").trimEnd().split("\n");
  inputs = {
    plan: readFileSync(join(folder, "normalized_plan.json")),
    policy: readFileSync(join(folder, "policy.json")),
  };
});

describe("a journal", () => {
  test("with any faults is refused with its line, or cut where it was torn", () => {
    const text = `${lines.join("\n")}\n`;
    let refused = 0;
    fc.assert(
      fc.property(mutated([text, `${lines.slice(0, 5).join("\n")}\n`]), (bytes) => {
        const parsed = withinTime(() => parseJournal(bytes));
        expectUnpolluted();
        if (!parsed.ok) {
          refused += 1;
          expect(parsed.error.line).toBeGreaterThanOrEqual(1);
          expect(parsed.error.line).toBeLessThanOrEqual(bytes.toString("latin1").split("\n").length);
          expect(parsed.error.message).not.toBe("");
          return;
        }
        // What it accepts is the beginning of what was written, and nothing else.
        expect(text.startsWith(bytes.subarray(0, parsed.value.validBytes).toString("utf8"))).toBe(true);
      }),
      FUZZ,
    );
    expect(refused).toBeGreaterThan(FUZZ.numRuns / 4);
  });

  test("whose events were changed and chained again is refused by what they mean, or is a possible history", () => {
    let impossible = 0;
    let possible = 0;
    const change = fc.record({
      index: fc.nat(),
      what: fc.constantFrom("drop", "twice", "swap", "item", "number", "text", "type", "flag"),
      pick: fc.nat(),
    });
    fc.assert(
      fc.property(fc.array(change, { minLength: 1, maxLength: 3 }), (changes) => {
        const events = changes.reduce((before, one) => edit(before, one), lines.map(parseLine));
        const bytes = Buffer.from(chain(events));
        const saved = withinTime(() => parseSavedRun({ journal: bytes, ...inputs }));
        expectUnpolluted();
        if (saved.ok) possible += 1;
        else {
          impossible += 1;
          expect(["JOURNAL_CORRUPT", "ARTIFACT_TAMPERED"]).toContain(saved.error.code);
          expect(saved.error.message).not.toBe("");
        }
      }),
      FUZZ,
    );
    expect(impossible).toBeGreaterThan(FUZZ.numRuns / 4);
    // A changed text or number may well have happened: that it did not is shown by what it names, which `verify` reads.
    expect(possible).toBeGreaterThan(0);
  });
});

describe("a hostile journal in a run folder", () => {
  test.each(Object.keys(hostileFiles("", "")))("is an answer of one line for every command: %s", async (name) => {
    const runs = makeFolder();
    const copy = join(runs, "copy");
    mkdirSync(copy);
    cpSync(folder, copy, { recursive: true });
    const bytes = hostileFiles(`${lines.join("\n")}\n`, '{"seq":1}')[name] ?? Buffer.alloc(0);
    writeFileSync(join(copy, JOURNAL), bytes);
    const before = sha256(bytes);
    const commands = ["verify", "resume", "status", "doctor", "report"];
    await Promise.all(
      commands.map(async (command) => {
        const { code, stdout, stderr } = await repository.conveyor([command, copy]);
        const said = `${stdout}${stderr}`;
        expect([1, 2], `${command}: ${said}`).toContain(code);
        expect(said, command).toMatch(/JOURNAL_CORRUPT|no run/);
        expect(said, command).not.toMatch(/\n\s+at .*:\d+:\d+/);
        expect(said.length, command).toBeLessThan(20_000);
      }),
    );
    expect(sha256(readFileSync(join(copy, JOURNAL)))).toBe(before);
    expect(readdirSync(join(copy)).filter((file) => file.startsWith("lock."))).toEqual(["lock.1"]);
  });
});

type Line = Record<string, unknown> & { details: Record<string, unknown> };

function parseLine(line: string): Line {
  return JSON.parse(line) as Line;
}

/** One change that keeps every line an event of the right shape, as far as it can. */
function edit(events: readonly Line[], { index, what, pick }: { index: number; what: string; pick: number }): Line[] {
  const at = index % events.length;
  const event = structuredClone(events[at] as Line);
  const other = structuredClone(events[pick % events.length] as Line);
  const keys = Object.keys(event.details);
  const key = keys[pick % Math.max(1, keys.length)] ?? "none";
  const set = (type: string, value: unknown): Line[] => {
    const found = keys.find((name) => typeof event.details[name] === type) ?? key;
    event.details[found] = value;
    return events.with(at, event);
  };
  switch (what) {
    case "drop":
      return events.toSpliced(at, 1);
    case "twice":
      return events.toSpliced(at, 0, event);
    case "swap":
      return events.with(at, other).with(pick % events.length, event);
    case "item":
      return events.with(at, { ...event, item_id: pick % 2 === 0 ? "02" : null });
    case "type":
      return events.with(at, { ...event, type: other["type"] });
    case "number":
      return set("number", pick);
    case "flag":
      return set("boolean", pick % 2 === 0);
    default:
      return set("string", `text ${pick}`);
  }
}

/** The lines of a journal, numbered and chained anew; canonical, as the product writes them. */
function chain(events: readonly Line[]): string {
  let prev = "0".repeat(64);
  return events
    .map((event, index) => {
      const line = canonical({ ...event, seq: index + 1, prev });
      prev = sha256(line);
      return `${line}\n`;
    })
    .join("");
}

function canonical(value: unknown): string {
  return JSON.stringify(value, (_key, inner: unknown) =>
    typeof inner === "object" && inner !== null && !Array.isArray(inner)
      ? Object.fromEntries(Object.entries(inner).sort(([left], [right]) => (left < right ? -1 : 1)))
      : inner,
  );
}
