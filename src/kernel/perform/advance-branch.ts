import type { RunContext } from "../run-context.ts";
import { currentAttempt } from "./attempt-files.ts";

/**
 * Advances the run branch to the prepared commit by compare-and-swap. A branch that is there already was moved by the
 * process that died; one that is anywhere else was moved by somebody who has no business there: GIT_TAMPERED.
 */
export async function advanceBranch(
  context: RunContext,
  itemId: string,
  { commit, parent }: { commit: string; parent: string },
): Promise<void> {
  const { recorder, ports } = context;
  const ref = `refs/heads/${recorder.state.created.run_branch}`;
  const moved = (await ports.repository.swapRef(ref, parent, commit)) === "moved";
  if (moved || (await ports.repository.readRef(ref)) === commit) {
    recorder.record("item_settled", { terminal_state: "passed", reason_codes: [], commit }, itemId);
    const worktree = await ports.repository.findWorktree(currentAttempt(context, itemId).worktree);
    if (worktree !== undefined) await ports.repository.forgetWorktree(worktree);
    return;
  }
  recorder.record(
    "item_settled",
    { terminal_state: "escalated", reason_codes: ["GIT_TAMPERED"], commit: null },
    itemId,
  );
}
