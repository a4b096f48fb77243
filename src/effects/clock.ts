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

/** The time that is written where no time shall be told, so that equal content gives equal bytes. */
export const EPOCH = new Date(0);

/** The time so many milliseconds ago, as ISO 8601 in UTC. */
export function timeBefore(ms: number): string {
  return new Date(Date.now() - ms).toISOString();
}

/** Whole seconds since 1970 of a time in UTC. Throws for anything else: what is written into a commit must be exact. */
export function secondsOf(at: string): number {
  if (!/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d+)?Z$/.test(at)) {
    throw new Error(`expected a UTC time such as 2026-03-25T12:00:00.000Z, found ${at}`);
  }
  return Math.floor(Date.parse(at) / 1000);
}

/** Coarsest step in which a file system that holds a repository may count time, and some room. */
const FILE_TIME_STEP_MS = 2500;

/** True when a file's time lies so far back that whatever happens to the file from now on gives it another one. */
export function isLongAgo(fileTimeMs: number): boolean {
  return Date.now() - fileTimeMs > FILE_TIME_STEP_MS;
}
