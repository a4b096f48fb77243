import type { FileDigest, StageExecution } from "../domain/journal.ts";
import type { ProcessEnding } from "../domain/process-report.ts";
import { buildStageExecution } from "../domain/stage-execution.ts";
import type { Stage } from "../domain/stages.ts";
import { inBash } from "../domain/validation-commands.ts";
import type { Worktree } from "../ports/git.ts";
import { confine } from "./confine.ts";
import { sealFiles } from "./prepare-worktree.ts";
import { watchStalls } from "./watch-stalls.ts";
import { limitMs, type ProgramContext } from "./run-context.ts";

/** A command to run in a clean worktree, and what it is run for. */
export interface CommandRequest {
  readonly command: readonly [string, ...string[]];
  readonly purpose: Extract<
    StageExecution["purpose"],
    "required_command" | "suggested_command" | "surface_command" | "validation_command" | "red_command"
  >;
}

/** A command that ran: how it ended and where its output is, relative to the run folder. */
export interface CommandResult {
  readonly words: readonly string[];
  readonly purpose: CommandRequest["purpose"];
  readonly ending: ProcessEnding;
  readonly log: string;
}

/** Runs commands one after the other, all of them also when one fails, unless the run is interrupted. */
export async function runCommands(
  context: ProgramContext,
  input: {
    worktree: Worktree;
    folder: string;
    itemId: string | null;
    stage: Stage;
    extraEnv: Readonly<Record<string, string>>;
    commands: readonly CommandRequest[];
  },
): Promise<{ results: CommandResult[]; executions: StageExecution[]; files: FileDigest[] }> {
  const { ports, config } = context;
  const { env, confinement } = await confine(context, {
    name: input.worktree.name,
    passNames: [],
    extraEnv: input.extraEnv,
    writable: [input.worktree.path],
    readable: [],
    network: [],
  });
  const results: CommandResult[] = [];
  const executions: StageExecution[] = [];
  const logs: string[] = [];
  for (const [index, { command, purpose }] of input.commands.entries()) {
    const log = `${input.folder}/command-${index + 1}.stdout.log`;
    const errors = `${input.folder}/command-${index + 1}.stderr.log`;
    const report = await ports.processes.run({
      command,
      cwd: input.worktree.path,
      env,
      confinement,
      timeoutMs: limitMs(context, config.validation["timeout-minutes"]),
      outputBytesMax: config.limits["output-bytes"],
      stdoutPath: ports.files.resolve(log),
      stderrPath: ports.files.resolve(errors),
      signal: ports.interrupt,
      ...watchStalls(context, input.itemId, purpose),
      onLine: (line) => ports.progress({ kind: "output", itemId: input.itemId, line }),
    });
    logs.push(log, errors);
    results.push({ words: command, purpose, ending: report.ending, log });
    const step = `${input.worktree.name} command:${index + 1}`;
    executions.push(
      buildStageExecution({ stage: input.stage, purpose, itemId: input.itemId, step, command, env, report }),
    );
    if (report.ending.kind === "cancelled") break;
  }
  return { results, executions, files: await sealFiles(context, logs) };
}

/** Makes a request of a command of the plan. */
export function asRequest(purpose: CommandRequest["purpose"]): (words: string) => CommandRequest {
  return (words) => ({ command: inBash(words), purpose });
}

/** What a required command is told. */
export function verificationEnv(
  context: ProgramContext,
  itemId: string,
  attempt: number,
  round: number,
): Record<string, string> {
  return {
    ORCH_STAGE: "verify",
    ORCH_RUN_ID: context.recorder.state.runId,
    ORCH_PLAN_ID: context.plan.plan_id,
    ORCH_ITEM_ID: itemId,
    ORCH_ATTEMPT: String(attempt),
    ORCH_ROUND: String(round),
  };
}
