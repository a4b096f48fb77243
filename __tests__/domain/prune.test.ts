import { describe, expect, test } from "vitest";
import { findSettledWorktrees } from "../../src/domain/doctor.ts";
import { isSince, isTime } from "../../src/domain/history.ts";
import type { AttemptState, ItemState } from "../../src/domain/item.ts";
import { judgeBasePin, judgeCache, judgePrunableRun, judgeStartFolder, parseAge } from "../../src/domain/prune.ts";
import type { RunState, StopState } from "../../src/domain/run.ts";

const CUTOFF = "2026-03-20T00:00:00.000Z";
const BEFORE = "2026-03-19T23:59:59.999Z";
const OLD = "RUN_20260319T235959Z_00000000";
const YOUNG = "RUN_20260320T000000Z_00000000";

const stop = (input: Partial<StopState>): StopState => ({
  kind: "terminal",
  terminalState: "done",
  reasonCodes: [],
  signal: null,
  at: BEFORE,
  ...input,
});
const run = (stopped: StopState | undefined, lastAt = BEFORE, whole = true) => ({
  holder: undefined,
  isLink: false,
  givenUp: false,
  saved: { stop: stopped, delivered: true, whole, lastAt },
});

describe("a run", () => {
  test.each([
    ["done and old", run(stop({})), "remove"],
    ["done, old and not delivered", { ...run(stop({})), saved: { ...run(stop({})).saved, delivered: false } }, "keep"],
    ["done and old behind a link", { ...run(stop({})), isLink: true }, "keep"],
    ["given up behind a link", { ...run(stop({})), isLink: true, givenUp: true }, "keep"],
    ["done at the cutoff", run(stop({}), CUTOFF), "silent"],
    ["done, not whole", run(stop({}), BEFORE, false), "keep"],
    ["tampered with and old", run(stop({ terminalState: "failed", reasonCodes: ["GIT_TAMPERED"] })), "remove"],
    ["failed", run(stop({ terminalState: "failed", reasonCodes: ["ITEM_ESCALATED"] })), "keep"],
    ["blocked", run(stop({ terminalState: "blocked", reasonCodes: ["ITEM_AWAITING_HUMAN_GATE"] })), "keep"],
    ["timeout", run(stop({ terminalState: "timeout" })), "keep"],
    ["handed off", run(stop({ kind: "handoff", terminalState: null })), "keep"],
    ["interrupted", run(stop({ kind: "interrupted", terminalState: null, signal: "SIGINT" })), "keep"],
    ["cut short", run(undefined), "keep"],
    ["unreadable", { holder: undefined, isLink: false, givenUp: false, saved: undefined }, "keep"],
    ["held, done and old", { ...run(stop({})), holder: "somebody" }, "keep"],
    ["held and given up", { ...run(stop({})), holder: "somebody", givenUp: true }, "keep"],
    ["given up, cut short and young", { ...run(undefined, CUTOFF), givenUp: true }, "remove"],
    ["given up and unreadable", { holder: undefined, isLink: false, givenUp: true, saved: undefined }, "remove"],
  ])("%s: %j", (_, subject, act) => {
    const verdict = judgePrunableRun(subject, CUTOFF);
    expect(verdict.act).toBe(act);
    expect(verdict.why === "").toBe(act === "silent");
  });
});

test.each(["items", "report.md", "notes.txt", "handoffs", "repo.git.old"])(
  "a folder without a journal that holds %s is not what a start left, and is kept",
  (name) => {
    const start = { runId: OLD, holder: undefined, names: ["lock.1", name] };
    expect(judgeStartFolder(start, CUTOFF)).toMatchObject({
      act: "keep",
      why: expect.stringContaining(name) as string,
    });
  },
);

test("what lies around runs goes by the time in its name, and never while it may be somebody's", () => {
  const acts = [
    judgeStartFolder({ runId: OLD, holder: undefined, names: ["lock.1", "repo.git", "plan.md.writing"] }, CUTOFF),
    judgeStartFolder({ runId: YOUNG, holder: undefined, names: [] }, CUTOFF),
    judgeStartFolder({ runId: OLD, holder: "somebody", names: [] }, CUTOFF),
    judgeCache({ runId: OLD, ownerExists: false, processes: 0 }, CUTOFF),
    judgeCache({ runId: OLD, ownerExists: true, processes: 0 }, CUTOFF),
    judgeCache({ runId: OLD, ownerExists: false, processes: 1 }, CUTOFF),
    judgeCache({ runId: YOUNG, ownerExists: false, processes: 0 }, CUTOFF),
    judgeBasePin({ runId: OLD, held: true }, CUTOFF),
    judgeBasePin({ runId: OLD, held: false }, CUTOFF),
    judgeBasePin({ runId: YOUNG, held: true }, CUTOFF),
  ].map(({ act }) => act);
  expect(acts).toEqual(["remove", "silent", "keep", "remove", "silent", "keep", "silent", "remove", "keep", "silent"]);
});

test("ages and times are read strictly", () => {
  expect(parseAge("14d")).toEqual({ ok: true, value: 1_209_600_000 });
  expect(parseAge("12h")).toEqual({ ok: true, value: 43_200_000 });
  expect(parseAge("0m")).toEqual({ ok: true, value: 0 });
  for (const text of ["", "14", "d", "1.5d", "-1d", "14 d", "14D", "3651d"])
    expect(parseAge(text).ok, text).toBe(false);
  for (const text of ["2026-03-25", "2026-03-25T12:00", "2026-03-25T12:00:01.5Z"])
    expect(isTime(text), text).toBe(true);
  for (const text of ["", "yesterday", "2026-3-25", "2026-03-25 12:00", "12:00"])
    expect(isTime(text), text).toBe(false);
  expect(isSince("2026-03-25T00:00:00.000Z", "2026-03-25T00:00:00Z")).toBe(true);
  expect(isSince("2026-03-24T23:59:59.999Z", "2026-03-25")).toBe(false);
});

test("a worktree is settled only when no item that waits could have made it", () => {
  const item = (
    itemId: string,
    attempts: number,
    passed: boolean,
  ): Pick<ItemState, "itemId" | "attempts" | "settled"> => ({
    itemId,
    attempts: Array.from({ length: attempts }, (_, index) => ({ attempt: index + 1 }) as AttemptState),
    ...(passed ? { settled: { terminalState: "passed", reasonCodes: [], commit: "c" } } : {}),
  });
  const names = ["01-1-work", "01-2-work", "01-2-1-work", "01-1-verify-1", "base-1"];
  const state = (stopped: boolean, ...items: unknown[]): RunState =>
    ({ items, ...(stopped ? { stop: stop({}) } : {}) }) as unknown as RunState;
  // Item `01-2` made `01-2-1-work`, and `01-2-…` could be either's.
  expect(findSettledWorktrees(state(true, item("01", 2, true), item("01-2", 1, false)), names)).toEqual([
    "01-1-work",
    "01-2-work",
    "01-1-verify-1",
  ]);
  expect(findSettledWorktrees(state(true, item("01", 2, false), item("01-2", 1, true)), names)).toEqual([]);
  expect(findSettledWorktrees(state(true, item("01", 2, true)), names)).toEqual(names);
  expect(findSettledWorktrees(state(false, item("01", 2, true)), names)).not.toContain("base-1");
});
