import type { OptionValue } from "./journal.ts";

/** Option of an invocation that a job of a workflow made: the number of its workflow run. */
const WORKFLOW_RUN = "workflow-run";

/** The options of an invocation as far as the workflow run is among them. */
type WorkflowRunOption = Readonly<Partial<Record<typeof WORKFLOW_RUN, OptionValue>>>;

/** The workflow run that an invocation belongs to, as its runner says; nothing on a laptop. */
function findWorkflowRun(env: Readonly<Record<string, string | undefined>>): number | undefined {
  const id = env["GITHUB_RUN_ID"] ?? "";
  return env["GITHUB_ACTIONS"] === "true" && /^[1-9]\d{0,14}$/.test(id) ? Number(id) : undefined;
}

/** The same as an option, which the journal keeps: of a run that was resumed elsewhere nobody else knows all legs. */
export function optionOfWorkflowRun(env: Readonly<Record<string, string | undefined>>): WorkflowRunOption {
  const value = findWorkflowRun(env);
  return value === undefined ? {} : { [WORKFLOW_RUN]: { value, source: "environment" } };
}

/** Adds the workflow run of one more invocation to those that are known. */
export function addWorkflowRun(known: readonly number[], options: WorkflowRunOption): readonly number[] {
  const value = options[WORKFLOW_RUN]?.value;
  return typeof value === "number" ? joinWorkflowRuns(known, [value]) : known;
}

/** Workflow runs that are known from several places, each once. */
export function joinWorkflowRuns(...lists: readonly (readonly number[])[]): readonly number[] {
  return [...new Set(lists.flat())];
}
