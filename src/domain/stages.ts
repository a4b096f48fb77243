/** The five stages of a run, in order (source document 002). */
export const STAGES = ["planning", "policy_ingestion", "execution", "validation", "closure"] as const;
export type Stage = (typeof STAGES)[number];

const STAGE_KEYS = {
  planning: "stage:Planning",
  policy_ingestion: "stage:PolicyIngestion",
  execution: "stage:Execution",
  validation: "stage:Validation",
  closure: "stage:Closure",
} as const satisfies Record<Stage, string>;

/** The key under which a stage's work is recorded as done, for example `stage:Execution`. */
export function stageKey(stage: Stage): string {
  return STAGE_KEYS[stage];
}

/** Whether a stage may start a program of the plan: then the sandbox has to be known. */
export function startsPrograms(stage: Stage): boolean {
  return stage === "planning" || stage === "execution" || stage === "validation";
}
