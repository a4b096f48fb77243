import type { PlanMetadata } from "./plan.ts";
import { keepRoots } from "./plan-cells.ts";
import { buildItem, type ItemDraft, type PlanSurroundings } from "./plan-item-checks.ts";
import { indentOf, parseHeading, type PlanLine } from "./plan-outline.ts";
import { FILE_START, type ReportProblem } from "./plan-problems.ts";
import { trimBlanks } from "./visible-text.ts";

/** The id of the only item of a plan that has no items of its own. */
const SINGLE_ITEM_ID = "01";

/**
 * Makes the one item of a plan that has metadata and no items of its own: its title, its acceptance criteria with every
 * box of the section `Must-Land Checklist`, its targets as write roots, and its validation commands.
 *
 * Codes: PLAN_TARGETS_MISSING, PLAN_WRITE_ROOT_FORBIDDEN.
 */
export function buildSingleItem(
  plan: { readonly title: string; readonly metadata: PlanMetadata; readonly lines: readonly PlanLine[] },
  surroundings: PlanSurroundings,
  report: ReportProblem,
): ItemDraft {
  const { title, metadata } = plan;
  const targets = metadata.implementation_targets;
  if (targets === null) {
    report("PLAN_TARGETS_MISSING", FILE_START, {
      expected: "`Implementation-Targets`, because the plan has no items with write roots of their own",
      found: "none, so the whole repository may change and the plan is high risk",
      example: "`- Implementation-Targets: src/session, docs/keys.md`",
    });
  }
  const placed = (targets ?? ["."]).map((value) => ({ value, at: { raw: value, ...FILE_START } }));
  const roots = keepRoots(placed, surroundings.forbiddenRoots ?? [], report);
  const boxes = listBoxes(plan.lines);
  const done = boxes.map((box, index) => `(${index + 1}) ${box}`).join("; ");
  const criteria = [metadata.acceptance_criteria ?? "", done === "" ? "" : `Must land: ${done}`];
  const item = buildItem({
    item_id: SINGLE_ITEM_ID,
    phase: "",
    action: title,
    why_now: "",
    owner_type: metadata.owner ?? "",
    prerequisites: [],
    repo_surfaces: [],
    deliverables: [],
    exit_criteria: criteria.filter((part) => part !== "").join(" — ") || title,
    write_roots: roots.map(({ value }) => value),
    requires_red_green: false,
    manual_gate: "none",
    manual_gate_reason: "",
    manual_gate_evidence: "",
    external_check: "none",
    external_dependencies: "",
    consult_paths: [],
    required_commands: [...(metadata.validation ?? surroundings.validationCommands ?? [])],
    suggested_commands: [],
    required_artifacts: [],
    notes: "",
    allow_no_change: false,
    line: 1,
  });
  return { item, reads: [], roots, prerequisitesAt: undefined };
}

/** The boxes under a heading `Must-Land Checklist`, ticked or not, each on one line, nested ones too. */
function listBoxes(lines: readonly PlanLine[]): string[] {
  const boxes: string[] = [];
  let level = 0;
  let isOpen = false;
  for (const line of lines) {
    const heading = parseHeading(line);
    if (heading !== undefined) {
      const begins = /^(?:\d{1,3}\.?[ \t]+)?must[- ]land checklist$/i.test(heading.text);
      if (begins || heading.level <= level) level = begins ? heading.level : 0;
      isOpen = false;
      continue;
    }
    if (level === 0 || line.kind === "code") continue;
    const text = trimBlanks(line.text).text;
    const box = /^(?:[-*+]|\d{1,9}[.)])[ \t]+\[[ xX]\][ \t]+(\S.*)$/.exec(text)?.[1];
    const isOther = text === "" || /^(?:[-*+]|\d{1,9}[.)])[ \t]/.test(text);
    if (box !== undefined) boxes.push(box);
    else if (isOpen && !isOther && indentOf(line.text) > 0) boxes.push(`${boxes.pop() ?? ""} ${text}`);
    isOpen = box !== undefined || (isOpen && !isOther);
  }
  return boxes;
}
