import { describe, expect, test } from "vitest";
import type { ProcessEntry, ProcessTable } from "../../src/effects/process-list.ts";
import { followTree } from "../../src/effects/process-tree.ts";

const ROOT = 4_000_000;
const HOME = "/home";
const root: ProcessEntry = { pid: ROOT, ppid: process.pid, family: ROOT, startTime: "500" };

/** A machine whose processes the test says. Nothing here sends a signal. */
function machine(...moments: readonly (readonly ProcessEntry[])[]) {
  let moment = 0;
  const carriers = new Set<number>();
  const strays = new Set<number>();
  const list = () => moments[Math.min(moment++, moments.length - 1)] ?? [];
  const table: ProcessTable = {
    list,
    find: (pid) => list().find((entry) => entry.pid === pid),
    carries: (pid) => carriers.has(pid),
    isStrayIn: ({ pid }, folder) => folder === HOME && strays.has(pid),
    hasHomeBelow: () => false,
    commandOf: () => "",
  };
  return { table, carriers, strays };
}

describe("who belongs to a program", () => {
  test("who was seen as its child, and left parent and session afterwards", () => {
    const child = { pid: 4_000_001, ppid: ROOT, family: ROOT, startTime: "501" };
    const { table } = machine([root], [root, child], [{ ...child, ppid: 1, family: child.pid }]);
    const tree = followTree(table, ROOT, "M=1");
    tree.observe();
    expect(tree.isAlive()).toBe(true);
    expect(tree.hasRelatives()).toBe(false);
  });

  test("who shares a session with one of its daemons", () => {
    const daemon = { pid: 4_000_001, ppid: 1, family: 4_000_001, startTime: "501" };
    const beside = { pid: 4_000_002, ppid: 1, family: 4_000_001, startTime: "502" };
    const { table, carriers } = machine([root], [daemon, beside], [beside]);
    carriers.add(daemon.pid);
    const tree = followTree(table, ROOT, "M=1");
    expect(tree.isAlive()).toBe(true);
    expect(tree.isAlive()).toBe(true);
  });

  test("not who got its number after it had ended, nor that one's family", () => {
    const stranger = { pid: ROOT, ppid: 1, family: ROOT, startTime: "900" };
    const theirs = { pid: 4_000_002, ppid: 1, family: ROOT, startTime: "901" };
    const { table } = machine([root], [stranger, theirs]);
    expect(followTree(table, ROOT, "M=1").isAlive()).toBe(false);
  });

  test("not who is older, whatever it carries", () => {
    const older = { pid: 4_000_003, ppid: 1, family: 4_000_003, startTime: "99" };
    const { table, carriers } = machine([root], [older]);
    carriers.add(older.pid);
    expect(followTree(table, ROOT, "M=1").isAlive()).toBe(false);
  });

  test.each([
    [
      "who was left by its parents in one of the program's folders",
      { ppid: 1, family: 4_000_005, startTime: "501" },
      true,
    ],
    ["not in a folder that is none of its own", { ppid: 1, family: 4_000_005, startTime: "501" }, false],
    ["not who is older", { ppid: 1, family: 4_000_005, startTime: "499" }, false],
    ["not whose session is older", { ppid: 1, family: 77, startTime: "501" }, false],
    ["not another program of ours", { ppid: process.pid, family: 4_000_005, startTime: "501" }, false],
  ])("%s", (what, entry, expected) => {
    const shell = { pid: 77, ppid: 1, family: 77, startTime: "10" };
    const { table, strays } = machine([shell, root], [shell, { pid: 4_000_005, ...entry }]);
    strays.add(4_000_005);
    const folders = what.includes("none of its own") ? ["/other"] : [HOME];
    expect(followTree(table, ROOT, "M=1", { folders }).isAlive()).toBe(expected);
  });

  test.each([
    ["not who carries the marker of a program that runs beside it", { "M=1": "500", "M=2": "501" }, false],
    ["who carries one of a program that has ended", { "M=1": "500" }, true],
    ["who is older than the program whose marker it copied", { "M=1": "500", "M=2": "502" }, true],
  ])("left in a folder that two programs share: %s", (_what, running, expected) => {
    const left = { pid: 4_000_005, ppid: 1, family: 4_000_005, startTime: "501" };
    const { table, strays } = machine([root], [left]);
    strays.add(left.pid);
    const carries = (pid: number, variable: string) => pid === left.pid && variable === "M=2";
    const tree = followTree({ ...table, carries }, ROOT, "M=1", {
      folders: [HOME],
      others: () => new Map(Object.entries(running).map(([marker, startTime]) => [marker, { ...root, startTime }])),
    });
    expect(tree.isAlive()).toBe(expected);
  });

  test("never the orchestrator and its own session, even when the program did not leave it", () => {
    const orchestrator = { pid: process.pid, ppid: ROOT, family: 77, startTime: "1" };
    const beside = { pid: 4_000_004, ppid: 1, family: 77, startTime: "900" };
    const { table } = machine(
      [orchestrator, { ...root, family: 77 }],
      [orchestrator, { ...root, family: 77 }],
      [orchestrator, beside],
    );
    const tree = followTree(table, ROOT, "M=1");
    tree.observe();
    expect(tree.isAlive()).toBe(false);
  });
});
