import { performance } from "node:perf_hooks";
import { setTimeout } from "node:timers/promises";
import type { Clock } from "../ports.ts";

/** The machine's clock. */
export const systemClock: Clock = {
  now: () => new Date().toISOString(),
  monotonicMs: () => performance.now(),
  sleep: async (ms, signal) => {
    if (ms > 0) await setTimeout(ms, undefined, { signal }).catch(() => undefined);
  },
};

/** The time so many milliseconds ago, as ISO 8601 in UTC. */
export function timeBefore(ms: number): string {
  return new Date(Date.now() - ms).toISOString();
}
