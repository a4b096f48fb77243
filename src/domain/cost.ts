import { z } from "zod";
import { roundUsd } from "./agent.ts";
import type { Budgets } from "./cost-bound.ts";
import type { OptionValue, StageExecution } from "./journal.ts";
import type { OpenSession } from "./open-sessions.ts";

const tokens = z.int().nonnegative();

export const costSchema = z
  .strictObject({
    /** Sessions of agents. */
    sessions: z.int().nonnegative(),
    /** What is known to have been spent. */
    known_usd: z.number().nonnegative(),
    /** Sessions whose cost nobody knows; the sum is then a lower bound. */
    unknown_cost: z.int().nonnegative(),
    tokens_in: tokens,
    tokens_cached: tokens,
    tokens_out: tokens,
    /** Sessions that said no tokens. */
    unknown_tokens: z.int().nonnegative(),
  })
  .meta({ id: "cost" });
/** What sessions of agents cost. Unknown is counted apart, never as nothing. */
export type Cost = z.infer<typeof costSchema>;

const budget = z.number().nonnegative().nullable();

export const runCostSchema = z.strictObject({
  /** The limit of this run in USD. */
  limit_usd: z.number().nullable(),
  total: costSchema,
  /** `budget_usd`: the most that it may cost in one invocation; null when nothing bounds it. */
  items: z.array(costSchema.extend({ item_id: z.string(), budget_usd: budget })),
  /** `budget_usd`: the most that one session of it may cost; null when nothing but the limit bounds it. */
  lanes: z.array(costSchema.extend({ lane: z.string(), budget_usd: budget })),
});
/** The cost of a run, by item and by lane. */
export type RunCost = z.infer<typeof runCostSchema>;

/** Name of the option that bounds the cost of a run. */
export const COST_OPTION = "max-cost-usd";

/** What the programs of a run have cost so far: every session that has its receipt, and those `open` that have none. */
export function sumCost(executions: readonly StageExecution[], open: readonly OpenSession[] = []): Cost {
  const facts = executions.flatMap(({ agent }) => (agent === null ? [] : [agent]));
  const used = facts.flatMap((fact) => (fact.tokens === null ? [] : [fact.tokens]));
  const total = (values: readonly number[]): number => values.reduce((sum, value) => sum + value, 0);
  return {
    sessions: facts.length + open.length,
    known_usd: roundUsd(total(facts.map((fact) => fact.cost_usd ?? 0))),
    unknown_cost: facts.filter((fact) => fact.cost_usd === null).length + open.length,
    tokens_in: total(used.map((each) => each.in)),
    tokens_cached: total(used.map((each) => each.cached)),
    tokens_out: total(used.map((each) => each.out)),
    unknown_tokens: facts.length - used.length + open.length,
  };
}

/** Sums the cost of a run by item and by lane, each in the order in which it first cost something, beside its budget. */
export function buildRunCost(
  state: CostState & { readonly openSessions: readonly OpenSession[] },
  budgets: Budgets,
): RunCost {
  const spent = state.executions.filter(({ agent }) => agent !== null);
  const open = state.openSessions;
  const items = new Set([...spent, ...open].map((each) => each.item_id ?? ""));
  const lanes = new Set([...spent.map(({ agent }) => agent?.lane ?? ""), ...open.map(({ lane }) => lane)]);
  const sumOf = (isOf: (each: OpenSession) => boolean): Cost =>
    sumCost(
      spent.filter(({ item_id, agent }) => isOf({ item_id: item_id ?? "", lane: agent?.lane ?? "" })),
      open.filter(isOf),
    );
  return {
    limit_usd: costLimit(state) ?? null,
    total: sumCost(spent, open),
    items: [...items].map((item_id) => ({
      item_id,
      ...sumOf((each) => each.item_id === item_id),
      budget_usd: budgets.item(item_id),
    })),
    lanes: [...lanes].map((lane) => ({
      lane,
      ...sumOf((each) => each.lane === lane),
      budget_usd: budgets.lane(lane),
    })),
  };
}

/** What a cost is decided from. */
export interface CostState {
  readonly executions: readonly StageExecution[];
  readonly options: Readonly<Record<string, OptionValue>>;
}

/** What may still be spent, in USD; nothing when the run has no limit. Not below 0. */
export function remainingUsd(state: CostState): number | undefined {
  const limit = costLimit(state);
  return limit === undefined ? undefined : Math.max(0, roundUsd(limit - sumCost(state.executions).known_usd));
}

/** True when the known cost has reached the limit: then no further session of an agent is started. COST_LIMIT. */
export function isCostSpent(state: CostState): boolean {
  return remainingUsd(state) === 0;
}

/** The limit that is in force, in USD. */
export function costLimit({ options }: Pick<CostState, "options">): number | undefined {
  const value = options[COST_OPTION]?.value;
  return typeof value === "number" ? value : undefined;
}

/** One line for people: what is known, and what is not. */
export function sayCost({ sessions, known_usd, unknown_cost }: Cost): string {
  if (sessions === 0) return "no agent was started";
  const known = `$${known_usd.toFixed(4)}`;
  if (unknown_cost === 0) return known;
  return unknown_cost === sessions
    ? "unknown"
    : `at least ${known}; the cost of ${unknown_cost} of ${sessions} sessions is unknown`;
}

/** What a part of the cost may come to, for people: nothing when nothing bounds it. */
export function sayBudget(budgetUsd: number | null, each: "session" | "item"): string {
  if (budgetUsd === null) return "none";
  return each === "session" ? `$${budgetUsd} a session` : `at most $${budgetUsd}`;
}

/** One line for people: tokens in, of which cached, and out. */
export function sayTokens({ sessions, tokens_in, tokens_cached, tokens_out, unknown_tokens }: Cost): string {
  if (sessions === 0) return "none";
  if (unknown_tokens === sessions) return "unknown";
  const known = `${tokens_in} in (${tokens_cached} cached), ${tokens_out} out`;
  return unknown_tokens === 0 ? known : `at least ${known}; ${unknown_tokens} of ${sessions} sessions did not say`;
}
