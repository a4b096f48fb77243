import { join } from "node:path";
import type { Workplace } from "../compose/workplace.ts";
import { world } from "../compose/world.ts";
import { artifactName, legOf } from "../domain/artifact-names.ts";
import { err, ok, type Result } from "../domain/result.ts";
import type { FinishedRun } from "../invocation/finish-run.ts";
import { packSavedRun } from "../invocation/pack-saved-run.ts";
import { uploadArtifact, type UploadedArtifact } from "./artifact.ts";
import type { AdmittedCall } from "./call.ts";
import { followInLog } from "./follow.ts";
import { stateFolder } from "./workplace.ts";

/** An artifact of a run, and the digest that stands for all it holds. */
export interface HandedArtifact extends UploadedArtifact {
  readonly packSha256: string;
}

/** Packs a stopped run and uploads what it hands on. The error is for people. */
export async function packAndUpload(
  call: AdmittedCall,
  workplace: Workplace,
  { runFolder, state }: FinishedRun,
): Promise<Result<HandedArtifact, string>> {
  const name = artifactName(state.runId, legOf(state));
  const folder = join(stateFolder(call), "artifacts", name);
  const read = world.readSavedRun(runFolder);
  if (!read.ok) return err(`${read.error.code} ${read.error.path}: ${read.error.message}`);
  // Also when the runner cancels: what was sealed is what the next leg goes on from.
  const follower = { ...followInLog(call), interrupt: new AbortController().signal };
  const packed = await packSavedRun({ workplace, runFolder, run: read.value }, follower, { target: folder });
  if (!packed.ok) return err(packed.error.refusals.map(({ code, message }) => `${code} ${message}`).join("; "));
  const { env } = call;
  const uploaded = await uploadArtifact({
    name,
    folder,
    // What is listed there, and the list itself.
    files: world.listFolder(folder) ?? [],
    retentionDays: call.inputs.retentionDays,
    runUrl: `${env["GITHUB_SERVER_URL"]}/${env["GITHUB_REPOSITORY"]}/actions/runs/${env["GITHUB_RUN_ID"]}`,
  });
  return uploaded.ok ? ok({ ...uploaded.value, packSha256: packed.value.packSha256 }) : uploaded;
}
