import type { ReasonCode } from "./reason-codes.ts";
import type { RunState } from "./run.ts";
import { EXIT } from "./run-stop.ts";

/** What a resume was asked for. */
export interface ResumeRequest {
  readonly newAttempt: string | undefined;
  /** Names of the variables given with `--executor-env`. */
  readonly executorEnvNames: readonly string[];
  /** Whether nothing is left to be written of a run that stopped (`isWhole`). */
  readonly whole: boolean;
}

/** What a resume does. An answer changes nothing in the run. */
export type ResumeDecision =
  /** The run has stopped, and was killed before reports and checkpoint said so: that first, then decide again. */
  | { readonly kind: "finish_sealing" }
  | { readonly kind: "go_on" }
  | {
      readonly kind: "answer";
      readonly exitCode: number;
      readonly code: ReasonCode | undefined;
      readonly message: string;
    };

/**
 * Decides what resuming a run does, by how it stopped (source document 001, *Resume mode*): done says so; a settled
 * item waits for a person's `--new-attempt`; everything else goes on from the journal. Reason codes: GIT_TAMPERED,
 * ITEM_ESCALATED, ITEM_BLOCKED_EXTERNAL.
 */
export function decideResume(state: RunState, request: ResumeRequest): ResumeDecision {
  const answer = (exitCode: number, message: string, code?: ReasonCode): ResumeDecision => ({
    kind: "answer",
    exitCode,
    code,
    message,
  });
  if (state.stop !== undefined && !request.whole) return { kind: "finish_sealing" };
  if (state.stop?.terminalState === "done") {
    return request.newAttempt === undefined
      ? answer(EXIT.done, `${state.runId} is done; nothing was changed`)
      : answer(EXIT.usage, `${state.runId} is done: it has no item that needs a new attempt`);
  }
  const settled = state.items.find((item) => item.settled !== undefined && item.settled.terminalState !== "passed");
  if (settled?.settled?.reasonCodes.includes("GIT_TAMPERED") === true) {
    return answer(
      EXIT.failed,
      `item ${settled.itemId} tampered with git metadata: this run's repository is not trusted; start a new run with conveyor run ${state.created.plan_path}`,
      "GIT_TAMPERED",
    );
  }
  const missing = state.created.executor.env_names.filter((name) => !request.executorEnvNames.includes(name));
  if (missing.length > 0) {
    return answer(
      EXIT.usage,
      `give these again, their values are never written: ${missing.map((name) => `--executor-env ${name}=…`).join(" ")}`,
    );
  }
  if (request.newAttempt !== undefined) return judgeNewAttempt(state, request.newAttempt, answer);
  // A run that was killed between the item's end and its own stop has not told anybody: it goes on, and stops properly.
  if (settled?.settled === undefined || state.stop === undefined) return { kind: "go_on" };
  const how = `go on with: conveyor resume ${state.runId} --new-attempt ${settled.itemId}`;
  return settled.settled.terminalState === "escalated"
    ? answer(
        EXIT.failed,
        `item ${settled.itemId} is escalated (${settled.settled.reasonCodes.join(", ")}); ${how}`,
        "ITEM_ESCALATED",
      )
    : answer(EXIT.blocked, `item ${settled.itemId} waits for something outside; ${how}`, "ITEM_BLOCKED_EXTERNAL");
}

function judgeNewAttempt(
  state: RunState,
  itemId: string,
  answer: (exitCode: number, message: string) => ResumeDecision,
): ResumeDecision {
  const item = state.items.find((candidate) => candidate.itemId === itemId);
  if (item === undefined) return answer(EXIT.usage, `the run has no item ${itemId}`);
  if (item.settled?.terminalState === "passed")
    return answer(EXIT.usage, `item ${itemId} has passed: it is not run again`);
  if (item.commitPrepared !== undefined)
    return answer(EXIT.usage, `item ${itemId} is verified and about to pass; resume without --new-attempt`);
  if (item.attempts.length === 0)
    return answer(EXIT.usage, `item ${itemId} has had no attempt yet; resume without --new-attempt`);
  return { kind: "go_on" };
}
