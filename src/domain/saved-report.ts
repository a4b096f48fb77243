import { rulesOf } from "./item-rules.ts";
import { buildRunReport, type RunReport } from "./report.ts";
import { foldRun } from "./run.ts";
import type { SavedRun } from "./saved-run.ts";

/**
 * Builds the report of a saved run. A sealed run gives the very report that its last event names: that event is not part
 * of what the report speaks of.
 */
export function buildSavedReport({ state, journal, config, plan }: SavedRun): RunReport {
  if (!state.sealed) return buildRunReport(state, { plan, config }, journal.head);
  const before = foldRun(journal.events.slice(0, -1), rulesOf(config, plan));
  return buildRunReport(before, { plan, config }, journal.events.at(-1)?.prev ?? "");
}
