import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { startDeadline } from "../../src/invocation/deadline.ts";

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

describe("the limit of an invocation", () => {
  test.each([
    [50, 50 * 60_000 - 15_000],
    [2.5, 2.5 * 60_000 - 15_000],
    [1, 54_000],
    [10_080, 10_080 * 60_000 - 15_000],
  ])("of %d minutes leaves time to seal: due after %d ms", (minutes, dueMs) => {
    using deadline = startDeadline(new AbortController().signal, minutes);
    vi.advanceTimersByTime(dueMs - 1);
    expect(deadline.interrupt.aborted).toBe(false);
    vi.advanceTimersByTime(1);
    expect(deadline.interrupt.reason).toBe("DEADLINE");
  });

  test("whoever interrupts first is named", () => {
    const person = new AbortController();
    using deadline = startDeadline(person.signal, 1);
    person.abort("SIGTERM");
    vi.advanceTimersByTime(60_000);
    expect(deadline.interrupt.reason).toBe("SIGTERM");
  });

  test("a run that has ended is not interrupted any more", () => {
    const deadline = startDeadline(new AbortController().signal, 1);
    deadline[Symbol.dispose]();
    vi.advanceTimersByTime(60_000);
    expect({ aborted: deadline.interrupt.aborted, timers: vi.getTimerCount() }).toEqual({ aborted: false, timers: 0 });
  });
});
