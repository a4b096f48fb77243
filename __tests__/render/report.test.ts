import { defaultConfig } from "../../src/domain/config.ts";
import { describe, expect, it } from "vitest";
import type { EventDraft } from "../../src/domain/journal.ts";
import { buildRunReport, buildVerdict, runReportSchema, type RunReport } from "../../src/domain/report.ts";
import { renderReportMarkdown } from "../../src/render/report-markdown.ts";
import { BASE, buildPlan, DETAILS, draft, execution, EXIT_1, PACKET_SHA, passingItem } from "../domain/run-fixtures.ts";
import { CLOSED, created, delivered, doneRun, fold, gates, inStage, OPEN, trustRead } from "../domain/run-story.ts";

const PLAN = buildPlan([{ item_id: "01" }, { item_id: "02", action: "Do more | and *more*" }]);
const HEAD = "e".repeat(64);
const PASSED = { outcome: "pass", blocks: false, why: "", failed_answers: 0 };

/** One item passes, the other is void in its first attempt, fails in its second and is given up. */
const RICH: readonly EventDraft[] = [
  created({ item_ids: ["01", "02"], selected_ids: ["01", "02"] }),
  draft("run_resumed", DETAILS.run_resumed({ warnings: ["the checkpoint was <b>older</b>"] }), null),
  ...inStage("planning"),
  ...inStage("policy_ingestion", trustRead("policy_ingestion")),
  draft("stage_started", { stage: "execution" }, null),
  ...passingItem(),
  draft("item_started", {}, "02"),
  draft("attempt_opened", DETAILS.attempt_opened({ base_commit: "commit-1" }), "02"),
  draft("session_started", DETAILS.session_started(), "02"),
  draft(
    "session_finished",
    DETAILS.session_finished({ execution: execution({ item_id: "02", args: ["--a", "x y"] }) }),
    "02",
  ),
  draft(
    "candidate_built",
    DETAILS.candidate_built({
      base_commit: "commit-1",
      commit: null,
      violations: [{ code: "SCOPE_VIOLATION", path: "lib/x", detail: "outside the write roots out" }],
    }),
    "02",
  ),
  draft("attempt_opened", DETAILS.attempt_opened({ attempt: 2, round: 2, base_commit: "commit-1" }), "02"),
  draft("session_started", DETAILS.session_started({ attempt: 2, round: 2, kind: "fix" }), "02"),
  draft(
    "session_finished",
    DETAILS.session_finished({
      attempt: 2,
      round: 2,
      payload: { kind: "read", status: "completed", summary: "I did it", context_remaining: null, reason: "" },
      execution: execution({ item_id: "02", status: "success" }),
    }),
    "02",
  ),
  draft("candidate_built", DETAILS.candidate_built({ attempt: 2, round: 2, base_commit: "commit-1" }), "02"),
  draft("verification_started", { attempt: 2, round: 2, commit: "candidate-1" }, "02"),
  draft(
    "verification_finished",
    DETAILS.verification_finished({
      attempt: 2,
      round: 2,
      commands: [{ command: "npm test", required: true, ending: EXIT_1, log: "l" }],
      executions: [execution({ item_id: "02", purpose: "required_command", status: "failed", exit_code: 1 })],
    }),
    "02",
  ),
  draft(
    "item_settled",
    { terminal_state: "escalated", reason_codes: ["FIX_BUDGET_EXHAUSTED", "VERIFICATION_FAILED"], commit: null },
    "02",
  ),
  draft(
    "run_stopped",
    {
      kind: "terminal",
      terminal_state: "failed",
      reason_codes: ["ITEM_ESCALATED", "FIX_BUDGET_EXHAUSTED", "VERIFICATION_FAILED"],
      signal: null,
    },
    null,
  ),
];

const reportOf = (drafts: readonly EventDraft[]): RunReport =>
  buildRunReport(fold(drafts), { plan: PLAN, config: defaultConfig() }, HEAD);

describe("the run report", () => {
  it("of a run with everything is of its own shape", () => {
    const report = reportOf(RICH);
    expect(runReportSchema.parse(report)).toEqual(report);
    expect(report).toMatchObject({
      verdict:
        "failed (1 of 2 items audited): 1 of 2 items passed: ITEM_ESCALATED, FIX_BUDGET_EXHAUSTED, VERIFICATION_FAILED",
      terminal_state: "failed",
      handoff: false,
      audit: {
        status: "partly_audited",
        items_audited: 1,
        items: [
          {
            item_id: "01",
            audited: true,
            gate: null,
            rounds: [{ round: 1, outcome: "pass", packet_sha256: PACKET_SHA, lanes: [PASSED, PASSED], findings: [] }],
          },
          { item_id: "02", audited: false, rounds: [] },
        ],
      },
      resumes: 1,
      head_sha: "commit-1",
      base_commit: BASE,
      delivered: false,
      journal_head: HEAD,
      journal_seq: RICH.length,
      gate_decisions: [],
      failure: null,
      digests: { config_authority: "trust_ref" },
      warnings: ["the checkpoint was <b>older</b>"],
    });
    expect(report.items.map(({ item_id, terminal_state, commit }) => [item_id, terminal_state, commit])).toEqual([
      ["01", "passed", "commit-1"],
      ["02", "escalated", null],
    ]);
    expect(report.items[1]?.attempts).toMatchObject([
      { ended: "void", candidates: [{ verification: "not_judged", violations: [{ code: "SCOPE_VIOLATION" }] }] },
      {
        ended: "kept",
        sessions: [{ kind: "fix", outcome: "finished", summary: "I did it" }],
        candidates: [{ verification: "failed", failures: ["required command failed: npm test: exit code 1"] }],
      },
    ]);
    expect(report.stage_executions).toHaveLength(4);
    expect(report.next_actions).toHaveLength(1);
  });

  it("of a run that is done", () => {
    expect(reportOf(doneRun())).toMatchObject({
      terminal_state: "done",
      delivered: true,
      next_actions: [],
      stopped_at: fold(doneRun()).stop?.at,
      gate_decisions: [{ passed: true }, { passed: true }, { passed: true }],
    });
  });

  it("is delivered only when the branch stands at the head", () => {
    const before = [created(), ...inStage("planning")];
    expect(reportOf([...before, ...delivered(BASE)]).delivered).toBe(true);
    expect(reportOf([...before, ...delivered(BASE).slice(0, 1)]).delivered).toBe(false);
    expect(reportOf([...before, ...delivered("other")]).delivered).toBe(false);
  });

  const stopped = (kind: "handoff" | "interrupted", signal: string | null): EventDraft =>
    draft("run_stopped", { kind, terminal_state: null, reason_codes: [], signal }, null);
  it.each<readonly [string, readonly EventDraft[], string]>([
    ["killed", [created()], "not stopped (not audited): 0 of 1 items passed, stage none"],
    [
      "killed in a stage",
      [created(), ...inStage("planning")],
      "not stopped (not audited): 0 of 1 items passed, stage planning",
    ],
    ["handed off", [created(), stopped("handoff", null)], "handoff (not audited): 0 of 1 items passed"],
    ["interrupted", [created(), stopped("interrupted", "SIGTERM")], "interrupted (not audited): 0 of 1 items passed"],
    ["done", doneRun(), "done (audited): 1 of 1 items passed"],
  ])("of a run that was %s has its verdict first", (_what, drafts, verdict) => {
    expect(buildVerdict(fold(drafts))).toBe(verdict);
  });

  it("says who interrupted, and what failed", () => {
    expect(reportOf([created(), stopped("interrupted", "SIGTERM")]).interrupted_by).toBe("SIGTERM");
    expect(reportOf([created(), stopped("handoff", null)]).handoff).toBe(true);
    const failed = draft("stage_failed", { stage: "planning", reason_code: "PREPARE_FAILED", message: "no npm" }, null);
    expect(reportOf([created(), failed]).failure).toBe("no npm");
  });
});

describe("the report as Markdown", () => {
  it("of a run with everything", async () => {
    await expect(renderReportMarkdown(reportOf(RICH))).toMatchFileSnapshot("../fixtures/report-rich.golden");
  });

  it("of a run that waits at its gates", async () => {
    const waiting = [
      ...doneRun().slice(0, -4),
      gates(CLOSED, { ...OPEN, ci: "pending" }),
      draft(
        "run_stopped",
        { kind: "terminal", terminal_state: "blocked", reason_codes: ["GATE_CI_NOT_SUCCESS"], signal: null },
        null,
      ),
    ];
    await expect(renderReportMarkdown(reportOf(waiting))).toMatchFileSnapshot("../fixtures/report-gates.golden");
  });

  const HOSTILE = [
    "<script>alert(1)</script>",
    "![x](https://evil.example/x.png)",
    "[click](javascript:alert(1))",
    "`code` **bold** _it_ ~~x~~",
    "a | b | c",
    "@somebody #1 GH-2 www.evil.example &lt;",
    "line\n# Heading\n\n- list\n",
    "\u001b[2J\u009b31m\u202e\u200b",
    "back\\slash \\` \\|",
  ];
  const outside = (text: string, letter: string): number => {
    const bare = text.replaceAll(/\\[^\w\s]/g, "").replaceAll(/`[^`\n]*`/g, "");
    return bare.split(letter).length - 1;
  };
  /** The report with a text wherever one comes from a plan, a program or a path. */
  const rendered = (text: string): string => {
    const report = reportOf(RICH);
    return renderReportMarkdown({
      ...report,
      plan_id: `plan${text}`,
      failure: text,
      branch: text,
      warnings: [text],
      next_actions: [{ what: text, command: text }],
      items: report.items.map((item) => ({
        ...item,
        action: text,
        attempts: item.attempts.map((attempt) => ({
          ...attempt,
          candidates: attempt.candidates.map((candidate) => ({
            ...candidate,
            violations: candidate.violations.map((each) => ({ ...each, path: text, detail: text })),
            failures: [text],
          })),
        })),
      })),
      stage_executions: report.stage_executions.map((each) => ({ ...each, command: text, args: [text] })),
    });
  };
  const plain = rendered("plain");

  it.each(HOSTILE)("nothing in %j is active, wherever it stands", (hostile) => {
    const text = rendered(hostile);
    const lines = (markdown: string): string[] =>
      markdown.split("\n").map((line) => /^(?:#+ [A-Z].*|- |\||$)/.exec(line)?.[0] ?? "text");
    expect(lines(text)).toEqual(lines(plain));
    expect(text).not.toMatch(/[\u0000-\u0009\u000b-\u001f\u007f-\u009f\u200b\u202e]/);
    // An empty comment is what keeps the parts of a mention or an address apart.
    const seen = text.replaceAll(/(?:@|:|www|\\#|GH-)<!-- -->/gi, "");
    for (const mark of ["<", "![", "](", "@", "&", "://"]) expect([mark, outside(seen, mark)]).toEqual([mark, 0]);
    for (const mark of ["|", "*"]) expect([mark, outside(text, mark)]).toEqual([mark, outside(plain, mark)]);
  });

  it("a command stands in code that its own words cannot end", () => {
    const report = { ...reportOf(doneRun()), next_actions: [{ what: "Do.", command: "a `b`\n`c` <d>" }] };
    expect(renderReportMarkdown(report)).toContain("- Do. `a b c <d>`\n");
  });

  it("of a run that did nothing says so", () => {
    const text = renderReportMarkdown(reportOf([created()]));
    expect(text).toContain("None was started.");
    expect(text).toContain("Not evaluated: the run stopped before them.");
    expect(text).toContain("not settled");
  });
});
