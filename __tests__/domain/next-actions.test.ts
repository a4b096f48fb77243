import type { Command } from "commander";
import { describe, expect, it } from "vitest";
import { buildProgram } from "../../src/cli/program.ts";
import type { GateSignals } from "../../src/domain/gates.ts";
import type { EventDraft } from "../../src/domain/journal.ts";
import { buildNextActions } from "../../src/domain/next-actions.ts";
import { REASON_CODE_NAMES, REASON_CODES, type ReasonCode } from "../../src/domain/reason-codes.ts";
import { draft, execution, passingItem, RUN_ID } from "./run-fixtures.ts";
import { CLOSED, closing, created, doneRun, fold, gates, inStage, OPEN, trustRead } from "./run-story.ts";

const RESUME = `conveyor resume ${RUN_ID}`;
const PLAN = "docs/exec-plans/active/plan.md";

function stopped(terminal_state: "blocked" | "failed" | "timeout", ...reason_codes: ReasonCode[]): EventDraft {
  return draft("run_stopped", { kind: "terminal", terminal_state, reason_codes, signal: null }, null);
}

function settled(
  terminal_state: "escalated" | "blocked_external" | "awaiting_human_gate",
  ...reason_codes: ReasonCode[]
): EventDraft[] {
  return [...passingItem().slice(0, 2), draft("item_settled", { terminal_state, reason_codes, commit: null })];
}

function atGates(signals: Partial<GateSignals>): EventDraft[] {
  const evaluated = gates(CLOSED, { ...OPEN, ...signals });
  const codes =
    evaluated.type === "gates_evaluated" ? evaluated.details.decisions.flatMap((gate) => gate.reason_code ?? []) : [];
  const closed = [...inStage("validation"), trustRead("closure"), ...closing()];
  return [created(), ...passingItem(), ...closed, evaluated, stopped("blocked", ...codes)];
}

const act = (...codes: ReasonCode[]): string => codes.map((code) => REASON_CODES[code].act).join(" ");

const TABLE: readonly (readonly [
  what: string,
  events: readonly EventDraft[],
  command: string | null,
  sentence: string | undefined,
])[] = [
  ["it is done", doneRun(), null, undefined],
  ["it was killed", [created()], RESUME, "The run was cut short: go on with it."],
  [
    "it was interrupted",
    [
      created(),
      draft("run_stopped", { kind: "interrupted", terminal_state: null, reason_codes: [], signal: "SIGINT" }, null),
    ],
    RESUME,
    "The run was interrupted: go on with it.",
  ],
  [
    "it handed off",
    [created(), draft("run_stopped", { kind: "handoff", terminal_state: null, reason_codes: [], signal: null }, null)],
    RESUME,
    "The run is sealed: go on with it.",
  ],
  ["it was over its time", [created(), stopped("timeout", "PROCESS_TIMEOUT")], RESUME, act("PROCESS_TIMEOUT")],
  ["the base cannot be prepared", [created(), stopped("failed", "PREPARE_FAILED")], RESUME, act("PREPARE_FAILED")],
  ["validation failed", [created(), stopped("failed", "VERIFICATION_FAILED")], RESUME, act("VERIFICATION_FAILED")],
  ["the branch was taken", [created(), stopped("failed", "DELIVERY_REFUSED")], RESUME, act("DELIVERY_REFUSED")],
  ["the plan changed", [created(), stopped("blocked", "PLAN_DIGEST_CHANGED")], RESUME, act("PLAN_DIGEST_CHANGED")],
  [
    "plan and policy changed",
    [created(), stopped("blocked", "PLAN_DIGEST_CHANGED", "POLICY_DIGEST_CHANGED")],
    RESUME,
    act("PLAN_DIGEST_CHANGED", "POLICY_DIGEST_CHANGED"),
  ],
  [
    "the base moved",
    [created(), stopped("blocked", "BASE_MOVED")],
    `conveyor run "$(git rev-parse --show-toplevel)"/${PLAN}`,
    act("BASE_MOVED"),
  ],
  [
    "the base moved and the plan is gone",
    [created(), stopped("blocked", "BASE_MOVED", "PLAN_DIGEST_CHANGED")],
    `conveyor run "$(git rev-parse --show-toplevel)"/${PLAN}`,
    act("BASE_MOVED", "PLAN_DIGEST_CHANGED"),
  ],
  [
    "the base of a plan with a strange name moved",
    [created({ plan_path: "my plans/it's.md" }), stopped("blocked", "BASE_MOVED")],
    `conveyor run "$(git rev-parse --show-toplevel)"/'my plans/it'\\''s.md'`,
    act("BASE_MOVED"),
  ],
  [
    "an item was escalated by a bad end",
    [created(), ...settled("escalated", "EXIT_NONZERO"), stopped("failed", "ITEM_ESCALATED", "EXIT_NONZERO")],
    `${RESUME} --new-attempt 01`,
    act("EXIT_NONZERO"),
  ],
  [
    "an item was escalated by its own word",
    [created(), ...settled("escalated", "ITEM_ESCALATED"), stopped("failed", "ITEM_ESCALATED")],
    `${RESUME} --new-attempt 01`,
    act("ITEM_ESCALATED"),
  ],
  [
    "an item failed its verification to the end",
    [
      created(),
      ...settled("escalated", "FIX_BUDGET_EXHAUSTED", "VERIFICATION_FAILED"),
      stopped("failed", "ITEM_ESCALATED", "FIX_BUDGET_EXHAUSTED", "VERIFICATION_FAILED"),
    ],
    `${RESUME} --new-attempt 01`,
    act("VERIFICATION_FAILED"),
  ],
  [
    "an item was out of scope in two ways",
    [
      created(),
      ...settled("escalated", "FIX_BUDGET_EXHAUSTED", "SCOPE_VIOLATION", "PATH_UNSAFE"),
      stopped("failed", "ITEM_ESCALATED", "FIX_BUDGET_EXHAUSTED", "SCOPE_VIOLATION", "PATH_UNSAFE"),
    ],
    `${RESUME} --new-attempt 01`,
    act("SCOPE_VIOLATION", "PATH_UNSAFE"),
  ],
  [
    "an item tampered with git",
    [created(), ...settled("escalated", "GIT_TAMPERED"), stopped("failed", "ITEM_ESCALATED", "GIT_TAMPERED")],
    `conveyor run "$(git rev-parse --show-toplevel)"/${PLAN}`,
    act("GIT_TAMPERED"),
  ],
  [
    "an item waits for something outside",
    [created(), ...settled("blocked_external", "ITEM_BLOCKED_EXTERNAL"), stopped("blocked", "ITEM_BLOCKED_EXTERNAL")],
    `${RESUME} --evidence-dir DIR`,
    act("ITEM_BLOCKED_EXTERNAL"),
  ],
  [
    "an item waits for a person",
    [
      created(),
      ...settled("awaiting_human_gate", "ITEM_AWAITING_HUMAN_GATE"),
      stopped("blocked", "ITEM_AWAITING_HUMAN_GATE"),
    ],
    `conveyor gate approve ${RUN_ID} 01 --by NAME --note TEXT`,
    act("ITEM_AWAITING_HUMAN_GATE"),
  ],
  [
    "a person rejected an item",
    [
      created(),
      ...settled("awaiting_human_gate", "ITEM_AWAITING_HUMAN_GATE"),
      stopped("blocked", "ITEM_GATE_REJECTED"),
    ],
    `conveyor gate reopen ${RUN_ID} 01 --by NAME --note TEXT`,
    act("ITEM_GATE_REJECTED"),
  ],
  [
    "the tests of an item were never red",
    [
      created(),
      ...settled("escalated", "FIX_BUDGET_EXHAUSTED", "RED_GREEN_NOT_PROVEN"),
      stopped("failed", "ITEM_ESCALATED", "FIX_BUDGET_EXHAUSTED", "RED_GREEN_NOT_PROVEN"),
    ],
    `${RESUME} --new-attempt 01`,
    act("RED_GREEN_NOT_PROVEN"),
  ],
  [
    "nobody approved its risk",
    [created(), stopped("blocked", "RISK_MEDIUM_NOT_APPROVED")],
    `ORCH_APPROVED_MEDIUM=1 ${RESUME}`,
    act("RISK_MEDIUM_NOT_APPROVED"),
  ],
  [
    "neither high risk nor full mode was allowed",
    [created(), stopped("blocked", "RISK_HIGH_NOT_APPROVED", "MODE_FULL_NOT_ALLOWED")],
    `ORCH_APPROVED_HIGH=1 ORCH_ALLOW_FULL_AUTONOMY=1 ${RESUME}`,
    act("RISK_HIGH_NOT_APPROVED", "MODE_FULL_NOT_ALLOWED"),
  ],
  [
    "an item used up its sessions",
    [created(), ...passingItem().slice(0, 2), stopped("blocked", "SESSION_LIMIT")],
    `${RESUME} --new-attempt 01`,
    act("SESSION_LIMIT"),
  ],
  [
    "an item makes no progress",
    [created(), ...passingItem().slice(0, 2), stopped("blocked", "NO_PROGRESS")],
    `${RESUME} --new-attempt 01`,
    act("NO_PROGRESS"),
  ],
  [
    "all gates wait",
    atGates({ policy: "unknown", ci: "missing", review: "missing" }),
    `${RESUME} --policy-status allow --ci-status success --review-status approved`,
    undefined,
  ],
  [
    "CI alone waits: the others have to be said again",
    atGates({ ci: "pending" }),
    `${RESUME} --policy-status allow --review-status approved --ci-status success`,
    undefined,
  ],
  [
    "review alone waits",
    atGates({ review: "changes_requested" }),
    `${RESUME} --policy-status allow --ci-status success --review-status approved`,
    undefined,
  ],
  [
    "the executor had variables, and it was killed",
    [created({ executor: { use: "command", command: ["a"], expected_artifacts: [], env_names: ["TOKEN", "B"] } })],
    `${RESUME} --executor-env TOKEN="$TOKEN" --executor-env B="$B"`,
    undefined,
  ],
];

/** Splits a command as a POSIX shell does, as far as the commands go: single and double quotes, backslash. */
function words(command: string): string[] {
  return [...command.matchAll(/(?:[^\s'"\\]|'[^']*'|"[^"]*"|\\.)+/g)].map(([word]) =>
    word.replaceAll(
      /'([^']*)'|"([^"]*)"|\\(.)/g,
      (_all, single?: string, double?: string, escaped?: string) => single ?? double ?? escaped ?? "",
    ),
  );
}

/** Parses a command with the real command line, whose commands then do nothing. */
async function parses(command: string): Promise<Record<string, unknown>> {
  const said: string[] = [];
  const program = buildProgram(
    { version: "0", out: (text) => said.push(text), note: (text) => said.push(text) },
    async () => undefined,
  );
  let parsed: Record<string, unknown> = {};
  const given = words(command);
  // A shell takes `NAME=value` before a command into its environment.
  const [name, ...args] = given.slice(given.findIndex((word) => !/^ORCH_[A-Z_]+=1$/.test(word)));
  expect(name).toBe("conveyor");
  const watch = (commands: readonly Command[]): void => {
    for (const each of commands) {
      watch(each.commands);
      each.action((...called: unknown[]) => {
        parsed = { command: each.name(), args: (called.at(-1) as Command).args, ...each.opts() };
      });
    }
  };
  watch(program.commands);
  await program.parseAsync(args, { from: "user" });
  expect(said).toEqual([]);
  return parsed;
}

describe("the shortest list of what would unblock a run, when", () => {
  it.each(TABLE)("%s", async (_what, events, command, sentence) => {
    const actions = buildNextActions(fold(events));
    expect(actions.map((action) => action.command)).toEqual(command === null ? [] : [command]);
    if (sentence !== undefined) expect(actions.map((action) => action.what)).toEqual([sentence]);
    if (command !== null) expect(["resume", "run", "approve", "reopen"]).toContain((await parses(command))["command"]);
  });

  it("every code of a stop has an act and a command that the command line takes", async () => {
    for (const code of REASON_CODE_NAMES) {
      const [action, ...others] = buildNextActions(fold([created(), stopped("failed", code)]));
      expect(others).toEqual([]);
      expect(action?.what).not.toBe("");
      await parses(action?.command ?? "none");
    }
  });

  it("what gates wait for is told with the head that it must be true of", () => {
    const [action] = buildNextActions(fold(atGates({ ci: "failure", review: "missing" })));
    expect(action?.what).toBe(
      `${REASON_CODES.GATE_CI_NOT_SUCCESS.means} ${REASON_CODES.GATE_REVIEW_NOT_APPROVED.means} ` +
        `When each of these is true of ${CLOSED}:`,
    );
  });

  it.each([
    [1, 1.5, 2],
    [1, 5, 10],
    [600_000, 700_000, 1_000_000],
  ])("a limit of $%d is reached, a higher one is more than was spent: $%d", (limit, spent, higher) => {
    const options = { "max-cost-usd": { value: limit, source: "command_line" as const } };
    const state = fold([created({ options }), stopped("blocked", "COST_LIMIT")]);
    const facts = { use: "codex", lane: "executor", model: null, tokens: null, failure: null, detail: "", denied: 0 };
    const executions = [execution({ agent: { ...facts, cost_usd: spent } })];
    const [action] = buildNextActions({ ...state, executions });
    expect(action?.command).toBe(`${RESUME} --max-cost-usd ${higher}`);
  });

  it("quoted words are the words", async () => {
    expect((await parses(`conveyor run 'my plans/it'\\''s.md'`))["args"]).toEqual(["my plans/it's.md"]);
    expect((await parses(`${RESUME} --new-attempt 01`))["newAttempt"]).toBe("01");
    await expect(parses(`${RESUME} --nonsense`)).rejects.toThrow();
  });
});
