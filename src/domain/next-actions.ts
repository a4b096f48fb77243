import { z } from "zod";
import { REASON_CODES, type ReasonCode } from "./reason-codes.ts";
import type { RunState } from "./run.ts";
import { quoteShellWord } from "./shell-word.ts";

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
const NEW_RUN: readonly ReasonCode[] = ["GIT_TAMPERED", "BASE_MOVED"];

/** Codes that say what other codes led to. */
const CONSEQUENCES: readonly ReasonCode[] = ["ITEM_ESCALATED", "FIX_BUDGET_EXHAUSTED"];

/** What `unsupportedBy` gives. */
const UNPROVABLE: readonly ReasonCode[] = ["RED_GREEN_NOT_PROVEN", "ITEM_AWAITING_HUMAN_GATE", "ITEM_BLOCKED_EXTERNAL"];

/**
 * Builds the shortest list of acts that would unblock a stopped run, each with its command. Gates that wait together
 * are one act: three resumes would be two too many. `name` is how the commands name the run (`nameForCommands`).
 */
export function buildNextActions(state: RunState, name = state.runId): NextAction[] {
  const { stop } = state;
  const resume = (options: string): string => buildResume(state, name, options);
  if (stop === undefined) return [{ what: "The run was cut short: go on with it.", command: resume("") }];
  if (stop.terminalState === "done") return [];
  if (stop.kind !== "terminal") {
    const why =
      stop.kind === "handoff" ? "The run is sealed: go on with it." : "The run was interrupted: go on with it.";
    return [{ what: why, command: resume("") }];
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
    return [{ what: `${what} When each of these is true of ${state.tip}:`, command: resume(options.join(" ")) }];
  }
  const settled = state.items.find((item) => item.settled !== undefined && item.settled.terminalState !== "passed");
  const causes = stop.reasonCodes.filter((code) => !CONSEQUENCES.includes(code));
  const codes = causes.length === 0 ? stop.reasonCodes : causes;
  if (codes.length === 0) return [];
  const what = codes.map((code) => REASON_CODES[code].act).join(" ");
  return [{ what, command: commandAfter(state, name, codes, settled?.itemId) }];
}

/** A run outside its usual place is found by its folder alone. */
export function nameForCommands(runFolder: string, runId: string): string {
  return runFolder.endsWith(`/.conveyor/runs/${runId}`) ? runId : quoteShellWord(runFolder);
}

function commandAfter(
  state: RunState,
  name: string,
  codes: readonly ReasonCode[],
  settledItem: string | undefined,
): string {
  const started = state.items.find((item) => item.settled === undefined && item.started)?.itemId;
  // What an item that was never begun asks for stands in its plan, and a resume goes on with the same plan.
  const asksTooMuch = settledItem === undefined && codes.some((code) => UNPROVABLE.includes(code));
  if (asksTooMuch || codes.some((code) => NEW_RUN.includes(code))) {
    return `conveyor run ${quoteShellWord(state.created.plan_path)}`;
  }
  const waiting = settledItem ?? started;
  const anew = settledItem !== undefined || codes.includes("SESSION_LIMIT") || codes.includes("NO_PROGRESS");
  return buildResume(state, name, anew && waiting !== undefined ? `--new-attempt ${quoteShellWord(waiting)}` : "");
}

/** The values of an executor's variables were never written: the shell of whoever resumes has them, or asks for them. */
function buildResume(state: RunState, name: string, options: string): string {
  const env = state.created.executor.env_names.map((name) => `--executor-env ${name}="$${name}"`);
  return ["conveyor", "resume", name, ...env, ...(options === "" ? [] : [options])].join(" ");
}
