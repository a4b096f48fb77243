import type { ItemState } from "./item.ts";
import type { ReasonCode } from "./reason-codes.ts";
import type { RunState } from "./run.ts";
import { isWaitOver } from "./item-gate.ts";
import { findWaiting, isPublished } from "./publication.ts";
import { EXIT } from "./run-stop.ts";
import { quoteRepositoryPath } from "./shell-word.ts";
import { stageKey } from "./stages.ts";

/** What a resume was asked for. */
export interface ResumeRequest {
  readonly newAttempt: string | undefined;
  /** Names of the variables given with `--executor-env`. */
  readonly executorEnvNames: readonly string[];
  /** Names of the variables given with `--manager-env`. */
  readonly managerEnvNames: readonly string[];
  /** True when evidence comes with the call (`--evidence-dir`). */
  readonly evidence: boolean;
  /** True when the run is to be delivered to GitHub. */
  readonly publish: boolean;
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
      `item ${settled.itemId} tampered with git metadata: this run's repository is not trusted; start a new run with conveyor run ${quoteRepositoryPath(state.created.plan_path)}`,
      "GIT_TAMPERED",
    );
  }
  if (state.stop?.reasonCodes.includes("GIT_TAMPERED") === true) {
    return answer(
      EXIT.failed,
      `git metadata was tampered with: this run's repository is not trusted; start a new run with conveyor run ${quoteRepositoryPath(state.created.plan_path)}`,
      "GIT_TAMPERED",
    );
  }
  const missing = [
    ...state.created.executor.env_names
      .filter((name) => !request.executorEnvNames.includes(name))
      .map((name) => `--executor-env ${name}=…`),
    ...listManagerEnvDue(state)
      .filter((name) => !request.managerEnvNames.includes(name))
      .map((name) => `--manager-env ${name}=…`),
  ];
  if (missing.length > 0) {
    return answer(EXIT.usage, `give these again, their values are never written: ${missing.join(" ")}`);
  }
  if (request.newAttempt !== undefined) return judgeNewAttempt(state, request.newAttempt, answer);
  // A run that was killed between the item's end and its own stop has not told anybody: it goes on, and stops properly.
  if (settled?.settled === undefined || state.stop === undefined) return { kind: "go_on" };
  if (isWaitOver(settled)) return { kind: "go_on" };
  if (request.publish && findWaiting(state) !== undefined && !isPublished(state)) return { kind: "go_on" };
  if (settled.settled.terminalState === "awaiting_human_gate") return judgeGate(state, settled, answer);
  if (settled.settled.terminalState === "blocked_external" && request.evidence) return { kind: "go_on" };
  const how = `go on with: conveyor resume ${state.runId} --new-attempt ${settled.itemId}`;
  return settled.settled.terminalState === "escalated"
    ? answer(
        EXIT.failed,
        `item ${settled.itemId} is escalated (${settled.settled.reasonCodes.join(", ")}); ${how}`,
        "ITEM_ESCALATED",
      )
    : answer(
        EXIT.blocked,
        `item ${settled.itemId} waits for something outside; hand it in with: conveyor resume ${state.runId} --evidence-dir DIR`,
        "ITEM_BLOCKED_EXTERNAL",
      );
}

/** Variables that the manager needs once more: those of a run whose planning is not done. */
export function listManagerEnvDue(state: RunState): readonly string[] {
  return state.completedStages.includes(stageKey("planning")) ? [] : (state.created.manager?.env_names ?? []);
}

/** A gate waits for a person: nothing is done for it until one has decided, and a rejection is final until reopened. */
function judgeGate(
  state: RunState,
  item: ItemState,
  answer: (exitCode: number, message: string, code?: ReasonCode) => ResumeDecision,
): ResumeDecision {
  const { gate, itemId } = item;
  const at = `${state.runId} ${itemId} --by NAME --note TEXT`;
  return gate?.decision === "rejected"
    ? answer(
        EXIT.blocked,
        `the gate of item ${itemId} was rejected by ${gate.by}; reopen it with: conveyor gate reopen ${at}`,
        "ITEM_GATE_REJECTED",
      )
    : answer(
        EXIT.blocked,
        gate?.uncounted === undefined
          ? `item ${itemId} waits for a person; decide with: conveyor gate approve ${at}`
          : `the gate of item ${itemId} was ${gate.uncounted.decision} by ${gate.uncounted.by} (${gate.uncounted.authority}), which does not count: policy.require-github-identity`,
        "ITEM_AWAITING_HUMAN_GATE",
      );
}

function judgeNewAttempt(
  state: RunState,
  itemId: string,
  answer: (exitCode: number, message: string, code?: ReasonCode) => ResumeDecision,
): ResumeDecision {
  const item = state.items.find((candidate) => candidate.itemId === itemId);
  if (item === undefined) return answer(EXIT.usage, `the run has no item ${itemId}`);
  if (item.settled?.terminalState === "passed")
    return answer(EXIT.usage, `item ${itemId} has passed: it is not run again`);
  if (item.gate?.decision === "rejected") return judgeGate(state, item, answer);
  if (item.gate?.decision === "approved")
    return answer(EXIT.usage, `the gate of item ${itemId} is approved; resume without --new-attempt`);
  if (item.commitPrepared !== undefined)
    return answer(EXIT.usage, `item ${itemId} is verified and about to pass; resume without --new-attempt`);
  if (item.attempts.length === 0)
    return answer(EXIT.usage, `item ${itemId} has had no attempt yet; resume without --new-attempt`);
  return { kind: "go_on" };
}
