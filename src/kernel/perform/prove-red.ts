import type { TreeChange } from "../../domain/candidate.ts";
import { findTestPaths } from "../../domain/red-green.ts";
import { prepareWorktree } from "../prepare-worktree.ts";
import { asRequest, runCommands, verificationEnv } from "../run-commands.ts";
import { planItem, type RunContext } from "../run-context.ts";
import { attemptFolder, currentAttempt, worktreeName } from "./attempt-files.ts";

/**
 * Runs the required commands on the prepared base with the candidate's test files alone: the tests must be seen to fail
 * without the change. The executor's own account is never asked.
 */
export async function proveRed(
  context: RunContext,
  itemId: string,
  { attempt, round, commit }: { attempt: number; round: number; commit: string },
): Promise<void> {
  const { recorder, ports, config } = context;
  const state = currentAttempt(context, itemId);
  const base = state.baseCommit;
  const changes: readonly TreeChange[] = await ports.repository.listChanges(base, commit);
  const paths = findTestPaths(changes, config.validation["test-paths"]);
  const turn = `${state.sessions.length}-${recorder.state.resumes}`;
  const folder = `${attemptFolder(itemId, attempt)}/round-${round}/red-${turn}`;
  const worktree = await ports.repository.openWorktree(worktreeName(itemId, attempt, `red-${turn}`), base);
  const prepared = await prepareWorktree(context, { worktree, commit: base, folder, itemId, stage: "execution" });
  const failed = prepared.status === "failed";
  if (!failed) await ports.repository.copyPaths(worktree, commit, paths);
  const before = await ports.repository.snapshot(worktree);
  const { required_commands: commands } = planItem(context, itemId);
  const ran =
    failed || paths.length === 0
      ? { results: [], executions: [], files: [] }
      : await runCommands(context, {
          worktree,
          folder,
          itemId,
          stage: "execution",
          extraEnv: verificationEnv(context, itemId, attempt, round),
          commands: commands.map(asRequest("red_command")),
        });
  const tamper = await ports.repository.compareSnapshot(before, worktree);
  await ports.repository.forgetWorktree(worktree);
  recorder.record(
    "red_green_judged",
    {
      attempt,
      round,
      commit,
      test_paths: paths,
      prepare_ending: failed ? (prepared.ending ?? { kind: "exited", exit_code: 1 }) : null,
      red: ran.results.map(({ words, ending, log }) => ({ command: words.at(-1) ?? "", ending, log })),
      tamper: [...tamper],
      executions: [...prepared.executions, ...ran.executions],
      files: [...prepared.files, ...ran.files],
    },
    itemId,
  );
}
