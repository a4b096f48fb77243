import type { LocatedProblem } from "./plan.ts";
import { PLAN_PROBLEM_CODES, type PlanProblemCode } from "./plan-problem-codes.ts";

/** More than this many problems help nobody and would let a hostile file fill the memory. */
export const PROBLEMS_MAX = 1000;

/** A place while parsing: line from 1, offset in UTF-16 units from 0. */
export interface Place {
  readonly line: number;
  readonly offset: number;
}

/** Where everything is located that is missing altogether. */
export const FILE_START: Place = { line: 1, offset: 0 };

/** The three parts that every message has. */
export interface Expectation {
  readonly expected: string;
  readonly found: string;
  readonly example: string;
}

export type ReportProblem = (code: PlanProblemCode, at: Place, what: Expectation) => void;

interface ProblemCollector {
  readonly report: ReportProblem;
  /** All problems in the order of the file; `lines` are the lines that the offsets count in. */
  readonly finish: (lines: readonly string[]) => LocatedProblem[];
}

interface PlacedProblem {
  readonly code: PlanProblemCode;
  readonly at: Place;
  readonly message: string;
}

/** Collects the problems of one file, so that parsing goes on after each. */
export function collectProblems(path: string): ProblemCollector {
  const placed: PlacedProblem[] = [];
  let hidden = 0;
  const report: ReportProblem = (code, at, what) => {
    if (placed.length >= PROBLEMS_MAX) {
      hidden += 1;
      return;
    }
    placed.push({ code, at, message: `expected ${what.expected}; found ${what.found}; for example ${what.example}` });
  };
  const finish = (lines: readonly string[]): LocatedProblem[] => {
    if (hidden > 0) {
      const message =
        `expected at most ${PROBLEMS_MAX} problems; found ${hidden} more than are shown; ` +
        "for example mend those shown and check the plan again";
      placed.push({ code: "PLAN_TOO_MANY_PROBLEMS", at: FILE_START, message });
    }
    return locate(path, placed, lines);
  };
  return { report, finish };
}

/**
 * Turns offsets into columns in one walk over each line. Counting anew from the start of the line for each problem
 * would be quadratic for a long line with many problems.
 */
function locate(path: string, placed: readonly PlacedProblem[], lines: readonly string[]): LocatedProblem[] {
  const sorted = placed.toSorted((a, b) => a.at.line - b.at.line || a.at.offset - b.at.offset);
  let line = 0;
  let offset = 0;
  let column = 1;
  return sorted.map(({ code, at, message }) => {
    if (at.line !== line) {
      line = at.line;
      offset = 0;
      column = 1;
    }
    const text = lines[line - 1] ?? "";
    while (offset < at.offset && offset < text.length) {
      offset += (text.codePointAt(offset) ?? 0) > 0xffff ? 2 : 1;
      column += 1;
    }
    return { path, line, column, severity: PLAN_PROBLEM_CODES[code].severity, code, message };
  });
}
