import type { LocatedProblem, Plan } from "./plan.ts";
import { parseIdentity } from "./plan-identity.ts";
import { parseMetadata } from "./plan-metadata.ts";
import { parseItems, type PlanSurroundings } from "./plan-items.ts";
import { parseOutline, type PlanOutline } from "./plan-outline.ts";
import { collectProblems, FILE_START, type ReportProblem } from "./plan-problems.ts";
import { parsePhaseSections, parseSharedSections } from "./plan-support.ts";
import { findItemTable, type ItemTable } from "./plan-table.ts";
import { parsePlanLines } from "./plan-text.ts";

/** A plan file and what is known about its repository. */
export interface PlanInput extends PlanSurroundings {
  /** Path of the file, relative to the repository's root. */
  readonly path: string;
  readonly bytes: Uint8Array;
}

export interface ParsedPlan {
  /** Undefined when one of the problems is an error. */
  readonly plan: Plan | undefined;
  /** All problems in the order of the file. */
  readonly problems: LocatedProblem[];
}

const ITEM_SECTION = 2;

/**
 * Parses a plan in the form `markdown_playbook_v1` and reports every problem at once. Never throws, whatever the
 * bytes, and takes time linear in their number. `docs/plan-format.md` describes the form.
 *
 * Codes: `PLAN_PROBLEM_CODES`.
 */
export function parsePlan(input: PlanInput): ParsedPlan {
  const { report, finish } = collectProblems(input.path);
  const lines = parsePlanLines(input.bytes, report);
  if (lines === undefined) {
    return { plan: undefined, problems: finish([]) };
  }
  const outline = parseOutline(lines, report);
  const metadata = parseMetadata(outline.metadata, report);
  const identity = parseIdentity(input.path, { title: outline.title, planId: metadata?.plan_id ?? undefined }, report);
  const table = findTable(outline, report);
  const items = table === undefined ? [] : parseItems(table, input, report);
  const phaseSections = items.length === 0 ? [] : parsePhaseSections(outline, items, report);
  const problems = finish(lines);
  if (problems.some(({ severity }) => severity === "error")) {
    return { plan: undefined, problems };
  }
  const plan: Plan = {
    schema_version: "conveyor.plan.v1",
    ...identity,
    path: input.path,
    metadata,
    items,
    shared_sections: parseSharedSections(outline),
    phase_sections: phaseSections,
  };
  return { plan, problems };
}

function findTable(outline: PlanOutline, report: ReportProblem): ItemTable | undefined {
  const section = outline.sections.get(ITEM_SECTION);
  if (section === undefined) {
    report("PLAN_SECTION_MISSING", FILE_START, {
      expected: "an H2 section with the number 2",
      found: "none",
      example: "`## 2. Items`",
    });
    return undefined;
  }
  return findItemTable(section.lines, report);
}
