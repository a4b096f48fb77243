import { basename, join, relative } from "node:path";
import type { Workplace } from "../../compose/workplace.ts";
import { world } from "../../compose/world.ts";
import { describeOutline, evolveOutline, isSince, isTime, type RunOutline } from "../../domain/history.ts";
import { BEFORE_JOURNAL, followJournal } from "../../domain/journal-text.ts";
import { parsePlan } from "../../domain/parse-plan.ts";
import { EXIT } from "../../domain/run-stop.ts";
import { surroundingsOf } from "../../domain/validation-commands.ts";
import {
  renderHistoryEvent,
  renderPlanLine,
  renderRunLine,
  type HistoryFault,
  type HistoryRun,
  type PlanLine,
} from "../../render/history-text.ts";
import { refuse, requireWorkplace } from "../answer.ts";
import type { Format, Io } from "../io.ts";
import { readCheckoutConfig } from "../checkout-config.ts";

interface AuditOptions {
  readonly since?: string;
  readonly format: Format;
}

/**
 * `conveyor audit`: what happened in every run of this checkout, oldest run first, and how every plan stands. Journals
 * are read line by line: memory does not grow with them. Exit 1 when a journal cannot be believed to its end.
 */
export async function audit(io: Io, options: AuditOptions): Promise<number> {
  if (options.since !== undefined && !isTime(options.since))
    return refuse(
      io,
      "USAGE",
      `--since: expected a time in UTC such as 2026-03-25 or 2026-03-25T12:00, found ${options.since}`,
    );
  const workplace = await requireWorkplace(io);
  if (typeof workplace === "number") return workplace;
  const latest = new Map<string, HistoryRun>();
  let faults = 0;
  for (const runFolder of world.listRunFolders(workplace.places)) {
    const { outline, fault } = await printEvents(io, runFolder, options);
    if (fault !== undefined) faults += 1;
    const run = buildRun(workplace, runFolder, outline, fault);
    if (outline !== undefined) latest.set(outline.planId, run);
    if (fault === undefined && outline !== undefined && !isSince(outline.lastAt, options.since)) continue;
    print(io, options.format, { kind: "run", ...run }, () => renderRunLine(run));
  }
  for (const plan of listPlans(workplace, latest)) {
    print(io, options.format, { kind: "plan", ...plan }, () => renderPlanLine(plan));
  }
  return faults > 0 ? EXIT.failed : EXIT.done;
}

function print(io: Io, format: Format, value: unknown, render: () => string): void {
  io.out(format === "json" ? `${JSON.stringify(value)}\n` : `${render()}\n`);
}

/** Prints the events of one run as they are read; stops at the first line that cannot be believed. */
async function printEvents(
  io: Io,
  runFolder: string,
  { since, format }: AuditOptions,
): Promise<{ outline: RunOutline | undefined; fault: HistoryFault | undefined }> {
  let place = BEFORE_JOURNAL;
  let outline: RunOutline | undefined;
  const fail = (message: string) => ({
    outline,
    fault: { code: "JOURNAL_CORRUPT", line: place.seq + 1, message } as const,
  });
  for await (const piece of world.readJournal(runFolder)) {
    if (piece.kind === "missing") return fail("is missing, or is no plain file");
    if (piece.kind === "too_long") return fail(`is longer than ${piece.bytesMax} bytes`);
    // A last line without its newline never happened: a process is writing it, or was killed there.
    if (piece.kind === "torn") break;
    const followed = followJournal(place, piece.bytes);
    if (!followed.ok) return fail(followed.error);
    place = followed.value;
    const event = followed.value.last;
    outline = evolveOutline(outline, event);
    if (isSince(event.at, since)) print(io, format, { kind: "event", event }, () => renderHistoryEvent(event));
  }
  return outline === undefined ? fail("expected run_created, found no event") : { outline, fault: undefined };
}

function buildRun(
  { places }: Workplace,
  runFolder: string,
  outline: RunOutline | undefined,
  fault: HistoryFault | undefined,
): HistoryRun {
  return {
    run_id: outline?.runId ?? basename(runFolder),
    plan_id: outline?.planId ?? null,
    run_dir: relative(places.root, runFolder),
    created_at: outline?.createdAt ?? null,
    last_at: outline?.lastAt ?? null,
    events: outline?.events ?? 0,
    stopped: outline?.stop?.kind ?? null,
    terminal_state: outline?.stop?.terminalState ?? null,
    reason_codes: [...(outline?.stop?.reasonCodes ?? [])],
    standing: outline === undefined ? "cannot be read" : describeOutline(outline),
    held_by: world.readHolder(runFolder)?.holder ?? null,
    fault: fault ?? null,
  };
}

/** The plans of the configured folders as they stand on disk, one at a time. */
function* listPlans({ places }: Workplace, latest: ReadonlyMap<string, HistoryRun>): Generator<PlanLine> {
  const { config } = readCheckoutConfig(places.root);
  for (const folder of ["future", "active", "completed"] as const) {
    for (const file of world.listPlanFiles(join(places.root, config.paths[folder])) ?? []) {
      const path = relative(places.root, file);
      const bytes = world.readLocalFile(file);
      const { plan, problems } =
        bytes === undefined ? { plan: undefined, problems: [] } : parsePlan({ path, bytes, ...surroundingsOf(config) });
      const run = plan === undefined ? undefined : latest.get(plan.plan_id);
      yield {
        path,
        folder,
        plan_id: plan?.plan_id ?? null,
        status: plan?.metadata?.status ?? null,
        items: plan?.items.length ?? null,
        errors: plan === undefined ? Math.max(1, problems.filter(({ severity }) => severity === "error").length) : 0,
        last_run: run === undefined ? null : { run_id: run.run_id, standing: run.standing, held_by: run.held_by },
      };
    }
  }
}
