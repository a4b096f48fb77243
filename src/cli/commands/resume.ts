import { lockRun, openLockedRun, readResumeFacts, world, type RunLock } from "../../compose.ts";
import { decideResume, type ResumeDecision } from "../../domain/recovery.ts";
import { EXIT } from "../../domain/run-stop.ts";
import { isWhole, type SavedRun, type SavedRunFault } from "../../domain/saved-run.ts";
import { checkSavedRun, finishSealing, resumeRun } from "../../kernel/resume-run.ts";
import { refuse, requireRun, type FoundRun } from "../answer.ts";
import { findCheckpointCopy } from "../checkpoint-copy.ts";
import { finishRun, printOutcome } from "../finish-run.ts";
import type { Io } from "../io.ts";
import { given, parseSettings, type InvocationOptions } from "../options.ts";
import { createProgress } from "../progress.ts";

interface ResumeOptions extends InvocationOptions {
  readonly newAttempt?: string;
}

/** `conveyor resume [RUN]`: go on from the journal. */
export async function resume(io: Io, name: string | undefined, options: ResumeOptions): Promise<number> {
  const found = await requireRun(io, name, latestNotDone);
  if (typeof found === "number") return found;
  const parsed = parseSettings(options, found.run.state.created.options);
  if (!parsed.ok) return refuse(io, "USAGE", parsed.error);
  const copy = findCheckpointCopy(io, options.checkpointPath);
  if (!copy.ok) return refuse(io, "USAGE", copy.error);
  const executorEnvNames = Object.keys(parsed.value.settings.executorEnv);
  const decide: Decide = (run) => {
    const whole = isWhole(run, world.readCheckpoint(found.runFolder));
    return decideResume(run.state, { newAttempt: options.newAttempt, executorEnvNames, whole });
  };
  const decision = decide(found.run);
  if (decision.kind === "answer") return answer(io, found, decision, options);
  const lock = lockRun(found.runFolder, found.run.state.runId);
  if (!lock.ok) {
    io.note(`LOCKED ${found.run.state.runId} is held by ${lock.error.holder}; nothing was changed`);
    return EXIT.locked;
  }
  const opened = await openSealed(io, found, lock.value, options, copy.value, decide);
  if (typeof opened === "number") return opened;
  const { open, run, facts, warnings } = opened;
  // Decided once more under the lock: whoever held it may have gone on since.
  const now = decide(run);
  if (now.kind === "answer") {
    await open.close(false);
    return answer(io, { ...found, run }, now, options);
  }
  const context = await resumeRun(open.ports, run, facts, {
    settings: parsed.value.settings,
    options: {
      ...parsed.value.values,
      "new-attempt": given(options.newAttempt ?? null, options.newAttempt === undefined),
    },
    warnings,
    newAttempt: options.newAttempt,
  });
  for (const warning of context.recorder.state.warnings.slice(warnings.length)) printWarning(io, warning);
  return finishRun(io, open, context, options.format);
}

/** What a resume does about a run as it was just read. */
type Decide = (run: SavedRun) => ResumeDecision;

/** Opens a run, and ends first what a process that was killed while sealing had begun. */
async function openSealed(
  io: Io,
  found: FoundRun,
  lock: RunLock,
  options: ResumeOptions,
  copy: string | undefined,
  decide: Decide,
): ReturnType<typeof openChecked> {
  const opened = await openChecked(io, found, lock, options, copy);
  if (typeof opened === "number" || decide(opened.run).kind !== "finish_sealing") return opened;
  const torn = await finishSealing(opened.open.ports, opened.run, opened.facts);
  for (const warning of torn) printWarning(io, warning);
  await opened.open.close(false);
  const reopened = await openChecked(io, found, lock, options, copy);
  return typeof reopened === "number" ? reopened : { ...reopened, warnings: [...opened.warnings, ...torn] };
}

/** Reads the run again under its lock, opens it, and re-verifies what a resume would build on. */
async function openChecked(io: Io, found: FoundRun, lock: RunLock, options: ResumeOptions, copy: string | undefined) {
  const { workplace, runFolder } = found;
  const read = world.readSavedRun(runFolder);
  if (!read.ok) return fail(io, read.error);
  const run = read.value;
  const wiring = {
    interrupt: io.interrupt,
    progress: createProgress(io, options.quiet ?? false),
    checkpointCopy: copy,
  };
  const open = await openLockedRun(workplace, wiring, { run, runFolder, lock });
  if (open === undefined) return fail(io, { code: "ARTIFACT_TAMPERED", path: "repo.git", message: "is missing" });
  const facts = readResumeFacts(runFolder, run);
  const checked = await checkSavedRun(run, open.ports, facts);
  if (!checked.ok) {
    await open.close(false);
    return fail(io, checked.error);
  }
  for (const warning of checked.value.warnings) printWarning(io, warning);
  return { open, run, facts, warnings: checked.value.warnings };
}

/** Says why there is nothing to go on with; who reads JSON is told how the run stands, unless the call was wrong. */
function answer(
  io: Io,
  { runFolder, run }: FoundRun,
  { code, message, exitCode }: Extract<ResumeDecision, { kind: "answer" }>,
  { format }: ResumeOptions,
): number {
  io.note(`${code === undefined ? "" : `${code} `}${message}`);
  if (format === "json" && exitCode !== EXIT.usage) printOutcome(io, runFolder, run.state, exitCode);
  return exitCode;
}

function printWarning(io: Io, warning: string): void {
  io.note(`${io.style("yellow", "warning:")} ${warning}`);
}

function fail(io: Io, fault: SavedRunFault): number {
  io.note(`${io.style("red", fault.code)} ${fault.path}: ${fault.message}`);
  return EXIT.failed;
}

function latestNotDone(runs: readonly SavedRun[]): number {
  const index = runs.findLastIndex((run) => run.state.stop?.terminalState !== "done");
  return index < 0 ? runs.length - 1 : index;
}
