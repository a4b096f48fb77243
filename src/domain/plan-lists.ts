import { findCodeSpans } from "./code-spans.ts";
import type { ReportProblem } from "./plan-problems.ts";
import type { Cell } from "./plan-table.ts";
import { invisibleIndex, quoteText, trimBlanks } from "./visible-text.ts";

/** The text of a cell: `\|` is a pipe. */
export function cellText(cell: Cell): string {
  return cell.raw.replaceAll(/\\([\\|])/g, (pair, character: string) => (character === "|" ? "|" : pair));
}

/** True for an empty cell and for `none`, the two ways to write an empty list. */
export function isNone(cell: Cell): boolean {
  return cell.raw === "" || cell.raw.toLowerCase() === "none";
}

/** What protects a `;` in a list: a path may hold an apostrophe, a command quotes with it. */
export type Quoting = "backticks" | "backticks-and-quotes";

/**
 * Splits a cell at `;` outside of backticks (and quotes), and strips one surrounding pair of backticks off each part.
 * Empty parts are dropped. Undefined after a problem.
 *
 * Codes: PLAN_QUOTE_UNCLOSED, PLAN_INVISIBLE_CHARACTER.
 */
export function parseList(cell: Cell | undefined, quoting: Quoting, report: ReportProblem): Cell[] | undefined {
  if (cell === undefined || isNone(cell)) {
    return [];
  }
  const split = splitAtSemicolons(cell, quoting);
  const parts = split.parts.map(stripBackticks).filter((part) => part.raw !== "");
  const unclosed = split.unclosed ?? firstUnclosed(parts, quoting);
  if (unclosed !== undefined) {
    report("PLAN_QUOTE_UNCLOSED", unclosed, {
      expected: `a closing ${unclosed.raw} in the same cell`,
      found: "none",
      example: quoting === "backticks" ? "`src/app.ts`; `README.md`" : '`node --test`; `echo "a; b"`',
    });
  }
  const hidden = parts.filter((part) => !checkVisible(part, quoting, report)).length;
  return unclosed === undefined && hidden === 0 ? parts.map((part) => ({ ...part, raw: cellText(part) })) : undefined;
}

/**
 * Refuses what a reviewer cannot see. In a command a tab is as good as a space.
 *
 * Codes: PLAN_INVISIBLE_CHARACTER.
 */
export function checkVisible(cell: Cell, quoting: Quoting, report: ReportProblem): boolean {
  const text = quoting === "backticks" ? cell.raw : cell.raw.replaceAll("\t", " ");
  const index = invisibleIndex(text);
  if (index === -1) {
    return true;
  }
  const character = String.fromCodePoint(text.codePointAt(index) ?? 0);
  report(
    "PLAN_INVISIBLE_CHARACTER",
    { line: cell.line, offset: cell.offset + index },
    {
      expected: "visible characters only",
      found: quoteText(character),
      example: "type the text anew instead of pasting it",
    },
  );
  return false;
}

interface SplitCell {
  readonly parts: readonly Cell[];
  /** The quote or backticks that nothing closes. */
  readonly unclosed: Cell | undefined;
}

function splitAtSemicolons(cell: Cell, quoting: Quoting): SplitCell {
  const { raw } = cell;
  const spans = findCodeSpans(raw);
  const parts: Cell[] = [];
  let begin = 0;
  const endPart = (end: number): void => {
    parts.push(trimmedPart(cell, begin, end));
    begin = end + 1;
  };
  for (let at = 0; at < raw.length;) {
    const character = raw[at] ?? "";
    let next: number | undefined = at + 1;
    if (character === "\\" && /["'`\\]/.test(raw[at + 1] ?? "")) {
      next = at + 2;
    } else if (character === "`") {
      next = spans.endOf(at);
    } else if (quoting === "backticks-and-quotes" && (character === '"' || character === "'")) {
      next = quoteEnd(raw, at, character);
    } else if (character === ";") {
      endPart(at);
    }
    if (next === undefined) {
      const mark = character === "`" ? "`".repeat(Math.min(spans.runAt(at), 8)) : character;
      return { parts, unclosed: { raw: mark, line: cell.line, offset: cell.offset + at } };
    }
    at = next;
  }
  endPart(raw.length);
  return { parts, unclosed: undefined };
}

/** Offset after the closing quote. As in a shell, a backslash escapes in double quotes only. */
function quoteEnd(text: string, open: number, quote: string): number | undefined {
  for (let at = open + 1; at < text.length; at += 1) {
    if (text[at] === quote) {
      return at + 1;
    }
    at += quote === '"' && text[at] === "\\" ? 1 : 0;
  }
  return undefined;
}

/** Inside of a stripped pair of backticks the quotes count again: a shell would wait for the closing one. */
function firstUnclosed(parts: readonly Cell[], quoting: Quoting): Cell | undefined {
  return parts.map((part) => splitAtSemicolons(part, quoting).unclosed).find((unclosed) => unclosed !== undefined);
}

function stripBackticks(part: Cell): Cell {
  if (!part.raw.startsWith("`")) {
    return part;
  }
  const spans = findCodeSpans(part.raw);
  const length = spans.runAt(0);
  // "`a` && `b`" begins and ends with backticks too, but not with one pair.
  return spans.endOf(0) === part.raw.length ? trimmedPart(part, length, part.raw.length - length) : part;
}

function trimmedPart(cell: Cell, begin: number, end: number): Cell {
  const part = trimBlanks(cell.raw.slice(begin, end));
  return { raw: part.text, line: cell.line, offset: cell.offset + begin + part.start };
}
