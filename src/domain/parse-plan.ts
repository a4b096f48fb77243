import { type FrontMatter, readFrontMatter, splitFrontMatter } from "./front-matter.ts";
import { parseFrontItems, parseFrontMetadata } from "./front-matter-plan.ts";
import type { LocatedProblem, Plan, PlanItem, PlanMetadata } from "./plan.ts";
import { parseFreeText } from "./plan-free-text.ts";
import { parseIdentity } from "./plan-identity.ts";
import { checkItems, type ItemDraft, type PlanSurroundings } from "./plan-item-checks.ts";
import { parseItems } from "./plan-items.ts";
import { parseMetadata } from "./plan-metadata.ts";
import { parseOutline, type PlanOutline } from "./plan-outline.ts";
import { collectProblems, FILE_START, type ReportProblem } from "./plan-problems.ts";
import { buildSingleItem } from "./plan-single-item.ts";
import { parsePhaseSections, parseSharedSections } from "./plan-support.ts";
import { findItemTable, hasTable } from "./plan-table.ts";
import { parsePlanLines } from "./plan-text.ts";

/** A plan file and what is known about its repository. */
export interface PlanInput extends PlanSurroundings {
  /** Path of the file, relative to the repository's root. */
  readonly path: string;
  readonly bytes: Uint8Array;
}

/** How a plan is written: where what it says of itself stands, and where its items do. */
export interface PlanForm {
  readonly metadata: "none" | "section" | "front_matter";
  /** `single`: the plan has no items of its own and is one. */
  readonly items: "table" | "front_matter" | "single";
}

export interface ParsedPlan {
  /** Undefined when one of the problems is an error. */
  readonly plan: Plan | undefined;
  /** All problems in the order of the file. */
  readonly problems: LocatedProblem[];
  readonly form: PlanForm;
}

const ITEM_SECTION = 2;

/**
 * Parses a plan in any of its forms and reports every problem at once. Never throws, whatever the bytes, and takes time
 * linear in their number. `docs/plan-format.md` describes the forms.
 *
 * Codes: `PLAN_PROBLEM_CODES`, but for those of `judgeQueue` and of reading files.
 */
export function parsePlan(input: PlanInput): ParsedPlan {
  const { report, finish } = collectProblems(input.path);
  const lines = parsePlanLines(input.bytes, report);
  if (lines === undefined) {
    return { plan: undefined, problems: finish([]), form: { metadata: "none", items: "table" } };
  }
  const { yaml, body } = splitFrontMatter(lines, report);
  const front = yaml === undefined ? undefined : readFrontMatter(yaml, report);
  const held: Parameters<ReportProblem>[] = [];
  const outline = parseOutline(body, (...problem) => held.push(problem));
  const metadata = readMetadata(outline, front, report);
  const form: PlanForm = {
    metadata: yaml !== undefined ? "front_matter" : metadata === null ? "none" : "section",
    items: chooseItems(outline, front, metadata),
  };
  // Numbers of sections mean something beside an item table alone.
  if (form.items === "table") held.forEach((problem) => report(...problem));
  const identity = parseIdentity(input.path, { title: outline.title, planId: metadata?.plan_id ?? undefined }, report);
  const drafts = readDrafts(form, { outline, front, metadata, title: identity.title }, input, report);
  // A plan that is one item has its targets as its roots.
  const targets = form.items === "single" ? null : (metadata?.implementation_targets ?? null);
  const items = checkItems(drafts, { trackedFiles: input.trackedFiles, targets }, report);
  const texts = readTexts(form, outline, { title: identity.title, items }, report);
  const problems = finish(lines);
  if (problems.some(({ severity }) => severity === "error")) {
    return { plan: undefined, problems, form };
  }
  const plan: Plan = {
    schema_version: "conveyor.plan.v1",
    ...identity,
    path: input.path,
    metadata,
    items,
    ...texts,
  };
  return { plan, problems, form };
}

function readMetadata(
  outline: PlanOutline,
  front: FrontMatter | undefined,
  report: ReportProblem,
): PlanMetadata | null {
  const section = parseMetadata(outline.metadata, report);
  if (front === undefined) return section;
  const [twice] = outline.metadata;
  if (twice !== undefined) {
    report(
      "PLAN_METADATA_TWICE",
      { line: twice.line, offset: 0 },
      {
        expected: "front matter or a section `Metadata`",
        found: "both",
        example: "move what the section says into the front matter",
      },
    );
  }
  return parseFrontMetadata(front, report);
}

/**
 * A plan with metadata and no table that could be meant as its items is one item. Any table in section 2, and an item
 * table anywhere, is taken for such: what somebody wrote as items must not be passed over.
 */
function chooseItems(
  outline: PlanOutline,
  front: FrontMatter | undefined,
  metadata: PlanMetadata | null,
): PlanForm["items"] {
  if (front?.itemCount !== undefined) return "front_matter";
  if (metadata === null) return "table";
  const section = outline.sections.get(ITEM_SECTION)?.lines ?? [];
  return hasTable(section, "any") || hasTable(outline.lines, "items") ? "table" : "single";
}

function readDrafts(
  form: PlanForm,
  known: {
    readonly outline: PlanOutline;
    readonly front: FrontMatter | undefined;
    readonly metadata: PlanMetadata | null;
    readonly title: string;
  },
  surroundings: PlanSurroundings,
  report: ReportProblem,
): ItemDraft[] {
  const { outline, front, metadata, title } = known;
  const section = outline.sections.get(ITEM_SECTION);
  if (form.items === "front_matter" && front !== undefined) {
    const table = section === undefined ? undefined : findItemTable(section.lines, () => {});
    if (table !== undefined) {
      report("PLAN_ITEMS_TWICE", table.header, {
        expected: "items in the front matter or in an item table",
        found: "both",
        example: "move the rows of the table into `items`",
      });
    }
    return parseFrontItems(front, surroundings, report);
  }
  if (form.items === "single" && metadata !== null) {
    return [buildSingleItem({ title, metadata, lines: outline.lines }, surroundings, report)];
  }
  // Front matter that is no YAML may hold the items: then nothing is missing that we know of.
  if (section === undefined && form.metadata === "front_matter" && front === undefined) return [];
  if (section === undefined) {
    report("PLAN_SECTION_MISSING", FILE_START, {
      expected: "an H2 section with the number 2",
      found: "none",
      example: "`## 2. Items`",
    });
    return [];
  }
  const table = findItemTable(section.lines, report);
  return table === undefined ? [] : parseItems(table, surroundings, report);
}

function readTexts(
  form: PlanForm,
  outline: PlanOutline,
  { title, items }: { readonly title: string; readonly items: readonly PlanItem[] },
  report: ReportProblem,
): Pick<Plan, "shared_sections" | "phase_sections" | "item_sections"> {
  if (form.items !== "table") return { ...parseFreeText(outline.lines, title, items), phase_sections: [] };
  return {
    shared_sections: parseSharedSections(outline),
    phase_sections: items.length === 0 ? [] : parsePhaseSections(outline, items, report),
    item_sections: [],
  };
}
