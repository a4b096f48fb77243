import type { ApprovalFacts } from "../../domain/approval-facts.ts";
import { rulesOf } from "../../domain/item-rules.ts";
import type { SavedRun } from "../../domain/saved-run.ts";
import type { Clock } from "../../ports.ts";
import type { Github, GithubAnswer } from "../../ports/github.ts";
import { readRepository } from "./build-preflight.ts";
import { readApprovalFacts } from "./read-approval-facts.ts";
import { findPull } from "./read-gate-facts.ts";

/** Reads what people said about the candidate that waits, on the pull request of the run whose head it is. */
export async function readManualGateFacts(
  github: Github,
  clock: Clock,
  {
    run,
    commit,
    repositoryId,
    workflowRuns,
  }: {
    run: SavedRun;
    commit: string;
    repositoryId: number | undefined;
    /** Those that worked on the run: who started them does not decide. */
    workflowRuns: readonly number[];
  },
): Promise<GithubAnswer<ApprovalFacts>> {
  const { created } = run.state;
  const repository = await readRepository(github, repositoryId);
  if (!repository.ok) return repository;
  const { default_branch: branch, id } = repository.value;
  const tip = await github.readBranchTip(branch);
  if (!tip.ok) return tip;
  const pull = await findPull(github, { branch: created.run_branch, head: commit });
  if (!pull.ok) return pull;
  return readApprovalFacts(github, clock, {
    kind: "manual_gate",
    pull: pull.value,
    risk: rulesOf(run.config, run.plan).admission.risk.tier,
    planPath: created.plan_path,
    config: run.config,
    baseRef: branch,
    tip: tip.value,
    repositoryId: id,
    workflowRuns,
    sealingPulls: null,
  });
}
