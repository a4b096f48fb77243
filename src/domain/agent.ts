import { z } from "zod";
import type { Price } from "./agent-config.ts";

/**
 * Why a session of an agent gave nothing to build on, as far as the agent itself says it. `api_failed`: its model
 * could not be used; `unavailable`: not for now, because its service was overloaded, limited or out of reach; `refused`: the model would not; `exhausted`: its turns, budget or context are used up;
 * `no_answer`: it ended without the answer that was asked for.
 */
export const AGENT_FAILURES = ["api_failed", "unavailable", "refused", "exhausted", "no_answer"] as const;
export type AgentFailure = (typeof AGENT_FAILURES)[number];

const tokens = z.int().nonnegative();

export const agentFactsSchema = z
  .strictObject({
    /** The agent's name in the configuration. */
    use: z.string(),
    /** `executor`, `audit:<name>` or `triage`: whose budget it was. */
    lane: z.string(),
    model: z.string().nullable(),
    /** Null when it ended before it could say. `in` has the cached ones in it. */
    tokens: z.strictObject({ in: tokens, cached: tokens, out: tokens }).nullable(),
    /** Null when nobody knows it: never 0 for that. */
    cost_usd: z.number().nonnegative().nullable(),
    failure: z.enum(AGENT_FAILURES).nullable(),
    /** What the agent says of its failure, for people. */
    detail: z.string(),
    /** Acts that its own rights or sandbox kept it from. */
    denied: z.int().nonnegative(),
  })
  .meta({ id: "agent_facts" });
/** What an agent says of its own session. Cost and tokens are counted; nothing of it can make an item pass. */
export type AgentFacts = z.infer<typeof agentFactsSchema>;
export type AgentTokens = NonNullable<AgentFacts["tokens"]>;

/** What is read from an agent's output: its answer in the bytes that a command would have written, and facts. */
export interface AgentAnswer extends Pick<AgentFacts, "tokens" | "cost_usd" | "failure" | "detail" | "denied"> {
  readonly answer: Uint8Array | undefined;
  /** The model that it says it used. */
  readonly model: string | null;
}

/** The cost of tokens at a price, in USD; nothing when one of the two is not known. */
export function priceTokens(used: AgentTokens | null, price: Price | undefined): number | null {
  if (used === null || price === undefined) return null;
  const fresh = Math.max(0, used.in - used.cached);
  const sum = fresh * price.input + used.cached * price["cached-input"] + used.out * price.output;
  return roundUsd(sum / 1_000_000);
}

/** To a millionth of a dollar, so that sums of floating numbers say nothing that nobody spent. */
export function roundUsd(usd: number): number {
  return Math.round(usd * 1_000_000) / 1_000_000;
}
