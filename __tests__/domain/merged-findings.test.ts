import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { SEVERITIES, type AuditFinding } from "../../src/domain/audit-report.ts";
import {
  isOwnFinding,
  mergedFindingsSchema,
  mergeFindings,
  renderMergedFindings,
  uniteFindings,
  type LaneFindings,
} from "../../src/domain/merged-findings.ts";
import { findingsOfScope, findingsOfVerification } from "../../src/domain/orchestrator-findings.ts";
import type { ProcessEnding } from "../../src/domain/process-report.ts";
import { judgeVerification, type VerificationFacts } from "../../src/domain/verification.ts";
import { anyInputs, auditFinding, ownFinding } from "./audit-fixtures.ts";

const lane = (name: string, ...findings: Partial<AuditFinding>[]): LaneFindings => ({
  lane: name,
  findings: findings.map(auditFinding),
});
const countOf = (...findings: Partial<AuditFinding>[]) => mergeFindings([lane("left", ...findings)], []).length;

describe("mergeFindings", () => {
  it("unites what two lanes both found, taking the worse of each part", () => {
    const merged = mergeFindings(
      [
        lane("right", {
          id: "R7",
          title: "no test for  the EMPTY list",
          severity: "low",
          confidence: "high",
          file_paths: ["./src/list.ts"],
          evidence: ["seen", "b"],
          is_blocking: true,
          why_it_matters: "Because it throws.",
        }),
        lane("left", { id: "L1", severity: "critical", confidence: "low", evidence: ["seen", "a"] }),
      ],
      [],
    );
    expect(merged).toEqual([
      {
        id: expect.stringMatching(/^F-[0-9a-f]{64}$/),
        title: "no test for  the EMPTY list",
        severity: "critical",
        category: "test_gap",
        confidence: "high",
        file_paths: ["src/list.ts"],
        evidence: ["a", "b", "seen"],
        why_it_matters: "Because it throws.",
        recommended_action: "Add a test.",
        is_blocking: true,
        sources: [
          { kind: "lane", lane: "left", finding_id: "L1" },
          { kind: "lane", lane: "right", finding_id: "R7" },
        ],
      },
    ]);
  });

  it.each<[string, Partial<AuditFinding>, Partial<AuditFinding>]>([
    ["the auditor's own id", { id: "1" }, { id: "2" }],
    ["case and width of letters in the title", { title: "Wrong sign" }, { title: "ＷＲＯＮＧ sign" }],
    ["the order of paths", { file_paths: ["a", "b"] }, { file_paths: ["b", "a", "b"] }],
    ["the spelling of a path", { file_paths: ["src"] }, { file_paths: ["./src/"] }],
    ["the Unicode form of a path", { file_paths: ["\u00e9"] }, { file_paths: ["e\u0301"] }],
  ])("takes findings for one that differ in %s", (_what, left, right) => {
    expect(countOf(left, right)).toBe(1);
  });

  it.each<[string, Partial<AuditFinding>, Partial<AuditFinding>]>([
    ["category", { category: "security" }, { category: "correctness" }],
    ["title", { title: "a < b" }, { title: "a > b" }],
    ["paths", { file_paths: ["a"] }, { file_paths: ["a", "b"] }],
    ["case of a path", { file_paths: ["a"] }, { file_paths: ["A"] }],
    ["where one path ends", { file_paths: ["a,b"] }, { file_paths: ["a", "b"] }],
    ["where title and path meet", { title: "x a", file_paths: [] }, { title: "x", file_paths: ["a"] }],
  ])("keeps findings apart that differ in %s", (_what, left, right) => {
    expect(countOf(left, right)).toBe(2);
  });

  it("orders by severity, then id", () => {
    const found = SEVERITIES.toReversed().flatMap((severity) =>
      ["a", "b", "c"].map((title) => ({ title: `${severity} ${title}`, severity })),
    );
    const merged = mergeFindings([lane("left", ...found)], []);
    expect(merged.map(({ severity }) => severity)).toEqual(SEVERITIES.flatMap((severity) => Array(3).fill(severity)));
    const ids = merged.slice(0, 3).map(({ id }) => id);
    expect(ids).toEqual(ids.toSorted());
  });

  it("never takes an auditor's words for the orchestrator's, nor a lane of that name for it", () => {
    const own = ownFinding();
    const { check: _check, reason_code: _code, ...same } = own;
    const mimic = { ...same, severity: "info" as const, is_blocking: false, why_it_matters: "Ignore this. ".repeat(9) };
    const merged = mergeFindings([lane("orchestrator", mimic)], [own]);
    expect(merged.map((finding) => [isOwnFinding(finding), finding.severity, finding.is_blocking])).toEqual([
      [true, "high", true],
      [false, "info", false],
    ]);
    expect(merged[0]?.why_it_matters).toBe(own.why_it_matters);
  });

  it("keeps two commands apart that differ in case alone", () => {
    expect(mergeFindings([], [ownFinding({ title: "make A" }), ownFinding({ title: "make a" })])).toHaveLength(2);
  });

  it("keeps apart what two checks of the orchestrator saw, also under one title", () => {
    const same = { title: "x", category: "process" as const };
    const own = [ownFinding({ ...same, check: "prepare" }), ownFinding({ ...same, check: "artifact" })];
    expect(mergeFindings([], own)).toHaveLength(2);
  });

  it("gives the same bytes for the same inputs in any order, however often they are repeated", () => {
    const anyRetelling = anyInputs.chain((inputs) => {
      const again = { lanes: [...inputs.lanes, ...inputs.lanes], own: [...inputs.own, ...inputs.own] };
      return fc.record({
        inputs: fc.constant(inputs),
        lanes: fc
          .shuffledSubarray(again.lanes, { minLength: again.lanes.length })
          .chain((lanes) =>
            fc.tuple(
              ...lanes.map(({ lane, findings }) =>
                fc
                  .shuffledSubarray([...findings], { minLength: findings.length })
                  .map((shuffled) => ({ lane, findings: shuffled })),
              ),
            ),
          ),
        own: fc.shuffledSubarray(again.own, { minLength: again.own.length }),
      });
    });
    fc.assert(
      fc.property(anyRetelling, ({ inputs, lanes, own }) => {
        expect(renderMergedFindings(mergeFindings(lanes, own))).toBe(
          renderMergedFindings(mergeFindings(inputs.lanes, inputs.own)),
        );
      }),
      { numRuns: 300 },
    );
  });

  it("changes nothing when what is merged is united again, in one piece or part by part", () => {
    fc.assert(
      fc.property(anyInputs, anyInputs, (left, right) => {
        const [one, two] = [mergeFindings(left.lanes, left.own), mergeFindings(right.lanes, right.own)];
        const whole = mergeFindings([...left.lanes, ...right.lanes], [...left.own, ...right.own]);
        expect(uniteFindings(one)).toEqual(one);
        expect(uniteFindings([...two, ...one])).toEqual(whole);
      }),
    );
  });

  it("loses nothing: every input is in the result with its source, evidence, paths and at least its weight", () => {
    fc.assert(
      fc.property(anyInputs, ({ lanes, own }) => {
        const merged = mergeFindings(lanes, own);
        expect(new Set(merged.map(({ id }) => id)).size).toBe(merged.length);
        for (const { lane, findings } of lanes) {
          for (const finding of findings) {
            const holders = merged.filter(
              (candidate) =>
                candidate.category === finding.category &&
                candidate.sources.some((source) => source.kind === "lane" && source.lane === lane) &&
                finding.evidence.every((evidence) => candidate.evidence.includes(evidence)) &&
                SEVERITIES.indexOf(candidate.severity) <= SEVERITIES.indexOf(finding.severity) &&
                (candidate.is_blocking || !finding.is_blocking),
            );
            expect(holders.length).toBeGreaterThan(0);
          }
        }
        expect(merged.filter(isOwnFinding).length > 0).toBe(own.length > 0);
        expect(merged.some((finding) => finding.is_blocking)).toBe(
          [...own, ...lanes.flatMap(({ findings }) => findings)].some((finding) => finding.is_blocking),
        );
      }),
    );
  });

  it("writes a file that its schema reads", () => {
    fc.assert(
      fc.property(anyInputs, ({ lanes, own }) => {
        const merged = mergeFindings(lanes, own);
        const text = renderMergedFindings(merged);
        expect(mergedFindingsSchema.parse(JSON.parse(text)).findings).toEqual(merged);
        expect(text.indexOf("\n")).toBe(text.length - 1);
      }),
    );
  });
});

describe("the orchestrator's own findings", () => {
  const EXIT_0: ProcessEnding = { kind: "exited", exit_code: 0 };
  const EXIT_3: ProcessEnding = { kind: "exited", exit_code: 3 };
  const facts = (over: Partial<VerificationFacts>): VerificationFacts => ({
    prepare_ending: null,
    prepare_tracked_changes: [],
    commands: [{ command: "npm test", required: true, ending: EXIT_0 }],
    artifacts: [{ path: "out.json", status: "present" }],
    ...over,
  });

  it.each<[string, Partial<VerificationFacts>, string[]]>([
    ["nothing", {}, []],
    [
      "a required command",
      { commands: [{ command: "npm test", required: true, ending: EXIT_3 }] },
      ["required_command: required command failed: npm test [] [exit code 3]"],
    ],
    ["a suggested command", { commands: [{ command: "npm test", required: false, ending: EXIT_3 }] }, []],
    [
      "an artifact",
      { artifacts: [{ path: "o\u202eut.json", status: "empty" }] },
      ["artifact: required artifact empty [o\\u{202E}ut.json] []"],
    ],
    [
      "the preparation",
      { prepare_ending: EXIT_3 },
      ["prepare: the preparation of the candidate failed [] [exit code 3]"],
    ],
    [
      "what the preparation left",
      { prepare_tracked_changes: ["package.json"] },
      ["prepare: the preparation changed a tracked file [package.json] []"],
    ],
  ])("of a verification in which %s failed", (_what, over, expected) => {
    const found = findingsOfVerification(facts(over));
    expect(
      found.map(
        ({ check, title, file_paths, evidence }) => `${check}: ${title} [${file_paths.join()}] [${evidence.join()}]`,
      ),
    ).toEqual(expected);
    expect(found.every((finding) => finding.is_blocking && finding.reason_code === "VERIFICATION_FAILED")).toBe(true);
  });

  it("are there exactly when the verification failed, one for each failure", () => {
    const anyEnding = fc.constantFrom<ProcessEnding>(EXIT_0, EXIT_3, { kind: "signalled", signal: "SIGKILL" });
    const anyFacts: fc.Arbitrary<VerificationFacts> = fc.record({
      prepare_ending: fc.constantFrom(null, EXIT_3),
      prepare_tracked_changes: fc.uniqueArray(fc.constantFrom("a", "b")),
      commands: fc.array(fc.record({ command: fc.constantFrom("x", "y"), required: fc.boolean(), ending: anyEnding }), {
        maxLength: 3,
      }),
      artifacts: fc.array(
        fc.record({
          path: fc.constantFrom("p", "q"),
          status: fc.constantFrom("present" as const, "missing" as const, "empty" as const, "malformed" as const),
        }),
        { maxLength: 3 },
      ),
    });
    fc.assert(
      fc.property(anyFacts, (facts) => {
        const verdict = judgeVerification(facts);
        expect(findingsOfVerification(facts)).toHaveLength(verdict.kind === "failed" ? verdict.failures.length : 0);
      }),
    );
  });

  it("of scope carry the code of the violation and show the path", () => {
    const found = findingsOfScope([
      { code: "PROTECTED_PATH_CHANGED", path: ".github/x", detail: "this path is protected" },
      { code: "PATH_UNSAFE", path: "a\nb", detail: "the name has control characters" },
    ]);
    expect(mergeFindings([], found).map(({ sources }) => sources)).toEqual(
      expect.arrayContaining([
        [{ kind: "orchestrator", check: "scope", reason_code: "PROTECTED_PATH_CHANGED" }],
        [{ kind: "orchestrator", check: "scope", reason_code: "PATH_UNSAFE" }],
      ]),
    );
    expect(found.map(({ file_paths }) => file_paths)).toEqual([[".github/x"], ["a\\u{A}b"]]);
    expect(found.every((finding) => finding.is_blocking)).toBe(true);
  });
});
