import { isNone } from "./plan-lists.ts";
import type { ReportProblem } from "./plan-problems.ts";
import type { Cell } from "./plan-table.ts";
import { quoteText, trimBlanks } from "./visible-text.ts";

/** The ids of a plan's rows, also of rows that are broken otherwise, so that one fault is not reported twice. */
export interface StepIds {
  readonly ids: readonly string[];
  readonly positions: ReadonlyMap<string, number>;
  /** Ids that are digits alone, by number, for ranges. */
  readonly numeric: readonly { readonly number: number; readonly width: number; readonly position: number }[];
}

/** Prepares the ids for look-up. The first of two equal ids counts. */
export function buildStepIds(ids: readonly string[]): StepIds {
  const positions = new Map<string, number>();
  for (const [position, id] of ids.entries()) {
    positions.set(id, positions.get(id) ?? position);
  }
  const numeric = [...positions]
    .filter(([id]) => /^\d{1,15}$/.test(id))
    .map(([id, position]) => ({ number: Number(id), width: id.length, position }))
    .toSorted((a, b) => a.number - b.number);
  return { ids, positions, numeric };
}

/**
 * Reads `none`, ids and zero-padded ranges, comma-separated, into ids in table order. An empty cell is `none`. An id
 * that looks like a range is that id.
 *
 * Codes: PLAN_PREREQUISITE_UNKNOWN, PLAN_PREREQUISITE_SELF, PLAN_PREREQUISITE_RANGE.
 */
export function parsePrerequisites(
  cell: Cell | undefined,
  ownId: string,
  known: StepIds,
  report: ReportProblem,
): string[] {
  return cell === undefined || isNone(cell) ? [] : parsePrerequisiteParts(splitAtCommas(cell), ownId, known, report);
}

/**
 * The same for ids and ranges that are apart already.
 *
 * Codes: those of `parsePrerequisites`.
 */
export function parsePrerequisiteParts(
  parts: readonly Cell[],
  ownId: string,
  known: StepIds,
  report: ReportProblem,
): string[] {
  const own = known.positions.get(ownId) ?? -1;
  // Marks instead of a set: a cell may hold thousands of ranges that name the same items.
  const named = new Uint8Array(known.ids.length);
  for (const part of parts) {
    markNamed(part, known, named, report);
    if (named[own] === 1) {
      named[own] = 0;
      report("PLAN_PREREQUISITE_SELF", part, {
        expected: `items other than ${quoteText(ownId)}`,
        found: quoteText(part.raw),
        example: "`none`",
      });
    }
  }
  return known.ids.filter((_, position) => named[position] === 1);
}

function markNamed(part: Cell, known: StepIds, named: Uint8Array, report: ReportProblem): void {
  const position = known.positions.get(part.raw);
  const range = position === undefined ? /^(\d{1,15})-(\d{1,15})$/.exec(part.raw) : null;
  if (position !== undefined) {
    named[position] = 1;
  } else if (range === null) {
    reportUnknown(part, quoteText(part.raw), report);
  } else {
    const [, from = "", to = ""] = range;
    markRange(part, from, to, known, named, report);
  }
}

/** Walks over the ids there are instead of over the range, which may be as long as somebody likes to write. */
function markRange(
  part: Cell,
  from: string,
  to: string,
  known: StepIds,
  named: Uint8Array,
  report: ReportProblem,
): void {
  const first = Number(from);
  const last = Number(to);
  if (from.length !== to.length || first > last) {
    report("PLAN_PREREQUISITE_RANGE", part, {
      expected: "a range that runs upwards, both ends with the same number of digits",
      found: quoteText(part.raw),
      example: "`08-10`",
    });
    return;
  }
  let next = first;
  for (const { number, width, position } of known.numeric) {
    if (width === from.length && number >= first && number <= last) {
      next += number === next ? 1 : 0;
      named[position] = 1;
    }
  }
  if (next <= last) {
    reportUnknown(part, quoteText(String(next).padStart(from.length, "0")), report);
  }
}

function reportUnknown(part: Cell, id: string, report: ReportProblem): void {
  report("PLAN_PREREQUISITE_UNKNOWN", part, {
    expected: "the `step_id` of another row, a range of them, or `none`",
    found: `${id}, which no row has`,
    example: "`01, 03-05`",
  });
}

function splitAtCommas(cell: Cell): Cell[] {
  let begin = 0;
  const parts = cell.raw.split(",").map((text) => {
    const part = trimBlanks(text);
    const offset = cell.offset + begin + part.start;
    begin += text.length + 1;
    return { raw: part.text, line: cell.line, offset };
  });
  return parts.filter((part) => part.raw !== "");
}
