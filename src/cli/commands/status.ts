import { world } from "../../compose.ts";
import { buildNextActions, nameForCommands } from "../../domain/next-actions.ts";
import { buildVerdict } from "../../domain/report.ts";
import { EXIT } from "../../domain/run-stop.ts";
import type { RunState } from "../../domain/run.ts";
import { renderStatus } from "../../render/status-text.ts";
import { requireRun } from "../answer.ts";
import type { Format, Io } from "../io.ts";

/** `conveyor status [RUN]`: the saved state, and whether a process holds the run; never more. */
export async function status(
  io: Io,
  name: string | undefined,
  options: { exitCode?: boolean; format: Format },
): Promise<number> {
  const found = await requireRun(io, name);
  if (typeof found === "number") return found;
  const { state } = found.run;
  const holder = state.sealed ? undefined : world.readHolder(found.runFolder)?.holder;
  const facts = {
    run_id: state.runId,
    plan_id: state.planId,
    run_dir: found.runFolder,
    verdict: buildVerdict(state),
    terminal_state: state.stop?.terminalState ?? null,
    handoff: state.stop?.kind === "handoff",
    held_by: holder ?? null,
    current_stage: state.currentStage,
    items: state.items.map((item) => ({
      id: item.itemId,
      terminal_state: item.settled?.terminalState ?? null,
      attempts: item.attempts.length,
      reason_codes: [...(item.settled?.reasonCodes ?? [])],
    })),
    branch: state.created.run_branch,
    head_sha: state.tip,
    journal_seq: state.seq,
    next_actions: holder === undefined ? buildNextActions(state, nameForCommands(found.runFolder, state.runId)) : [],
  };
  io.out(options.format === "json" ? `${JSON.stringify(facts)}\n` : renderStatus(facts));
  return options.exitCode === true ? statusExitCode(state, holder !== undefined) : EXIT.done;
}

/** 0 done or running, 3 waiting for somebody, 1 failed, 124 timeout. */
function statusExitCode(state: RunState, held: boolean): number {
  if (held) return EXIT.done;
  switch (state.stop?.terminalState) {
    case "done":
      return EXIT.done;
    case "failed":
      return EXIT.failed;
    case "timeout":
      return EXIT.timeout;
    default:
      return EXIT.blocked;
  }
}
