import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { buildCheckpoint, judgeCheckpoint } from "../../src/domain/checkpoint.ts";
import { canonicalJson, sha256, type Json } from "../../src/domain/digest.ts";
import { buildEventLine, JOURNAL_START, parseEventLine, parseJournal } from "../../src/domain/journal-text.ts";
import type { JournalEvent } from "../../src/domain/journal.ts";
import { foldRun } from "../../src/domain/run.ts";
import { chain, draft, RULES, toBytes } from "./run-fixtures.ts";
import { doneRun } from "./run-story.ts";

const EVENTS = chain(doneRun());
const BYTES = toBytes(EVENTS);
const encode = (text: string): Uint8Array => new TextEncoder().encode(text);

/** The journal with one event changed, and everything behind it chained to that. */
function rechained(at: number, alter: (event: JournalEvent) => unknown): Uint8Array {
  let prev = JOURNAL_START;
  const lines = EVENTS.map((event, index) => {
    const linked = { ...event, prev };
    const line = canonicalJson((index === at ? alter(linked) : linked) as Json);
    prev = sha256(line);
    return `${line}\n`;
  });
  return encode(lines.join(""));
}

describe("a journal", () => {
  it("is read as it was written", () => {
    expect(parseJournal(BYTES)).toEqual({
      ok: true,
      value: {
        events: EVENTS,
        head: sha256(buildEventLine(EVENTS.at(-1) as JournalEvent)),
        validBytes: BYTES.length,
        tornBytes: 0,
      },
    });
    expect(EVENTS[0]?.prev).toBe(JOURNAL_START);
  });

  it("of nothing has no event", () => {
    expect(parseJournal(new Uint8Array())).toEqual({
      ok: true,
      value: { events: [], head: JOURNAL_START, validBytes: 0, tornBytes: 0 },
    });
  });

  it("that is cut anywhere keeps its whole lines, and what is left is torn", () => {
    fc.assert(
      fc.property(fc.nat(BYTES.length), (length) => {
        const read = parseJournal(BYTES.subarray(0, length));
        const text = new TextDecoder().decode(BYTES.subarray(0, length));
        const whole = text.split("\n").length - 1;
        expect(read.ok && read.value.events).toEqual(EVENTS.slice(0, whole));
        expect(read.ok && read.value.validBytes + read.value.tornBytes).toBe(length);
        expect(read.ok && read.value.validBytes).toBe(text.lastIndexOf("\n") + 1);
      }),
      { seed: 8, numRuns: 300 },
    );
  });

  it("with any byte of a line changed is refused, but for the last line, which nothing is chained to", () => {
    const lastLine = BYTES.subarray(0, -1).lastIndexOf(0x0a) + 1;
    fc.assert(
      fc.property(fc.nat(lastLine - 1), fc.integer({ min: 1, max: 255 }), (at, difference) => {
        const changed = BYTES.slice();
        changed[at] = (changed[at] ?? 0) ^ difference;
        expect(parseJournal(changed).ok).toBe(false);
      }),
      { seed: 9, numRuns: 1000 },
    );
  });

  it("takes bytes after the last newline as torn, whatever they are", () => {
    const torn = parseJournal(new Uint8Array([...BYTES, 0xff, 0x7b]));
    expect(torn.ok && [torn.value.tornBytes, torn.value.validBytes]).toEqual([2, BYTES.length]);
  });
});

describe("a fault of a journal has its line", () => {
  const at = 3;
  const line = buildEventLine(EVENTS[at] as JournalEvent);
  const withLine = (text: string | Uint8Array): Uint8Array => {
    const before = toBytes(EVENTS.slice(0, at));
    const bytes = typeof text === "string" ? encode(text) : text;
    return new Uint8Array([...before, ...bytes, 0x0a, ...toBytes(EVENTS.slice(at + 1))]);
  };

  it.each<readonly [string, Uint8Array, string]>([
    ["bytes that are not UTF-8", withLine(new Uint8Array([0xc3, 0x28])), "expected UTF-8"],
    ["no JSON", withLine("{"), "expected one JSON object"],
    ["an empty line", withLine(""), "expected one JSON object"],
    ["a byte order mark", withLine(`\uFEFF${line}`), "expected one JSON object"],
    ["two objects", withLine(`${line}${line}`), "expected one JSON object"],
    ["a list", withLine("[]"), "not a valid event"],
    ["null", withLine("null"), "not a valid event"],
    ["a space", withLine(` ${line}`), "expected canonical JSON"],
    ["a carriage return", withLine(`${line}\r`), "expected canonical JSON"],
    ["another order of keys", withLine(JSON.stringify({ type: "x", ...JSON.parse(line) })), "expected canonical JSON"],
    ["a key twice", withLine(line.replace("{", '{"at":"2020-01-01T00:00:00Z",')), "expected canonical JSON"],
    ["another spelling of a text", withLine(line.replace("plan", "pl\\u0061n")), "expected canonical JSON"],
    ["an unknown key", rechained(at, (event) => ({ ...event, extra: 1 })), "not a valid event"],
    [
      "an unknown key in the details",
      rechained(at, (event) => ({ ...event, details: { ...event.details, extra: 1 } })),
      "not a valid event",
    ],
    ["__proto__", withLine(line.replace('"details":{', '"details":{"__proto__":{},')), ""],
    ["an unknown type", rechained(at, (event) => ({ ...event, type: "run_created_again" })), "not a valid event"],
    ["another version", rechained(at, (event) => ({ ...event, schema_version: "conveyor.event.v2" })), "not a valid"],
    ["no details", rechained(at, ({ details: _details, ...event }) => event), "not a valid event: details"],
    ["a time that is none", rechained(at, (event) => ({ ...event, at: "today" })), "not a valid event: at"],
    [
      "a time with an offset",
      rechained(at, (event) => ({ ...event, at: "2026-03-25T12:00:00+01:00" })),
      "not a valid event: at",
    ],
    ["fence 0", rechained(at, (event) => ({ ...event, fence: 0 })), "not a valid event: fence"],
    ["a number left out", rechained(at, (event) => ({ ...event, seq: 5 })), "expected seq 4, found 5"],
    ["a number twice", rechained(at, (event) => ({ ...event, seq: 3 })), "expected seq 4, found 3"],
    ["another prev", rechained(at, (event) => ({ ...event, prev: "0".repeat(64) })), "prev is not the SHA-256"],
    ["prev in capitals", rechained(at, (event) => ({ ...event, prev: event.prev.toUpperCase() })), "not a valid event"],
    [
      "another run",
      rechained(at, (event) => ({ ...event, run_id: "RUN_20260325T120000Z_00000000" })),
      "run_id and plan_id must be those of the line before",
    ],
    [
      "another plan",
      rechained(at, (event) => ({ ...event, plan_id: "other" })),
      "run_id and plan_id must be those of the line before",
    ],
    [
      "a second beginning",
      rechained(at, (event) => ({ ...event, type: "run_created", details: EVENTS[0]?.details })),
      "expected run_created first, and only there",
    ],
  ])("%s", (_what, bytes, message) => {
    const read = parseJournal(bytes);
    expect(read.ok).toBe(false);
    expect(!read.ok && read.error.line).toBe(at + 1);
    expect(!read.ok && read.error.message).toContain(message);
  });

  it("a lower fence", () => {
    const bytes = rechained(at, (event) => ({ ...event, fence: 2 }));
    expect(parseJournal(bytes)).toEqual({
      ok: false,
      error: { line: at + 2, message: "fence is lower than the line before" },
    });
    const higher = EVENTS.map((event, index) => ({ ...event, fence: index < at ? 1 : 2 }));
    let prev = JOURNAL_START;
    const lines = higher.map((event) => {
      const text = buildEventLine({ ...event, prev });
      prev = sha256(text);
      return `${text}\n`;
    });
    expect(parseJournal(encode(lines.join(""))).ok).toBe(true);
  });

  it("another beginning", () => {
    const other = chain([draft("item_started", {})]);
    expect(parseJournal(toBytes(other))).toEqual({
      ok: false,
      error: { line: 1, message: "expected run_created first, and only there" },
    });
  });

  it("a first event that is chained to something", () => {
    const bytes = rechained(0, (event) => ({ ...event, prev: "1".repeat(64) }));
    expect(parseJournal(bytes)).toMatchObject({ ok: false, error: { line: 1 } });
  });

  it("an event's line is one line", () => {
    const [event] = chain([
      draft("stage_failed", { stage: "planning", reason_code: "PREPARE_FAILED", message: "a\nb\u2028" }, null),
    ]);
    const text = buildEventLine(event as JournalEvent);
    expect(text).not.toContain("\n");
    expect(parseEventLine(text)).toEqual({ ok: true, value: event });
  });
});

describe("a checkpoint", () => {
  const state = foldRun(EVENTS, RULES);
  const head = sha256(buildEventLine(EVENTS.at(-1) as JournalEvent));
  const expected = buildCheckpoint(state, head);
  const journal = { seq: state.seq, headAt: (seq: number) => EVENTS[seq]?.prev };
  const at = (seq: number): string => {
    const events = EVENTS.slice(0, seq);
    return buildCheckpoint(foldRun(events, RULES), sha256(buildEventLine(events.at(-1) as JournalEvent)));
  };

  it("says where the run stands, in canonical form", () => {
    expect(expected.endsWith("}\n")).toBe(true);
    expect(expected).toBe(`${canonicalJson(JSON.parse(expected) as Json)}\n`);
    expect(JSON.parse(expected)).toEqual({
      schema_version: "conveyor.checkpoint.v1",
      run_id: state.runId,
      plan_id: "plan",
      journal_seq: EVENTS.length,
      journal_head: head,
      fence: 1,
      current_stage: "closure",
      completed_stages: [...state.completedStages],
      tip: "closing-1",
      items: [
        {
          item_id: "01",
          terminal_state: "passed",
          reason_codes: [],
          commit: "commit-1",
          attempts: 1,
          round: 1,
          sessions: 1,
        },
      ],
      stopped: "terminal",
      terminal_state: "done",
      reason_codes: [],
    });
  });

  it("differs after every event", () => {
    const all = EVENTS.map((_event, index) => at(index + 1));
    expect(new Set(all).size).toBe(EVENTS.length);
  });

  const altered = (text: string, alter: (value: Record<string, unknown>) => void): string => {
    const value = JSON.parse(text) as Record<string, unknown>;
    alter(value);
    return `${canonicalJson(value as Json)}\n`;
  };
  it.each<readonly [string, string | undefined, string, string]>([
    ["the fold's own bytes", expected, "current", ""],
    ["nothing", undefined, "rebuild", "missing"],
    ["an empty file", "", "rebuild", "could not be read"],
    ["half a file", expected.slice(0, 80), "rebuild", "could not be read"],
    ["a file of another shape", "{}", "rebuild", "could not be read"],
    ["a key more", altered(expected, (value) => (value["more"] = 1)), "rebuild", "could not be read"],
    ["an older one", at(4), "rebuild", `older than the journal (event 4 of ${EVENTS.length})`],
    ["the one of the event before", at(EVENTS.length - 1), "rebuild", "older than the journal"],
    [
      "one that is ahead",
      altered(expected, (value) => (value["journal_seq"] = EVENTS.length + 1)),
      "corrupt",
      `it is at event ${EVENTS.length + 1}, the journal ends at ${EVENTS.length}`,
    ],
    ["the same event, another tip", altered(expected, (value) => (value["tip"] = "x")), "corrupt", "it differs"],
    ["the same, spelled otherwise", JSON.stringify(JSON.parse(expected), null, 2), "corrupt", "it differs"],
    [
      "an older one of another journal",
      altered(at(4), (value) => (value["journal_head"] = "f".repeat(64))),
      "corrupt",
      "another event 4",
    ],
  ])("%s", (_what, bytes, kind, why) => {
    const verdict = judgeCheckpoint(bytes, expected, journal);
    expect(verdict.kind).toBe(kind);
    if (verdict.kind !== "current") expect(verdict.why).toContain(why);
  });
});
