import type { PlanForm } from "../domain/parse-plan.ts";
import { orderItems } from "../domain/plan-order.ts";
import type { Plan } from "../domain/plan.ts";
import type { Risk } from "../domain/risk.ts";
import { showText } from "../domain/visible-text.ts";
import { renderItemsTable } from "./items-text.ts";

/** What `plans show` knows of a plan. */
export interface PlanFacts {
  readonly plan: Plan;
  readonly form: PlanForm;
  readonly risk: Risk;
}

const METADATA_WORDS = { none: "no metadata", section: "section Metadata", front_matter: "front matter" } as const;
const ITEM_WORDS = { table: "item table", front_matter: "front matter", single: "none, the plan is one item" } as const;

/** Renders a plan as the kernel sees it: what it says of itself, its risk with every reason, its items and its texts. */
export function renderPlan({ plan, form, risk }: PlanFacts): string {
  const { metadata } = plan;
  const fields: readonly (readonly [string, string | readonly string[] | null])[] = [
    ["title", plan.title],
    ["path", plan.path],
    ["form", `${METADATA_WORDS[form.metadata]}; items: ${ITEM_WORDS[form.items]}`],
    ["risk", [risk.tier, ...risk.reasons.map(({ tier, text }) => `${tier}: ${text}`)]],
    ...(metadata === null
      ? []
      : ([
          ["status", metadata.status],
          ["priority", metadata.priority],
          ["owner", metadata.owner],
          ["acceptance criteria", metadata.acceptance_criteria],
          ["dependencies", metadata.dependencies],
          ["spec targets", metadata.spec_targets],
          ["done evidence", metadata.done_evidence],
          ["autonomy allowed", metadata.autonomy_allowed],
          ["security approval", metadata.security_approval],
          ["targets", metadata.implementation_targets],
          ["validation", metadata.validation],
          ["tags", metadata.tags],
          ["promoted", metadata.promoted],
        ] as const)),
    ["text for all", plan.shared_sections.map(({ title }) => title)],
    ["text for phases", plan.phase_sections.map(({ phase, title }) => `${phase}: ${title}`)],
    ["text for items", plan.item_sections.map(({ item_id: id, title }) => `${id}: ${title}`)],
  ];
  const width = Math.max(...fields.map(([name]) => name.length));
  const lines = fields.flatMap(([name, value]) => {
    const entries = value === null ? [] : typeof value === "string" ? [value] : value;
    const [first = "-", ...others] = entries.map(showText);
    return [`  ${name.padEnd(width)}  ${first}`, ...others.map((entry) => `  ${" ".repeat(width)}  ${entry}`)];
  });
  return `plan ${plan.plan_id}\n${lines.join("\n")}\n\n${renderItemsTable(orderItems(plan.items))}`;
}
