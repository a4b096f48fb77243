import { join } from "node:path";
import type { Workplace } from "../compose/workplace.ts";
import { err, ok, type Result } from "../domain/result.ts";
import type { FinishedRun } from "../invocation/finish-run.ts";
import type { ResumeAnswer } from "../invocation/go-on.ts";
import { openPackedFolder, type FoundPack } from "../invocation/open-packed-folder.ts";
import type { FoundRun } from "../invocation/open-saved-run.ts";
import type { AdmittedCall } from "./call.ts";
import { fetchArtifact } from "./fetch-artifact.ts";
import type { StepRefusal } from "./refusals.ts";
import type { Step } from "./step.ts";
import { stateFolder } from "./workplace.ts";

/** A run that arrived in an artifact, to be gone on with here. */
export interface ArrivedRun extends FoundPack {
  /** The workflow run that uploaded it, as GitHub says. */
  readonly workflowRun: number;
}

/** Fetches the run that `resume-from` names and opens it to go on with it. Reason code: ARTIFACT_TAMPERED. */
export async function openArtifact(
  call: AdmittedCall,
  workplace: Workplace,
): Promise<Result<ArrivedRun, readonly StepRefusal[]>> {
  const fetched = await fetchArtifact(call, join(stateFolder(call), "artifacts", "resumed"));
  if (!fetched.ok) return fetched;
  const { folder, workflowRun } = fetched.value;
  const use = { kind: "go_on", outputDir: undefined } as const;
  const opened = await openPackedFolder(workplace, { folder, packSha256: undefined, use });
  if (!opened.ok) return err(opened.error.refusals);
  const { found, wasHere } = opened.value;
  const dispose = (): PromiseLike<void> => opened.value[Symbol.asyncDispose]();
  return ok({ found, wasHere, workflowRun, [Symbol.asyncDispose]: dispose });
}

/** A run that was gone on with, or that there is nothing to do for: then it is told as it stands, and why. */
export function finishAnswer(step: Step, { runFolder }: FoundRun, ended: FinishedRun | ResumeAnswer): FinishedRun {
  if (!("kind" in ended)) return ended;
  const { run, code, message, exitCode } = ended;
  step.annotate("notice", `${code === undefined ? "" : `${code} `}${message}`, { title: "Plan Conveyor" });
  return { runFolder, state: run.state, exitCode };
}
