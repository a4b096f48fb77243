import type { OpenRun } from "../compose/open-run.ts";
import { exitCodeFor } from "../domain/run-stop.ts";
import type { RunState } from "../domain/run.ts";
import type { RunContext } from "../kernel/run-context.ts";
import { runPlan } from "../kernel/run-plan.ts";

/** A run that has stopped, for now or for good. */
export interface FinishedRun {
  readonly runFolder: string;
  readonly state: RunState;
  readonly exitCode: number;
}

/** Runs from where the journal stands and closes the run. */
export async function finishRun(open: OpenRun, context: RunContext): Promise<FinishedRun> {
  const stop = await runPlan(context);
  const { state } = context.recorder;
  // Worktrees are kept while somebody may want to look into them or to go on in them.
  await open.close(state.items.every((item) => item.settled?.terminalState === "passed"));
  return { runFolder: open.runFolder, state, exitCode: exitCodeFor(stop) };
}
