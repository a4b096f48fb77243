import { describe, expect, it } from "vitest";
import { decideAuditOutcome, decideLaneOutcome, type LaneOutcome } from "../../src/domain/audit-outcome.ts";
import { AUDIT_VERDICTS, SEVERITIES, type AuditFacts, type AuditFinding } from "../../src/domain/audit-report.ts";
import type { ProcessEnding } from "../../src/domain/process-report.ts";
import { auditFinding } from "./audit-fixtures.ts";

const ENDED_WELL: ProcessEnding = { kind: "exited", exit_code: 0 };
const answer = (verdict: (typeof AUDIT_VERDICTS)[number], findings: AuditFinding[] = []): AuditFacts => ({
  kind: "read",
  verdict,
  summary: "",
  limitations: [],
  findings,
});
const blocking = auditFinding({ is_blocking: true, severity: "info" });

describe("decideLaneOutcome", () => {
  it.each<[string, AuditFacts, LaneOutcome]>([
    ["pass", answer("pass"), { kind: "pass" }],
    ["pass with a remark", answer("pass", [auditFinding()]), { kind: "pass" }],
    ["pass beside a blocking finding", answer("pass", [auditFinding(), blocking]), { kind: "findings", blocks: true }],
    [
      "pass beside a finding of high severity",
      answer("pass", [auditFinding({ severity: "high" })]),
      { kind: "findings", blocks: true },
    ],
    ["issues", answer("issues_found", [auditFinding()]), { kind: "findings", blocks: false }],
    ["issues that block", answer("issues_found", [blocking]), { kind: "findings", blocks: true }],
    [
      "issues that are not named",
      answer("issues_found"),
      { kind: "engine_failed", why: "verdict issues_found without a finding" },
    ],
    ["blocked", answer("blocked"), { kind: "engine_failed", why: "verdict blocked decides nothing" }],
    [
      "inconclusive, with findings",
      answer("inconclusive", [blocking]),
      { kind: "engine_failed", why: "verdict inconclusive decides nothing" },
    ],
    ["no report", { kind: "rejected", why: "none" }, { kind: "engine_failed", why: "none" }],
  ])("of an auditor that ended well: %s", (_what, facts, outcome) => {
    expect(decideLaneOutcome({ ending: ENDED_WELL, facts })).toEqual(outcome);
  });

  it.each<[ProcessEnding, LaneOutcome["kind"]]>([
    [{ kind: "exited", exit_code: 1 }, "engine_failed"],
    [{ kind: "exited", exit_code: 75 }, "engine_failed"],
    [{ kind: "signalled", signal: "SIGKILL" }, "engine_failed"],
    [{ kind: "spawn_failed", message: "ENOENT" }, "engine_failed"],
    [{ kind: "output_limit", output_bytes_max: 1 }, "engine_failed"],
    [{ kind: "timed_out", timeout_ms: 1 }, "timeout"],
    [{ kind: "cancelled" }, "cancelled"],
  ])("of one that ended with %j reads nothing it wrote: %s", (ending, kind) => {
    for (const facts of [answer("pass"), answer("issues_found", [blocking]), { kind: "rejected", why: "x" } as const]) {
      expect(decideLaneOutcome({ ending, facts }).kind).toBe(kind);
    }
  });

  it("passes on one verdict only, and never beside what means a fix", () => {
    for (const verdict of AUDIT_VERDICTS) {
      for (const severity of SEVERITIES) {
        for (const is_blocking of [true, false]) {
          const facts = answer(verdict, [auditFinding({ severity, is_blocking })]);
          const passes = verdict === "pass" && !is_blocking && severity !== "critical" && severity !== "high";
          expect(decideLaneOutcome({ ending: ENDED_WELL, facts }).kind === "pass").toBe(passes);
        }
      }
    }
  });
});

describe("decideAuditOutcome", () => {
  const KINDS = ["pass", "remarks", "blocks", "engine_failed", "timeout", "cancelled"] as const;
  const outcomeOf = (kind: (typeof KINDS)[number]): LaneOutcome =>
    kind === "remarks" || kind === "blocks"
      ? { kind: "findings", blocks: kind === "blocks" }
      : kind === "engine_failed"
        ? { kind, why: "broken" }
        : { kind };
  const decide = (...kinds: (typeof KINDS)[number][]) =>
    decideAuditOutcome(kinds.map((kind, index) => ({ lane: `lane${index}`, outcome: outcomeOf(kind) })));

  it("of two lanes is the worst, and a disagreement when one passes and the other blocks", () => {
    const table = KINDS.map((left) => KINDS.map((right) => decide(left, right).kind));
    expect(table).toEqual([
      ["pass", "findings", "disagree", "engine_failed", "timeout", "cancelled"],
      ["findings", "findings", "findings", "engine_failed", "timeout", "cancelled"],
      ["disagree", "findings", "findings", "engine_failed", "timeout", "cancelled"],
      ["engine_failed", "engine_failed", "engine_failed", "engine_failed", "timeout", "cancelled"],
      ["timeout", "timeout", "timeout", "timeout", "timeout", "cancelled"],
      ["cancelled", "cancelled", "cancelled", "cancelled", "cancelled", "cancelled"],
    ]);
  });

  it("of three lanes passes only when all pass", () => {
    for (const kind of KINDS) expect(decide("pass", "pass", kind).kind === "pass").toBe(kind === "pass");
  });

  it("names who passes and who blocks, whichever ended first", () => {
    const lanes = [
      { lane: "b", outcome: outcomeOf("blocks") },
      { lane: "c", outcome: outcomeOf("pass") },
      { lane: "a", outcome: outcomeOf("pass") },
    ];
    const expected = { kind: "disagree", passing: ["a", "c"], blocking: ["b"] };
    expect(decideAuditOutcome(lanes)).toEqual(expected);
    expect(decideAuditOutcome(lanes.toReversed())).toEqual(expected);
  });

  it("names every lane that failed", () => {
    expect(decide("engine_failed", "pass", "engine_failed")).toEqual({
      kind: "engine_failed",
      failures: [
        { lane: "lane0", why: "broken" },
        { lane: "lane2", why: "broken" },
      ],
    });
  });

  it.each([
    ["no lane", []],
    ["one lane", ["left"]],
    ["one lane twice", ["left", "left"]],
    ["three answers of two lanes", ["left", "right", "left"]],
  ])("of %s is no audit, whatever it said", (_what, names) => {
    const lanes = names.map((lane) => ({ lane, outcome: outcomeOf("pass") }));
    expect(decideAuditOutcome(lanes).kind).toBe("engine_failed");
  });
});
