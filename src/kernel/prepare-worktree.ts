import type { FileDigest, StageExecution } from "../domain/journal.ts";
import type { ProcessEnding } from "../domain/process-report.ts";
import { buildStageExecution } from "../domain/stage-execution.ts";
import type { Stage } from "../domain/stages.ts";
import { describeEnding, hasSucceeded } from "../domain/verification.ts";
import type { Worktree } from "../ports/git.ts";
import { confine } from "./confine.ts";
import { limitMs, type ProgramContext } from "./run-context.ts";

/** A worktree after `prepare`, in the terms of the journal. */
export interface PreparedWorktree {
  readonly status: "nothing_to_do" | "ran" | "cached" | "failed";
  readonly key: string;
  readonly preparedPaths: readonly string[];
  readonly trackedChanges: readonly string[];
  /** Ending of the command that went wrong; null when none did. */
  readonly ending: ProcessEnding | null;
  /** Why it failed, in words. */
  readonly why: string;
  readonly executions: StageExecution[];
  /** Logs of the commands that ran. */
  readonly files: FileDigest[];
}

/** Prepares a fresh worktree before anything else runs in it; logs go to `folder`. */
export async function prepareWorktree(
  context: ProgramContext,
  input: { worktree: Worktree; commit: string; folder: string; itemId: string | null; stage: Stage },
): Promise<PreparedWorktree> {
  const { ports, config } = context;
  const { env, confinement } = await confine(context, {
    name: `${input.worktree.name}-prepare`,
    passNames: [],
    extraEnv: {},
    writable: [input.worktree.path],
    readable: [],
    network: config.prepare.network,
  });
  const logs: string[] = [];
  const result = await ports.preparer.prepare({
    worktree: input.worktree,
    commit: input.commit,
    commands: config.prepare.commands.map(toArgv),
    inputs: config.prepare.inputs,
    env,
    confinement,
    timeoutMs: limitMs(context, config.prepare["timeout-minutes"]),
    outputBytesMax: config.limits["output-bytes"],
    logPath: (index, stream) => {
      const path = `${input.folder}/prepare-${index + 1}.${stream}.log`;
      logs.push(path);
      return ports.files.resolve(path);
    },
    signal: ports.interrupt,
  });
  const executions = result.executions.map(({ command, report }, index) =>
    buildStageExecution({
      stage: input.stage,
      purpose: "prepare",
      itemId: input.itemId,
      step: `${input.worktree.name} prepare:${index + 1}`,
      command,
      env,
      report,
    }),
  );
  const ending = result.executions.map(({ report }) => report.ending).find((each) => !hasSucceeded(each)) ?? null;
  const why =
    ending === null
      ? `prepare changed tracked files: ${result.trackedChanges.slice(0, 5).join(", ")}`
      : `${result.executions.at(-1)?.command.join(" ") ?? "prepare"}: ${describeEnding(ending)}`;
  return { ...result, ending, why, executions, files: await sealFiles(context, logs) };
}

/** Syncs files that were written for the run and gives what an event needs to name them. */
export async function sealFiles(context: ProgramContext, paths: readonly string[]): Promise<FileDigest[]> {
  const digests = await Promise.all([...new Set(paths)].map((path) => context.ports.files.digest(path)));
  return digests.filter((digest) => digest !== undefined);
}

function toArgv(words: readonly string[]): readonly [string, ...string[]] {
  const [first, ...rest] = words;
  if (first === undefined) throw new Error("an empty command passed the configuration's check");
  return [first, ...rest];
}
