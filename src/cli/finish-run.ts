import { buildAuditSummary } from "../domain/audit-summary.ts";
import type { OpenRun } from "../compose.ts";
import { sayCost, sumCost } from "../domain/cost.ts";
import { buildVerdict } from "../domain/report.ts";
import { buildNextActions, nameForCommands } from "../domain/next-actions.ts";
import { exitCodeFor } from "../domain/run-stop.ts";
import type { RunState } from "../domain/run.ts";
import { showText } from "../domain/visible-text.ts";
import type { RunContext } from "../kernel/run-context.ts";
import { runPlan } from "../kernel/run-plan.ts";
import { REPORT_JSON } from "../kernel/seal-run.ts";
import type { Format, Io } from "./io.ts";

/** Runs from where the journal stands, closes the run, prints the outcome. Gives the exit code. */
export async function finishRun(io: Io, open: OpenRun, context: RunContext, format: Format): Promise<number> {
  const stop = await runPlan(context);
  const { state } = context.recorder;
  // Worktrees are kept while somebody may want to look into them or to go on in them.
  await open.close(state.items.every((item) => item.settled?.terminalState === "passed"));
  const exitCode = exitCodeFor(stop);
  if (format === "json") printOutcome(io, open.runFolder, state, exitCode);
  else io.out(renderOutcome(open, state));
  return exitCode;
}

/** Prints the one object of `--format json`. */
export function printOutcome(io: Io, runFolder: string, state: RunState, exitCode: number): void {
  io.out(`${JSON.stringify(buildOutcome(runFolder, state, exitCode))}\n`);
}

function buildOutcome(runFolder: string, state: RunState, exitCode: number): Record<string, unknown> {
  return {
    run_id: state.runId,
    run_dir: runFolder,
    plan_id: state.planId,
    terminal_state: state.stop?.terminalState ?? null,
    handoff: state.stop?.kind === "handoff",
    exit_code: exitCode,
    audit: buildAuditSummary(state),
    blocked_reason_codes: state.stop?.reasonCodes ?? [],
    items: state.items.map((item) => ({
      id: item.itemId,
      terminal_state: item.settled?.terminalState ?? null,
      attempts: item.attempts.length,
      reason_codes: item.settled?.reasonCodes ?? [],
    })),
    ...outputsOf(state),
    branch: state.created.run_branch,
    head_sha: state.tip,
    report_path: `${runFolder}/${REPORT_JSON}`,
    next_actions: buildNextActions(state, nameForCommands(runFolder, state.runId)),
  };
}

/** What the agents cost; null where nobody knows it, and where it is more than is known. */
function outputsOf(state: RunState): Record<string, number | null> {
  const cost = sumCost(state.executions);
  return {
    cost_usd: cost.unknown_cost > 0 ? null : cost.known_usd,
    known_cost_usd: cost.known_usd,
    tokens_in: cost.unknown_tokens > 0 ? null : cost.tokens_in,
    tokens_out: cost.unknown_tokens > 0 ? null : cost.tokens_out,
  };
}

function renderOutcome(open: OpenRun, state: RunState): string {
  const delivered =
    state.delivery?.status === "moved" ? `branch  ${state.created.run_branch}` : "branch  not delivered";
  const why = state.stageFailure === undefined ? [] : [`why     ${showText(state.stageFailure.message)}`];
  const actions = buildNextActions(state, nameForCommands(open.runFolder, state.runId)).flatMap((action) => [
    `next    ${action.what}`,
    ...(action.command === null ? [] : [`        ${action.command}`]),
  ]);
  const cost = sumCost(state.executions);
  const spent = cost.sessions === 0 ? [] : [`cost    ${sayCost(cost)}`];
  return [buildVerdict(state), ...why, delivered, ...spent, `run     ${open.runFolder}`, ...actions]
    .join("\n")
    .concat("\n");
}
