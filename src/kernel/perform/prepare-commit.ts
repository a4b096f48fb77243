import type { RunContext } from "../run-context.ts";

/** Records the intent to take the audited commit, before the run branch moves: that very commit, no other. */
export function prepareCommit(
  context: RunContext,
  itemId: string,
  { attempt, commit, tree, parent }: { attempt: number; commit: string; tree: string; parent: string },
): void {
  context.recorder.record("item_commit_prepared", { attempt, commit, tree, parent }, itemId);
}
