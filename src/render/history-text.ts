import type { JournalEvent } from "../domain/journal.ts";
import { showText } from "../domain/visible-text.ts";
import { renderProgress } from "./progress-text.ts";

/** Where a journal stops being one. */
export interface HistoryFault {
  readonly code: "JOURNAL_CORRUPT";
  readonly line: number;
  readonly message: string;
}

/** How a run stands, after its events. */
export interface HistoryRun {
  readonly run_id: string;
  readonly plan_id: string | null;
  readonly run_dir: string;
  readonly created_at: string | null;
  readonly last_at: string | null;
  readonly events: number;
  readonly stopped: string | null;
  readonly terminal_state: string | null;
  readonly reason_codes: readonly string[];
  readonly standing: string;
  readonly held_by: string | null;
  readonly fault: HistoryFault | null;
}

/** How a plan stands. */
export interface PlanLine {
  readonly path: string;
  readonly folder: "future" | "active" | "completed";
  readonly plan_id: string | null;
  readonly status: string | null;
  readonly items: number | null;
  readonly errors: number;
  readonly last_run: { readonly run_id: string; readonly standing: string; readonly held_by: string | null } | null;
}

/** Renders one event of a history: time, run, number, type, and what a person who follows a run is told. */
export function renderHistoryEvent(event: JournalEvent): string {
  const told = renderProgress(event)?.text.slice("00:00:00 ".length);
  const item = event.item_id === null ? "" : ` ${showText(event.item_id)}`;
  const head = `${event.at} ${event.run_id} ${event.seq} ${event.type}${item}`;
  return told === undefined ? head : `${head}  ${told}`;
}

/** Renders how a run stands. */
export function renderRunLine({ run_id: id, plan_id: plan, standing, held_by: holder, fault }: HistoryRun): string {
  const held = holder === null ? "" : `, held by ${holder}`;
  const wrong = fault === null ? "" : `, ${fault.code} line ${fault.line}: ${fault.message}`;
  return showText(`run  ${id} of ${plan ?? "an unknown plan"}: ${standing}${held}${wrong}`);
}

/** Renders how a plan stands. */
export function renderPlanLine({ path, folder, status, items, errors, last_run: run }: PlanLine): string {
  const content =
    items === null ? `${errors} error${errors === 1 ? "" : "s"}` : `${items} item${items === 1 ? "" : "s"}`;
  const marked = status === null ? "" : `, marked ${status}`;
  const ran = run === null ? "no run" : `${run.run_id} ${run.standing}`;
  return showText(`plan ${path} (${folder}): ${content}${marked}; ${ran}`);
}
