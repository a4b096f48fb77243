import { prepareWorktree } from "../prepare-worktree.ts";
import type { RunContext } from "../run-context.ts";
import { attemptFolder, worktreeName } from "./attempt-files.ts";

/** Opens an attempt: a fresh worktree at the run branch's tip, prepared. */
export async function openAttempt(
  context: RunContext,
  itemId: string,
  { attempt, round }: { attempt: number; round: number },
): Promise<void> {
  const { recorder, ports } = context;
  const commit = recorder.state.tip;
  const folder = attemptFolder(itemId, attempt);
  const worktree = await ports.repository.openWorktree(worktreeName(itemId, attempt, "work"), commit);
  const prepared = await prepareWorktree(context, { worktree, commit, folder, itemId, stage: "execution" });
  const paths = await ports.files.write(
    `${folder}/prepared-paths.json`,
    `${JSON.stringify(prepared.preparedPaths, null, 1)}\n`,
  );
  recorder.record(
    "attempt_opened",
    {
      attempt,
      round,
      base_commit: commit,
      worktree: worktree.name,
      prepare_status: prepared.status,
      prepare_ending: prepared.ending,
      executions: prepared.executions,
      files: [...prepared.files, paths],
    },
    itemId,
  );
}
