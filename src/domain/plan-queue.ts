import type { LocatedProblem, Plan, PlanMetadata } from "./plan.ts";
import { PLAN_PROBLEM_CODES, type PlanProblemCode } from "./plan-problem-codes.ts";
import type { Expectation } from "./plan-problems.ts";
import { quoteText } from "./visible-text.ts";

/** The folders that plans live in, each with the states that a plan there may be in. */
export const FOLDER_STATUSES = {
  future: ["draft", "ready-for-promotion", "promoted"],
  active: ["queued", "in-progress", "blocked", "validation", "failed"],
  completed: ["completed"],
} as const satisfies Record<string, readonly NonNullable<PlanMetadata["status"]>[]>;
export type PlanFolder = keyof typeof FOLDER_STATUSES;

/**
 * Says what a queue would refuse about a plan that can be run by its path: a key that it needs, or a status that does
 * not go with the folder. A plan without metadata was never meant for a queue, and nothing is said of it.
 *
 * Codes: PLAN_QUEUE_KEY_MISSING, PLAN_QUEUE_STATUS.
 */
export function judgeQueue(plan: Plan, folder: PlanFolder | undefined): LocatedProblem[] {
  const { metadata, path } = plan;
  if (metadata === null) return [];
  const missing: [key: string, example: string][] = [
    ...(metadata.plan_id === null ? [["Plan-ID", plan.plan_id] as [string, string]] : []),
    ...(metadata.status === null ? [["Status", "queued"] as [string, string]] : []),
    ...(metadata.owner === null ? [["Owner", "@platform"] as [string, string]] : []),
    ...(metadata.acceptance_criteria === null
      ? [["Acceptance-Criteria", "Old sessions stay valid for 24 hours"] as [string, string]]
      : []),
  ];
  const problems = missing.map(([key, value]) =>
    locate(path, "PLAN_QUEUE_KEY_MISSING", {
      expected: `\`${key}\`, which a queue of plans needs`,
      found: "none",
      example: `\`${key}: ${value}\``,
    }),
  );
  const expected: readonly string[] = folder === undefined ? [] : FOLDER_STATUSES[folder];
  if (metadata.status !== null && expected.length > 0 && !expected.includes(metadata.status)) {
    problems.push(
      locate(path, "PLAN_QUEUE_STATUS", {
        expected: `one of ${expected.join(", ")}, because the plan lies in the folder of ${folder} plans`,
        found: quoteText(metadata.status),
        example: `\`Status: ${expected[0]}\``,
      }),
    );
  }
  return problems;
}

/** What of a plan says whether another has its id: of thousands of plans nothing else need be kept. */
export type IdentifiedPlan = Pick<Plan, "plan_id" | "path" | "metadata">;

/**
 * Says which plans with metadata share an id, at each but the first.
 *
 * Codes: PLAN_ID_DUPLICATE.
 */
export function judgeIds(plans: readonly IdentifiedPlan[]): LocatedProblem[] {
  const first = new Map<string, string>();
  return plans.flatMap(({ plan_id: id, path, metadata }) => {
    if (metadata === null) return [];
    const other = first.get(id);
    first.set(id, other ?? path);
    if (other === undefined || other === path) return [];
    return [
      locate(path, "PLAN_ID_DUPLICATE", {
        expected: "an id that no other plan has",
        found: `${quoteText(id)}, as in ${quoteText(other)}`,
        example: `\`Plan-ID: ${id}-2\``,
      }),
    ];
  });
}

function locate(path: string, code: PlanProblemCode, { expected, found, example }: Expectation): LocatedProblem {
  const message = `expected ${expected}; found ${found}; for example ${example}`;
  return { path, line: 1, column: 1, severity: PLAN_PROBLEM_CODES[code].severity, code, message };
}
