import type { Config } from "./config.ts";
import { buildOverlapMatcher } from "./globs.ts";
import { foldPath } from "./paths.ts";
import { RISK_TIERS, type Plan, type PlanItem, type RiskTier } from "./plan.ts";
import { buildProtectedMatcher } from "./scope.ts";
import { quoteText } from "./visible-text.ts";

/** Why a plan has at least this tier. */
export interface RiskReason {
  readonly tier: RiskTier;
  readonly text: string;
}

/** The effective tier of a plan: the highest of its reasons, all of which are shown. */
export interface Risk {
  readonly tier: RiskTier;
  readonly reasons: readonly RiskReason[];
}

/** Tags that make a plan high risk, whatever its author says. */
const SENSITIVE_TAGS: ReadonlySet<string> = new Set(["security", "auth", "payments", "pii", "migration", "infra"]);

/** More plans than this that have to come first make a plan medium risk. */
const DEPENDENCIES_UNSUSPICIOUS_MAX = 5;

/**
 * Classifies a plan by itself and the policy alone, so that everybody who asks gets the same answer. The author's tier
 * is where it starts: an unreadable one is high, a missing one low for a plan of documents, else medium. What is
 * computed only raises it: the root `.`, a protected path, a sensitive path or tag → high; more than five plans that
 * have to come first → medium.
 */
export function classifyRisk(facts: {
  readonly plan: Pick<Plan, "items" | "metadata" | "path">;
  readonly config: Pick<Config, "paths" | "policy">;
}): Risk {
  const { plan, config } = facts;
  const dependencies = plan.metadata?.dependencies.length ?? 0;
  const reasons: RiskReason[] = [
    startingTier(plan),
    ...pathReasons(plan, config),
    ...tagReasons(plan.metadata?.tags ?? []),
    ...(dependencies > DEPENDENCIES_UNSUSPICIOUS_MAX
      ? [
          {
            tier: "medium" as const,
            text: `depends on ${dependencies} plans, more than ${DEPENDENCIES_UNSUSPICIOUS_MAX}`,
          },
        ]
      : []),
  ];
  const tier = RISK_TIERS.findLast((tier) => reasons.some((reason) => reason.tier === tier)) ?? "high";
  return { tier, reasons };
}

function startingTier({ items, metadata }: Pick<Plan, "items" | "metadata">): RiskReason {
  const written = metadata?.risk_tier ?? null;
  if (written === "unreadable") return { tier: "high", text: "Risk-Tier is none of low, medium and high" };
  if (written !== null) return { tier: written, text: `Risk-Tier is ${written}` };
  return items.every((item) => item.change_profile === "docs_only")
    ? { tier: "low", text: "no Risk-Tier, and every item changes documents alone" }
    : { tier: "medium", text: "no Risk-Tier, and an item changes more than documents" };
}

/** One reason for each path, which names the first item that lists it: many items share their roots. */
function pathReasons(plan: Pick<Plan, "items" | "path">, config: Pick<Config, "paths" | "policy">): RiskReason[] {
  const isProtected = buildProtectedMatcher(config, [plan.path]);
  const isSensitive = buildOverlapMatcher(config.policy["sensitive-paths"]);
  return firstItems(plan.items).flatMap(([path, itemId]): RiskReason[] => {
    const high = (what: string): RiskReason => ({ tier: "high", text: `item ${itemId}: ${quoteText(path)} ${what}` });
    if (path === ".") return [high("is the whole repository")];
    return [
      ...(isProtected(path) ? [high("is a protected path")] : []),
      ...(isSensitive(path) || isSensitive(foldPath(path)) ? [high("is, holds or lies in a sensitive path")] : []),
    ];
  });
}

/** Every path that items may write or have to deliver, with the first item that lists it. */
function firstItems(items: readonly PlanItem[]): [path: string, itemId: string][] {
  const first = new Map<string, string>();
  for (const { item_id: id, write_roots: roots, deliverables, required_artifacts: artifacts } of items) {
    for (const path of [...roots, ...deliverables, ...artifacts]) if (!first.has(path)) first.set(path, id);
  }
  return [...first];
}

function tagReasons(tags: readonly string[]): RiskReason[] {
  return tags
    .filter((tag) => SENSITIVE_TAGS.has(tag.toLowerCase().replace(/^#/, "")))
    .map((tag) => ({ tier: "high", text: `the tag ${quoteText(tag)} is sensitive` }));
}
