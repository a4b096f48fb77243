import type { LocatedProblem } from "./plan.ts";

interface ProblemCode {
  readonly severity: LocatedProblem["severity"];
  readonly means: string;
}

/**
 * Every code a plan can be refused or warned with, and what it means. `docs/plan-format.md` is checked against this
 * record. Codes are stable: scripts match on them.
 */
export const PLAN_PROBLEM_CODES = {
  PLAN_TOO_LARGE: { severity: "error", means: "The file is larger than 1 MiB." },
  PLAN_NOT_UTF8: { severity: "error", means: "The line holds bytes that are not UTF-8." },
  PLAN_NUL_BYTE: { severity: "error", means: "The line holds a NUL byte." },
  PLAN_TOO_MANY_PROBLEMS: { severity: "error", means: "There are more than 1000 problems; the rest are only counted." },
  PLAN_ID_IMPOSSIBLE: {
    severity: "error",
    means: "Neither the first H1 nor the file's name nor its folder holds a letter or digit for a plan id.",
  },
  PLAN_SECTION_MISSING: { severity: "error", means: "There is no H2 section with the number 2." },
  PLAN_SECTION_DUPLICATE: { severity: "error", means: "Two H2 sections have the same number from 1 to 6." },
  PLAN_TABLE_MISSING: { severity: "error", means: "Section 2 has no pipe table whose first column is `step_id`." },
  PLAN_TABLE_DELIMITER: {
    severity: "error",
    means: "The row under the item table's header is not a delimiter row with as many cells.",
  },
  PLAN_TABLE_EXTRA: {
    severity: "warning",
    means: "Section 2 has another table whose first column is `step_id`; it is not read.",
  },
  PLAN_ROW_DETACHED: {
    severity: "error",
    means: "A row after the item table belongs to no table, for example because of a blank line.",
  },
  PLAN_CELL_COUNT: { severity: "error", means: "A row has more or fewer cells than the header." },
  PLAN_COLUMN_MISSING: { severity: "error", means: "A required column is missing." },
  PLAN_COLUMN_DUPLICATE: { severity: "error", means: "A column stands twice in the header." },
  PLAN_COLUMN_UNKNOWN: { severity: "warning", means: "A column has no meaning and is not read." },
  PLAN_COLUMN_RESERVED: { severity: "error", means: "A reserved column holds a value." },
  PLAN_ITEMS_MISSING: { severity: "error", means: "There is an item table or a list of items, and nothing in it." },
  PLAN_TOO_MANY_ITEMS: { severity: "error", means: "There are more than 500 items." },
  PLAN_STEP_ID_SHAPE: { severity: "error", means: "A step id has characters or a length that ids do not have." },
  PLAN_STEP_ID_DUPLICATE: { severity: "error", means: "Two step ids are equal, or differ in case alone." },
  PLAN_CELL_EMPTY: { severity: "error", means: "A cell that needs a value is empty." },
  PLAN_VALUE_UNKNOWN: { severity: "error", means: "A cell has none of the values that its column knows." },
  PLAN_PREREQUISITE_UNKNOWN: { severity: "error", means: "A prerequisite is no step of this plan." },
  PLAN_PREREQUISITE_SELF: { severity: "error", means: "An item is its own prerequisite." },
  PLAN_PREREQUISITE_RANGE: { severity: "error", means: "A range runs backwards, or its ends differ in length." },
  PLAN_PREREQUISITE_CYCLE: { severity: "error", means: "Items wait for each other in a circle." },
  PLAN_PATH_SHAPE: { severity: "error", means: "A path is not a plain path inside the repository." },
  PLAN_PATH_WILDCARD: { severity: "error", means: "A path holds `*`; paths name one file or folder." },
  PLAN_PATH_UNTRACKED: {
    severity: "error",
    means: "A surface or consult path is neither tracked at the base commit nor delivered by a prerequisite.",
  },
  PLAN_WRITE_ROOT_FORBIDDEN: { severity: "error", means: "A write root lies where no item may ever write." },
  PLAN_QUOTE_UNCLOSED: { severity: "error", means: "A quote or backtick in a path or command is never closed." },
  PLAN_INVISIBLE_CHARACTER: {
    severity: "error",
    means: "An id, path or command holds a control, bidi or zero-width character.",
  },
  PLAN_RED_GREEN_COMMAND: { severity: "error", means: "Red/green proof is required but no command is." },
  PLAN_METADATA_LINE: {
    severity: "error",
    means: "A line of the section `Metadata` is no bullet `- Key: value`, or has a key inside of another bullet.",
  },
  PLAN_METADATA_KEY_UNKNOWN: { severity: "warning", means: "A key of the section `Metadata` is not read." },
  PLAN_METADATA_DUPLICATE: { severity: "error", means: "The section `Metadata`, or a key in it, stands twice." },
  PLAN_METADATA_VALUE: { severity: "error", means: "A key of the section `Metadata` has no value that it knows." },
  PLAN_METADATA_RISK_UNREADABLE: {
    severity: "warning",
    means: "`Risk-Tier` is none of low, medium and high, so the plan counts as high risk.",
  },
  PLAN_METADATA_TWICE: {
    severity: "error",
    means: "The plan has front matter and a section `Metadata`; one of them has to go.",
  },
  PLAN_FRONT_MATTER_UNCLOSED: { severity: "error", means: "The front matter that begins in line 1 is never closed." },
  PLAN_FRONT_MATTER_YAML: { severity: "error", means: "The front matter is not YAML, or YAML that is not read." },
  PLAN_FRONT_MATTER_KEY_UNKNOWN: { severity: "error", means: "A key of the front matter has no meaning." },
  PLAN_FRONT_MATTER_KEY_MISSING: { severity: "error", means: "An item of the front matter lacks a key." },
  PLAN_FRONT_MATTER_VALUE: { severity: "error", means: "A key of the front matter has no value that it knows." },
  PLAN_ITEMS_TWICE: { severity: "error", means: "The plan has items in its front matter and an item table." },
  PLAN_TARGETS_MISSING: {
    severity: "warning",
    means: "The plan is one item and has no `Implementation-Targets`, so it may write everything and is high risk.",
  },
  PLAN_WRITE_ROOT_OUTSIDE: {
    severity: "error",
    means: "A write root of an item lies outside of the plan's `Implementation-Targets`.",
  },
  PLAN_QUEUE_KEY_MISSING: {
    severity: "warning",
    means: "The plan says nothing of a key that a queue needs. Only `plans lint` looks; `run` does not mind.",
  },
  PLAN_QUEUE_STATUS: {
    severity: "warning",
    means: "The plan's `Status` is none of its folder's. Only `plans lint` looks; `run` does not mind.",
  },
  PLAN_ID_DUPLICATE: {
    severity: "warning",
    means: "Another plan that was looked at has the same id. Only `plans lint` looks; `run` does not mind.",
  },
  PLAN_UNREADABLE: { severity: "error", means: "The file cannot be read." },
  PLAN_PHASE_UNMATCHED: {
    severity: "warning",
    means: "A heading of section 3 names a phase that no item has, so its text travels with nobody.",
  },
} as const satisfies Record<`PLAN_${string}`, ProblemCode>;

/** A stable code that says what is wrong with a plan. */
export type PlanProblemCode = keyof typeof PLAN_PROBLEM_CODES;
