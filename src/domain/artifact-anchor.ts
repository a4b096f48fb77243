import { parseArtifactName } from "./artifact-names.ts";
import type { GithubArtifact, GithubWorkflowRun } from "./github-answers.ts";
import { err, ok, type Result } from "./result.ts";

/** What an artifact is held against before a byte of it is believed. */
export interface ArtifactAnchors {
  readonly workflowRun: GithubWorkflowRun;
  readonly artifacts: readonly GithubArtifact[];
  /** The workflow run that asks; what it uploaded itself may come from any branch. */
  readonly ownRunId: number | undefined;
  readonly repositoryId: number;
  readonly trustBranch: string;
  /**
   * Whether that branch has the commit that the workflow run was of. GitHub names the ref of a run without saying of
   * which kind it is: a tag may be called like the branch.
   */
  readonly isHeadTrusted: boolean;
  /** File of the workflow that asks, for example `.github/workflows/conveyor.yml`. */
  readonly workflowPath: string;
  /** The artifact that is meant; the only one of a run of ours when left out. */
  readonly name: string | undefined;
  /** What another job said of its bytes. */
  readonly sha256: string | undefined;
}

/** An artifact that is who it says it is, if its bytes have this digest. */
export interface AnchoredArtifact {
  readonly id: number;
  readonly name: string;
  readonly bytes: number;
  readonly sha256: string;
}

/**
 * Finds the artifact to go on from. It counts when GitHub itself says that a run of the same workflow file, of the
 * trusted branch, in this very repository uploaded it, and gives its digest. The error names what does not agree.
 */
export function anchorArtifact(anchors: ArtifactAnchors): Result<AnchoredArtifact, string> {
  const { workflowRun, repositoryId, trustBranch, workflowPath, name } = anchors;
  const from = `workflow run ${workflowRun.id}`;
  if (workflowRun.repository.id !== repositoryId || workflowRun.head_repository?.id !== repositoryId)
    return err(`${from} belongs to another repository, or to the head of a fork`);
  if (workflowRun.id !== anchors.ownRunId) {
    if (workflowRun.head_branch !== trustBranch)
      return err(`${from} ran on ${workflowRun.head_branch ?? "no branch"}, not on ${trustBranch}`);
    if (!anchors.isHeadTrusted) return err(`${from} is of ${workflowRun.head_sha}, which ${trustBranch} does not have`);
    const path = workflowRun.path.replace(/@.*$/s, "");
    if (path !== workflowPath) return err(`${from} is one of ${path}, not of ${workflowPath}`);
  }
  const ours = anchors.artifacts.filter((artifact) => parseArtifactName(artifact.name) !== undefined);
  const named = name === undefined ? ours : ours.filter((artifact) => artifact.name === name);
  const [artifact] = named;
  if (artifact === undefined) return err(`${from} has no artifact ${name ?? "of a run (conveyor-<RUN_ID>-leg<N>)"}`);
  if (named.length > 1) {
    return err(
      `${from} has several artifacts of runs; name one with resume-artifact: ${named.map((each) => each.name).join(", ")}`,
    );
  }
  if (artifact.expired) return err(`the artifact ${artifact.name} of ${from} has expired`);
  const [, sha256] = /^sha256:([0-9a-f]{64})$/.exec(artifact.digest ?? "") ?? [];
  if (sha256 === undefined) return err(`GitHub gives no SHA-256 of the artifact ${artifact.name}`);
  if (anchors.sha256 !== undefined && anchors.sha256 !== sha256)
    return err(`the artifact ${artifact.name} has SHA-256 ${sha256}, expected ${anchors.sha256}`);
  return ok({ id: artifact.id, name: artifact.name, bytes: artifact.size_in_bytes, sha256 });
}
