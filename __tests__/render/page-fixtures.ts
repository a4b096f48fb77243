import type { FileEnds } from "../../src/domain/cut-text.ts";
import { decodeEnds } from "../../src/domain/cut-text.ts";
import type { PageText, ReportPage } from "../../src/domain/report-page.ts";
import { runReportSchema, type RunReport } from "../../src/domain/report.ts";
import { SANDBOX_PROBES } from "../../src/domain/sandbox.ts";
import { judgeLayers } from "../../src/domain/sandbox-layers.ts";
import { execution } from "../domain/run-fixtures.ts";

export type Round = RunReport["audit"]["items"][number]["rounds"][number];
export type Finding = Round["findings"][number];
type Attempt = RunReport["items"][number]["attempts"][number];
type Lane = Round["lanes"][number];

const HEAD = "4f1c".repeat(10);
const sha = (digit: string): string => digit.repeat(64);

export function finding(input: Partial<Finding> = {}): Finding {
  return {
    id: `F-${sha("a")}`,
    title: "The token is compared with ===",
    severity: "high",
    category: "security",
    confidence: "high",
    file_paths: ["src/session.ts"],
    evidence: ["src/session.ts:4: return token === expected;"],
    why_it_matters: "How long the comparison takes says how much of the token is right.",
    recommended_action: "Compare with timingSafeEqual.",
    is_blocking: true,
    sources: [{ kind: "lane", lane: "careful", finding_id: "1" }],
    disposition: "actionable",
    disposition_reason: "it blocks",
    decided_by: "rules",
    ...input,
  };
}

function lane(input: Partial<Lane> = {}): Lane {
  return {
    lane: "careful",
    outcome: "pass",
    blocks: false,
    why: "",
    failed_answers: 0,
    findings: 0,
    said: { verdict: "pass", summary: "It does what the item asks for, and the tests show it.", limitations: [] },
    ...input,
  };
}

export function round(input: Partial<Round> = {}): Round {
  return {
    attempt: 1,
    round: 1,
    red_green: null,
    red_green_gap: "",
    red_test_paths: [],
    red_commands: [],
    packet_sha256: sha("4"),
    commit: HEAD,
    outcome: "pass",
    lanes: [lane(), lane({ lane: "quick", said: { verdict: "pass", summary: "Fine.", limitations: [] } })],
    findings: [],
    triage: { answer: "rules", why: "", refused: [] },
    ...input,
  };
}

const command = (log: string, passed = true) => ({
  command: "npm test -- session",
  passed,
  outcome: passed ? "exit code 0" : "exit code 1",
  log: `${log}/command-1.stdout.log`,
});

function attempt(item: string, rounds: number, input: Partial<Attempt> = {}): Attempt {
  return {
    attempt: 1,
    base_commit: "b".repeat(40),
    ended: "kept",
    sessions: Array.from({ length: rounds }, (_, index) => ({
      session: index + 1,
      round: index + 1,
      kind: index === 0 ? ("execute" as const) : ("fix" as const),
      outcome: "finished",
      summary: "Sessions end after thirty minutes. I also looked at the login page, which needs no change.",
      tamper_kinds: [],
      survivors: 0,
    })),
    candidates: Array.from({ length: rounds }, (_, index) => ({
      round: index + 1,
      tree: `${index + 1}`.repeat(40),
      commit: HEAD,
      changed_paths: 3,
      violations: [],
      verification: "passed" as const,
      failures: [],
      patch: `items/${item}/attempt-1/round-${index + 1}/candidate-1/candidate.patch`,
      commands: [{ required: true, ...command(`items/${item}/attempt-1/round-${index + 1}/verification-1-1`) }],
    })),
    ...input,
  };
}

const PATCH = `diff --git a/docs/sessions.md b/docs/sessions.md
new file mode 100644
index 0000000..1111111
--- /dev/null
+++ b/docs/sessions.md
@@ -0,0 +1,3 @@
+# Sessions
+
+A session ends after thirty minutes without a request.
diff --git a/src/session.ts b/src/session.ts
index 2222222..3333333 100644
--- a/src/session.ts
+++ b/src/session.ts
@@ -1,9 +1,12 @@ export class Session {
 import { now } from "./clock.ts";
 
+const IDLE_MINUTES_MAX = 30;
+
-export function isValid(token: string, expected: string): boolean {
-  return token === expected;
+export function isValid(token: string, expected: string, seenAt: number): boolean {
+  if (now() - seenAt > IDLE_MINUTES_MAX * 60_000) return false;
+  return token === expected; // a comment that is long enough to reach beyond the edge of any screen that a person would read this page on, and then some more
 }
 
 export function renew(session: { seenAt: number }): void {
   session.seenAt = now();
 }
diff --git a/test/old.test.ts b/test/old.test.ts
deleted file mode 100644
index 4444444..0000000
--- a/test/old.test.ts
+++ /dev/null
@@ -1,2 +0,0 @@
-import { test } from "node:test";
-test("nothing", () => undefined);
\\ No newline at end of file
`;

const LOG = `\u001b[32m✔\u001b[39m a session ends after thirty minutes (1.2 ms)
\u001b[31m✖\u001b[39m a session is renewed by a request (0.8 ms)
  AssertionError: expected 1 to be 2
tests 2 | pass 1 | fail 1
`;

/** A text file as the page gets it. */
export function pageText(text: string, headMax = 4096, tailMax = 12_288): PageText {
  const bytes = Buffer.from(text);
  const isShort = bytes.length <= headMax + tailMax;
  const ends: FileEnds = {
    bytes: bytes.length,
    head: isShort ? bytes : bytes.subarray(0, headMax),
    tail: isShort ? new Uint8Array() : bytes.subarray(bytes.length - tailMax),
  };
  return { ...decodeEnds(ends), bytes: bytes.length };
}

const DISAGREEING = round({
  round: 1,
  outcome: "disagree",
  red_green: "proven",
  red_test_paths: ["test/session.test.ts"],
  red_commands: [command("items/02/attempt-1/round-1/red-1", false)],
  lanes: [
    lane({
      outcome: "findings",
      blocks: true,
      findings: 2,
      said: {
        verdict: "issues_found",
        summary: "The comparison leaks how much of the token is right.",
        limitations: ["I could not run the tests against a real clock."],
      },
    }),
    lane({ lane: "quick", failed_answers: 1 }),
  ],
  findings: [
    finding(),
    finding({
      id: `F-${sha("b")}`,
      title: "The limit is written in two places",
      severity: "low",
      category: "documentation",
      is_blocking: false,
      file_paths: ["docs/sessions.md"],
      evidence: [],
      sources: [
        { kind: "lane", lane: "careful", finding_id: "2" },
        { kind: "orchestrator", check: "verification_surface", reason_code: "VERIFICATION_FAILED" },
      ],
      disposition: "out_of_scope",
      disposition_reason: "the document is the plan's own wish",
      decided_by: "triage",
    }),
  ],
  triage: {
    answer: "read",
    why: "",
    refused: [{ finding_id: `F-${sha("a")}`, asked: "false_positive", why: "it blocks" }],
  },
});

const MINUTE = 60_000;
const program = (purpose: RunReport["stage_executions"][number]["purpose"], startedAt: string, minutes: number) =>
  execution({
    purpose,
    started_at: startedAt,
    duration_ms: minutes * MINUTE,
    command: "node",
    args: ["tools/agent.mjs"],
  });

const PROBES = SANDBOX_PROBES.map((probe) => ({ probe, outcome: "held" as const, detail: "the act was refused" }));
const FACTS = {
  platform: "linux",
  bubblewrap: "/usr/bin/bwrap",
  setpriv: true,
  prlimit: true,
  root: false,
  trial: { kind: "ran" as const, probes: PROBES },
};
const SPENT = {
  sessions: 2,
  known_usd: 3.1417,
  unknown_cost: 0,
  tokens_in: 81_000,
  tokens_cached: 60_000,
  tokens_out: 9000,
  unknown_tokens: 0,
};

/** The report of a run with everything in it: one item passed after a fix, one waits, one was given up, one never began. */
export function richReport(input: Partial<RunReport> = {}): RunReport {
  const at = (time: string): string => `2026-03-25T${time}.000Z`;
  return runReportSchema.parse({
    schema_version: "conveyor.run_report.v1",
    run_id: "RUN_20260325T120000Z_deadbeef",
    plan_id: "session-timeout",
    verdict: "blocked (2 of 4 items audited): 1 of 4 items passed: ITEM_AWAITING_HUMAN_GATE",
    terminal_state: "blocked",
    handoff: false,
    interrupted_by: null,
    redactions: { count: 3, names: ["API_TOKEN"], left: [{ name: "PIN", why: "short" }] },
    pull_request: null,
    audit: {
      status: "partly_audited",
      items_audited: 2,
      items: [
        {
          item_id: "01",
          audited: true,
          gate: null,
          evidence: [],
          rounds: [round({ outcome: "findings", findings: [finding()] }), round({ round: 2 })],
        },
        {
          item_id: "02",
          audited: true,
          rounds: [DISAGREEING],
          evidence: [{ path: "items/02/evidence-7/measured.txt", sha256: sha("9"), bytes: 12 }],
          gate: {
            gate_type: "approval",
            reason: "It decides who is let in.",
            required_evidence: "a note of the review",
            finding_ids: [`F-${sha("a")}`],
            commit: HEAD,
            packet_sha256: sha("4"),
            decision: "none",
            by: "",
            note: "",
            authority: "",
            evidence: [],
          },
        },
        { item_id: "03", audited: false, gate: null, evidence: [], rounds: [] },
        { item_id: "04", audited: false, gate: null, evidence: [], rounds: [] },
      ],
    },
    current_stage: "execution",
    created_at: at("12:00:00"),
    stopped_at: at("15:00:00"),
    resumes: 1,
    mode: "guarded",
    policy: {
      decision: "allow",
      reason_codes: [],
      refusals: [],
      risk: {
        tier: "high",
        reasons: [
          { tier: "low", text: "Risk-Tier is low" },
          { tier: "high", text: "item 02 may write src/auth, a sensitive path" },
        ],
      },
      approvals: [
        { tier: "high", authority: "environment", approver: null, counts: true, self_approved: false, refused_by: [] },
        {
          tier: "high",
          authority: "github",
          approver: "octo",
          counts: false,
          self_approved: true,
          refused_by: ["approver-is-author"],
        },
      ],
    },
    sandbox: {
      level: "auto",
      minimum_tier: 1,
      tier: 3,
      why: "every probe held",
      layers: judgeLayers(3, FACTS, ["MODEL_KEY"]),
      facts: FACTS,
    },
    gate_decisions: [
      {
        gate: "policy",
        passed: true,
        signal: "allow",
        reason_code: null,
        detail: "the run's own policy decision is allow",
      },
      { gate: "ci", passed: false, signal: "pending", reason_code: "GATE_CI_NOT_SUCCESS", detail: "expected success" },
      {
        gate: "review",
        passed: false,
        signal: "missing",
        reason_code: "GATE_REVIEW_NOT_APPROVED",
        detail: "expected approved",
      },
    ],
    blocked_reason_codes: ["ITEM_AWAITING_HUMAN_GATE", "GATE_CI_NOT_SUCCESS"],
    failure: null,
    transitions: [
      { seq: 2, at: at("12:00:00"), from: null, to: "planning" },
      { seq: 5, at: at("12:01:00"), from: "planning", to: "policy_ingestion" },
      { seq: 8, at: at("12:01:02"), from: "policy_ingestion", to: "execution" },
      { seq: 40, at: at("14:30:00"), from: "execution", to: "planning" },
      { seq: 41, at: at("14:30:00"), from: "planning", to: "execution" },
    ],
    invocations: [
      { started_at: at("12:00:00"), ended_at: at("12:30:00") },
      { started_at: at("14:30:00"), ended_at: at("15:00:00") },
    ],
    completed_stages: ["stage:Planning", "stage:PolicyIngestion"],
    items: [
      {
        item_id: "01",
        action: "End a session after thirty minutes",
        terminal_state: "passed",
        reason_codes: [],
        commit: HEAD,
        attempts: [attempt("01", 2)],
      },
      {
        item_id: "02",
        action: "Compare tokens in constant time",
        terminal_state: "awaiting_human_gate",
        reason_codes: ["ITEM_AWAITING_HUMAN_GATE"],
        commit: null,
        attempts: [attempt("02", 1)],
      },
      {
        item_id: "03",
        action: "Tell users why they were logged out",
        terminal_state: "escalated",
        reason_codes: ["ITEM_ESCALATED", "SCOPE_VIOLATION"],
        commit: null,
        attempts: [
          attempt("03", 1, {
            ended: "void",
            candidates: [
              {
                round: 1,
                tree: "3".repeat(40),
                commit: null,
                changed_paths: 1,
                violations: [{ code: "SCOPE_VIOLATION", path: "lib/x.ts", detail: "outside the write roots src" }],
                verification: "not_judged",
                failures: [],
                patch: null,
                commands: [],
              },
            ],
          }),
          attempt("03", 1, {
            attempt: 2,
            candidates: [
              {
                round: 1,
                tree: "5".repeat(40),
                commit: HEAD,
                changed_paths: 1,
                violations: [],
                verification: "failed",
                failures: ["required command failed: npm test -- session: exit code 1"],
                patch: "items/03/attempt-2/round-1/candidate-1/candidate.patch",
                commands: [{ required: true, ...command("items/03/attempt-2/round-1/verification-1-1", false) }],
              },
            ],
          }),
        ],
      },
      { item_id: "04", action: "Write it down", terminal_state: null, reason_codes: [], commit: null, attempts: [] },
    ],
    validation: {
      commit: HEAD,
      passed: false,
      failures: ["required command failed: npm run lint: exit code 2"],
      commands: [
        { command: "npm run lint", passed: false, outcome: "exit code 2", log: "validation-3/command-1.stdout.log" },
      ],
    },
    cost: {
      limit_usd: 10,
      total: SPENT,
      items: [{ item_id: "01", ...SPENT, budget_usd: 7.5 }],
      lanes: [
        { lane: "executor", ...SPENT, budget_usd: 2.5 },
        { lane: "audit:careful", ...SPENT, unknown_cost: 2, budget_usd: null },
      ],
    },
    stage_executions: [
      program("prepare", at("12:00:10"), 0.5),
      program("executor", at("12:02:00"), 9),
      { ...program("required_command", at("12:11:00"), 2), status: "failed", exit_code: 1, error: "exit code 1" },
      {
        ...program("auditor", at("12:14:00"), 6),
        network: [
          {
            host: "api.example.com",
            port: 443,
            allowed: true,
            requests: 12,
            sent_bytes: 81_000,
            received_bytes: 2_400_000,
          },
        ],
      },
      {
        ...program("auditor", at("12:14:00"), 3),
        network: [{ host: "203.0.113.7", port: 80, allowed: false, requests: 1, sent_bytes: 0, received_bytes: 0 }],
      },
      program("executor", at("14:31:00"), 20),
    ],
    branch: "conveyor/session-timeout/RUN_20260325T120000Z_deadbeef",
    delivered: true,
    base_commit: "b".repeat(40),
    head_sha: HEAD,
    digests: { plan_sha256: sha("1"), policy_sha256: sha("2"), config_sha256: sha("3"), config_authority: "trust_ref" },
    journal_head: sha("e"),
    journal_seq: 77,
    options: {
      "max-cost-usd": { value: 10, source: "configuration" },
      deliver: { value: "branch", source: "default" },
    },
    versions: { conveyor: "0.1.0", node: "24.21.0", git: "2.39.5" },
    warnings: ["the checkpoint was older than the journal (event 3 of 9); it was rebuilt from the journal"],
    next_actions: [
      {
        what: "Read the report and look at what was built; then approve or reject the gate.",
        command: "conveyor gate approve RUN_20260325T120000Z_deadbeef 02 --by NAME --note TEXT",
      },
      { what: "Let CI finish on exactly that commit.", command: null },
    ],
    ...input,
  });
}

/** The texts of the files that `richReport` names. */
export function richTexts(): Map<string, PageText> {
  const texts = new Map<string, PageText>();
  for (const path of [
    "items/01/attempt-1/round-1",
    "items/01/attempt-1/round-2",
    "items/02/attempt-1/round-1",
    "items/03/attempt-2/round-1",
  ]) {
    texts.set(`${path}/candidate-1/candidate.patch`, pageText(PATCH, 100_000, 0));
    texts.set(`${path}/verification-1-1/command-1.stdout.log`, pageText(LOG));
    texts.set(`${path}/verification-1-1/command-1.stderr.log`, pageText(""));
  }
  texts.set("items/02/attempt-1/round-1/red-1/command-1.stdout.log", pageText(LOG));
  texts.set(
    "validation-3/command-1.stdout.log",
    pageText(`${"src/a.ts: a line of a long log\n".repeat(2000)}the end\n`, 400, 400),
  );
  return texts;
}

export function richPage(input: Partial<RunReport> = {}): ReportPage {
  return { report: richReport(input), texts: richTexts() };
}
