import { describe, expect, it } from "vitest";
import { defaultConfig } from "../../src/domain/config.ts";
import type { JournalEvent } from "../../src/domain/journal.ts";
import type { EventDraft } from "../../src/domain/journal.ts";
import { renderDryRun, type DryRunFacts } from "../../src/render/dry-run-text.ts";
import { renderProgress } from "../../src/render/progress-text.ts";
import { renderStatus, type StatusFacts } from "../../src/render/status-text.ts";
import { BASE, buildPlan, chain, DETAILS, draft, execution, EXIT_0, EXIT_1, RUN_ID } from "../domain/run-fixtures.ts";
import { created, gates, inStage, OPEN } from "../domain/run-story.ts";

describe("renderProgress", () => {
  const rendered = (each: EventDraft): string | undefined => {
    const [, event] = chain([created(), each]);
    const line = renderProgress(event as JournalEvent);
    return line === undefined ? undefined : `${line.tone}: ${line.text}`;
  };
  const candidate = (input: Parameters<typeof DETAILS.candidate_built>[0]) =>
    draft("candidate_built", DETAILS.candidate_built(input));
  const verified = (ending: typeof EXIT_0 | { kind: "cancelled" }) =>
    draft(
      "verification_finished",
      DETAILS.verification_finished({ commands: [{ command: "c", required: true, ending, log: "l" }] }),
    );
  const violation = { code: "PATH_UNSAFE" as const, path: "a\u202e\u009bb", detail: "to /\u001b[2J" };

  it.each<readonly [string, EventDraft, string | undefined]>([
    ["a resume", draft("run_resumed", DETAILS.run_resumed(), null), `bold: 12:00:01 run ${RUN_ID} goes on`],
    ["a stage", draft("stage_started", { stage: "planning" }, null), "plain: 12:00:01 stage planning"],
    [
      "a sandbox that is not there",
      draft("sandbox_probed", DETAILS.sandbox_probed(), null),
      "yellow: 12:00:01 sandbox tier 1: bubblewrap not found; install it",
    ],
    [
      "a stage that is done",
      draft("stage_skipped", { stage: "planning", execution: execution() }, null),
      "dim: 12:00:01 stage planning is done already",
    ],
    [
      "a stage that failed",
      draft("stage_failed", { stage: "closure", reason_code: "DELIVERY_REFUSED", message: "a\nb" }, null),
      "red: 12:00:01 stage closure failed: DELIVERY_REFUSED a\\u{A}b",
    ],
    ["an attempt", draft("attempt_opened", DETAILS.attempt_opened()), "plain: 12:00:01 01: attempt 1, worktree open"],
    [
      "a prepared attempt",
      draft("attempt_opened", DETAILS.attempt_opened({ prepare_status: "cached" })),
      "plain: 12:00:01 01: attempt 1, worktree prepared (cached)",
    ],
    [
      "a session",
      draft("session_started", DETAILS.session_started()),
      "plain: 12:00:01 01: executor, execute, round 1",
    ],
    [
      "its end",
      draft("session_finished", DETAILS.session_finished()),
      "plain: 12:00:01 01: executor ended: success after 5 ms",
    ],
    [
      "a lost attempt",
      draft("attempt_lost", { attempt: 1, why: "worktree_gone" }),
      "yellow: 12:00:01 01: attempt 1 proves nothing any more: worktree_gone",
    ],
    [
      "a worktree made again",
      draft("worktree_restored", {
        attempt: 1,
        worktree: "w",
        prepare_status: "cached",
        prepare_ending: null,
        executions: [],
        files: [],
      }),
      "yellow: 12:00:01 01: worktree was gone and is made again (cached)",
    ],
    [
      "a handoff",
      draft("handoff_sealed", { attempt: 1, session: 1, tree: "t", files: [] }),
      "yellow: 12:00:01 01: handed off, sealed",
    ],
    ["a candidate", candidate({}), "plain: 12:00:01 01: candidate with 1 changed path"],
    ["a larger one", candidate({ changed_paths: 2 }), "plain: 12:00:01 01: candidate with 2 changed paths"],
    ["no change", candidate({ changed_paths: 0, commit: null }), "yellow: 12:00:01 01: no change"],
    [
      "a void candidate",
      candidate({ commit: null, violations: [violation] }),
      'red: 12:00:01 01: candidate refused: PATH_UNSAFE "a\\u{202E}\\u{9B}b" to /\\u{1B}[2J',
    ],
    [
      "a candidate void in more ways",
      candidate({ commit: null, violations: [{ ...violation, path: "p", detail: "d" }, violation, violation] }),
      'red: 12:00:01 01: candidate refused: PATH_UNSAFE "p" d and 2 more',
    ],
    [
      "a candidate that cannot be built",
      draft("candidate_refused", { attempt: 1, round: 1, reason_code: "GIT_TAMPERED", detail: "forged\u0007" }),
      "red: 12:00:01 01: candidate refused: GIT_TAMPERED forged\\u{7}",
    ],
    ["a verification", verified(EXIT_0), "green: 12:00:01 01: verified in a clean checkout"],
    [
      "one that failed",
      verified(EXIT_1),
      "red: 12:00:01 01: verification failed: required command failed: c: exit code 1",
    ],
    ["one that was cut short", verified({ kind: "cancelled" }), "red: 12:00:01 01: verification cancelled"],
    [
      "an item that passed",
      draft("item_settled", { terminal_state: "passed", reason_codes: [], commit: "c" }),
      "green: 12:00:01 01: passed",
    ],
    [
      "an item given up",
      draft("item_settled", { terminal_state: "escalated", reason_codes: ["GIT_TAMPERED"], commit: null }),
      "red: 12:00:01 01: escalated GIT_TAMPERED",
    ],
    [
      "a delivery",
      draft("delivery_finished", { branch: "b", head: "h", status: "moved" }, null),
      "plain: 12:00:01 branch b: moved",
    ],
    [
      "gates",
      gates(BASE, { ...OPEN, ci: "pending" }),
      "plain: 12:00:01 gates: policy passed, ci blocked (pending), review passed",
    ],
    ["what says nothing new", inStage("planning").at(-1) as EventDraft, undefined],
  ])("%s", (_what, event, line) => {
    expect(rendered(event)).toBe(line);
  });

  it("the beginning of a run", () => {
    const [event] = chain([created()]);
    expect(renderProgress(event as JournalEvent)).toEqual({
      tone: "bold",
      text: `12:00:00 run ${RUN_ID} of plan plan, base ${"b".repeat(12)}`,
    });
  });
});

describe("renderStatus", () => {
  const facts: StatusFacts = {
    run_id: RUN_ID,
    run_dir: "/runs/x",
    verdict: "blocked (not audited): 1 of 3 items passed",
    held_by: null,
    items: [
      { id: "01", terminal_state: "passed", attempts: 1, reason_codes: [], gate: null },
      { id: "api.2", terminal_state: "escalated", attempts: 2, reason_codes: ["GIT_TAMPERED", "LOCKED"], gate: null },
      { id: "3", terminal_state: null, attempts: 1, reason_codes: [], gate: null },
      { id: "4", terminal_state: null, attempts: 0, reason_codes: [], gate: null },
    ],
    branch: "conveyor/plan/x",
    head_sha: BASE,
    next_actions: [
      { what: "Do this.", command: "conveyor resume" },
      { what: "Or that.", command: null },
    ],
  };

  it("aligns the items and says what is next", () => {
    expect(renderStatus(facts)).toBe(
      [
        `${RUN_ID}  blocked (not audited): 1 of 3 items passed`,
        "  01     passed, 1 attempt",
        "  api.2  escalated, 2 attempts GIT_TAMPERED, LOCKED",
        "  3      begun, 1 attempt",
        "  4      waiting, 0 attempts",
        `branch  conveyor/plan/x at ${BASE}`,
        "run     /runs/x",
        "next    Do this.",
        "        conveyor resume",
        "next    Or that.",
        "",
      ].join("\n"),
    );
  });

  it("says who holds the run", () => {
    expect(renderStatus({ ...facts, held_by: "pid 5" }).split("\n")[1]).toBe("held    by pid 5");
  });
});

describe("renderDryRun", () => {
  const config = defaultConfig();
  const facts: DryRunFacts = {
    plan: buildPlan([
      { item_id: "01", required_artifacts: ["out/a.json"], write_roots: ["out", "lib"] },
      { item_id: "02", action: "Do more" },
    ]),
    costLimitUsd: 2.5,
    planSha256: "1".repeat(64),
    policySha256: "2".repeat(64),
    config: {
      ...config,
      prepare: { ...config.prepare, commands: [["npm", "ci"]] },
      audits: {
        ...config.audits,
        lanes: ["careful", "quick"].map((name) => ({
          name,
          use: "command" as const,
          command: ["node", "audit.mjs", `{lane}`],
          env: [],
        })),
      },
      triage: { use: "command", command: ["sort findings"], "timeout-minutes": 1, env: [] },
      validation: { ...config.validation, commands: [["npm", "run", "all tests"]] },
    },
    configFile: { path: null, authority: "none" },
    baseCommit: BASE,
    itemIds: ["01", "02"],
    selectedIds: ["01"],
    executor: { use: "command", command: ["node", "a b.mjs", "{item_id}"] },
    mode: "guarded",
    manager: undefined,
  };

  it("says what would be run, and the most that it can come to", () => {
    expect(renderDryRun(facts, "text")).toBe(
      [
        "dry run of plan plan; no process was started",
        `plan      ${"1".repeat(64)}`,
        `policy    ${"2".repeat(64)} (defaults, none)`,
        `base      ${BASE}`,
        "mode      guarded",
        "risk      medium: no Risk-Tier, and an item changes more than documents",
        'executor  node "a b.mjs" {item_id}',
        "prepare   npm ci",
        "item 01: Do it",
        "  may write   out, lib",
        "  must pass   test -s out/01.txt",
        "  must exist  out/a.json",
        "audit     careful: node audit.mjs {lane}",
        "audit     quick: node audit.mjs {lane}",
        'triage    "sort findings"',
        'validate  npm run "all tests"',
        "at most   0 manager sessions, 12 executor sessions, 4 verification commands, 0 commands on the base, 24 auditor sessions, " +
          "4 triage sessions, 22 prepare commands, 1 validation commands",
        "cost      at most $0 for coding agents",
        "",
      ].join("\n"),
    );
  });

  it("names the manager before the executor, and the mode", () => {
    const planned = { ...facts, mode: "full" as const, manager: { command: ["./plan it", "{mode}"] } };
    expect(renderDryRun(planned, "text")).toContain(
      ["mode      full", "risk      medium: no Risk-Tier, and an item changes more than documents"].join("\n"),
    );
    expect(renderDryRun(planned, "text")).toContain('manager   "./plan it" {mode}\nexecutor  node');
    expect(renderDryRun(planned, "text")).toContain("at most   1 manager sessions, ");
    expect(JSON.parse(renderDryRun(planned, "json"))).toMatchObject({
      mode: "full",
      manager: ["./plan it", "{mode}"],
      most_calls: { manager_sessions: 1 },
    });
  });

  it("says the same as JSON, in the order of work", () => {
    const value = JSON.parse(renderDryRun({ ...facts, itemIds: ["02", "01"], selectedIds: ["01", "02"] }, "json")) as {
      items: { id: string }[];
      most_calls: unknown;
    };
    expect(value).toMatchObject({
      dry_run: true,
      plan_id: "plan",
      config: { path: null, authority: "none" },
      mode: "guarded",
      risk: { tier: "medium" },
      manager: null,
      executor: ["node", "a b.mjs", "{item_id}"],
      prepare: [["npm", "ci"]],
      validation: [["npm", "run", "all tests"]],
      audits: [{ lane: "careful", command: ["node", "audit.mjs", "{lane}"] }, { lane: "quick" }],
      triage: ["sort findings"],
      most_calls: {
        manager_sessions: 0,
        executor_sessions: 24,
        verification_commands: 8,
        red_commands: 0,
        auditor_sessions: 48,
        triage_sessions: 8,
        prepare_commands: 42,
        validation_commands: 1,
      },
    });
    expect(value.items.map((item) => item.id)).toEqual(["02", "01"]);
  });
});
