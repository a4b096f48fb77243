import type { RunStop } from "../domain/run-stop.ts";
import { failStage } from "./fail-stage.ts";
import { runManager } from "./manager.ts";
import { prepareWorktree } from "./prepare-worktree.ts";
import type { RunContext } from "./run-context.ts";

/** Planning: the base can be prepared, and the manager, where one is configured, has planned. */
export async function planRun(context: RunContext): Promise<RunStop | undefined> {
  return (await prepareBase(context)) ?? (await runManager(context));
}

/**
 * The inputs are already recorded with the run; what is left is to prove that the base can be prepared,
 * before any item costs anything. Reason codes: PREPARE_FAILED, PROCESS_TIMEOUT.
 */
async function prepareBase(context: RunContext): Promise<RunStop | undefined> {
  const { recorder, ports, config } = context;
  if (recorder.state.basePrepared || config.prepare.commands.length === 0) return undefined;
  const commit = recorder.state.baseCommit;
  const folder = `base-prepare-${recorder.state.resumes + 1}`;
  const worktree = await ports.repository.openWorktree(folder, commit);
  const prepared = await prepareWorktree(context, { worktree, commit, folder, itemId: null, stage: "planning" });
  recorder.record("base_prepared", {
    status: prepared.status,
    key: prepared.key,
    ending: prepared.ending,
    tracked_changes: [...prepared.trackedChanges],
    executions: prepared.executions,
    files: prepared.files,
  });
  if (prepared.status !== "failed") return undefined;
  if (prepared.ending?.kind === "cancelled") return { kind: "interrupted", reasonCodes: [] };
  if (prepared.ending?.kind === "timed_out") {
    return { kind: "terminal", terminalState: "timeout", reasonCodes: ["PROCESS_TIMEOUT"] };
  }
  return failStage(context, "planning", "PREPARE_FAILED", prepared.why);
}
