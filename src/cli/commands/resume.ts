import { join, resolve as resolvePath } from "node:path";
import { world } from "../../compose.ts";
import { decideResume, type ResumeDecision } from "../../domain/recovery.ts";
import { encodeName } from "../../domain/ids.ts";
import { waitsForEvidence } from "../../domain/item-gate.ts";
import { EXIT } from "../../domain/run-stop.ts";
import { isWhole, type SavedRun } from "../../domain/saved-run.ts";
import { showText } from "../../domain/visible-text.ts";
import { resumeRun, type EvidenceByItem } from "../../kernel/resume-run.ts";
import { refuse, requireRun, type FoundRun } from "../answer.ts";
import { findCheckpointCopy } from "../checkpoint-copy.ts";
import { startDeadline } from "../deadline.ts";
import { finishRun, printOutcome } from "../finish-run.ts";
import type { Io } from "../io.ts";
import {
  costLimitOf,
  costLimitProblem,
  given,
  limitOf,
  parseSettings,
  sandboxOf,
  type InvocationOptions,
} from "../options.ts";
import { openRunLocked, printWarning } from "../open-run.ts";

interface ResumeOptions extends InvocationOptions {
  readonly newAttempt?: string;
  readonly evidenceDir?: string;
}

/** `conveyor resume [RUN]`: go on from the journal. */
export async function resume(io: Io, name: string | undefined, options: ResumeOptions): Promise<number> {
  const found = await requireRun(io, name, latestNotDone);
  if (typeof found === "number") return found;
  const parsed = parseSettings(options, io.env, found.run.state.created.options);
  if (!parsed.ok) return refuse(io, "USAGE", parsed.error);
  const evidence = readEvidence(io, found.run, options.evidenceDir);
  if (typeof evidence === "number") return evidence;
  const { mode } = found.run.state.created;
  if (options.mode !== undefined && options.mode !== mode)
    return refuse(io, "USAGE", `--mode: the run was started in ${mode} mode; a resume cannot change it`);
  const unheld = costLimitProblem(options, found.run.config, found.run.state.created.executor.use);
  if (unheld !== undefined) return refuse(io, "USAGE", unheld);
  const managerEnvNames = Object.keys(parsed.value.settings.managerEnv);
  const copy = findCheckpointCopy(io, options.checkpointPath);
  if (!copy.ok) return refuse(io, "USAGE", copy.error);
  const executorEnvNames = Object.keys(parsed.value.settings.executorEnv);
  const decide = (run: SavedRun): ResumeDecision => {
    const whole = isWhole(run, world.readCheckpoint(found.runFolder));
    return decideResume(run.state, {
      newAttempt: options.newAttempt,
      executorEnvNames,
      managerEnvNames,
      whole,
      evidence: evidence.size > 0,
    });
  };
  const decision = decide(found.run);
  if (decision.kind === "answer") return answer(io, found, decision, options);
  const limit = limitOf(options, found.run.config);
  const sandbox = sandboxOf(options, found.run.config, found.run.state.created.options);
  using deadline = startDeadline(io.interrupt, limit.minutes);
  const opened = await openRunLocked(io, found, {
    interrupt: deadline.interrupt,
    quiet: options.quiet ?? false,
    checkpointCopy: copy.value,
  });
  if (typeof opened === "number") return opened;
  const { open, run, facts, warnings } = opened;
  // Decided once more under the lock: whoever held it may have gone on since.
  const now = decide(run);
  if (now.kind === "answer") {
    await open.close(false);
    return answer(io, { ...found, run }, now, options);
  }
  const context = await resumeRun(open.ports, run, facts, {
    settings: { ...parsed.value.settings, sandbox: sandbox.level },
    options: {
      ...parsed.value.values,
      ...limit.option,
      ...costLimitOf(options, run.config, run.state.options).option,
      ...sandbox.option,
      "new-attempt": given(options.newAttempt ?? null, options.newAttempt === undefined),
    },
    warnings,
    newAttempt: options.newAttempt,
    evidence,
  });
  for (const warning of context.recorder.state.warnings.slice(warnings.length)) printWarning(io, warning);
  // Awaited here: the clock of the deadline stops with this call.
  return await finishRun(io, open, context, options.format);
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

/**
 * The evidence of each item that waits for some: `DIR/<item>/` when it is there, else all of DIR for the one item that
 * waits. Several waiting, nothing in it, or something in it that is no plain file, is exit 2: nothing is left out in
 * silence.
 */
function readEvidence(io: Io, run: SavedRun, folder: string | undefined): EvidenceByItem | number {
  if (folder === undefined) return new Map();
  const waiting = run.state.items.filter(waitsForEvidence).map((item) => item.itemId);
  if (waiting.length === 0) return refuse(io, "USAGE", "--evidence-dir: no item waits for evidence");
  const root = resolvePath(io.cwd, folder);
  const own = waiting
    .map((id) => ({ id, path: join(root, encodeName(id)) }))
    .filter(({ path }) => world.listFolder(path) !== undefined);
  const [only] = waiting;
  if (own.length === 0 && (only === undefined || waiting.length > 1)) {
    return refuse(
      io,
      "USAGE",
      `--evidence-dir: several items wait; make a folder for each in ${folder}: ${waiting.join(", ")}`,
    );
  }
  const evidence = new Map<string, readonly { name: string; bytes: Uint8Array }[]>();
  for (const { id, path } of own.length > 0 || only === undefined ? own : [{ id: only, path: root }]) {
    const names = world.listFolder(path) ?? [];
    if (names.length === 0) return refuse(io, "USAGE", `--evidence-dir: expected files in ${path}, found none`);
    const files: { name: string; bytes: Uint8Array }[] = [];
    for (const name of names) {
      const read = world.readEvidence(join(path, name));
      if (!read.ok) {
        const what = `${showText(name)} ${read.error}`;
        return refuse(io, "USAGE", `--evidence-dir: expected plain files with content alone in ${path}: ${what}`);
      }
      files.push({ name, bytes: read.value });
    }
    evidence.set(id, files);
  }
  return evidence;
}

function latestNotDone(runs: readonly SavedRun[]): number {
  const index = runs.findLastIndex((run) => run.state.stop?.terminalState !== "done");
  return index < 0 ? runs.length - 1 : index;
}
