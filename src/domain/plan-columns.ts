import { FILE_START, type ReportProblem } from "./plan-problems.ts";
import type { Cell, Row } from "./plan-table.ts";
import { quoteText } from "./visible-text.ts";

export const REQUIRED_COLUMNS = [
  "step_id",
  "phase",
  "action",
  "why_now",
  "owner_type",
  "prerequisites",
  "repo_surfaces",
  "deliverable",
  "exit_criteria",
  "allowed_write_roots",
  "requires_red_green",
] as const;

export const OPTIONAL_COLUMNS = [
  "manual_gate",
  "manual_gate_reason",
  "manual_gate_evidence",
  "external_check",
  "external_dependencies",
  "consult_paths",
  "required_verification_commands",
  "suggested_verification_commands",
  "required_verification_artifacts",
  "notes",
] as const;

/** Columns whose meaning is not a plan's to decide: the profile is derived, mode and host commands are configured. */
export const RESERVED_COLUMNS = ["change_profile", "execution_mode", "host_commands"] as const;

export type Column = (typeof REQUIRED_COLUMNS)[number] | (typeof OPTIONAL_COLUMNS)[number];
type KnownColumn = Column | (typeof RESERVED_COLUMNS)[number];

/** Position of each known column in the rows. */
export type ColumnIndex = ReadonlyMap<KnownColumn, number>;

/** The cell of a column, or undefined when the table has no such column. */
export type CellOf = (column: Column) => Cell | undefined;

const KNOWN_COLUMNS: ReadonlyMap<string, KnownColumn> = new Map(
  [...REQUIRED_COLUMNS, ...OPTIONAL_COLUMNS, ...RESERVED_COLUMNS].map((name) => [name, name]),
);

/**
 * Maps the header's names, in any case, to positions.
 *
 * Codes: PLAN_COLUMN_UNKNOWN, PLAN_COLUMN_DUPLICATE, PLAN_COLUMN_MISSING.
 */
export function parseColumns(header: Row, report: ReportProblem): ColumnIndex {
  const columns = new Map<KnownColumn, number>();
  const seen = new Set<string>();
  for (const [position, cell] of header.cells.entries()) {
    const name = cell.raw.toLowerCase();
    const column = KNOWN_COLUMNS.get(name);
    if (name !== "" && seen.has(name)) {
      report("PLAN_COLUMN_DUPLICATE", cell, {
        expected: "each column once",
        found: `a second column ${quoteText(cell.raw)}`,
        example: "remove one of the two",
      });
    } else if (column === undefined) {
      report("PLAN_COLUMN_UNKNOWN", cell, {
        expected: "a known column",
        found: `${quoteText(cell.raw)}, which is not read`,
        example: "`notes`",
      });
    } else {
      columns.set(column, position);
    }
    seen.add(name);
  }
  for (const column of REQUIRED_COLUMNS.filter((name) => !columns.has(name))) {
    report("PLAN_COLUMN_MISSING", FILE_START, {
      expected: `a column \`${column}\``,
      found: `none in the table at line ${header.line}`,
      example: `\`| step_id | … | ${column} |\``,
    });
  }
  return columns;
}

/**
 * Refuses values in reserved columns. An empty cell is no value and passes, so that a table may keep the column.
 *
 * Codes: PLAN_COLUMN_RESERVED.
 */
export function checkReserved(columns: ColumnIndex, row: Row, report: ReportProblem): void {
  for (const name of RESERVED_COLUMNS) {
    const cell = row.cells[columns.get(name) ?? -1];
    if (cell !== undefined && cell.raw !== "") {
      report("PLAN_COLUMN_RESERVED", cell, {
        expected: `no value, because \`${name}\` is reserved`,
        found: quoteText(cell.raw),
        example: "remove the column",
      });
    }
  }
}
