import { forbiddenRoot, normalizePath, pathProblem } from "./paths.ts";
import { cellText, parseList } from "./plan-lists.ts";
import type { ReportProblem } from "./plan-problems.ts";
import type { Cell } from "./plan-table.ts";
import { quoteText } from "./visible-text.ts";

/** A value with the place it was read from, for checks that need the whole table. */
export interface Placed {
  readonly value: string;
  readonly at: Cell;
}

/**
 * A text that must not be empty.
 *
 * Codes: PLAN_CELL_EMPTY.
 */
export function parseRequiredText(column: string, cell: Cell | undefined, report: ReportProblem): string {
  const text = parseText(cell);
  if (cell !== undefined && text === "") {
    reportEmpty(column, cell, "a text", "`Both keys verify`", report);
  }
  return text;
}

/** A text that may be empty or in a missing column. */
export function parseText(cell: Cell | undefined): string {
  return cell === undefined ? "" : cellText(cell).trim();
}

/**
 * One of a column's values, in any case; the first one when the cell is empty or its column missing.
 *
 * Codes: PLAN_VALUE_UNKNOWN.
 */
export function parseChoice<T extends string>(
  values: readonly [T, ...T[]],
  cell: Cell | undefined,
  report: ReportProblem,
): T {
  if (cell === undefined || cell.raw === "") {
    return values[0];
  }
  const chosen = values.find((value) => value === cell.raw.toLowerCase());
  if (chosen === undefined) {
    report("PLAN_VALUE_UNKNOWN", cell, {
      expected: `one of ${values.join(", ")}`,
      found: quoteText(cell.raw),
      example: `\`${values.at(-1)}\``,
    });
  }
  return chosen ?? values[0];
}

const BOOLEANS: ReadonlyMap<string, boolean> = new Map([
  ["true", true],
  ["yes", true],
  ["y", true],
  ["1", true],
  ["false", false],
  ["no", false],
  ["n", false],
  ["0", false],
]);

/**
 * A yes or no, in any case. An empty cell is an error: proof that nobody decided about is not a default.
 *
 * Codes: PLAN_VALUE_UNKNOWN.
 */
export function parseBoolean(cell: Cell | undefined, report: ReportProblem): boolean {
  const value = BOOLEANS.get(cell?.raw.toLowerCase() ?? "");
  if (cell !== undefined && value === undefined) {
    report("PLAN_VALUE_UNKNOWN", cell, {
      expected: `one of ${[...BOOLEANS.keys()].join(", ")}`,
      found: quoteText(cell.raw),
      example: "`true`",
    });
  }
  return value ?? false;
}

/**
 * Commands separated by `;`, or undefined after a problem.
 *
 * Codes: PLAN_QUOTE_UNCLOSED, PLAN_INVISIBLE_CHARACTER.
 */
export function parseCommands(cell: Cell | undefined, report: ReportProblem): string[] | undefined {
  return parseList(cell, "backticks-and-quotes", report)?.map((part) => part.raw);
}

/**
 * Paths separated by `;`, normalized, each once. Bad ones are reported and left out.
 *
 * Codes: PLAN_QUOTE_UNCLOSED, PLAN_INVISIBLE_CHARACTER, PLAN_PATH_SHAPE, PLAN_PATH_WILDCARD.
 */
export function parsePaths(cell: Cell | undefined, report: ReportProblem): Placed[] {
  return keepPaths(parseList(cell, "backticks", report) ?? [], report);
}

/**
 * The same for paths that are apart already.
 *
 * Codes: PLAN_PATH_SHAPE, PLAN_PATH_WILDCARD.
 */
export function keepPaths(parts: readonly Cell[], report: ReportProblem): Placed[] {
  const paths = new Map<string, Placed>();
  for (const at of parts) {
    const value = normalizePath(at.raw);
    if (checkPath(value, at, report) && !paths.has(value)) {
      paths.set(value, { value, at });
    }
  }
  return [...paths.values()];
}

/**
 * Paths of which there must be at least one.
 *
 * Codes: those of `parsePaths`, and PLAN_CELL_EMPTY.
 */
export function parseRequiredPaths(column: string, cell: Cell | undefined, report: ReportProblem): Placed[] {
  let clean = true;
  const paths = parsePaths(cell, (...problem) => {
    clean = false;
    report(...problem);
  });
  if (cell !== undefined && paths.length === 0 && clean) {
    reportEmpty(column, cell, "at least one path", "`src/session`", report);
  }
  return paths;
}

/**
 * The folders and files an item may write. The parser knows the names that are never open; what a policy protects
 * beyond them is judged where the policy is known.
 *
 * Codes: those of `parseRequiredPaths`, and PLAN_WRITE_ROOT_FORBIDDEN.
 */
export function parseWriteRoots(
  cell: Cell | undefined,
  forbiddenFolders: readonly string[],
  report: ReportProblem,
): Placed[] {
  return keepRoots(parseRequiredPaths("allowed_write_roots", cell, report), forbiddenFolders, report);
}

/**
 * Leaves out roots that no plan may open.
 *
 * Codes: PLAN_WRITE_ROOT_FORBIDDEN.
 */
export function keepRoots(
  paths: readonly Placed[],
  forbiddenFolders: readonly string[],
  report: ReportProblem,
): Placed[] {
  return paths.filter(({ value, at }) => {
    const rule = forbiddenRoot(value, forbiddenFolders);
    if (rule !== undefined) {
      report("PLAN_WRITE_ROOT_FORBIDDEN", at, {
        expected: `a write root outside of ${quoteText(rule)}`,
        found: quoteText(value),
        example: "`src/session`",
      });
    }
    return rule === undefined;
  });
}

function checkPath(path: string, at: Cell, report: ReportProblem): boolean {
  // Backticks that are left over are two paths without a `;`, or words around a path.
  const problem = pathProblem(path) ?? (path.includes("`") ? "a backtick" : undefined);
  if (problem !== undefined) {
    report("PLAN_PATH_SHAPE", at, {
      expected: "a path inside the repository, relative to its root and with `/`",
      found: `${problem} in ${quoteText(path)}`,
      example: "`src/session/key.ts`",
    });
    return false;
  }
  if (path.includes("*")) {
    report("PLAN_PATH_WILDCARD", at, {
      expected: "the path of one file or folder",
      found: `\`*\` in ${quoteText(path)}`,
      example: "`src/session` for all that lies beneath it",
    });
    return false;
  }
  return true;
}

function reportEmpty(column: string, cell: Cell, expected: string, example: string, report: ReportProblem): void {
  const found = cell.raw === "" ? "an empty cell" : quoteText(cell.raw);
  report("PLAN_CELL_EMPTY", cell, { expected: `${expected} in \`${column}\``, found, example });
}
