import { sha256 } from "../domain/digest.ts";
import { rulesOf } from "../domain/item-rules.ts";
import type { RefreshFacts } from "../domain/refresh.ts";
import type { SavedRun } from "../domain/saved-run.ts";
import type { Ports } from "../ports.ts";
import { readPolicyDigest } from "./policy-ingestion.ts";
import { createRecorder, type Recorder } from "./recorder.ts";
import { writeReports } from "./seal-run.ts";

/** Reads what is to be known of the commit that a ref names, to decide whether a run may be based on it. */
export async function readRefreshFacts(
  { user }: Pick<Ports, "user">,
  { state }: SavedRun,
  onto: string,
): Promise<RefreshFacts> {
  const to = await user.readRef(onto);
  if (to === undefined) return { onto, to, descends: false, trusted: false, planSha256: null, policySha256: null };
  const { created, baseCommit } = state;
  const trusted = created.trust_ref === null ? undefined : await user.readRef(created.trust_ref);
  const plan = await user.readFileAt(to, created.plan_path);
  return {
    onto,
    to,
    descends: await user.isAncestor(baseCommit, to),
    // A run that began on a detached HEAD trusts the commit that a person names, as it trusted the first.
    trusted: created.trust_ref === null || (trusted !== undefined && (await user.isAncestor(to, trusted))),
    planSha256: plan === undefined ? null : sha256(plan),
    policySha256: await readPolicyDigest(user, created, to),
  };
}

/** Moves the base of a stopped run to a commit that `judgeRefresh` allowed, and seals the run again. */
export async function refreshRun(ports: Ports, run: SavedRun, input: { onto: string; to: string }): Promise<void> {
  const recorder = createRecorder(ports, run.state, rulesOf(run.config, run.plan));
  const { created, baseCommit: from } = run.state;
  const { plan_sha256, policy_sha256 } = created;
  recorder.record("base_refresh_started", { ...input, from, plan_sha256, policy_sha256 });
  await finishRefresh(ports, recorder);
  await writeReports({ ports, recorder, plan: run.plan, config: run.config });
  recorder.seal();
}

/** Does what a refresh has begun: the new base pinned, the run branch moved, then the receipt. Safe to do again. */
export async function finishRefresh(ports: Pick<Ports, "user" | "repository">, recorder: Recorder): Promise<void> {
  const { refresh, runId, created } = recorder.state;
  if (refresh === undefined) return;
  const { from, to } = refresh;
  await ports.user.pinBase(runId, to);
  const ref = `refs/heads/${created.run_branch}`;
  const moved = (await ports.repository.swapRef(ref, from, to)) === "moved";
  if (!moved && (await ports.repository.readRef(ref)) !== to) throw new Error(`${ref} is neither ${from} nor ${to}`);
  recorder.record("base_refreshed", { from, to });
}
