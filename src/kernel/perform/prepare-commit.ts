import { buildCommitMessage } from "../../domain/commit-message.ts";
import { planItem, type RunContext } from "../run-context.ts";

/** Makes the item's commit on exactly the verified tree; the intent is recorded before the run branch moves. */
export async function prepareCommit(
  context: RunContext,
  itemId: string,
  { attempt, tree, parent }: { attempt: number; tree: string; parent: string },
): Promise<void> {
  const { recorder, ports, plan } = context;
  const message = buildCommitMessage({
    planId: plan.plan_id,
    runId: recorder.state.runId,
    item: planItem(context, itemId),
  });
  const commit = await ports.repository.commitTree({ tree, parent, message, at: ports.clock.now() });
  recorder.record("item_commit_prepared", { attempt, commit, tree, parent }, itemId);
}
