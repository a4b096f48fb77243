import { describe, expect, it } from "vitest";
import {
  decideExecutorOutcome,
  parsePayload,
  PAYLOAD_BYTES_MAX,
  PAYLOAD_STATUSES,
  type ExecutorPayload,
} from "../../src/domain/executor-outcome.ts";
import type { ProcessEnding } from "../../src/domain/process-report.ts";

const FLOOR = 2000;
const ENDINGS: readonly ProcessEnding[] = [
  ...[0, 1, 2, 74, 75, 76, 126, 127, 255].map((exit_code): ProcessEnding => ({ kind: "exited", exit_code })),
  { kind: "signalled", signal: "SIGSEGV" },
  { kind: "timed_out", timeout_ms: 1 },
  { kind: "spawn_failed", message: "ENOENT" },
  { kind: "output_limit", output_bytes_max: 1 },
  { kind: "cancelled" },
];
const PAYLOADS: readonly ExecutorPayload[] = [
  { kind: "absent" },
  { kind: "malformed", message: "no" },
  ...[...PAYLOAD_STATUSES, null].flatMap((status) =>
    [null, 0, FLOOR - 1, FLOOR, FLOOR + 1].map((context_remaining): ExecutorPayload => ({
      kind: "read",
      status,
      summary: "",
      context_remaining,
      reason: "",
    })),
  ),
];
const ARTIFACTS = [
  { missing: [], malformed: [] },
  { missing: ["a"], malformed: [] },
  { missing: [], malformed: ["b.json"] },
  { missing: ["a"], malformed: ["b.json"] },
];

/**
 * The table of the contract, written down a second time: rules as pairs of a condition and an answer, the first that
 * holds counts.
 */
function expected(ending: ProcessEnding, payload: ExecutorPayload, artifacts: (typeof ARTIFACTS)[number]): string {
  const exit = ending.kind === "exited" ? ending.exit_code : -1;
  const said = payload.kind === "read" ? (payload.status ?? "") : payload.kind;
  const context = payload.kind === "read" ? payload.context_remaining : null;
  const table: readonly (readonly [boolean, string])[] = [
    [ending.kind === "timed_out", "timeout"],
    [ending.kind === "cancelled", "cancelled"],
    [ending.kind === "spawn_failed", "failed SPAWN_FAILED"],
    [ending.kind === "output_limit", "failed OUTPUT_LIMIT"],
    [ending.kind === "signalled", "failed EXIT_NONZERO"],
    [said === "malformed", "failed RESULT_MALFORMED"],
    [exit === 75 && !["failed", "blocked"].includes(said), "handoff"],
    [![0, 75].includes(exit), "failed EXIT_NONZERO"],
    [said === "failed", "failed ITEM_ESCALATED"],
    [said === "blocked", "blocked"],
    [said === "handoff_required", "handoff"],
    [said !== "completed" && context !== null && context < FLOOR, "handoff"],
    [artifacts.malformed.length === 1, "failed ARTIFACT_MALFORMED"],
    [artifacts.missing.length === 1, "failed ARTIFACT_MISSING"],
    [true, "finished"],
  ];
  return table.find(([holds]) => holds)?.[1] ?? "no row";
}

describe("decideExecutorOutcome", () => {
  const rows = ENDINGS.flatMap((ending) =>
    PAYLOADS.flatMap((payload) => ARTIFACTS.map((artifacts) => ({ ending, payload, artifacts }))),
  );

  it(`gives in each of ${rows.length} combinations what the table says`, () => {
    expect(rows.length).toBe(14 * 27 * 4);
    const wrong = rows.flatMap(({ ending, payload, artifacts }) => {
      const outcome = decideExecutorOutcome({
        ending,
        payload,
        missingArtifacts: artifacts.missing,
        malformedArtifacts: artifacts.malformed,
        contextRemainingFloor: FLOOR,
        agentFailure: null,
      });
      const found = outcome.kind === "failed" ? `failed ${outcome.reasonCode}` : outcome.kind;
      const due = expected(ending, payload, artifacts);
      return found === due ? [] : [{ ending, payload, artifacts, found, due }];
    });
    expect(wrong).toEqual([]);
  });

  it("never takes anything but exit code 0 without objection as finished", () => {
    const finished = rows.filter(
      ({ ending, payload, artifacts }) => expected(ending, payload, artifacts) === "finished",
    );
    expect(finished.every(({ ending }) => ending.kind === "exited" && ending.exit_code === 0)).toBe(true);
    expect(finished.every(({ payload }) => payload.kind === "absent" || payload.kind === "read")).toBe(true);
    expect(finished).toHaveLength(9);
  });
});

describe("parsePayload", () => {
  const bytes = (text: string): Uint8Array => new TextEncoder().encode(text);

  it("takes no file as no payload", () => {
    expect(parsePayload(undefined)).toEqual({ kind: "absent" });
  });

  it("fills in what may be left out, and lets others be", () => {
    expect(parsePayload(bytes('{"status": "completed", "model": "x"}'))).toEqual({
      kind: "read",
      status: "completed",
      summary: "",
      context_remaining: null,
      reason: "",
    });
    expect(
      parsePayload(bytes('{"status":"handoff_required","summary":"s","contextRemaining":2100,"reason":"r"}')),
    ).toEqual({ kind: "read", status: "handoff_required", summary: "s", context_remaining: 2100, reason: "r" });
  });

  it.each([
    ["nothing", ""],
    ["no JSON", "completed"],
    ["a list", "[]"],
    ["null", "null"],
    ["an unknown status", '{"status":"done"}'],
    ["a status in other case", '{"status":"Completed"}'],
    ["a summary that is no text", '{"status":"completed","summary":1}'],
    ["a context that is no number", '{"status":"completed","contextRemaining":"2100"}'],
    ["two objects", '{"status":"completed"}{"status":"failed"}'],
  ])("takes %s as malformed", (_what, text) => {
    expect(parsePayload(bytes(text))).toMatchObject({ kind: "malformed" });
  });

  it("reads one without a status: what it says of its context still counts", () => {
    expect(parsePayload(bytes('{"contextRemaining":100}'))).toMatchObject({
      kind: "read",
      status: null,
      context_remaining: 100,
    });
  });

  it("says what is wrong", () => {
    expect(parsePayload(bytes('{"status":"done"}'))).toMatchObject({
      message: expect.stringMatching(/^status: /) as string,
    });
  });

  it("takes bytes that are not UTF-8, and too many, as malformed", () => {
    const broken = bytes('{"status":"completed","summary":"?"}');
    broken[broken.indexOf(0x3f)] = 0xff;
    expect(parsePayload(broken)).toEqual({ kind: "malformed", message: "expected one JSON object in UTF-8" });
    const sized = (length: number): Uint8Array => bytes('{"status":"completed"}'.padEnd(length));
    expect(parsePayload(sized(PAYLOAD_BYTES_MAX)).kind).toBe("read");
    expect(parsePayload(sized(PAYLOAD_BYTES_MAX + 1))).toEqual({
      kind: "malformed",
      message: `expected at most 65536 bytes, found 65537`,
    });
  });
});
