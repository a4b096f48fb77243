import type { Workplace } from "../compose/workplace.ts";
import { world } from "../compose/world.ts";
import { REPORT_JSON } from "../domain/artifact-names.ts";
import type { RunReport } from "../domain/report.ts";
import type { TerminalState } from "../domain/run-stop.ts";
import type { RunState } from "../domain/run.ts";
import type { FinishedRun } from "../invocation/finish-run.ts";
import { buildAnnotations, listAnnotationPaths } from "../render/annotations.ts";
import { renderJobSummary } from "../render/job-summary.ts";
import type { UploadedArtifact } from "./artifact.ts";
import type { AdmittedCall } from "./call.ts";
import { buildArtifactOutputs, buildRunOutputs } from "./outputs.ts";
import { RED } from "./refusals.ts";
import { packAndUpload } from "./upload-run.ts";

/**
 * Hands a stopped run over to whoever comes next: outputs first, then the artifact, annotations and the summary. Red is
 * a state of `failOn`, an interruption, and an artifact that was wanted and could not be uploaded.
 */
export async function handOver(
  call: AdmittedCall,
  workplace: Workplace,
  finished: FinishedRun,
  failOn: readonly TerminalState[],
): Promise<number> {
  const { step, inputs } = call;
  const { state, runFolder } = finished;
  write(call, buildRunOutputs(state, runFolder));
  const uploaded = inputs.uploadArtifact ? await packAndUpload(call, workplace, finished) : undefined;
  const artifact = uploaded?.ok === true ? uploaded.value : undefined;
  if (artifact !== undefined) write(call, buildArtifactOutputs(artifact));
  if (uploaded?.ok === false) {
    step.annotate("error", `The artifact was not uploaded: ${uploaded.error}`, { title: "Plan Conveyor" });
  }
  await showReport(call, workplace, finished, artifact);
  return uploaded?.ok === false || isRed(state, failOn) ? RED : 0;
}

function write({ step }: AdmittedCall, outputs: Readonly<Record<string, string>>): void {
  for (const [name, value] of Object.entries(outputs)) step.output(name, value);
}

function isRed({ stop }: RunState, failOn: readonly TerminalState[]): boolean {
  if (stop === undefined || stop.kind === "interrupted") return true;
  return stop.terminalState !== null && failOn.includes(stop.terminalState);
}

/** Findings on their files, and the summary of the job. */
async function showReport(
  { step }: AdmittedCall,
  { user }: Workplace,
  { runFolder }: FinishedRun,
  artifact: UploadedArtifact | undefined,
): Promise<void> {
  const bytes = world.readLocalFile(`${runFolder}/${REPORT_JSON}`);
  if (bytes === undefined) return;
  const report = JSON.parse(new TextDecoder().decode(bytes)) as RunReport;
  const tracked = new Set(await user.listFilesAt(user.headCommit));
  const files = new Set(listAnnotationPaths(report).filter((path) => tracked.has(path)));
  for (const { level, message, title, file, line } of buildAnnotations(report, files)) {
    step.annotate(level, message, {
      title,
      ...(file === undefined ? {} : { file }),
      ...(file === undefined || line === undefined ? {} : { startLine: line }),
    });
  }
  await step.summarize(renderJobSummary(report, { artifactName: artifact?.name, artifactUrl: artifact?.url }));
}
