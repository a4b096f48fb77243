import { roundUsd } from "./agent.ts";
import { COST_OPTION, costLimit, isCostSpent, sumCost } from "./cost.ts";
import { z } from "zod";
import { listManagerEnvDue } from "./recovery.ts";
import { isWaitOver } from "./item-gate.ts";
import { REASON_CODES, type ReasonCode } from "./reason-codes.ts";
import { COST_USD_MAX } from "./run-choices.ts";
import type { RunState } from "./run.ts";
import { quoteRepositoryPath, quoteShellWord } from "./shell-word.ts";

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
const NEW_RUN: readonly ReasonCode[] = ["GIT_TAMPERED", "BASE_MOVED", "AUTONOMY_NOT_ALLOWED", "PLAN_MARKED_BLOCKED"];

/** What the environment of the next invocation has to say. */
const ENVIRONMENT: Partial<Record<ReasonCode, string>> = {
  RISK_MEDIUM_NOT_APPROVED: "ORCH_APPROVED_MEDIUM=1",
  RISK_HIGH_NOT_APPROVED: "ORCH_APPROVED_HIGH=1",
  MODE_FULL_NOT_ALLOWED: "ORCH_ALLOW_FULL_AUTONOMY=1",
};

/** Codes that say what other codes led to. */
const CONSEQUENCES: readonly ReasonCode[] = ["ITEM_ESCALATED", "FIX_BUDGET_EXHAUSTED"];

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
    const sealed =
      stop.signal === null
        ? "The run is sealed: go on with it."
        : "The time was up and the run is sealed: go on with it.";
    const why = stop.kind === "handoff" ? sealed : "The run was interrupted: go on with it.";
    return [{ what: why, command: resume("") }];
  }
  const gates = stop.reasonCodes.filter((code) => GATE_OPTIONS[code] !== undefined);
  const simulated = stop.reasonCodes.includes("BLOCK_SIMULATED");
  if (gates.length > 0 || simulated) {
    const passed = state.gates?.decisions.filter((decision) => decision.passed).map((decision) => decision.gate) ?? [];
    const options = [
      ...(passed.includes("policy") ? ["--policy-status allow"] : []),
      ...(passed.includes("ci") ? ["--ci-status success"] : []),
      ...(passed.includes("review") ? ["--review-status approved"] : []),
      ...gates.map((code) => GATE_OPTIONS[code] ?? ""),
    ];
    const simulation = simulated ? [`${REASON_CODES.BLOCK_SIMULATED.means} ${REASON_CODES.BLOCK_SIMULATED.act}`] : [];
    const what = [...gates.map((code) => REASON_CODES[code].means), ...simulation].join(" ");
    return [{ what: `${what} When each of these is true of ${state.tip}:`, command: resume(options.join(" ")) }];
  }
  const settled = state.items.find((item) => item.settled !== undefined && item.settled.terminalState !== "passed");
  if (settled !== undefined && isWaitOver(settled)) {
    return [{ what: `Item ${settled.itemId} has what it waited for: go on.`, command: resume("") }];
  }
  if (stop.reasonCodes.includes("COST_LIMIT") && !isCostSpent(state)) {
    const what =
      "The requests that sandbox.keys allows a run are used up: look at whom its programs asked; this run sends no more.";
    return [{ what, command: buildRunAnew(state) }];
  }
  const causes = stop.reasonCodes.filter((code) => !CONSEQUENCES.includes(code));
  const codes = causes.length === 0 ? stop.reasonCodes : causes;
  if (codes.length === 0) return [];
  const refused = state.policy?.refusals.filter(({ code }) => codes.includes(code)) ?? [];
  const why = refused.map(({ text }) => `${text.charAt(0).toUpperCase()}${text.slice(1)}.`);
  const what = [...why, ...codes.map((code) => REASON_CODES[code].act)].join(" ");
  const uncounted = state.policy?.approvals.some(({ refusedBy }) => refusedBy.includes("identity-not-proven")) ?? false;
  // Nothing that can be typed here proves who approves.
  if (uncounted && codes.some((code) => code.startsWith("RISK_"))) return [{ what, command: null }];
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
  if (codes.some((code) => NEW_RUN.includes(code))) {
    return buildRunAnew(state);
  }
  const waiting = settledItem ?? started;
  const at = `${name} ${quoteShellWord(waiting ?? "")} --by NAME --note TEXT`;
  if (codes.includes("ITEM_GATE_REJECTED")) return `conveyor gate reopen ${at}`;
  if (codes.includes("ITEM_AWAITING_HUMAN_GATE")) return `conveyor gate approve ${at}`;
  if (codes.includes("ITEM_BLOCKED_EXTERNAL")) return buildResume(state, name, "--evidence-dir DIR");
  if (codes.includes("COST_LIMIT")) return buildResume(state, name, sayHigherLimit(state));
  const environment = codes.flatMap((code) => ENVIRONMENT[code] ?? []);
  if (environment.length > 0) return `${environment.join(" ")} ${buildResume(state, name, "")}`;
  const anew = settledItem !== undefined || codes.includes("SESSION_LIMIT") || codes.includes("NO_PROGRESS");
  return buildResume(state, name, anew && waiting !== undefined ? `--new-attempt ${quoteShellWord(waiting)}` : "");
}

function buildRunAnew({ created }: RunState): string {
  return `conveyor run ${quoteRepositoryPath(created.plan_path)}`;
}

/** Twice what was allowed, or what was spent when more was than that: whoever runs it has been told to look at the cost first. */
function sayHigherLimit(state: RunState): string {
  const limit = costLimit(state);
  if (limit === undefined) return "";
  const { known_usd: spent } = sumCost(state.executions);
  const higher = roundUsd((limit * 2 > spent ? limit : spent) * 2);
  return `--${COST_OPTION} ${Math.min(COST_USD_MAX, higher)}`;
}

/** The values of a program's variables were never written: the shell of whoever resumes has them, or asks for them. */
function buildResume(state: RunState, name: string, options: string): string {
  const env = state.created.executor.env_names.map((variable) => `--executor-env ${variable}="$${variable}"`);
  const managerEnv = listManagerEnvDue(state).map((variable) => `--manager-env ${variable}="$${variable}"`);
  return ["conveyor", "resume", name, ...env, ...managerEnv, ...(options === "" ? [] : [options])].join(" ");
}
