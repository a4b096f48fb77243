import { decideStopOfVerdict } from "../domain/run-decide.ts";
import type { RunStop } from "../domain/run-stop.ts";
import { listValidationCommands } from "../domain/validation-commands.ts";
import { failStage } from "./fail-stage.ts";
import { prepareWorktree } from "./prepare-worktree.ts";
import { runCommands } from "./run-commands.ts";
import type { RunContext } from "./run-context.ts";

/**
 * Validation: the plan-level commands on the run branch, in a clean prepared worktree. Reason codes:
 * VERIFICATION_FAILED, GIT_TAMPERED, PROCESS_TIMEOUT.
 */
export async function validateRunBranch(context: RunContext): Promise<RunStop | undefined> {
  const { recorder, ports, config, plan } = context;
  const commands = listValidationCommands(plan, config);
  if (commands.length === 0) return undefined;
  const commit = recorder.state.tip;
  const folder = `validation-${recorder.state.resumes + 1}`;
  recorder.record("validation_started", { commit });
  const worktree = await ports.repository.openWorktree(folder, commit);
  const prepared = await prepareWorktree(context, { worktree, commit, folder, itemId: null, stage: "validation" });
  const before = await ports.repository.snapshot(worktree);
  const ran =
    prepared.status === "failed"
      ? { results: [], executions: [], files: [] }
      : await runCommands(context, {
          worktree,
          folder,
          itemId: null,
          stage: "validation",
          extraEnv: {},
          commands: commands.map((command) => ({ command, purpose: "validation_command" })),
        });
  const tamper = await ports.repository.compareSnapshot(before, worktree);
  recorder.record("validation_finished", {
    commit,
    prepare_ending: prepared.status === "failed" ? (prepared.ending ?? { kind: "exited", exit_code: 1 }) : null,
    commands: ran.results.map(({ words, ending, log }) => ({ command: words.join(" "), ending, log })),
    tamper: [...tamper],
    executions: [...prepared.executions, ...ran.executions],
    files: [...prepared.files, ...ran.files],
  });
  const verdict = recorder.state.validation?.verdict;
  if (verdict === undefined || verdict.kind === "passed") return undefined;
  return verdict.kind === "failed"
    ? failStage(
        context,
        "validation",
        tamper.length > 0 ? "GIT_TAMPERED" : "VERIFICATION_FAILED",
        verdict.failures.join("; "),
      )
    : decideStopOfVerdict(verdict.kind);
}
