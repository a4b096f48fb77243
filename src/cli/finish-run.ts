import type { OpenRun } from "../compose.ts";
import { buildVerdict } from "../domain/report.ts";
import { buildNextActions } from "../domain/next-actions.ts";
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
  io.out(format === "json" ? `${JSON.stringify(buildOutcome(open, state, exitCode))}\n` : renderOutcome(open, state));
  return exitCode;
}

/** The one object that `--format json` prints. */
function buildOutcome(open: OpenRun, state: RunState, exitCode: number): Record<string, unknown> {
  return {
    run_id: state.runId,
    run_dir: open.runFolder,
    plan_id: state.planId,
    terminal_state: state.stop?.terminalState ?? null,
    handoff: state.stop?.kind === "handoff",
    exit_code: exitCode,
    audit: "not_audited",
    blocked_reason_codes: state.stop?.reasonCodes ?? [],
    items: state.items.map((item) => ({
      id: item.itemId,
      terminal_state: item.settled?.terminalState ?? null,
      attempts: item.attempts.length,
      reason_codes: item.settled?.reasonCodes ?? [],
    })),
    branch: state.created.run_branch,
    head_sha: state.tip,
    report_path: `${open.runFolder}/${REPORT_JSON}`,
    next_actions: buildNextActions(state),
  };
}

function renderOutcome(open: OpenRun, state: RunState): string {
  const delivered =
    state.delivery?.status === "moved" ? `branch  ${state.created.run_branch}` : "branch  not delivered";
  const why = state.stageFailure === undefined ? [] : [`why     ${showText(state.stageFailure.message)}`];
  const actions = buildNextActions(state).flatMap((action) => [
    `next    ${action.what}`,
    ...(action.command === null ? [] : [`        ${action.command}`]),
  ]);
  return [buildVerdict(state), ...why, delivered, `run     ${open.runFolder}`, ...actions].join("\n").concat("\n");
}
