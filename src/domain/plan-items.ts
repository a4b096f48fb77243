import { MANUAL_GATES } from "./plan.ts";
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
import {
  buildItem,
  checkItemCount,
  checkRedGreen,
  checkStepIds,
  type ItemDraft,
  ITEMS_MAX,
  type PlanSurroundings,
} from "./plan-item-checks.ts";
import { buildStepIds, parsePrerequisites, type StepIds } from "./plan-prerequisites.ts";
import { FILE_START, type ReportProblem } from "./plan-problems.ts";
import type { ItemTable, Row } from "./plan-table.ts";

/**
 * Reads the rows of the item table. What it returns is only sound when nothing was reported as an error.
 *
 * Codes: all that are about rows, cells and items.
 */
export function parseItems(table: ItemTable, surroundings: PlanSurroundings, report: ReportProblem): ItemDraft[] {
  const columns = parseColumns(table.header, report);
  const rows = table.rows.slice(0, ITEMS_MAX);
  checkRowCount(table, report);
  const known = buildStepIds(rows.map((row) => row.cells[0]?.raw ?? ""));
  const whole = rows.filter((row) => checkCellCount(row, table.header, report));
  checkStepIds(
    whole.flatMap((row) => row.cells.slice(0, 1)),
    report,
  );
  return whole.map((row) => parseRow(row, columns, known, surroundings, report));
}

function parseRow(
  row: Row,
  columns: ColumnIndex,
  known: StepIds,
  surroundings: PlanSurroundings,
  report: ReportProblem,
): ItemDraft {
  const cell: CellOf = (column) => row.cells[columns.get(column) ?? -1];
  const text = (column: Parameters<CellOf>[0]): string => parseRequiredText(column, cell(column), report);
  checkReserved(columns, row, report);
  const id = row.cells[0]?.raw ?? "";
  const surfaces = parsePaths(cell("repo_surfaces"), report);
  const deliverables = parseRequiredPaths("deliverable", cell("deliverable"), report).map(({ value }) => value);
  const consultPaths = parsePaths(cell("consult_paths"), report);
  const artifacts = parsePaths(cell("required_verification_artifacts"), report).map(({ value }) => value);
  const roots = parseWriteRoots(cell("allowed_write_roots"), surroundings.forbiddenRoots ?? [], report);
  const prerequisites = parsePrerequisites(cell("prerequisites"), id, known, report);
  const exitCriteria = text("exit_criteria");
  const proof = parseProof(cell, report);
  const item = buildItem({
    item_id: id,
    phase: text("phase"),
    action: text("action"),
    why_now: text("why_now"),
    owner_type: text("owner_type"),
    prerequisites,
    repo_surfaces: surfaces.map(({ value }) => value),
    deliverables,
    exit_criteria: exitCriteria,
    write_roots: roots.map(({ value }) => value),
    requires_red_green: proof.redGreen,
    manual_gate: parseChoice(MANUAL_GATES, cell("manual_gate"), report),
    manual_gate_reason: parseText(cell("manual_gate_reason")),
    manual_gate_evidence: parseText(cell("manual_gate_evidence")),
    external_check: parseChoice(["none", "human_supplied_evidence_required"], cell("external_check"), report),
    external_dependencies: parseText(cell("external_dependencies")),
    consult_paths: consultPaths.map(({ value }) => value),
    required_commands: proof.commands,
    suggested_commands: parseCommands(cell("suggested_verification_commands"), report) ?? [],
    required_artifacts: artifacts,
    notes: parseText(cell("notes")),
    // No column says so.
    allow_no_change: false,
    line: row.line,
  });
  return { item, reads: [...surfaces, ...consultPaths], roots, prerequisitesAt: cell("prerequisites") };
}

/** Red/green proof and the commands that give it. */
function parseProof(cell: CellOf, report: ReportProblem): { redGreen: boolean; commands: string[] } {
  const redGreenCell = cell("requires_red_green");
  const commandsCell = cell("required_verification_commands");
  const redGreen = parseBoolean(redGreenCell, report);
  const commands = parseCommands(commandsCell, report);
  const names = { commands: "required_verification_commands", redGreen: "requires_red_green" };
  checkRedGreen(redGreen, commands, names, commandsCell ?? redGreenCell, report);
  return { redGreen, commands: commands ?? [] };
}

function checkRowCount(table: ItemTable, report: ReportProblem): void {
  checkItemCount(table.rows.length, table.rows[ITEMS_MAX], report);
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
