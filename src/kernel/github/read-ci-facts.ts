import type { CiFacts } from "../../domain/ci-gate.ts";
import type { Config } from "../../domain/config.ts";
import { sha256 } from "../../domain/digest.ts";
import { ok } from "../../domain/result.ts";
import type { Github, GithubAnswer } from "../../ports/github.ts";
import { gather, gatherAll, orNull } from "./gather.ts";

/** What is asked about the checks of one commit. */
export interface CiQuestion {
  readonly head: string;
  readonly config: Config;
  /** The commit that the trusted branch names. */
  readonly tip: string;
  readonly repositoryId: number;
}

/**
 * Reads everything that decides about CI on one commit: only what the policy asks for is asked about. All of it, or the
 * first failure; a commit that GitHub does not know has no checks.
 */
export async function readCiFacts(github: Github, asked: CiQuestion): Promise<GithubAnswer<CiFacts>> {
  const { head, config, tip } = asked;
  const required = config.policy["required-checks"];
  const workflows = [...new Set(required.flatMap(({ workflow }) => workflow ?? []))];
  const nothing = { head, repository: { id: asked.repositoryId }, check_runs: [], statuses: [] };
  const empty: CiFacts = { ...nothing, workflow_runs: [], jobs: [], workflows: [] };
  if (required.length === 0) return ok(empty);
  const checkRuns = await orUnknownCommit(github.listCheckRuns(head));
  if (!checkRuns.ok) return checkRuns;
  if (checkRuns.value === null) return ok(empty);
  const read = await gather({
    statuses: github.listStatuses(head),
    workflowRuns: workflows.length === 0 ? none() : github.listWorkflowRuns(head),
    workflows: gatherAll(
      workflows.map(async (path) => {
        const files = await gather({
          head: orNull(github.readFile(path, head)),
          tip: orNull(github.readFile(path, tip)),
        });
        return files.ok
          ? ok({ path, sha256_at_head: digestOrNull(files.value.head), sha256_at_tip: digestOrNull(files.value.tip) })
          : files;
      }),
    ),
  });
  if (!read.ok) return read;
  const named = read.value.workflowRuns.filter(({ path }) => workflows.includes(path.replace(/@.*$/, "")));
  const jobs = await gatherAll(named.map(({ id }) => github.listJobs(id)));
  if (!jobs.ok) return jobs;
  return ok({
    ...empty,
    check_runs: [...checkRuns.value],
    statuses: [...read.value.statuses],
    // All of them: a check that comes from another workflow is told by name.
    workflow_runs: [...read.value.workflowRuns],
    jobs: jobs.value.flat().map((job) => ({ workflow_run: job.run_id, check_run: checkRunOf(job) })),
    workflows: [...read.value.workflows],
  });
}

/** GitHub answers 404 or 422 to whoever asks about a commit that was never pushed. */
async function orUnknownCommit<T>(asked: Promise<GithubAnswer<T>>): Promise<GithubAnswer<T | null>> {
  const answer = await asked;
  return !answer.ok && (answer.error.kind === "not_found" || answer.error.kind === "conflict") ? ok(null) : answer;
}

async function none(): Promise<GithubAnswer<readonly never[]>> {
  return ok([]);
}

function checkRunOf({ id, check_run_url: url }: { readonly id: number; readonly check_run_url: string }): number {
  const number = /\/check-runs\/(\d{1,15})$/.exec(url)?.[1];
  return number === undefined ? id : Number(number);
}

function digestOrNull(bytes: Uint8Array | null): string | null {
  return bytes === null ? null : sha256(bytes);
}
