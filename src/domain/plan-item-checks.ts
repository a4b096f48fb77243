import { isInside } from "./paths.ts";
import type { PlanItem } from "./plan.ts";
import type { Placed } from "./plan-cells.ts";
import { checkVisible } from "./plan-lists.ts";
import { findCycles } from "./plan-order.ts";
import { FILE_START, type Place, type ReportProblem } from "./plan-problems.ts";
import { buildChangeProfile } from "./plan-profile.ts";
import type { Cell } from "./plan-table.ts";
import { checkReads } from "./plan-tracked.ts";
import { quoteText } from "./visible-text.ts";

/** Most items a plan may have. */
export const ITEMS_MAX = 500;

/** Longer circles are cut in messages. */
const CYCLE_SHOWN_MAX = 10;

/** Ids become names of folders, three characters for each special one. */
const STEP_ID_LENGTH_MAX = 80;

/** What is known about the repository when the plan is parsed. */
export interface PlanSurroundings {
  /** Files tracked at the base commit; absent outside of a repository. */
  readonly trackedFiles?: ReadonlySet<string>;
  /** Folders that no item may write, beside the built-in names. */
  readonly forbiddenRoots?: readonly string[];
  /** The configuration's validation commands, for a shell: what a plan that is one item is held to unless it says. */
  readonly validationCommands?: readonly string[];
}

/** An item as a form gives it, and the places that the checks of all items report. */
export interface ItemDraft {
  readonly item: PlanItem;
  /** Surfaces and consult paths. */
  readonly reads: readonly Placed[];
  readonly roots: readonly Placed[];
  readonly prerequisitesAt: Place | undefined;
}

/** Makes an item of what its form says: whatever it may leave out has a default here, the same for all forms. */
export function buildItem(written: Omit<PlanItem, "change_profile">): PlanItem {
  const { required_artifacts: artifacts, ...item } = written;
  return {
    ...item,
    manual_gate_reason: item.manual_gate_reason || item.exit_criteria,
    manual_gate_evidence: item.manual_gate_evidence || "decision record",
    required_artifacts: artifacts.length > 0 ? artifacts : item.deliverables,
    change_profile: buildChangeProfile(item.requires_red_green, item.deliverables, item.write_roots),
  };
}

/**
 * Checks what needs all items: circles, paths that nobody delivers, roots beyond what the plan as a whole may change.
 *
 * Codes: PLAN_PREREQUISITE_CYCLE, PLAN_PATH_UNTRACKED, PLAN_WRITE_ROOT_OUTSIDE.
 */
export function checkItems(
  drafts: readonly ItemDraft[],
  { trackedFiles, targets }: { trackedFiles: ReadonlySet<string> | undefined; targets: readonly string[] | null },
  report: ReportProblem,
): PlanItem[] {
  checkCycles(drafts, report);
  if (targets !== null && targets.length > 0) checkTargets(drafts, targets, report);
  if (trackedFiles !== undefined) {
    const paths = drafts.map(({ item, reads }) => ({
      id: item.item_id,
      prerequisites: item.prerequisites,
      deliverables: item.deliverables,
      reads,
    }));
    checkReads(paths, trackedFiles, report);
  }
  return drafts.map(({ item }) => item);
}

/**
 * Refuses ids that folders cannot be named after, or that differ in case alone.
 *
 * Codes: PLAN_STEP_ID_SHAPE, PLAN_STEP_ID_DUPLICATE, PLAN_INVISIBLE_CHARACTER.
 */
export function checkStepIds(cells: readonly Cell[], report: ReportProblem): void {
  const seen = new Map<string, string>();
  for (const cell of cells) {
    if (!checkVisible(cell, "backticks", report) || !checkIdShape(cell, report)) {
      continue;
    }
    // Folders are named after ids, and some file systems fold case.
    const folded = cell.raw.toLowerCase();
    const other = seen.get(folded);
    if (other !== undefined) {
      report("PLAN_STEP_ID_DUPLICATE", cell, {
        expected: "an id that differs from all others in more than case",
        found: `${quoteText(cell.raw)} beside ${quoteText(other)}`,
        example: `\`${cell.raw}.1\``,
      });
    }
    seen.set(folded, other ?? cell.raw);
  }
}

function checkIdShape(cell: Cell, report: ReportProblem): boolean {
  const hasShape = cell.raw.length <= STEP_ID_LENGTH_MAX && /^[A-Za-z0-9][A-Za-z0-9._:-]*$/.test(cell.raw);
  // `none` in `prerequisites` means no item, so no item can be called that.
  const good = hasShape && cell.raw.toLowerCase() !== "none";
  if (!good) {
    report("PLAN_STEP_ID_SHAPE", cell, {
      expected:
        `at most ${STEP_ID_LENGTH_MAX} letters, digits and \`._:-\`, the first one a letter or digit, ` +
        "and not the word `none`",
      found: quoteText(cell.raw),
      example: "`01` or `api.2`",
    });
  }
  return good;
}

/**
 * Red/green proof needs a command that gives it.
 *
 * Codes: PLAN_RED_GREEN_COMMAND.
 */
export function checkRedGreen(
  redGreen: boolean,
  commands: readonly string[] | undefined,
  names: { readonly commands: string; readonly redGreen: string },
  at: Place | undefined,
  report: ReportProblem,
): void {
  if (!redGreen || commands?.length !== 0 || at === undefined) return;
  report("PLAN_RED_GREEN_COMMAND", at, {
    expected: `at least one command in \`${names.commands}\`, because \`${names.redGreen}\` is true`,
    found: "none",
    example: "`node --test`",
  });
}

/** Refuses items beyond the limit; `at` is the place of the first one too many. */
export function checkItemCount(count: number, at: Place | undefined, report: ReportProblem): void {
  if (count <= ITEMS_MAX || at === undefined) return;
  report("PLAN_TOO_MANY_ITEMS", at, {
    expected: `at most ${ITEMS_MAX} items`,
    found: String(count),
    example: "split the work into several plans",
  });
}

/** What a reviewer reads as the limit of the whole plan has to be one. */
function checkTargets(drafts: readonly ItemDraft[], targets: readonly string[], report: ReportProblem): void {
  for (const { value, at } of drafts.flatMap(({ roots }) => roots)) {
    if (targets.some((target) => isInside(target, value))) continue;
    report("PLAN_WRITE_ROOT_OUTSIDE", at, {
      expected: "a write root inside of the plan's `Implementation-Targets`",
      found: quoteText(value),
      example: `\`${targets[0] ?? "src"}\``,
    });
  }
}

function checkCycles(drafts: readonly ItemDraft[], report: ReportProblem): void {
  const places = new Map(drafts.map(({ item, prerequisitesAt }) => [item.item_id, prerequisitesAt]));
  for (const cycle of findCycles(drafts.map(({ item }) => item))) {
    const [first = ""] = cycle;
    report("PLAN_PREREQUISITE_CYCLE", places.get(first) ?? FILE_START, {
      expected: "prerequisites without a circle",
      found: showCycle(cycle),
      example: `take ${quoteText(cycle[1] ?? first)} out of the prerequisites of ${quoteText(first)}`,
    });
  }
}

function showCycle(cycle: readonly string[]): string {
  const shown = [...cycle, cycle[0] ?? ""].slice(0, CYCLE_SHOWN_MAX + 1).map(quoteText);
  const rest = cycle.length - CYCLE_SHOWN_MAX;
  return `${shown.join(" waits for ")}${rest > 0 ? ` and so on, ${rest} more` : ""}`;
}
