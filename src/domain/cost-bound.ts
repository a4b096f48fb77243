import { roundUsd } from "./agent.ts";
import { AGENTS, listUnpriced, type AgentSettings } from "./agent-config.ts";
import { boundCalls, type CallBound } from "./call-bound.ts";
import type { Config } from "./config.ts";
import type { Plan } from "./plan.ts";

/** The most that a run can cost, for one who wants to know before starting it. */
export interface CostBound {
  /** No session of an agent starts when so much is known to be spent. */
  readonly limitUsd: number;
  /** The most, in USD; undefined when nothing bounds it. Programs that are no agents are not counted. */
  readonly mostUsd: number | undefined;
  /** Agents whose last session can go over the limit: what it costs is known when it has ended. */
  readonly knownLate: readonly string[];
  /** Agents whose cost nobody knows, so that the limit never counts it. */
  readonly unpriced: readonly string[];
}

/**
 * Bounds the cost of one invocation. claude holds itself to what is left of the limit, and to its own budget, while it
 * works; codex says what it used when it has ended, so the session that goes over the limit is not cut short.
 */
export function boundCost(config: Config, calls: CallBound, executor: string, limitUsd: number): CostBound {
  const unpriced = listUnpriced(config, executor);
  const places = listPaidPlaces(config, calls, executor);
  const late = places.filter(({ name, settings }) => settings.use === "codex" && !unpriced.includes(name));
  const budgets = places.map(({ settings, sessions }) => (settings["budget-usd"] ?? Infinity) * sessions);
  const isBounded = late.length === 0 && unpriced.length === 0;
  const sum = budgets.reduce((total, budget) => total + budget, 0);
  return {
    limitUsd,
    mostUsd: isBounded ? Math.min(limitUsd, sum) : undefined,
    knownLate: late.map(({ name }) => name),
    unpriced,
  };
}

/** What items and lanes may cost; null where nothing bounds it. */
export interface Budgets {
  /** One session of a lane: its `budget-usd`. */
  lane(lane: string): number | null;
  /** An item in one invocation, with all its rounds and lanes; never more than the limit of the run. */
  item(itemId: string): number | null;
}

/** Lists the budgets of a run from its plan, its configuration and the limit that is in force, if there is one. */
export function listBudgets(
  { config, plan, executor }: { readonly config: Config; readonly plan: Plan; readonly executor: string },
  limitUsd: number | undefined,
): Budgets {
  const paid = (itemIds: readonly string[]) => boundCalls(plan, config, itemIds, false);
  const lanes = new Map(
    listPaidPlaces(config, paid([]), executor).map(({ lane, settings }) => [lane, settings["budget-usd"] ?? null]),
  );
  return {
    lane: (lane) => lanes.get(lane) ?? null,
    item(itemId) {
      const { mostUsd = Infinity } = boundCost(config, paid([itemId]), executor, limitUsd ?? Infinity);
      return mostUsd === Infinity ? null : roundUsd(mostUsd);
    },
  };
}

interface PaidPlace {
  readonly name: string;
  /** As its sessions are summed: `executor`, `audit:<name>` or `triage`. */
  readonly lane: string;
  readonly settings: AgentSettings;
  readonly sessions: number;
}

/** Where an agent is named, as `listUnpriced` names the places, with the most sessions of each. */
function listPaidPlaces({ executor, audits, triage }: Config, calls: CallBound, chosen: string): PaidPlace[] {
  const lanes = Math.max(1, audits.lanes.length);
  const places = [
    {
      name: "executor",
      lane: "executor",
      program: chosen === "command" ? undefined : executor,
      sessions: calls.executorSessions,
    },
    ...audits.lanes.map((lane) => ({
      name: `audit lane ${lane.name}`,
      lane: `audit:${lane.name}`,
      program: lane,
      sessions: calls.auditorSessions / lanes,
    })),
    { name: "triage", lane: "triage", program: triage, sessions: calls.triageSessions },
  ];
  return places.flatMap(({ name, lane, program, sessions }) =>
    program !== undefined && isAgent(program) ? [{ name, lane, settings: program, sessions }] : [],
  );
}

function isAgent(program: { readonly use: string }): program is AgentSettings {
  return AGENTS.some((name) => name === program.use);
}
