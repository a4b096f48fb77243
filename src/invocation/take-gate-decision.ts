import { world } from "../compose/world.ts";
import type { ApprovalFacts } from "../domain/approval-facts.ts";
import { decideGithubGate, GATE_FACTS_FILE } from "../domain/github-gate.ts";
import { sayFailure } from "../domain/github-failure.ts";
import { judgeGateRequest } from "../domain/manual-gate.ts";
import { err, ok, type Result } from "../domain/result.ts";
import type { RunState } from "../domain/run.ts";
import { showText } from "../domain/visible-text.ts";
import { joinWorkflowRuns } from "../domain/workflow-runs.ts";
import { readManualGateFacts } from "../kernel/github/read-manual-gate.ts";
import { recordManualGate } from "../kernel/record-manual-gate.ts";
import type { GithubAccess } from "./access.ts";
import type { Follower } from "./door.ts";
import { notBelieved, openSavedRun, type FoundRun } from "./open-saved-run.ts";
import type { Refused } from "./refused.ts";

/** The candidate of a run that waits for a person's decision, if one does. */
interface Awaited {
  readonly itemId: string;
  readonly commit: string;
}

/** Finds the candidate that waits; nothing when no decision about one could be recorded now. */
export function findAwaited(state: RunState): Awaited | undefined {
  const item = state.items.find(({ settled }) => settled?.terminalState === "awaiting_human_gate");
  const waiting = item === undefined ? undefined : judgeGateRequest(state, item.itemId, "approved");
  return item !== undefined && waiting?.ok === true ? { itemId: item.itemId, commit: waiting.value.commit } : undefined;
}

/** Reads on GitHub what was said of the candidate that waits; nothing where GitHub is not asked. */
async function readFacts(
  { run }: Pick<FoundRun, "run">,
  commit: string,
  { github, trust, workflowRuns }: GithubAccess,
): Promise<Result<ApprovalFacts, string> | undefined> {
  if (trust.kind === "preflight") {
    const { manual_gate: facts } = trust.document;
    return facts === null ? err("the preflight document has none") : ok(facts);
  }
  if (github === undefined) return undefined;
  const facts = await readManualGateFacts(github, world.clock, {
    run,
    commit,
    repositoryId: trust.kind === "api" ? trust.repositoryId : undefined,
    workflowRuns: joinWorkflowRuns(run.state.workflowRuns, workflowRuns),
  });
  return facts.ok ? facts : err(sayFailure(facts.error));
}

/**
 * Takes the decision about a manual gate from GitHub, when the run waits for one and there is one, and records it with
 * all that was read, here or by the job before. Gives the run as it stands then; `follower.warn` is told what GitHub said.
 */
export async function takeGateDecision(
  follower: Follower & { readonly interrupt: AbortSignal },
  found: FoundRun,
  access: GithubAccess,
): Promise<Result<FoundRun, Refused>> {
  const awaited = findAwaited(found.run.state);
  if (awaited === undefined) return ok(found);
  const { itemId, commit } = awaited;
  const facts = await readFacts(found, commit, access);
  if (facts === undefined) return ok(found);
  const decision = facts.ok ? decideGithubGate(facts.value, commit) : { kind: "open" as const, why: facts.error };
  if (decision.kind === "open" || !facts.ok) {
    follower.warn(
      showText(`GitHub has no decision about item ${itemId}: ${decision.kind === "open" ? decision.why : ""}`),
    );
    return ok(found);
  }
  const quiet = { ...follower, progress: () => undefined };
  const opened = await openSavedRun(found, { ...quiet, checkpointCopy: undefined, github: undefined });
  if (!opened.ok) return opened;
  const { open, run } = opened.value;
  // Whoever held the lock may have decided since.
  const still = judgeGateRequest(run.state, itemId, decision.decision);
  if (still.ok && still.value.commit === commit) {
    await recordManualGate(open.ports, run, {
      itemId,
      decision: decision.decision,
      by: decision.by,
      note: decision.note,
      authority: decision.authority,
      evidence: [{ name: GATE_FACTS_FILE, bytes: Buffer.from(`${JSON.stringify(facts.value, null, 2)}\n`) }],
    });
    follower.warn(showText(`item ${itemId} was ${decision.decision} on GitHub by ${decision.by} (${decision.note})`));
  }
  await open.close(false);
  const again = world.readSavedRun(found.runFolder);
  return again.ok ? ok({ ...found, run: again.value }) : err(notBelieved(again.error));
}
