import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { SEVERITIES } from "../../src/domain/audit-report.ts";
import { decideAfterTriage, type AfterTriage, type AfterTriageFacts } from "../../src/domain/decide-after-triage.ts";
import { mergeFindings, type MergedFinding } from "../../src/domain/merged-findings.ts";
import { findingsOfScope } from "../../src/domain/orchestrator-findings.ts";
import { applyTriage, DISPOSITIONS, type FindingDisposition, type TriageFacts } from "../../src/domain/triage.ts";
import { anyInputs, mergedFinding, ownFinding } from "./audit-fixtures.ts";

type Word = FindingDisposition["disposition"];
const WORDS: readonly Word[] = [...DISPOSITIONS, "noted"];

const disposed = (finding: MergedFinding, disposition: Word): FindingDisposition => ({
  finding_id: finding.id,
  disposition,
  reason: "because",
  decided_by: "triage",
});
const facts = (over: Partial<AfterTriageFacts>): AfterTriageFacts => ({
  findings: [],
  dispositions: [],
  round: 1,
  fixRounds: 2,
  remediationRounds: 1,
  hasManualGate: false,
  ...over,
});
const show = (decision: AfterTriage) =>
  [
    decision.kind,
    ...(decision.kind === "escalate" ? decision.reasonCodes : []),
    ...(decision.kind === "await_gate" ? [decision.gateType] : []),
  ].join(" ");

/** Every budget of rounds up to two of each kind, every round up to one past it, with and without a gate of its own. */
const SETTINGS = [0, 1, 2].flatMap((fixRounds) =>
  [0, 1, 2].flatMap((remediationRounds) =>
    [1, 2, 3, 4, 5, 6].flatMap((round) =>
      [true, false].map((hasManualGate) => ({ fixRounds, remediationRounds, round, hasManualGate })),
    ),
  ),
);

/** One remark of an auditor for each word: any of them may have any word. */
const REMARKS = WORDS.map((word) => ({ word, finding: mergedFinding("lanes", { title: word, severity: "low" }) }));

describe("decideAfterTriage", () => {
  it("over every set of dispositions, every budget of rounds and either gate is what the rules say", () => {
    const wrong: string[] = [];
    let seen = 0;
    for (let set = 0; set < 2 ** WORDS.length; set += 1) {
      const chosen = REMARKS.filter((_remark, index) => (set >> index) % 2 === 1);
      const words = chosen.map(({ word }) => word).join(" ");
      const given = {
        findings: chosen.map(({ finding }) => finding),
        dispositions: chosen.map(({ finding, word }) => disposed(finding, word)),
      };
      for (const setting of SETTINGS) {
        seen += 1;
        const decision = show(decideAfterTriage({ ...given, ...setting }));
        if (decision !== expectedOf(words, setting)) wrong.push(`${words} ${JSON.stringify(setting)}: ${decision}`);
      }
    }
    expect(wrong).toEqual([]);
    expect(seen).toBe(128 * 108);
  });

  /** Written from the text of the rules, by words and not by the code. */
  function expectedOf(words: string, setting: (typeof SETTINGS)[number]): string {
    const { fixRounds, remediationRounds, round, hasManualGate } = setting;
    const roundsAfterTheFirst = round - 1;
    if (words.includes("actionable")) {
      if (roundsAfterTheFirst < fixRounds) return "fix";
      if (roundsAfterTheFirst - fixRounds < remediationRounds) return "remediate";
      return "escalate FIX_BUDGET_EXHAUSTED AUDIT_BLOCKING_FINDING";
    }
    if (words.includes("blocked_external")) return "blocked_external";
    if (hasManualGate) return "await_gate own";
    return words.includes("requires_human_judgment") ? "await_gate custom" : "pass";
  }

  it("does not trust the list it is given: a forbidden, missing or second word is decided by the rules", () => {
    const wrong: string[] = [];
    for (const by of ["lanes", "orchestrator"] as const) {
      for (const severity of SEVERITIES) {
        for (const is_blocking of [true, false]) {
          const finding = mergedFinding(by, { severity, is_blocking });
          const demands = is_blocking || severity === "critical" || severity === "high";
          const decide = (...words: Word[]) =>
            show(
              decideAfterTriage(
                facts({ findings: [finding], dispositions: words.map((word) => disposed(finding, word)) }),
              ),
            );
          const byRules = demands ? "fix" : "pass";
          const may: Record<Word, string> = {
            actionable: "fix",
            false_positive: by === "lanes" && !is_blocking ? "pass" : byRules,
            duplicate: by === "lanes" && !is_blocking ? "pass" : byRules,
            out_of_scope: by === "lanes" && !is_blocking ? "pass" : byRules,
            blocked_external: by === "lanes" && !is_blocking ? "blocked_external" : byRules,
            requires_human_judgment: by === "lanes" || !demands ? "await_gate custom" : "fix",
            noted: byRules,
          };
          const about = `${by} ${severity} ${is_blocking}`;
          for (const word of WORDS) {
            if (decide(word) !== may[word]) wrong.push(`${about} ${word}: ${decide(word)}`);
            if (decide(word, "false_positive") !== byRules) wrong.push(`${about} ${word} twice`);
          }
          if (decide() !== byRules) wrong.push(`${about} without a word`);
        }
      }
    }
    expect(wrong).toEqual([]);
  });

  it("names what was left open when the rounds are used up, each code once", () => {
    const findings = mergeFindings(
      [],
      [
        ownFinding({ title: "a" }),
        ownFinding({ title: "b" }),
        ...findingsOfScope([{ code: "PATH_UNSAFE", path: "x", detail: "a symlink" }]),
      ],
    );
    const open = (list: readonly MergedFinding[]) =>
      show(decideAfterTriage(facts({ findings: list, round: 4, ...applyTriage(list, undefined) })));
    expect(open(findings.toReversed())).toBe(open(findings));
    expect(open(findings)).toBe("escalate FIX_BUDGET_EXHAUSTED PATH_UNSAFE VERIFICATION_FAILED");
    expect(open([...findings, mergedFinding("lanes", { is_blocking: true })])).toBe(
      "escalate FIX_BUDGET_EXHAUSTED PATH_UNSAFE VERIFICATION_FAILED AUDIT_BLOCKING_FINDING",
    );
    expect(open([...findings.slice(0, 1), mergedFinding("lanes", { severity: "low" })])).not.toContain("AUDIT");
  });

  it("passes what nobody found anything in, and only then without a gate", () => {
    expect(show(decideAfterTriage(facts({})))).toBe("pass");
    expect(show(decideAfterTriage(facts({ hasManualGate: true })))).toBe("await_gate own");
  });
});

describe("no answer of a triage program", () => {
  const anyCase = anyInputs.chain(({ lanes, own }) => {
    const findings = mergeFindings(lanes, own);
    return fc.record({
      findings: fc.constant(findings),
      setting: fc.constantFrom(...SETTINGS),
      answers: fc.array(
        fc.record({
          finding_id: fc.constantFrom("unknown", ...findings.map(({ id }) => id)),
          disposition: fc.constantFrom(...DISPOSITIONS),
          reason: fc.constant("all fine"),
        }),
        { maxLength: 12 },
      ),
    });
  });
  const decide = (findings: readonly MergedFinding[], setting: (typeof SETTINGS)[number], triage?: TriageFacts) =>
    decideAfterTriage({ findings, ...setting, ...applyTriage(findings, triage) }).kind;

  it("lets an item pass over a blocking finding or a failed command", () => {
    fc.assert(
      fc.property(anyCase, ({ findings, setting, answers }) => {
        const own = findings.filter(({ sources }) => sources.some(({ kind }) => kind === "orchestrator"));
        const failed = own.some(({ is_blocking }) => is_blocking);
        const blocks = findings.some(({ is_blocking }) => is_blocking);
        fc.pre(blocks);
        expect(decide(findings, setting)).toMatch(/^(fix|remediate|escalate)$/);
        const decision = decide(findings, setting, { kind: "read", dispositions: answers, notes: "" });
        expect(decision).not.toBe("pass");
        // A person's word at a gate cannot replace evidence either.
        if (failed) expect(decision).toMatch(/^(fix|remediate|escalate)$/);
      }),
      { numRuns: 500 },
    );
  });

  it("is missed when it is not there: a failed program is the same as none", () => {
    fc.assert(
      fc.property(anyCase, ({ findings, setting }) => {
        expect(decide(findings, setting, { kind: "rejected", why: "broken" })).toBe(decide(findings, setting));
      }),
    );
  });
});
