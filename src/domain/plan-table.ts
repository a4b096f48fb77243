import { findCodeSpans } from "./code-spans.ts";
import { indentOf, parseHeading, type PlanLine } from "./plan-outline.ts";
import { FILE_START, type ReportProblem } from "./plan-problems.ts";
import { quoteText, trimBlanks } from "./visible-text.ts";

/** A cell as it stands in the file, trimmed, with the place of its first character. `\|` is still escaped. */
export interface Cell {
  readonly raw: string;
  readonly line: number;
  readonly offset: number;
}

export interface Row {
  readonly line: number;
  readonly offset: number;
  readonly cells: readonly Cell[];
}

export interface ItemTable {
  readonly header: Row;
  readonly rows: readonly Row[];
}

const EXAMPLE_HEADER = "`| step_id | phase | action | … |` with `|---|---|---|…|` under it";

/**
 * Finds the item table: the first pipe table of section 2 whose first header cell is `step_id`.
 *
 * Codes: PLAN_TABLE_MISSING, PLAN_TABLE_DELIMITER, PLAN_TABLE_EXTRA, PLAN_ROW_DETACHED.
 */
export function findItemTable(lines: readonly PlanLine[], report: ReportProblem): ItemTable | undefined {
  let found: ItemTable | undefined;
  let detached = false;
  for (let index = 0; index < lines.length;) {
    const start = index;
    const header = rowAt(lines[index]);
    const delimited = header !== undefined && isDelimiter(header, lines[index + 1]);
    const isItems = header !== undefined && isItemHeader(header);
    if (header !== undefined && (delimited || (isItems && found === undefined))) {
      index = tableEnd(lines, index + 1);
      if (isItems && found !== undefined) {
        reportExtraTable(header, report);
      } else if (isItems) {
        found = { header, rows: readRows(lines, start, index, header, report) };
      }
      continue;
    }
    const isRow = lines[index]?.kind === "text" && header !== undefined && startsWithPipe(lines[index]?.text ?? "");
    if (found !== undefined && isRow && !detached) {
      reportDetachedRow(header, report);
    }
    detached = isRow;
    index += 1;
  }
  if (found === undefined) {
    report("PLAN_TABLE_MISSING", FILE_START, {
      expected: "a pipe table in section 2 whose first column is `step_id`",
      found: "none",
      example: EXAMPLE_HEADER,
    });
  }
  return found;
}

/** True when there is a pipe table, or one that is meant to be an item table. */
export function hasTable(lines: readonly PlanLine[], which: "any" | "items"): boolean {
  return lines.some((line, index) => {
    const row = rowAt(line);
    return row !== undefined && (isItemHeader(row) || (which === "any" && isDelimiter(row, lines[index + 1])));
  });
}

/** Splits a row at its pipes, except `\|` and pipes in backticks. The outer pipes are optional. */
function splitRow(line: PlanLine): Row {
  const { text } = line;
  const spans = findCodeSpans(text);
  const pipes: number[] = [];
  for (let at = 0; at < text.length;) {
    if (text[at] === "\\") {
      at += 2;
    } else if (text[at] === "`") {
      at = spans.endOf(at) ?? at + spans.runAt(at);
    } else {
      if (text[at] === "|") {
        pipes.push(at);
      }
      at += 1;
    }
  }
  const { text: content, start } = trimBlanks(text);
  const end = start + content.length;
  if (pipes[0] === start) {
    pipes.shift();
  }
  const from = text[start] === "|" ? start + 1 : start;
  if (pipes.at(-1) !== end - 1) {
    pipes.push(end);
  }
  let begin = from;
  const cells = pipes.map((pipe) => {
    const cell = trimBlanks(text.slice(begin, pipe));
    // An empty cell is located where its value would stand: one blank after the pipe, when there is one.
    const offset = cell.text === "" ? Math.min(begin + 1, pipe) : begin + cell.start;
    begin = pipe + 1;
    return { raw: cell.text, line: line.line, offset };
  });
  return { line: line.line, offset: start, cells };
}

function rowAt(line: PlanLine | undefined): Row | undefined {
  const isRow = line !== undefined && line.kind === "text" && line.text.includes("|") && indentOf(line.text) <= 3;
  return isRow ? splitRow(line) : undefined;
}

function isItemHeader(row: Row): boolean {
  return row.cells.length > 1 && row.cells[0]?.raw.toLowerCase() === "step_id";
}

function isDelimiter(header: Row, line: PlanLine | undefined): boolean {
  const row = rowAt(line);
  return row !== undefined && row.cells.length === header.cells.length && row.cells.every(isDashes);
}

/** A row that was meant to be the delimiter row: reported as such, and not read as an item. */
function isNearlyDelimiter(row: Row): boolean {
  return row.cells.filter(isDashes).length * 2 > row.cells.length;
}

function isDashes(cell: Cell): boolean {
  return /^:?-+:?$/.test(cell.raw);
}

/** A table ends where another block begins. A list does not end it: its first line is reported as a broken row. */
function tableEnd(lines: readonly PlanLine[], from: number): number {
  let index = from;
  for (; index < lines.length; index += 1) {
    const line = lines[index];
    const ends =
      line === undefined ||
      line.kind === "code" ||
      trimBlanks(line.text).text === "" ||
      line.text.startsWith(">", Math.min(indentOf(line.text), 3)) ||
      parseHeading(line) !== undefined;
    if (ends) {
      break;
    }
  }
  return index;
}

function readRows(
  lines: readonly PlanLine[],
  start: number,
  end: number,
  header: Row,
  report: ReportProblem,
): readonly Row[] {
  let first = start + 1;
  const delimiter = first < end ? lines[first] : undefined;
  if (isDelimiter(header, delimiter)) {
    first += 1;
  } else {
    const under = delimiter?.text ?? "";
    report(
      "PLAN_TABLE_DELIMITER",
      { line: header.line + 1, offset: indentOf(under) },
      {
        expected: `a delimiter row with ${header.cells.length} cells under the header`,
        found: delimiter === undefined ? "none" : quoteText(under),
        example: "`|---|---|---|…|`",
      },
    );
    first += delimiter !== undefined && isNearlyDelimiter(splitRow(delimiter)) ? 1 : 0;
  }
  return lines.slice(first, end).map(splitRow);
}

function reportExtraTable(header: Row, report: ReportProblem): void {
  report("PLAN_TABLE_EXTRA", header, {
    expected: "one item table in section 2",
    found: "another one, which is not read",
    example: "move its rows into the first table",
  });
}

function reportDetachedRow(row: Row, report: ReportProblem): void {
  report("PLAN_ROW_DETACHED", row, {
    expected: "all items in one table without a break",
    found: "a row that belongs to no table",
    example: "remove the blank line or comment above it",
  });
}

function startsWithPipe(text: string): boolean {
  return trimBlanks(text).text.startsWith("|");
}
