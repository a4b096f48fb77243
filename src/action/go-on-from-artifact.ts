import type { Workplace } from "../compose/workplace.ts";
import { err, ok, type Result } from "../domain/result.ts";
import type { FinishedRun } from "../invocation/finish-run.ts";
import { goOn } from "../invocation/go-on.ts";
import { takeGateDecision } from "../invocation/take-gate-decision.ts";
import { accessOf } from "./access.ts";
import type { AdmittedCall } from "./call.ts";
import { followInLog } from "./follow.ts";
import { finishAnswer, openArtifact } from "./open-artifact.ts";
import type { StepRefusal } from "./refusals.ts";
import { refuseOtherPlan } from "./other-run.ts";
import { listOptions } from "./run-options.ts";

/** Goes on with the run of an artifact, on this runner; a run that there is nothing to do for is told as it stands. */
export async function goOnFromArtifact(
  call: AdmittedCall,
  workplace: Workplace,
): Promise<Result<FinishedRun | undefined, { readonly refusals: readonly StepRefusal[] }>> {
  const { step, inputs } = call;
  const arrived = await openArtifact(call, workplace);
  if (!arrived.ok) return err({ refusals: arrived.error });
  await using pack = arrived.value;
  const access = accessOf(call, [pack.workflowRun]);
  const decided = await takeGateDecision({ ...followInLog(call), interrupt: call.interrupt }, pack.found, access);
  if (!decided.ok) return decided;
  const found = decided.value;
  const other = refuseOtherPlan(inputs.plan, found.run.state.created.plan_path);
  if (other !== undefined) return err({ refusals: [other] });
  const ended = await goOn(call, followInLog(call), found, {
    ...listOptions(call),
    newAttempt: undefined,
    evidence: new Map(),
    checkpointCopy: undefined,
    access,
  });
  return ended.ok ? ok(finishAnswer(step, found, ended.value)) : ended;
}
