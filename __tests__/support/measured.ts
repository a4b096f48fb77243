import { expect } from "vitest";
import { FUZZ_MILLISECONDS_MAX } from "./mutations.ts";

/**
 * Runs one reading of a hostile file. Time of this thread, so that other tests do not count; a slow one is tried again,
 * because the first may have paid for the garbage of those before it.
 */
export function withinTime<T>(work: () => T): T {
  for (let left = 2; ; left -= 1) {
    const before = process.threadCpuUsage();
    const result = work();
    const { user, system } = process.threadCpuUsage(before);
    if ((user + system) / 1000 < FUZZ_MILLISECONDS_MAX) return result;
    if (left === 0) expect.fail(`took ${Math.round((user + system) / 1000)} ms three times`);
  }
}

/** No object of this process got a key that a file spoke of. */
export function expectUnpolluted(): void {
  expect(({} as Record<string, unknown>)["polluted"]).toBeUndefined();
  expect(Object.keys(Object.prototype)).toEqual([]);
}
