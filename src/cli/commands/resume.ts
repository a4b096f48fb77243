import { resolve } from "node:path";
import { lockRun, openLockedRun, readResumeFacts, world } from "../../compose.ts";
import { decideResume } from "../../domain/recovery.ts";
import { EXIT } from "../../domain/run-stop.ts";
import type { SavedRun, SavedRunFault } from "../../domain/saved-run.ts";
import { checkSavedRun, resumeRun } from "../../kernel/resume-run.ts";
import { refuse, requireRun } from "../answer.ts";
import { finishRun } from "../finish-run.ts";
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
  const { workplace, runFolder } = found;
  const request = { newAttempt: options.newAttempt, executorEnvNames: Object.keys(parsed.value.settings.executorEnv) };
  const decision = decideResume(found.run.state, request);
  if (decision.kind === "answer") {
    io.note(`${decision.code === undefined ? "" : `${decision.code} `}${decision.message}`);
    return decision.exitCode;
  }
  const lock = lockRun(runFolder, found.run.state.runId);
  if (!lock.ok) {
    io.note(`LOCKED ${found.run.state.runId} is held by ${lock.error.holder}; nothing was changed`);
    return EXIT.locked;
  }
  // Read once more under the lock: whoever held it may have gone on since.
  const reread = world.readSavedRun(runFolder);
  if (!reread.ok) return fail(io, reread.error);
  const again = decideResume(reread.value.state, request);
  if (again.kind === "answer") {
    io.note(again.message);
    return again.exitCode;
  }
  const wiring = {
    interrupt: io.interrupt,
    progress: createProgress(io, options.quiet ?? false),
    checkpointCopy: options.checkpointPath === undefined ? undefined : resolve(io.cwd, options.checkpointPath),
  };
  const open = await openLockedRun(workplace, wiring, { run: reread.value, runFolder, lock: lock.value });
  if (open === undefined) return fail(io, { code: "ARTIFACT_TAMPERED", path: "repo.git", message: "is missing" });
  const facts = readResumeFacts(runFolder, reread.value);
  const checked = await checkSavedRun(reread.value, open.ports, facts);
  if (!checked.ok) {
    await open.close(false);
    return fail(io, checked.error);
  }
  for (const warning of checked.value.warnings)
    io.note(`${io.style("yellow", "warning:")} ${warning}; it was rebuilt from the journal`);
  const context = await resumeRun(open.ports, reread.value, facts, {
    settings: parsed.value.settings,
    options: {
      ...parsed.value.values,
      "new-attempt": given(options.newAttempt ?? null, options.newAttempt === undefined),
    },
    warnings: checked.value.warnings,
    newAttempt: options.newAttempt,
  });
  return finishRun(io, open, context, options.format);
}

function fail(io: Io, fault: SavedRunFault): number {
  io.note(`${io.style("red", fault.code)} ${fault.path}: ${fault.message}`);
  return EXIT.failed;
}

function latestNotDone(runs: readonly SavedRun[]): number {
  const index = runs.findLastIndex((run) => run.state.stop?.terminalState !== "done");
  return index < 0 ? runs.length - 1 : index;
}
