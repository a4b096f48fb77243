import { z } from "zod";
import { REASON_CODES, type ReasonCode } from "./reason-codes.ts";
import type { RunState } from "./run.ts";
import { quoteWord } from "./shell-words.ts";

export const nextActionSchema = z.strictObject({
  /** What to do, in one sentence. */
  what: z.string(),
  /** The command that goes on afterwards; null when there is nothing to run. */
  command: z.string().nullable(),
});
/** One act that would unblock a stopped run. */
export type NextAction = z.infer<typeof nextActionSchema>;

const GATE_OPTIONS: Partial<Record<ReasonCode, string>> = {
  GATE_POLICY_DENIED_OR_UNKNOWN: "--policy-status allow",
  GATE_CI_NOT_SUCCESS: "--ci-status success",
  GATE_REVIEW_NOT_APPROVED: "--review-status approved",
};

/** Codes after which this run has nothing more to give. */
const NEW_RUN: readonly ReasonCode[] = ["GIT_TAMPERED", "JOURNAL_CORRUPT", "ARTIFACT_TAMPERED", "BASE_MOVED"];

/**
 * Builds the shortest list of acts that would unblock a stopped run, each with its command. Gates that wait together
 * are one act: three resumes would be two too many.
 */
export function buildNextActions(state: RunState): NextAction[] {
  const { stop } = state;
  if (stop === undefined) return [{ what: "The run was cut short: go on with it.", command: resume(state, "") }];
  if (stop.terminalState === "done") return [];
  if (stop.kind !== "terminal") {
    const why =
      stop.kind === "handoff" ? "The run is sealed: go on with it." : "The run was interrupted: go on with it.";
    return [{ what: why, command: resume(state, "") }];
  }
  const gates = stop.reasonCodes.filter((code) => GATE_OPTIONS[code] !== undefined);
  if (gates.length > 0) {
    const passed = state.gates?.decisions.filter((decision) => decision.passed).map((decision) => decision.gate) ?? [];
    const options = [
      ...(passed.includes("policy") ? ["--policy-status allow"] : []),
      ...(passed.includes("ci") ? ["--ci-status success"] : []),
      ...(passed.includes("review") ? ["--review-status approved"] : []),
      ...gates.map((code) => GATE_OPTIONS[code] ?? ""),
    ];
    const what = gates.map((code) => REASON_CODES[code].means).join(" ");
    return [{ what: `${what} When each of these is true of ${state.tip}:`, command: resume(state, options.join(" ")) }];
  }
  const settled = state.items.find((item) => item.settled !== undefined && item.settled.terminalState !== "passed");
  return stop.reasonCodes
    .filter((code) => code !== "ITEM_ESCALATED" || stop.reasonCodes.length === 1)
    .slice(-1)
    .map((code) => ({ what: REASON_CODES[code].act, command: commandAfter(state, code, settled?.itemId) }));
}

function commandAfter(state: RunState, code: ReasonCode, settledItem: string | undefined): string | null {
  if (NEW_RUN.includes(code)) return `conveyor run ${quoteWord(state.created.plan_path)}`;
  const waiting = settledItem ?? state.items.find((item) => item.settled === undefined && item.started)?.itemId;
  const anew = settledItem !== undefined || code === "SESSION_LIMIT" || code === "NO_PROGRESS";
  return resume(state, anew && waiting !== undefined ? `--new-attempt ${quoteWord(waiting)}` : "");
}

function resume(state: RunState, options: string): string {
  return `conveyor resume ${state.runId}${options === "" ? "" : ` ${options}`}`;
}
