import { buildAuditSummary } from "../domain/audit-summary.ts";
import { sayCost, sumCost } from "../domain/cost.ts";
import { buildVerdict } from "../domain/report.ts";
import { buildNextActions, nameForCommands } from "../domain/next-actions.ts";
import type { PublishedState } from "../domain/published.ts";
import type { RunState } from "../domain/run.ts";
import { showText } from "../domain/visible-text.ts";
import type { FinishedRun } from "../invocation/finish-run.ts";
import { REPORT_JSON } from "../domain/artifact-names.ts";
import type { Format, Io } from "./io.ts";

/** Prints how a run stopped. Gives the exit code. */
export function printFinished(
  io: Pick<Io, "out">,
  { runFolder, state, exitCode }: FinishedRun,
  format: Format,
): number {
  if (format === "json") printOutcome(io, runFolder, state, exitCode);
  else io.out(renderOutcome(runFolder, state));
  return exitCode;
}

/** Prints the one object of `--format json`. */
export function printOutcome(io: Pick<Io, "out">, runFolder: string, state: RunState, exitCode: number): void {
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
    pull_request_number: state.publication?.pullRequest?.number ?? null,
    report_path: `${runFolder}/${REPORT_JSON}`,
    next_actions: buildNextActions(state, nameForCommands(runFolder, state.runId)),
  };
}

/** What the agents cost; null where nobody knows it, and where it is more than is known. */
function outputsOf(state: RunState): Record<string, number | null> {
  const cost = sumCost(state.executions, state.openSessions);
  return {
    cost_usd: cost.unknown_cost > 0 ? null : cost.known_usd,
    known_cost_usd: cost.known_usd,
    tokens_in: cost.unknown_tokens > 0 ? null : cost.tokens_in,
    tokens_out: cost.unknown_tokens > 0 ? null : cost.tokens_out,
  };
}

function renderOutcome(runFolder: string, state: RunState): string {
  const delivered =
    state.delivery?.status === "moved" ? `branch  ${state.created.run_branch}` : "branch  not delivered";
  const why = state.stageFailure === undefined ? [] : [`why     ${showText(state.stageFailure.message)}`];
  const actions = buildNextActions(state, nameForCommands(runFolder, state.runId)).flatMap((action) => [
    `next    ${action.what}`,
    ...(action.command === null ? [] : [`        ${action.command}`]),
  ]);
  const { publication } = state;
  const published = publication === undefined ? [] : [`github  ${sayPublication(publication)}`];
  const cost = sumCost(state.executions, state.openSessions);
  const spent = cost.sessions === 0 ? [] : [`cost    ${sayCost(cost)}`];
  return [buildVerdict(state), ...why, delivered, ...published, ...spent, `run     ${runFolder}`, ...actions]
    .join("\n")
    .concat("\n");
}

function sayPublication({ status, pullRequest, message }: PublishedState): string {
  const where = pullRequest === null ? "" : ` ${pullRequest.draft ? "draft " : ""}${pullRequest.url}`;
  return showText(`${status}${where}${message === "" ? "" : `: ${message}`}`);
}
