import type { AgentFacts } from "../../domain/agent.ts";
import { PAYLOAD_BYTES_MAX, parsePayload } from "../../domain/executor-outcome.ts";
import type { SessionKind } from "../../domain/item.ts";
import type { EventDetails, FileDigest } from "../../domain/journal.ts";
import type { ProcessEnding } from "../../domain/process-report.ts";
import { buildStageExecution } from "../../domain/stage-execution.ts";
import type { Worktree } from "../../ports/git.ts";
import type { Scratch } from "../../ports/programs.ts";
import { sealFiles } from "../prepare-worktree.ts";
import { watchStalls } from "../watch-stalls.ts";
import { limitMs, type RunContext } from "../run-context.ts";
import { findOrRestoreWorktree, sessionFolder, sessionLogs, worktreeName } from "./attempt-files.ts";
import { waitToRetry } from "./wait-to-retry.ts";
import { followOutput, readAgent } from "./agent-program.ts";
import { buildProgram, executorAgent, writeBriefing, type Briefing } from "./session-briefing.ts";

interface SessionCommand {
  readonly attempt: number;
  readonly session: number;
  readonly round: number;
  readonly kind: SessionKind;
  readonly failures: number;
}

/**
 * One session of the executor: intent, program, receipt. What the program claims is stored; what it did to git
 * metadata and what it left running is seen by the orchestrator itself.
 */
export async function runSession(context: RunContext, itemId: string, command: SessionCommand): Promise<void> {
  const { recorder, ports } = context;
  const { attempt, session, round, kind } = command;
  if (!(await waitToRetry(context, command.failures))) return;
  const worktree = await findOrRestoreWorktree(context, itemId);
  if (worktree === undefined) return;
  const folder = sessionFolder(itemId, attempt, { session, round });
  const scratch = await ports.environments.openScratch(worktreeName(itemId, attempt, `session-${session}`));
  const briefing = await writeBriefing(context, { itemId, ...command, folder, scratch });
  recorder.record("session_started", { attempt, session, round, kind, files: briefing.files }, itemId);
  const receipt = await runExecutor(context, { itemId, command, folder, scratch, worktree, briefing });
  recorder.record("session_finished", { attempt, session, round, ...receipt }, itemId);
}

async function runExecutor(
  context: RunContext,
  input: {
    itemId: string;
    command: SessionCommand;
    folder: string;
    scratch: Scratch;
    worktree: Worktree;
    briefing: Briefing;
  },
): Promise<Omit<EventDetails<"session_finished">, "attempt" | "session" | "round">> {
  const { ports, config } = context;
  const { itemId, folder, scratch, worktree, briefing } = input;
  const { attempt, session } = input.command;
  const expected = context.recorder.state.created.executor.expected_artifacts;
  const homeName = worktreeName(itemId, attempt, `home-${session}`);
  const program = await buildProgram(context, briefing, { homeName, cwd: worktree.path, scratch });
  const before = await ports.repository.snapshot(worktree);
  const note = await ports.artifacts.note(worktree.path, expected);
  const [stdout, stderr] = sessionLogs(folder);
  const report = await ports.processes.run({
    ...program,
    cwd: worktree.path,
    timeoutMs: limitMs(context, config.executor?.["timeout-minutes"] ?? 30),
    outputBytesMax: config.limits["output-bytes"],
    stdoutPath: ports.files.resolve(stdout),
    stderrPath: ports.files.resolve(stderr),
    signal: ports.interrupt,
    ...watchStalls(context, itemId, "executor"),
    onLine: followOutput(context, itemId, executorAgent(context)),
  });
  const tamper = await ports.repository.compareSnapshot(before, worktree);
  const { missing, malformed } = await ports.artifacts.check(worktree.path, note, expected);
  const logs = await sealFiles(context, [stdout, stderr]);
  const { answer, facts } = await readResult(context, scratch, report.ending, stdout);
  return {
    ending: report.ending,
    payload: parsePayload(answer),
    execution: buildStageExecution({
      stage: "execution",
      purpose: "executor",
      itemId,
      step: `item:${itemId} attempt:${attempt} session:${session}`,
      command: program.command,
      env: program.env,
      report,
      missingArtifacts: missing,
      malformedArtifacts: malformed,
      agent: facts,
    }),
    tamper: [...tamper],
    survivors: report.survivors.map(({ pid, command }) => ({ pid, command })),
    files: [...logs, ...(await keepPayload(context, folder, answer))],
  };
}

/** A command leaves its result at a path, an agent in its output. */
async function readResult(
  context: RunContext,
  scratch: Scratch,
  ending: ProcessEnding,
  stdout: string,
): Promise<{ answer: Uint8Array | undefined; facts?: AgentFacts }> {
  const settings = executorAgent(context);
  if (settings === undefined) return { answer: await scratch.read("result.json", PAYLOAD_BYTES_MAX) };
  // Of what never started there is nothing to say, and no cost.
  if (ending.kind === "spawn_failed") return { answer: undefined };
  const { ports } = context;
  const kept = await ports.files.read(stdout);
  return readAgent(ports.agents, { settings, lane: "executor", ending, stdout: kept });
}

async function keepPayload(context: RunContext, folder: string, bytes: Uint8Array | undefined): Promise<FileDigest[]> {
  if (bytes === undefined) return [];
  return [await context.ports.files.write(`${folder}/result.json`, bytes)];
}
