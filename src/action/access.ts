import { isAskedByPerson } from "../domain/event-payload.ts";
import { optionOfWorkflowRun } from "../domain/workflow-runs.ts";
import type { GithubAccess } from "../invocation/access.ts";
import type { PreflightQuestion } from "../kernel/github/build-preflight.ts";
import type { AdmittedCall } from "./call.ts";

/**
 * How this step reads the trusted branch: from GitHub when it has a token, else in the checkout, which the report then
 * says. Nothing is handed over in a file: what was read is read in this very job.
 */
export function accessOf(call: AdmittedCall, workflowRuns: readonly number[] = []): GithubAccess {
  const { github, event, env } = call;
  const option = { preflight: { value: null, source: "default" }, ...optionOfWorkflowRun(env) } as const;
  if (github === undefined) return { github, trust: { kind: "checkout" }, option, workflowRuns };
  const trust = { kind: "api", repositoryId: event.repositoryId, ...whoAsked(call) } as const;
  return { github, trust, option, workflowRuns };
}

/** Whether a person asked for the run, and who or what did, in words; of a run that was started again also who did that. */
export function whoAsked({
  event,
  starters,
}: Pick<AdmittedCall, "event" | "starters">): Pick<PreflightQuestion, "byPerson" | "askedBy" | "askers"> {
  const { name, sender } = event;
  return {
    byPerson: isAskedByPerson(event),
    askedBy: sender === undefined ? name : `${name} by ${sender.login}`,
    askers: starters,
  };
}
