import type { FrontMatter } from "./front-matter.ts";
import {
  AUTONOMY_VALUES,
  MANUAL_GATES,
  PLAN_STATUSES,
  type PlanMetadata,
  RISK_TIERS,
  SECURITY_APPROVALS,
} from "./plan.ts";
import { keepPaths, keepRoots } from "./plan-cells.ts";
import { buildItem, checkRedGreen, checkStepIds, type ItemDraft, type PlanSurroundings } from "./plan-item-checks.ts";
import { checkVisible } from "./plan-lists.ts";
import { isPlaceholder, parsePriority } from "./plan-metadata.ts";
import { buildStepIds, parsePrerequisiteParts, type StepIds } from "./plan-prerequisites.ts";
import type { ReportProblem } from "./plan-problems.ts";
import type { Cell } from "./plan-table.ts";
import { quoteText } from "./visible-text.ts";

/**
 * What front matter says of the plan as a whole, as the section `Metadata` would say it.
 *
 * Codes: PLAN_FRONT_MATTER_VALUE, PLAN_PATH_SHAPE, PLAN_PATH_WILDCARD, PLAN_INVISIBLE_CHARACTER.
 */
export function parseFrontMetadata(front: FrontMatter, report: ReportProblem): PlanMetadata {
  const line = (key: string): string | null => front.line([key]) || null;
  const choose = <T extends string>(key: string, values: readonly T[]): T | undefined =>
    values.find((value) => value === front.text([key]));
  const unique = (key: string): string[] => [...new Set(front.cells([key]).map(({ raw }) => raw))];
  const paths = (key: string): string[] | null =>
    front.has([key]) ? keepPaths(visibleCells(front.cells([key]), "backticks", report), report).map(valueOf) : null;
  const planId = line("plan-id");
  for (const cell of front.cells(["dependencies"]).filter(({ raw }) => raw === planId)) {
    reportValue(cell, "ids of other plans", cell.raw, "dependencies: [key-ring]", report);
  }
  const criteria = line("acceptance-criteria");
  if (criteria !== null && isPlaceholder(criteria)) {
    const example = "acceptance-criteria: Old sessions stay valid for 24 hours";
    reportValue(front.place(["acceptance-criteria"]), "no placeholder", criteria, example, report);
  }
  return {
    plan_id: planId,
    status: choose("status", PLAN_STATUSES) ?? null,
    priority: parsePriority(front.text(["priority"])) ?? "p2",
    owner: line("owner"),
    acceptance_criteria: criteria,
    dependencies: unique("dependencies"),
    spec_targets: paths("spec-targets"),
    done_evidence: line("done-evidence") ?? "pending",
    risk_tier: choose("risk", RISK_TIERS) ?? null,
    autonomy_allowed: choose("autonomy-allowed", AUTONOMY_VALUES) ?? "both",
    security_approval: choose("security-approval", SECURITY_APPROVALS) ?? "not-required",
    tags: unique("tags"),
    promoted: line("promoted"),
    implementation_targets: paths("implementation-targets"),
    validation: front.has(["validation"]) ? readCommands(front.cells(["validation"]), report) : null,
  };
}

/**
 * The items of front matter. What it returns is only sound when nothing was reported as an error.
 *
 * Codes: all that are about items, but for those of rows and cells.
 */
export function parseFrontItems(
  front: FrontMatter,
  surroundings: PlanSurroundings,
  report: ReportProblem,
): ItemDraft[] {
  const ids = Array.from({ length: front.itemCount ?? 0 }, (_, index): Cell => {
    const path = ["items", index, "id"];
    return { raw: front.text(path), ...front.place(path) };
  });
  checkStepIds(
    ids.filter(({ raw }) => raw !== ""),
    report,
  );
  const known = buildStepIds(ids.map(({ raw }) => raw));
  return ids.map((id, index) => parseItem(front, id, index, known, surroundings, report));
}

function parseItem(
  front: FrontMatter,
  id: Cell,
  index: number,
  known: StepIds,
  surroundings: PlanSurroundings,
  report: ReportProblem,
): ItemDraft {
  const at = (...keys: string[]): PropertyKey[] => ["items", index, ...keys];
  const paths = (key: string) => keepPaths(visibleCells(front.cells(at(key)), "backticks", report), report);
  const surfaces = paths("surfaces");
  const consult = paths("consult");
  const roots = keepRoots(paths("write-roots"), surroundings.forbiddenRoots ?? [], report);
  const commands = readCommands(front.cells(at("verify")), report);
  const redGreen = front.isTrue(at("red-green"));
  const names = { commands: "verify", redGreen: "red-green" };
  const written = front.cells(at("verify")).length;
  checkRedGreen(redGreen, written === 0 ? [] : undefined, names, front.place(at("red-green")), report);
  const ofPlan = (key: string): string => front.line(at(key)) || front.line([key]);
  const gate = MANUAL_GATES.find((type) => type === front.text(at("gate", "type")));
  const isExternal = front.text(at("external", "evidence")) === "human_supplied_evidence_required";
  const item = buildItem({
    item_id: id.raw,
    phase: ofPlan("phase"),
    action: front.line(at("title")),
    why_now: ofPlan("why"),
    owner_type: ofPlan("owner"),
    prerequisites: parsePrerequisiteParts(front.cells(at("after")), id.raw, known, report),
    repo_surfaces: surfaces.map(valueOf),
    deliverables: paths("deliverables").map(valueOf),
    exit_criteria: front.line(at("exit-criteria")),
    write_roots: roots.map(valueOf),
    requires_red_green: redGreen,
    manual_gate: gate ?? "none",
    manual_gate_reason: front.line(at("gate", "reason")),
    manual_gate_evidence: front.joined(at("gate", "evidence")),
    external_check: isExternal ? "human_supplied_evidence_required" : "none",
    external_dependencies: front.joined(at("external", "dependencies")),
    consult_paths: consult.map(valueOf),
    required_commands: commands,
    suggested_commands: readCommands(front.cells(at("suggest")), report),
    required_artifacts: paths("artifacts").map(valueOf),
    notes: front.text(at("notes")),
    allow_no_change: front.isTrue(at("allow-no-change")),
    line: front.place(at()).line,
  });
  return { item, reads: [...surfaces, ...consult], roots, prerequisitesAt: front.place(at("after")) };
}

function readCommands(cells: readonly Cell[], report: ReportProblem): string[] {
  return visibleCells(cells, "backticks-and-quotes", report).map(({ raw }) => raw);
}

function visibleCells(
  cells: readonly Cell[],
  quoting: Parameters<typeof checkVisible>[1],
  report: ReportProblem,
): Cell[] {
  // Where in the file a character of a quoted or folded text stands is known to YAML alone.
  return cells.filter((cell) => checkVisible(cell, quoting, (code, _at, what) => report(code, cell, what)));
}

function valueOf({ value }: { readonly value: string }): string {
  return value;
}

function reportValue(
  at: { readonly line: number; readonly offset: number },
  expected: string,
  found: string,
  example: string,
  report: ReportProblem,
): void {
  report("PLAN_FRONT_MATTER_VALUE", at, { expected, found: quoteText(found), example: `\`${example}\`` });
}
