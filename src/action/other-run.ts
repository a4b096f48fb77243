import type { Mode } from "../domain/run-choices.ts";
import type { StepRefusal } from "./refusals.ts";

/** Refuses a plan that is named beside an artifact of another one: what is asked for and what would run are two things. */
export function refuseOtherPlan(asked: string, planPath: string): StepRefusal | undefined {
  if (asked === "" || asked === planPath) return undefined;
  return { code: "USAGE", message: `plan: the artifact is a run of ${planPath}; leave plan out, or start a new run` };
}

/** The same for the mode: nobody gets more autonomy for a run than it was started with, nor believes that it has less. */
export function refuseOtherMode(asked: Mode | undefined, mode: Mode): StepRefusal | undefined {
  if (asked === undefined || asked === mode) return undefined;
  return { code: "USAGE", message: `mode: the run was started in ${mode} mode; leave mode out, or start a new run` };
}
