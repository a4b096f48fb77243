import type { RunStop } from "../domain/run-stop.ts";
import { STAGES, stageKey, type Stage } from "../domain/stages.ts";
import { buildSkippedExecution } from "../domain/stage-execution.ts";
import type { StopState } from "../domain/run.ts";
import { closeRun } from "./closure.ts";
import { executeItems } from "./execution.ts";
import { failStage } from "./fail-stage.ts";
import { FileTamperedError } from "./named-files.ts";
import { planRun } from "./planning.ts";
import { probeSandbox } from "./probe-sandbox.ts";
import { ingestPolicy } from "./policy-ingestion.ts";
import type { RunContext } from "./run-context.ts";
import { sealRun } from "./seal-run.ts";
import { validateRunBranch } from "./validation.ts";

/** What a stage does; nothing returned means that the run goes on. */
type RunStage = (context: RunContext) => Promise<RunStop | undefined>;

const RUN_STAGE: Record<Stage, RunStage> = {
  planning: planRun,
  policy_ingestion: ingestPolicy,
  execution: executeItems,
  validation: validateRunBranch,
  closure: closeRun,
};

/**
 * Runs one plan from where its journal stands to where it must stop: the five stages in order (source document 002).
 * A resume has no code of its own: it folds the journal and comes here.
 */
export async function runPlan(context: RunContext): Promise<StopState> {
  for (const stage of STAGES) {
    const stop = await runStage(context, stage);
    if (stop !== undefined) return sealRun(context, stop);
  }
  throw new Error("closure always stops the run");
}

async function runStage(context: RunContext, stage: Stage): Promise<RunStop | undefined> {
  const { recorder } = context;
  if (recorder.state.completedStages.includes(stageKey(stage))) {
    recorder.record("stage_skipped", { stage, execution: buildSkippedExecution(stage) });
    return undefined;
  }
  recorder.record("stage_started", { stage });
  const stop = context.ports.interrupt.aborted ? interrupted() : await performStage(context, stage);
  if (stop === undefined) recorder.record("stage_finished", { stage });
  return stop;
}

/** A stage that meets a file which somebody else wrote fails; whatever it was about to do with it is not done. */
async function performStage(context: RunContext, stage: Stage): Promise<RunStop | undefined> {
  try {
    return (await probeSandbox(context, stage)) ?? (await RUN_STAGE[stage](context));
  } catch (fault) {
    if (!(fault instanceof FileTamperedError)) throw fault;
    return failStage(context, stage, "ARTIFACT_TAMPERED", fault.message);
  }
}

function interrupted(): RunStop {
  return { kind: "interrupted", reasonCodes: [] };
}
