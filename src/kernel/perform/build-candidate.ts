import { CANDIDATE_PATCH } from "../../domain/item.ts";
import { isHighApproved } from "../../domain/policy.ts";
import { findProtectedException, judgeScope, VIOLATIONS_MAX } from "../../domain/scope.ts";
import { scanCandidate } from "./scan-secrets.ts";
import type { EventDetails } from "../../domain/journal.ts";
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
  const { tree, trackedPaths } = candidate;
  // Names can hold a secret too: scope is judged by what is kept, so that anybody can judge it again.
  const changes = ports.secrets.redact(candidate.changes);
  const scope = judgeScope(changes, {
    item: planItem(context, itemId),
    planPath: context.plan.path,
    configPath: context.configPath,
    config: context.config,
    ...readScopeException(context, itemId),
    trackedPaths,
  });
  const { allow_no_change: mayBeEmpty } = planItem(context, itemId);
  const isWorth = (changes.length > 0 || mayBeEmpty) && scope.length === 0;
  const patch = isWorth ? await ports.repository.buildPatch(base, tree) : undefined;
  const violations = patch === undefined ? scope : await scanCandidate(context, patch);
  const folder = `${attemptFolder(itemId, attempt)}/round-${round}/candidate-${state.sessions.length}`;
  const changesFile = await ports.files.write(`${folder}/changes.json`, `${JSON.stringify(changes, null, 1)}\n`);
  const usable = isWorth && violations.length === 0;
  const commit = usable
    ? await ports.repository.commitTree({
        tree,
        parent: base,
        message: `Candidate of item ${itemId}\n`,
        at: ports.clock.now(),
      })
    : null;
  const patchFile =
    usable && patch !== undefined ? [await ports.files.write(`${folder}/${CANDIDATE_PATCH}`, patch)] : [];
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
      files: [changesFile, ...patchFile],
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
  refusal: { code: EventDetails<"candidate_refused">["reason_code"]; detail: string },
): void {
  context.recorder.record("candidate_refused", { ...at, reason_code: refusal.code, detail: refusal.detail }, itemId);
}
