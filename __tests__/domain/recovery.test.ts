import { describe, expect, it } from "vitest";
import type { EventDraft } from "../../src/domain/journal.ts";
import type { ReasonCode } from "../../src/domain/reason-codes.ts";
import { decideResume, type ResumeRequest } from "../../src/domain/recovery.ts";
import type { ItemTerminalState } from "../../src/domain/run-stop.ts";
import { DETAILS, draft, passingItem, RUN_ID } from "./run-fixtures.ts";
import { created, doneRun, fold } from "./run-story.ts";

const REPORT = draft("report_written", { files: [] }, null);

function stopped(
  kind: "terminal" | "handoff" | "interrupted",
  terminal_state: "blocked" | "failed" | "timeout" | null,
  reason_codes: ReasonCode[] = [],
): EventDraft[] {
  const signal = kind === "interrupted" ? "SIGTERM" : null;
  return [draft("run_stopped", { kind, terminal_state, reason_codes, signal }, null), REPORT];
}

function settled(terminal_state: ItemTerminalState, reason_codes: ReasonCode[]): EventDraft[] {
  return [...passingItem().slice(0, 2), draft("item_settled", { terminal_state, reason_codes, commit: null })];
}

const TOKEN = {
  executor: { use: "command" as const, command: ["a"], expected_artifacts: [], env_names: ["TOKEN", "OTHER"] },
};
const again = `go on with: conveyor resume ${RUN_ID} --new-attempt 01`;
const answer = (exitCode: number, code: string | undefined, message: string) => ({
  kind: "answer",
  exitCode,
  code,
  message,
});
const GO_ON = { kind: "go_on" };

const escalated = [created(), ...settled("escalated", ["EXIT_NONZERO"]), ...stopped("terminal", "failed")];
const tampered = [created(), ...settled("escalated", ["GIT_TAMPERED"]), ...stopped("terminal", "failed")];
const external = [
  created(),
  ...settled("blocked_external", ["ITEM_BLOCKED_EXTERNAL"]),
  ...stopped("terminal", "blocked"),
];
const noTrust =
  "item 01 tampered with git metadata: this run's repository is not trusted; " +
  'start a new run with conveyor run "$(git rev-parse --show-toplevel)"/docs/exec-plans/active/plan.md';
const secrets = "give these again, their values are never written: --executor-env TOKEN=… --executor-env OTHER=…";

describe("decideResume", () => {
  it.each<readonly [what: string, events: readonly EventDraft[], request: Partial<ResumeRequest>, decision: unknown]>([
    ["killed before anything", [created()], {}, GO_ON],
    ["killed in a session", [created(), ...passingItem().slice(0, 3)], {}, GO_ON],
    ["killed after an item was escalated", [created(), ...settled("escalated", ["EXIT_NONZERO"])], {}, GO_ON],
    ["its reports or checkpoint are not whole", doneRun(), { whole: false }, { kind: "finish_sealing" }],
    ["not stopped, and its checkpoint is not whole", [created()], { whole: false }, GO_ON],
    ["killed before the report", doneRun().slice(0, -1), { whole: false }, { kind: "finish_sealing" }],
    [
      "killed before the report, asked for more",
      doneRun().slice(0, -1),
      { newAttempt: "01", whole: false },
      { kind: "finish_sealing" },
    ],
    ["handed off", [created(), ...stopped("handoff", null)], {}, GO_ON],
    ["interrupted", [created(), ...stopped("interrupted", null)], {}, GO_ON],
    ["over its time", [created(), ...stopped("terminal", "timeout", ["PROCESS_TIMEOUT"])], {}, GO_ON],
    ["a stage failed", [created(), ...stopped("terminal", "failed", ["PREPARE_FAILED"])], {}, GO_ON],
    ["blocked by gates", [created(), ...stopped("terminal", "blocked", ["GATE_CI_NOT_SUCCESS"])], {}, GO_ON],
    ["blocked by policy", [created(), ...stopped("terminal", "blocked", ["PLAN_DIGEST_CHANGED"])], {}, GO_ON],
    ["blocked by a limit", [created(), ...stopped("terminal", "blocked", ["SESSION_LIMIT"])], {}, GO_ON],
    ["done", doneRun(), {}, answer(0, undefined, `${RUN_ID} is done; nothing was changed`)],
    [
      "done, asked for more",
      doneRun(),
      { newAttempt: "01" },
      answer(2, undefined, `${RUN_ID} is done: it has no item that needs a new attempt`),
    ],
    ["escalated", escalated, {}, answer(1, "ITEM_ESCALATED", `item 01 is escalated (EXIT_NONZERO); ${again}`)],
    ["escalated, with a new attempt", escalated, { newAttempt: "01" }, GO_ON],
    [
      "escalated, with a new attempt of nothing",
      escalated,
      { newAttempt: "99" },
      answer(2, undefined, "the run has no item 99"),
    ],
    [
      "waits for something outside",
      external,
      {},
      answer(
        3,
        "ITEM_BLOCKED_EXTERNAL",
        `item 01 waits for something outside; hand it in with: conveyor resume ${RUN_ID} --evidence-dir DIR`,
      ),
    ],
    ["waits for something outside, with a new attempt", external, { newAttempt: "01" }, GO_ON],
    ["tampered with", tampered, {}, answer(1, "GIT_TAMPERED", noTrust)],
    ["tampered with, with a new attempt", tampered, { newAttempt: "01" }, answer(1, "GIT_TAMPERED", noTrust)],
    [
      "a new attempt of an item that passed",
      [created({ item_ids: ["01", "02"] }), ...passingItem(), ...stopped("interrupted", null)],
      { newAttempt: "01" },
      answer(2, undefined, "item 01 has passed: it is not run again"),
    ],
    [
      "a new attempt of an item that is about to pass",
      [created(), ...passingItem().slice(0, -1)],
      { newAttempt: "01" },
      answer(2, undefined, "item 01 is verified and about to pass; resume without --new-attempt"),
    ],
    [
      "a new attempt of an item that had none",
      [created()],
      { newAttempt: "01" },
      answer(2, undefined, "item 01 has had no attempt yet; resume without --new-attempt"),
    ],
    ["a new attempt of an item under way", [created(), ...passingItem().slice(0, 3)], { newAttempt: "01" }, GO_ON],
    ["without its variables", [created(TOKEN)], {}, answer(2, undefined, secrets)],
    [
      "with one of its variables",
      [created(TOKEN)],
      { executorEnvNames: ["TOKEN"] },
      answer(2, undefined, "give these again, their values are never written: --executor-env OTHER=…"),
    ],
    ["with its variables", [created(TOKEN)], { executorEnvNames: ["OTHER", "TOKEN", "MORE"] }, GO_ON],
    ["with variables it did not have", [created()], { executorEnvNames: ["X"] }, GO_ON],
    [
      "done, without its variables",
      [created(TOKEN), ...doneRun().slice(1)],
      {},
      answer(0, undefined, `${RUN_ID} is done; nothing was changed`),
    ],
  ])("%s", (_what, events, request, decision) => {
    expect(
      decideResume(fold(events), {
        newAttempt: undefined,
        executorEnvNames: [],
        managerEnvNames: [],
        evidence: false,
        publish: false,
        whole: true,
        ...request,
      }),
    ).toEqual(decision);
  });

  it("the new attempt that it allows is one that the item takes", () => {
    const state = fold([...escalated, draft("run_resumed", DETAILS.run_resumed({ new_attempt: "01" }), null)]);
    expect(state.items[0]?.settled).toBeUndefined();
  });
});
