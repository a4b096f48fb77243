import { isHighApproved } from "../../domain/policy.ts";
import { findProtectedException, judgeScope, VIOLATIONS_MAX } from "../../domain/scope.ts";
import { planItem, type RunContext } from "../run-context.ts";
import { attemptFolder, candidateLimits, currentAttempt, readPreparedPaths } from "./attempt-files.ts";

/**
 * Builds the candidate of a finished session as one tree, judges its scope, and makes the commit that verification
 * sees. A candidate that scope refuses gets no commit: there is nothing to verify.
 */
export async function buildCandidate(
  context: RunContext,
  itemId: string,
  { attempt, round }: { attempt: number; round: number },
): Promise<void> {
  const { recorder, ports } = context;
  const state = currentAttempt(context, itemId);
  const worktree = await ports.repository.findWorktree(state.worktree);
  if (worktree === undefined) return recorder.record("attempt_lost", { attempt, why: "worktree_gone" }, itemId);
  const base = state.baseCommit;
  const excluded = await readPreparedPaths(context, itemId, attempt);
  const candidate = await ports.repository.buildCandidate(worktree, base, excluded, candidateLimits(context));
  if (candidate.kind === "refused") return recordRefusal(context, itemId, { attempt, round }, candidate);
  const { tree, changes, trackedPaths } = candidate;
  const violations = judgeScope(changes, {
    item: planItem(context, itemId),
    planPath: context.plan.path,
    configPath: context.configPath,
    config: context.config,
    ...readScopeException(context, itemId),
    trackedPaths,
  });
  const folder = `${attemptFolder(itemId, attempt)}/round-${round}/candidate-${state.sessions.length}`;
  const changesFile = await ports.files.write(`${folder}/changes.json`, `${JSON.stringify(changes, null, 1)}\n`);
  const { allow_no_change: mayBeEmpty } = planItem(context, itemId);
  const usable = (changes.length > 0 || mayBeEmpty) && violations.length === 0;
  const commit = usable
    ? await ports.repository.commitTree({
        tree,
        parent: base,
        message: `Candidate of item ${itemId}\n`,
        at: ports.clock.now(),
      })
    : null;
  const patch = usable
    ? [await ports.files.write(`${folder}/candidate.patch`, await ports.repository.buildPatch(base, tree))]
    : [];
  recorder.record(
    "candidate_built",
    {
      attempt,
      round,
      base_commit: base,
      tree,
      commit,
      changed_paths: changes.length,
      violations: violations.slice(0, VIOLATIONS_MAX),
      files: [changesFile, ...patch],
    },
    itemId,
  );
}

/** What risk and its approval say of sensitive and protected paths. */
function readScopeException(context: RunContext, itemId: string) {
  const { plan, config, configPath, recorder, rules } = context;
  const { tier } = rules.admission.risk;
  const { policy } = recorder.state;
  const facts = { item: planItem(context, itemId), planPath: plan.path, configPath, config, tier };
  const isApproved = policy !== undefined && isHighApproved(policy);
  return { tier, protectedException: findProtectedException({ ...facts, isHighApproved: isApproved }) };
}

/** Records that no candidate can be built, and why. */
export function recordRefusal(
  context: RunContext,
  itemId: string,
  at: { attempt: number; round: number },
  refusal: { code: "GIT_TAMPERED" | "PATH_UNSAFE" | "DIFF_LIMIT_EXCEEDED"; detail: string },
): void {
  context.recorder.record("candidate_refused", { ...at, reason_code: refusal.code, detail: refusal.detail }, itemId);
}
