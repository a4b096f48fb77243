import type { EventDetails } from "../../domain/journal.ts";
import { judgeVerification } from "../../domain/verification.ts";
import type { Worktree } from "../../ports/git.ts";
import { prepareWorktree } from "../prepare-worktree.ts";
import { asRequest, runCommands, verificationEnv } from "../run-commands.ts";
import { planItem, type RunContext } from "../run-context.ts";
import { attemptFolder, currentAttempt, worktreeName } from "./attempt-files.ts";
import { trySurface, type TriedSurface } from "./try-surface.ts";

/**
 * Verifies a candidate in a clean, prepared worktree of exactly its commit: the artifacts as they
 * are in the commit, then the plan's own words in bash. Every command is run, so that a fix round sees all that is wrong.
 * A candidate that passes and has changed what it is verified by is tried once more by what was there before.
 */
export async function verifyCandidate(
  context: RunContext,
  itemId: string,
  { attempt, round, commit }: { attempt: number; round: number; commit: string },
): Promise<void> {
  const { recorder, ports } = context;
  const item = planItem(context, itemId);
  const state = currentAttempt(context, itemId);
  const run = `${state.sessions.length}-${(state.candidates.at(-1)?.verifications ?? 0) + 1}`;
  const folder = `${attemptFolder(itemId, attempt)}/round-${round}/verification-${run}`;
  recorder.record("verification_started", { attempt, round, commit }, itemId);
  const worktree = await ports.repository.openWorktree(worktreeName(itemId, attempt, `verify-${run}`), commit);
  // Before anything runs in it: what `prepare`, a command or code of the executor would make here is in no commit.
  const artifacts = await inspectArtifacts(context, worktree, item.required_artifacts);
  const prepared = await prepareWorktree(context, { worktree, commit, folder, itemId, stage: "execution" });
  const failed = prepared.status === "failed";
  const before = await ports.repository.snapshot(worktree);
  const ran = failed
    ? { results: [], executions: [], files: [] }
    : await runCommands(context, {
        worktree,
        folder,
        itemId,
        stage: "execution",
        extraEnv: verificationEnv(context, itemId, attempt, round),
        commands: [
          ...item.required_commands.map(asRequest("required_command")),
          ...item.suggested_commands.map(asRequest("suggested_command")),
        ],
      });
  const tamper = await ports.repository.compareSnapshot(before, worktree);
  await ports.repository.forgetWorktree(worktree);
  const facts = {
    prepare_ending: failed ? prepared.ending : null,
    prepare_tracked_changes: failed ? [...prepared.trackedChanges] : [],
    commands: ran.results.map(({ words, purpose, ending, log }) => ({
      command: words.at(-1) ?? "",
      required: purpose === "required_command",
      ending,
      log,
    })),
    artifacts: failed ? [] : artifacts,
  };
  // Who does not pass by the own checks need not be asked about those that were there before.
  const passes = tamper.length === 0 && judgeVerification(facts).kind === "passed";
  const tried = passes ? await trySurface(context, itemId, { attempt, round, commit, run, folder }) : NOT_TRIED;
  const details: EventDetails<"verification_finished"> = {
    attempt,
    round,
    commit,
    ...facts,
    surface: tried.surface,
    tamper: [...tamper, ...tried.tamper],
    executions: [...prepared.executions, ...ran.executions, ...tried.executions],
    files: [...prepared.files, ...ran.files, ...tried.files],
  };
  recorder.record("verification_finished", details, itemId);
}

const NOT_TRIED: TriedSurface = { surface: null, tamper: [], executions: [], files: [] };

async function inspectArtifacts(context: RunContext, worktree: Worktree, paths: readonly string[]) {
  return Promise.all(
    paths.map(async (path) => ({ path, status: await context.ports.artifacts.inspect(worktree.path, path) })),
  );
}
