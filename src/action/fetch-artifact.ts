import { join } from "node:path";
import { archives } from "../compose/archives.ts";
import { anchorArtifact, type AnchoredArtifact } from "../domain/artifact-anchor.ts";
import { sayFailure } from "../domain/github-failure.ts";
import { PACKED_BYTES_MAX } from "../domain/packed-run.ts";
import { err, ok, type Result } from "../domain/result.ts";
import { isContained } from "../kernel/github/is-contained.ts";
import type { Github, GithubAnswer } from "../ports/github.ts";
import { downloadArtifact } from "./artifact.ts";
import type { AdmittedCall } from "./call.ts";
import type { StepRefusal } from "./refusals.ts";
import { stateFolder } from "./workplace.ts";

/** An artifact of an earlier leg, unpacked. */
export interface FetchedArtifact {
  readonly workflowRun: number;
  readonly artifact: AnchoredArtifact;
  /** Absolute path of the packed folder. */
  readonly folder: string;
}

/** A zip of what a run hands on is never much larger than that. */
const ZIP_BYTES_MAX = Object.values(PACKED_BYTES_MAX).reduce((sum, bytes) => sum + bytes, 0);

/**
 * Fetches the artifact to go on from or to publish: who uploaded it is asked of GitHub, its bytes must have the digest
 * that GitHub gives, and it may hold nothing but what a run hands on. Reason code: ARTIFACT_TAMPERED.
 */
export async function fetchArtifact(
  call: AdmittedCall,
  target: string,
): Promise<Result<FetchedArtifact, readonly StepRefusal[]>> {
  const { inputs, env } = call;
  const ownRunId = Number(env["GITHUB_RUN_ID"]);
  const workflowRun = inputs.resumeFrom ?? ownRunId;
  const anchored = await anchor(call, workflowRun, ownRunId);
  if (!anchored.ok) return err([anchored.error]);
  const artifact = anchored.value;
  const tampered = (message: string): Result<never, readonly StepRefusal[]> =>
    err([{ code: "ARTIFACT_TAMPERED", message: `${artifact.name}: ${message}` }]);
  if (artifact.bytes > ZIP_BYTES_MAX)
    return tampered(`has ${artifact.bytes} bytes, at most ${ZIP_BYTES_MAX} are taken`);
  const [owner = "", repo = ""] = (env["GITHUB_REPOSITORY"] ?? "").split("/");
  const place = { owner, repo, token: inputs.githubToken, workflowRun };
  const downloaded = await downloadArtifact(
    artifact.id,
    join(stateFolder(call), "downloads", String(artifact.id)),
    place,
  );
  if (!downloaded.ok) return err([{ code: "DELIVERY_UNAVAILABLE", message: `${artifact.name}: ${downloaded.error}` }]);
  const found = await archives.digestFile(downloaded.value);
  if (found !== artifact.sha256) return tampered(`expected SHA-256 ${artifact.sha256}, found ${found}`);
  const unpacked = await archives.unpackZip(downloaded.value, target, PACKED_BYTES_MAX);
  return unpacked.ok ? ok({ workflowRun, artifact, folder: target }) : tampered(unpacked.error);
}

async function anchor(
  { inputs, env, github }: AdmittedCall,
  id: number,
  ownRunId: number,
): Promise<Result<AnchoredArtifact, StepRefusal>> {
  if (github === undefined)
    return err({
      code: "USAGE",
      message: "github-token: expected a token with actions: read, to ask who uploaded the artifact",
    });
  const [repository, workflowRun, artifacts] = await Promise.all([
    github.readRepository(),
    github.readWorkflowRun(id),
    github.listArtifacts(id),
  ]);
  for (const answer of [repository, workflowRun, artifacts])
    if (!answer.ok)
      return err({
        code: "ARTIFACT_TAMPERED",
        message: `nobody vouches for the artifact: ${sayFailure(answer.error)}`,
      });
  if (!repository.ok || !workflowRun.ok || !artifacts.ok) throw new Error("each of the three was looked at");
  const trustBranch = repository.value.default_branch;
  const contained = id === ownRunId ? ok(true) : await isOn(github, trustBranch, workflowRun.value.head_sha);
  if (!contained.ok) return err({ code: "DELIVERY_UNAVAILABLE", message: sayFailure(contained.error) });
  const anchored = anchorArtifact({
    workflowRun: workflowRun.value,
    artifacts: artifacts.value,
    ownRunId,
    repositoryId: repository.value.id,
    trustBranch,
    isHeadTrusted: contained.value,
    workflowPath: (env["GITHUB_WORKFLOW_REF"] ?? "").replace(/@.*$/s, "").split("/").slice(2).join("/"),
    name: inputs.resumeArtifact,
    sha256: inputs.artifactDigest,
  });
  return anchored.ok ? anchored : err({ code: "ARTIFACT_TAMPERED", message: anchored.error });
}

/** Whether a branch has a commit. */
async function isOn(github: Github, branch: string, commit: string): Promise<GithubAnswer<boolean>> {
  const tip = await github.readBranchTip(branch);
  return tip.ok ? await isContained(github, commit, tip.value) : tip;
}
