import type { FileDigest, StageExecution } from "../../domain/journal.ts";
import type { TamperFinding } from "../../domain/candidate.ts";
import { countSwitchedOff, findSurface, type SurfaceFacts } from "../../domain/verification-surface.ts";
import { prepareWorktree } from "../prepare-worktree.ts";
import { asRequest, runCommands, verificationEnv } from "../run-commands.ts";
import { planItem, type RunContext } from "../run-context.ts";
import { currentAttempt, readCandidateChanges, worktreeName } from "./attempt-files.ts";

/** What a second verification saw, or nothing to tell when the candidate left its own verification alone. */
export interface TriedSurface {
  readonly surface: SurfaceFacts | null;
  readonly tamper: readonly TamperFinding[];
  readonly executions: StageExecution[];
  readonly files: FileDigest[];
}

/**
 * Verifies a candidate that passed once more, by the scripts, test configuration and tests that its base had: what it
 * changed of them is put back in a clean checkout. Advisory: what comes of it is a finding and no verdict.
 */
export async function trySurface(
  context: RunContext,
  itemId: string,
  at: { attempt: number; round: number; commit: string; run: string; folder: string },
): Promise<TriedSurface> {
  const { ports, config } = context;
  const { attempt, round, commit, run } = at;
  const { baseCommit: base } = currentAttempt(context, itemId);
  const { required_commands: commands } = planItem(context, itemId);
  const changes = await readCandidateChanges(context, itemId, { attempt, round });
  const { paths, deletedTests, changedTests } = findSurface(changes, commands, config.validation["test-paths"]);
  const switchedOff = await countAll(context, base, commit, changedTests);
  if (paths.length === 0 && switchedOff.length === 0) {
    return { surface: null, tamper: [], executions: [], files: [] };
  }
  const seen = { paths: [...paths], deleted_tests: [...deletedTests], switched_off: switchedOff };
  if (paths.length === 0) {
    const surface = { ...seen, prepare_ending: null, commands: [] };
    return { surface, tamper: [], executions: [], files: [] };
  }
  const folder = `${at.folder}/surface`;
  const worktree = await ports.repository.openWorktree(worktreeName(itemId, attempt, `surface-${run}`), commit);
  const prepared = await prepareWorktree(context, { worktree, commit, folder, itemId, stage: "execution" });
  const failed = prepared.status === "failed";
  const before = await ports.repository.snapshot(worktree);
  if (!failed) await ports.repository.copyPaths(worktree, base, paths);
  const ran = failed
    ? { results: [], executions: [], files: [] }
    : await runCommands(context, {
        worktree,
        folder,
        itemId,
        stage: "execution",
        extraEnv: verificationEnv(context, itemId, attempt, round),
        commands: commands.map(asRequest("surface_command")),
      });
  const tamper = await ports.repository.compareSnapshot(before, worktree);
  return {
    surface: {
      ...seen,
      prepare_ending: failed ? (prepared.ending ?? { kind: "exited", exit_code: 1 }) : null,
      commands: ran.results.map(({ words, ending, log }) => ({ command: words.at(-1) ?? "", ending, log })),
    },
    tamper,
    executions: [...prepared.executions, ...ran.executions],
    files: [...prepared.files, ...ran.files],
  };
}

async function countAll(
  context: RunContext,
  base: string,
  commit: string,
  tests: readonly string[],
): Promise<SurfaceFacts["switched_off"]> {
  const { repository } = context.ports;
  const count = async (at: string, path: string): Promise<number> =>
    countSwitchedOff(new TextDecoder().decode(await repository.readFileAt(at, path)));
  const found: SurfaceFacts["switched_off"] = [];
  for (const path of tests) {
    const [before, after] = await Promise.all([count(base, path), count(commit, path)]);
    if (after > before) found.push({ path, before, after });
  }
  return found;
}
