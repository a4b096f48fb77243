import { MANUAL_GATES, type PlanItem } from "./plan.ts";
import {
  parseBoolean,
  parseChoice,
  parseCommands,
  parsePaths,
  parseRequiredPaths,
  parseRequiredText,
  parseText,
  parseWriteRoots,
} from "./plan-cells.ts";
import { type CellOf, checkReserved, type ColumnIndex, parseColumns } from "./plan-columns.ts";
import { checkVisible } from "./plan-lists.ts";
import { findCycles } from "./plan-order.ts";
import { buildStepIds, parsePrerequisites, type StepIds } from "./plan-prerequisites.ts";
import { FILE_START, type ReportProblem } from "./plan-problems.ts";
import { buildChangeProfile } from "./plan-profile.ts";
import type { Cell, ItemTable, Row } from "./plan-table.ts";
import { checkReads, type ItemPaths } from "./plan-tracked.ts";
import { quoteText } from "./visible-text.ts";

/** Most items a plan may have. */
const ITEMS_MAX = 500;

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
}

interface ParsedRow {
  readonly item: PlanItem;
  readonly paths: ItemPaths;
  readonly prerequisitesCell: Cell | undefined;
}

/**
 * Reads the rows of the item table. What it returns is only sound when nothing was reported as an error.
 *
 * Codes: all that are about rows, cells and items.
 */
export function parseItems(table: ItemTable, surroundings: PlanSurroundings, report: ReportProblem): PlanItem[] {
  const columns = parseColumns(table.header, report);
  const rows = table.rows.slice(0, ITEMS_MAX);
  checkRowCount(table, report);
  const known = buildStepIds(rows.map((row) => row.cells[0]?.raw ?? ""));
  const whole = rows.filter((row) => checkCellCount(row, table.header, report));
  checkStepIds(whole, report);
  const parsed = whole.map((row) => parseRow(row, columns, known, surroundings, report));
  checkCycles(parsed, report);
  if (surroundings.trackedFiles !== undefined) {
    checkReads(
      parsed.map(({ paths }) => paths),
      surroundings.trackedFiles,
      report,
    );
  }
  return parsed.map(({ item }) => item);
}

function parseRow(
  row: Row,
  columns: ColumnIndex,
  known: StepIds,
  surroundings: PlanSurroundings,
  report: ReportProblem,
): ParsedRow {
  const cell: CellOf = (column) => row.cells[columns.get(column) ?? -1];
  const text = (column: Parameters<CellOf>[0]): string => parseRequiredText(column, cell(column), report);
  checkReserved(columns, row, report);
  const id = row.cells[0]?.raw ?? "";
  const surfaces = parsePaths(cell("repo_surfaces"), report);
  const deliverables = parseRequiredPaths("deliverable", cell("deliverable"), report).map(({ value }) => value);
  const consultPaths = parsePaths(cell("consult_paths"), report);
  const artifacts = parsePaths(cell("required_verification_artifacts"), report).map(({ value }) => value);
  const writeRoots = parseWriteRoots(cell("allowed_write_roots"), surroundings.forbiddenRoots ?? [], report);
  const roots = writeRoots.map(({ value }) => value);
  const prerequisites = parsePrerequisites(cell("prerequisites"), id, known, report);
  const exitCriteria = text("exit_criteria");
  const proof = parseProof(cell, report);
  const item: PlanItem = {
    item_id: id,
    phase: text("phase"),
    action: text("action"),
    why_now: text("why_now"),
    owner_type: text("owner_type"),
    prerequisites,
    repo_surfaces: surfaces.map(({ value }) => value),
    deliverables,
    exit_criteria: exitCriteria,
    write_roots: roots,
    requires_red_green: proof.redGreen,
    manual_gate: parseChoice(MANUAL_GATES, cell("manual_gate"), report),
    manual_gate_reason: parseText(cell("manual_gate_reason")) || exitCriteria,
    manual_gate_evidence: parseText(cell("manual_gate_evidence")) || "decision record",
    external_check: parseChoice(["none", "human_supplied_evidence_required"], cell("external_check"), report),
    external_dependencies: parseText(cell("external_dependencies")),
    consult_paths: consultPaths.map(({ value }) => value),
    required_commands: proof.commands,
    suggested_commands: parseCommands(cell("suggested_verification_commands"), report) ?? [],
    required_artifacts: artifacts.length > 0 ? artifacts : deliverables,
    notes: parseText(cell("notes")),
    change_profile: buildChangeProfile(proof.redGreen, deliverables, roots),
    line: row.line,
  };
  const paths = { id, prerequisites, deliverables, reads: [...surfaces, ...consultPaths] };
  return { item, paths, prerequisitesCell: cell("prerequisites") };
}

/** Red/green proof and the commands that give it. */
function parseProof(cell: CellOf, report: ReportProblem): { redGreen: boolean; commands: string[] } {
  const redGreenCell = cell("requires_red_green");
  const commandsCell = cell("required_verification_commands");
  const redGreen = parseBoolean(redGreenCell, report);
  const commands = parseCommands(commandsCell, report);
  const at = commandsCell ?? redGreenCell;
  if (redGreen && commands?.length === 0 && at !== undefined) {
    report("PLAN_RED_GREEN_COMMAND", at, {
      expected: "at least one command in `required_verification_commands`, because `requires_red_green` is true",
      found: "none",
      example: "`node --test`",
    });
  }
  return { redGreen, commands: commands ?? [] };
}

function checkRowCount(table: ItemTable, report: ReportProblem): void {
  const tooMany = table.rows[ITEMS_MAX];
  if (tooMany !== undefined) {
    report("PLAN_TOO_MANY_ITEMS", tooMany, {
      expected: `at most ${ITEMS_MAX} items`,
      found: String(table.rows.length),
      example: "split the work into several plans",
    });
  }
  if (table.rows.length === 0) {
    report("PLAN_ITEMS_MISSING", FILE_START, {
      expected: "at least one row in the item table",
      found: `none in the table at line ${table.header.line}`,
      example: "`| 01 | build | Add the key ring | … |`",
    });
  }
}

function checkCellCount(row: Row, header: Row, report: ReportProblem): boolean {
  const expected = header.cells.length;
  if (row.cells.length === expected) {
    return true;
  }
  // Too many: the first cell that has no column. Too few: the row, because any of its cells may be the missing one.
  report("PLAN_CELL_COUNT", row.cells[expected] ?? row, {
    expected: `${expected} cells as in the header`,
    found: String(row.cells.length),
    example: "write a pipe inside of a cell as `\\|`, and a blank line after the table",
  });
  return false;
}

function checkStepIds(rows: readonly Row[], report: ReportProblem): void {
  const seen = new Map<string, string>();
  for (const cell of rows.flatMap((row) => row.cells.slice(0, 1))) {
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

function checkCycles(parsed: readonly ParsedRow[], report: ReportProblem): void {
  const rows = new Map(parsed.map((row) => [row.item.item_id, row]));
  for (const cycle of findCycles(parsed.map(({ item }) => item))) {
    const [first = ""] = cycle;
    const at = rows.get(first)?.prerequisitesCell;
    report("PLAN_PREREQUISITE_CYCLE", at ?? FILE_START, {
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
