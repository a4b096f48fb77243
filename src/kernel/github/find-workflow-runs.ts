import { artifactName } from "../../domain/artifact-names.ts";
import { runOfBranch } from "../../domain/ids.ts";
import { ok } from "../../domain/result.ts";
import { joinWorkflowRuns } from "../../domain/workflow-runs.ts";
import type { Github, GithubAnswer } from "../../ports/github.ts";

/** More legs than any run has; a number that somebody made up must not be counted up to. */
const LEGS_MAX = 200;

/**
 * Finds the workflow runs that worked on what a branch carries: each leg of a run uploads an artifact under a name that is
 * made of run and leg. A leg that uploaded none is passed over; after two in a row there is no more.
 */
export async function findWorkflowRuns(github: Github, branch: string): Promise<GithubAnswer<readonly number[]>> {
  const runId = runOfBranch(branch);
  if (runId === undefined) return ok([]);
  const found: number[] = [];
  for (let leg = 1, missing = 0; leg <= LEGS_MAX && missing < 2; leg += 1) {
    const listed = await github.listArtifactsNamed(artifactName(runId, leg));
    if (!listed.ok) return listed;
    missing = listed.value.length === 0 ? missing + 1 : 0;
    found.push(...listed.value.flatMap(({ workflow_run: run }) => (run === null ? [] : [run.id])));
  }
  return ok(joinWorkflowRuns(found));
}
