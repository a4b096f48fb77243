import { basename } from "node:path";
import { world } from "../../compose/world.ts";
import { buildAuditSummary } from "../../domain/audit-summary.ts";
import { buildNextActions, nameForCommands } from "../../domain/next-actions.ts";
import { buildVerdict } from "../../domain/report.ts";
import { EXIT } from "../../domain/run-stop.ts";
import type { RunState } from "../../domain/run.ts";
import { showText } from "../../domain/visible-text.ts";
import { renderStatus, renderStatusLine } from "../../render/status-text.ts";
import { refuse, requireRun, requireWorkplace } from "../answer.ts";
import type { Format, Io } from "../io.ts";

interface StatusOptions {
  readonly all?: boolean;
  readonly exitCode?: boolean;
  readonly format: Format;
}

/** `conveyor status [RUN]`: the saved state, and whether a process holds the run; never more. */
export async function status(io: Io, name: string | undefined, options: StatusOptions): Promise<number> {
  if (options.all === true) {
    return name === undefined ? statusOfAll(io, options) : refuse(io, "USAGE", "--all is about every run: name none");
  }
  const found = await requireRun(io, name);
  if (typeof found === "number") return found;
  const { facts, exitCode } = readStatus(found.runFolder, found.run.state, found.packed?.folder);
  io.out(options.format === "json" ? `${JSON.stringify(facts)}\n` : renderStatus(facts));
  return options.exitCode === true ? exitCode : EXIT.done;
}

/** Every run of the checkout, oldest first, one a line; exit 1 when one cannot be believed. */
async function statusOfAll(io: Io, options: StatusOptions): Promise<number> {
  const workplace = await requireWorkplace(io);
  if (typeof workplace === "number") return workplace;
  const exitCodes: number[] = [];
  let unreadable = false;
  for (const runFolder of world.listRunFolders(workplace.places)) {
    const read = world.readSavedRun(runFolder);
    if (read.ok) {
      const { facts, exitCode } = readStatus(runFolder, read.value.state);
      exitCodes.push(exitCode);
      io.out(options.format === "json" ? `${JSON.stringify(facts)}\n` : renderStatusLine(facts));
    } else {
      unreadable = true;
      const runId = basename(runFolder);
      const { code, path, message } = read.error;
      if (options.format === "json")
        io.out(`${JSON.stringify({ run_id: runId, run_dir: runFolder, fault: read.error })}\n`);
      else io.out(showText(`${runId}  ${code} ${path}: ${message}`));
    }
  }
  if (unreadable) return EXIT.failed;
  return options.exitCode === true ? worstExitCode(exitCodes) : EXIT.done;
}

function readStatus(runFolder: string, state: RunState, packed?: string) {
  const holder = state.sealed ? undefined : world.readHolder(runFolder)?.holder;
  const audit = buildAuditSummary(state);
  const facts = {
    run_id: state.runId,
    plan_id: state.planId,
    run_dir: packed ?? runFolder,
    verdict: buildVerdict(state),
    audit: audit.status,
    terminal_state: state.stop?.terminalState ?? null,
    handoff: state.stop?.kind === "handoff",
    held_by: holder ?? null,
    current_stage: state.currentStage,
    items: state.items.map((item) => ({
      id: item.itemId,
      terminal_state: item.settled?.terminalState ?? null,
      attempts: item.attempts.length,
      reason_codes: [...(item.settled?.reasonCodes ?? [])],
      gate: audit.items.find((summary) => summary.item_id === item.itemId)?.gate ?? null,
    })),
    branch: state.created.run_branch,
    head_sha: state.tip,
    journal_seq: state.seq,
    next_actions:
      holder === undefined ? buildNextActions(state, nameForCommands(packed ?? runFolder, state.runId)) : [],
  };
  return { facts, exitCode: statusExitCode(state, holder !== undefined) };
}

/** What needs somebody most: failed, then over a time limit, then waiting. */
function worstExitCode(codes: readonly number[]): number {
  return [EXIT.failed, EXIT.timeout, EXIT.blocked].find((code) => codes.includes(code)) ?? EXIT.done;
}

/** 0 done or running, 3 waiting for somebody, 1 failed, 124 timeout. */
function statusExitCode(state: RunState, held: boolean): number {
  if (held) return EXIT.done;
  switch (state.stop?.terminalState) {
    case "done":
      return EXIT.done;
    case "failed":
      return EXIT.failed;
    case "timeout":
      return EXIT.timeout;
    default:
      return EXIT.blocked;
  }
}
