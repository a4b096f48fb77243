import { describe, expect, it } from "vitest";
import { evaluateGates } from "../../src/domain/gates.ts";
import { ImpossibleEventError } from "../../src/domain/item-steps.ts";
import type { EventDraft } from "../../src/domain/journal.ts";
import type { ReasonCode } from "../../src/domain/reason-codes.ts";
import { decideStop, decideStopOfVerdict, nextItem } from "../../src/domain/run-decide.ts";
import {
  decideTerminalState,
  EXIT,
  exitCodeFor,
  type ItemTerminalState,
  type RunStop,
} from "../../src/domain/run-stop.ts";
import { foldRun } from "../../src/domain/run.ts";
import { STAGES } from "../../src/domain/stages.ts";
import { BASE, chain, DETAILS, draft, execution, EXIT_1, passingItem, RULES } from "./run-fixtures.ts";
import {
  CLOSED,
  closing,
  created,
  delivered,
  doneRun,
  fold,
  gates,
  inStage,
  OPEN,
  STOPPED_DONE,
  trustRead,
} from "./run-story.ts";

const settled = (itemId: string, terminal_state: ItemTerminalState, reason_codes: ReasonCode[]) => [
  draft("item_started", {}, itemId),
  draft("item_settled", { terminal_state, reason_codes, commit: null }, itemId),
];
const TWO = { item_ids: ["01", "02"], selected_ids: ["01", "02"] };

/** A run that has come to the gates, and one that has come to its closing commit. */
const toGates = doneRun().slice(0, -4);
const toClosing = doneRun().slice(0, -8);

describe("the fold of a run", () => {
  it("of a run that is done", () => {
    const state = fold(doneRun());
    expect(state).toMatchObject({
      tip: CLOSED,
      closing: { commit: CLOSED, parent: "commit-1", committed: true },
      currentStage: "closure",
      completedStages: [
        "stage:Planning",
        "stage:PolicyIngestion",
        "stage:Execution",
        "stage:Validation",
        "stage:Closure",
      ],
      readyHead: CLOSED,
      policy: { decision: "allow", reasonCodes: [] },
      delivery: { status: "moved", head: CLOSED },
      stop: { kind: "terminal", terminalState: "done", reasonCodes: [], signal: null },
      sealed: true,
      resumes: 0,
    });
    expect(state.transitions.map(({ from, to }) => [from, to])).toEqual([
      [null, "planning"],
      ["planning", "policy_ingestion"],
      ["policy_ingestion", "execution"],
      ["execution", "validation"],
      ["validation", "closure"],
    ]);
  });

  it("names the newest digest of a file, and every program that ran", () => {
    const file = (sha: string) => ({ path: "a.log", sha256: sha.repeat(64), bytes: 1 });
    const state = fold([
      created({ files: [file("a")] }),
      draft(
        "base_prepared",
        {
          status: "ran",
          key: "k",
          ending: null,
          tracked_changes: [],
          executions: [execution({ stage: "planning" })],
          files: [file("b")],
        },
        null,
      ),
      draft("stage_skipped", { stage: "planning", execution: execution({ status: "skipped" }) }, null),
    ]);
    expect([...state.files.values()]).toEqual([file("b")]);
    expect(state.executions.map(({ status }) => status)).toEqual(["success", "skipped"]);
    expect([state.basePrepared, state.currentStage]).toEqual([true, "planning"]);
  });

  it("takes the base for prepared only when it is", () => {
    const prepared = (status: string) =>
      fold([
        created(),
        draft(
          "base_prepared",
          { status, key: "k", ending: EXIT_1, tracked_changes: [], executions: [], files: [] },
          null,
        ),
      ]).basePrepared;
    expect(["ran", "cached", "failed"].map(prepared)).toEqual([true, true, false]);
  });

  it("is sealed only while the report is the last event", () => {
    expect(fold(doneRun().slice(0, -1)).sealed).toBe(false);
    expect(fold([...doneRun(), draft("files_set_aside", { reason: "leftover", files: [] }, null)]).sealed).toBe(false);
  });

  it.each<readonly [string, readonly EventDraft[]]>([
    ["no event", []],
    ["another first event", passingItem()],
    ["an item that the run has not", [created(), ...passingItem("99")]],
    ["an item event without item", [created(), draft("item_started", {}, null)]],
    ["an event of the run with an item", [created(), draft("stage_started", { stage: "planning" }, "01")]],
    ["a resume with an item", [created(), draft("run_resumed", DETAILS.run_resumed(), "01")]],
    ["gates of another head", [...toGates, gates("commit-1", OPEN)]],
    [
      "gates before the plan was closed",
      [...doneRun().filter(({ type }) => !type.startsWith("closing_")), gates("commit-1", OPEN)],
    ],
    [
      "gates before the closing commit is on the run branch",
      doneRun().filter(({ type }) => type !== "closing_committed"),
    ],
    [
      "gates that its own policy denies",
      [...toGates, trustRead("closure", { plan_sha256: null }), gates(CLOSED, OPEN)],
    ],
    [
      "gates of a policy that nobody read",
      [...toGates, trustRead("closure", { tip: null, base_contained: false }), gates(CLOSED, OPEN)],
    ],
    ["a plan closed twice", [...toGates, ...closing(CLOSED)]],
    ["a plan closed elsewhere than at the tip", [...toClosing, ...closing(BASE)]],
    ["a plan closed that policy denies", [...toClosing, trustRead("closure", { policy_sha256: null }), ...closing()]],
    ["a plan closed with an item open", [created(TWO), ...toClosing.slice(1), ...closing()]],
    [
      "gates that pass although the signals do not",
      [
        ...toGates,
        draft(
          "gates_evaluated",
          {
            head: CLOSED,
            signals: { ...OPEN, ci: "pending" },
            simulate_blocked: false,
            decisions: evaluateGates(OPEN, true),
          },
          null,
        ),
      ],
    ],
    ["done without gates", doneRun().filter(({ type }) => type !== "gates_evaluated")],
    [
      "done with a gate that blocks",
      doneRun().map((each) => (each.type === "gates_evaluated" ? gates(CLOSED, { ...OPEN, review: "missing" }) : each)),
    ],
    ...STAGES.map(
      (stage) =>
        [
          `done with ${stage} left out`,
          doneRun().filter((each) => !(each.type === "stage_finished" && each.details.stage === stage)),
        ] as const,
    ),
    ["done with an item that did not pass", [created(TWO), ...doneRun().slice(1)]],
  ])("refuses %s", (_what, drafts) => {
    expect(() => foldRun(chain(drafts), RULES)).toThrow(ImpossibleEventError);
  });

  it("keeps what a validation and a delivery came to", () => {
    const validation = (ending: typeof EXIT_1) =>
      fold([
        created(),
        draft(
          "validation_finished",
          {
            commit: BASE,
            prepare_ending: null,
            commands: [{ command: "c", ending, log: "l" }],
            tamper: [],
            executions: [],
            files: [],
          },
          null,
        ),
      ]).validation;
    expect(validation({ kind: "exited", exit_code: 0 })).toMatchObject({ commit: BASE, verdict: { kind: "passed" } });
    expect(validation(EXIT_1)?.verdict.kind).toBe("failed");
    expect(fold([created(), ...delivered(BASE).slice(0, 1)]).delivery?.status).toBe("intended");
    expect(
      fold([
        created(),
        draft("stage_failed", { stage: "closure", reason_code: "DELIVERY_REFUSED", message: "m" }, null),
      ]).stageFailure,
    ).toEqual({ stage: "closure", reasonCode: "DELIVERY_REFUSED", message: "m" });
  });
});

describe("a resume", () => {
  const resumed = (drafts: readonly EventDraft[], new_attempt: string | null = null) =>
    fold([...drafts, draft("run_resumed", DETAILS.run_resumed({ new_attempt, warnings: ["w"] }), null)]);
  const blocked = (code: "GATE_CI_NOT_SUCCESS") =>
    draft("run_stopped", { kind: "terminal", terminal_state: "blocked", reason_codes: [code], signal: null }, null);
  const atGates = [
    ...doneRun().slice(0, -4),
    gates(CLOSED, { ...OPEN, ci: "pending" }),
    blocked("GATE_CI_NOT_SUCCESS"),
    draft("report_written", { files: [] }, null),
  ];

  it("of a run that waits at the gates does the gates alone", () => {
    const state = resumed(atGates);
    expect(state.completedStages).toEqual([
      "stage:Planning",
      "stage:PolicyIngestion",
      "stage:Execution",
      "stage:Validation",
    ]);
    expect(state).toMatchObject({ resumes: 1, warnings: ["w"], readyHead: CLOSED });
    expect([state.stop, state.gates]).toEqual([undefined, undefined]);
  });

  it("of a run that stopped before the gates decides policy again", () => {
    const state = resumed([
      created(),
      ...inStage("planning"),
      ...inStage("policy_ingestion", trustRead("policy_ingestion")),
    ]);
    expect(state.completedStages).toEqual(["stage:Planning"]);
  });

  it("with a new attempt opens execution, and everything behind it", () => {
    const state = resumed(atGates, "01");
    expect(state.completedStages).toEqual(["stage:Planning", "stage:Validation"]);
    expect(state.validation).toBeUndefined();
  });

  it("forgets a validation that failed, and keeps one that passed", () => {
    const validated = (exit_code: number) => [
      created(),
      draft(
        "validation_finished",
        {
          commit: BASE,
          prepare_ending: null,
          commands: [{ command: "c", ending: { kind: "exited", exit_code }, log: "l" }],
          tamper: [],
          executions: [],
          files: [],
        },
        null,
      ),
      draft("stage_failed", { stage: "validation", reason_code: "VERIFICATION_FAILED", message: "m" }, null),
    ];
    expect(resumed(validated(1)).validation).toBeUndefined();
    expect(resumed(validated(0)).validation?.verdict.kind).toBe("passed");
    expect(resumed(validated(1)).stageFailure).toBeUndefined();
  });

  it("goes on with all items, whatever was selected at the start", () => {
    expect(fold([created({ item_ids: ["01", "02"], selected_ids: ["02"] })]).selectedIds).toEqual(["02"]);
    expect(resumed([created({ item_ids: ["01", "02"], selected_ids: ["02"] })]).selectedIds).toEqual(["01", "02"]);
  });
});

describe("nextItem", () => {
  it.each<readonly [string, readonly EventDraft[], unknown]>([
    ["nothing has happened", [created(TWO)], { kind: "item", itemId: "01" }],
    ["the first passed", [created(TWO), ...passingItem()], { kind: "item", itemId: "02" }],
    [
      "all passed",
      [created(TWO), ...passingItem(), ...passingItem("02", { base: "commit-1", commit: "commit-2" })],
      { kind: "all_passed" },
    ],
    ["the second is selected", [created({ ...TWO, selected_ids: ["02"] })], { kind: "item", itemId: "02" }],
    [
      "the selected passed and others remain",
      [created({ ...TWO, selected_ids: ["01"] }), ...passingItem()],
      { kind: "stop", stop: { kind: "handoff", reasonCodes: [] } },
    ],
    [
      "the first is escalated",
      [created(TWO), ...settled("01", "escalated", ["GIT_TAMPERED"])],
      {
        kind: "stop",
        stop: { kind: "terminal", terminalState: "failed", reasonCodes: ["ITEM_ESCALATED", "GIT_TAMPERED"] },
      },
    ],
    [
      "the first is escalated by its own word",
      [created(TWO), ...settled("01", "escalated", ["ITEM_ESCALATED"])],
      { kind: "stop", stop: { kind: "terminal", terminalState: "failed", reasonCodes: ["ITEM_ESCALATED"] } },
    ],
    [
      "the first waits for something outside",
      [created(TWO), ...settled("01", "blocked_external", ["ITEM_BLOCKED_EXTERNAL"])],
      { kind: "stop", stop: { kind: "terminal", terminalState: "blocked", reasonCodes: ["ITEM_BLOCKED_EXTERNAL"] } },
    ],
  ])("when %s", (_what, drafts, next) => {
    expect(nextItem(fold(drafts))).toEqual(next);
  });

  it("an item that waits for a person stops the run", () => {
    const waiting = settled("01", "awaiting_human_gate", ["ITEM_AWAITING_HUMAN_GATE"]);
    expect(nextItem(fold([created(TWO), ...waiting]))).toEqual({
      kind: "stop",
      stop: { kind: "terminal", terminalState: "blocked", reasonCodes: ["ITEM_AWAITING_HUMAN_GATE"] },
    });
  });
});

describe("decideTerminalState", () => {
  const states = [undefined, "passed", "awaiting_human_gate", "blocked_external", "escalated"] as const;
  const rows = states.flatMap((first) =>
    states.flatMap((second) =>
      [true, false].flatMap((stageFailed) =>
        [true, false].flatMap((timedOut) =>
          [true, false].map((refused) => ({ itemStates: [first, second], stageFailed, timedOut, refused })),
        ),
      ),
    ),
  );

  it(`gives in each of ${rows.length} rows what the contract says`, () => {
    expect(rows).toHaveLength(200);
    for (const row of rows) {
      const escalated = row.itemStates.filter((state) => state === "escalated").length > 0;
      const passed = row.itemStates.filter((state) => state === "passed").length === 2;
      let due = "done";
      if (!passed || row.refused) due = "blocked";
      if (row.timedOut) due = "timeout";
      if (escalated || row.stageFailed) due = "failed";
      expect([row, decideTerminalState(row)]).toEqual([row, due]);
    }
    expect(rows.filter((row) => decideTerminalState(row) === "done")).toHaveLength(1);
  });
});

describe("decideStop", () => {
  const terminal = (terminalState: "done" | "blocked" | "failed" | "timeout"): RunStop => ({
    kind: "terminal",
    terminalState,
    reasonCodes: ["LOCKED"],
  });
  const passed = fold(doneRun().slice(0, -3));
  const open = fold([created()]);
  const escalated = fold([created(), ...settled("01", "escalated", [])]);
  const stageFailed = fold([
    created(),
    ...passingItem(),
    draft("stage_failed", { stage: "closure", reason_code: "DELIVERY_REFUSED", message: "m" }, null),
  ]);

  it.each([
    ["done, all passed", terminal("done"), passed, "done"],
    ["done, an item is open", terminal("done"), open, "blocked"],
    ["done, an item is escalated", terminal("done"), escalated, "failed"],
    ["done, a stage failed", terminal("done"), stageFailed, "failed"],
    ["blocked, all passed", terminal("blocked"), passed, "blocked"],
    ["blocked, a stage failed", terminal("blocked"), stageFailed, "failed"],
    ["timeout, an item is open", terminal("timeout"), open, "timeout"],
    ["timeout, an item is escalated", terminal("timeout"), escalated, "failed"],
    ["failed, all passed", terminal("failed"), passed, "failed"],
  ] as const)("%s", (_what, stop, state, due) => {
    expect(decideStop(stop, state, "SIGTERM")).toEqual({
      kind: "terminal",
      terminal_state: due,
      reason_codes: ["LOCKED"],
      signal: null,
    });
  });

  it("a handoff has no terminal state, an interruption names its signal", () => {
    expect(decideStop({ kind: "handoff", reasonCodes: [] }, open, "SIGINT")).toEqual({
      kind: "handoff",
      terminal_state: null,
      reason_codes: [],
      signal: null,
    });
    expect(decideStop({ kind: "interrupted", reasonCodes: [] }, open, "SIGINT")).toMatchObject({
      kind: "interrupted",
      terminal_state: null,
      signal: "SIGINT",
    });
  });

  it("a verification that was cut short stops the run as its ending says", () => {
    expect(decideStopOfVerdict("timeout")).toEqual({
      kind: "terminal",
      terminalState: "timeout",
      reasonCodes: ["PROCESS_TIMEOUT"],
    });
    expect(decideStopOfVerdict("cancelled")).toEqual({ kind: "interrupted", reasonCodes: [] });
  });
});

it.each([
  ["terminal", "done", null, 0],
  ["terminal", "failed", null, 1],
  ["terminal", "blocked", null, 3],
  ["terminal", "timeout", null, 124],
  ["terminal", null, null, 1],
  ["handoff", null, null, 75],
  ["interrupted", null, "SIGINT", 130],
  ["interrupted", null, "SIGTERM", 143],
  ["interrupted", null, null, 130],
] as const)("a run that stopped %s %s %s exits %d", (kind, terminalState, signal, code) => {
  expect(exitCodeFor({ kind, terminalState, signal })).toBe(code);
});

it("the exit codes are those of the contract, each for one thing", () => {
  expect(EXIT).toEqual({ done: 0, failed: 1, usage: 2, blocked: 3, locked: 73, handoff: 75, timeout: 124 });
  expect(STOPPED_DONE.type).toBe("run_stopped");
});
