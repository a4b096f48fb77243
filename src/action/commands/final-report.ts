import { decidePublication } from "../../domain/publication.ts";
import type { RunState } from "../../domain/run.ts";
import { TERMINAL_STATES } from "../../domain/run-stop.ts";
import { goOn } from "../../invocation/go-on.ts";
import { accessOf } from "../access.ts";
import type { AdmittedCall } from "../call.ts";
import { followInLog } from "../follow.ts";
import { handOver } from "../hand-over.ts";
import { finishAnswer, openArtifact } from "../open-artifact.ts";
import { reportRefusals } from "../refusals.ts";
import { refuseOtherPlan } from "../other-run.ts";
import { openStepWorkplace } from "../workplace.ts";

/** What a gate is red for: everything that is not `done`. */
const NOT_DONE = TERMINAL_STATES.filter((state) => state !== "done");

/**
 * `command: gate` with `resume-from`: asks GitHub about the gates of a run that waits for nothing else, and hands its
 * report on, the final one when all are open. No program is started: what has more to do than that is refused.
 */
export async function reportFinally(call: AdmittedCall): Promise<number> {
  const { step, inputs } = call;
  const workplace = await openStepWorkplace(call);
  if (!workplace.ok) return await reportRefusals(step, workplace.error);
  const arrived = await openArtifact(call, workplace.value);
  if (!arrived.ok) return await reportRefusals(step, arrived.error);
  await using pack = arrived.value;
  const { found } = pack;
  const { state } = found.run;
  const other = refuseOtherPlan(inputs.plan, state.created.plan_path) ?? refuseUnfinished(state);
  if (other !== undefined) return await reportRefusals(step, [other]);
  const ended = await goOn(call, followInLog(call), found, {
    gates: "github",
    deliver: "none",
    newAttempt: undefined,
    evidence: new Map(),
    checkpointCopy: undefined,
    access: accessOf(call, [pack.workflowRun]),
  });
  if (!ended.ok) return await reportRefusals(step, ended.error.refusals);
  return await handOver(call, workplace.value, finishAnswer(step, found, ended.value), NOT_DONE);
}

/** Whether everything before the gates was done: otherwise a resume would start programs. */
function refuseUnfinished(state: RunState) {
  const publication = decidePublication(state);
  if (publication.kind === "complete") return undefined;
  const why = publication.kind === "waiting" ? `item ${publication.itemId} waits for a person` : publication.why;
  const message = `resume-from: expected a run that waits for its gates alone, and ${why}; go on with it by command: run`;
  return { code: "USAGE", message };
}
