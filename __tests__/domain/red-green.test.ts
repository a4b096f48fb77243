import { describe, expect, it } from "vitest";
import type { TreeChange } from "../../src/domain/candidate.ts";
import type { ProcessEnding } from "../../src/domain/process-report.ts";
import { findTestPaths, judgeRedGreen } from "../../src/domain/red-green.ts";

const exited = (exit_code: number): ProcessEnding => ({ kind: "exited", exit_code });
const runs = (...endings: ProcessEnding[]) => endings.map((ending, index) => ({ command: `c${index}`, ending }));
const judge = (red: ProcessEnding[], green: ProcessEnding[], testPaths = ["a.test.ts"]) =>
  judgeRedGreen({ testPaths, red: runs(...red), green: runs(...green) });
const PASS = exited(0);

const NOT_RED: readonly ProcessEnding[] = [
  PASS,
  ...[126, 127, 128, 130, 137, 143, 255, -1].map(exited),
  { kind: "signalled", signal: "SIGKILL" },
  { kind: "timed_out", timeout_ms: 5 },
  { kind: "spawn_failed", message: "ENOENT" },
  { kind: "output_limit", output_bytes_max: 5 },
  { kind: "cancelled" },
];

describe("red and green", () => {
  it.each(Array.from({ length: 125 }, (_, index) => index + 1))("are proven by exit code %i", (code) => {
    expect(judge([exited(code)], [PASS])).toEqual({ kind: "proven" });
  });

  it.each(NOT_RED)("are not proven by %j on the base", (ending) => {
    expect(judge([ending], [PASS])).toMatchObject({
      kind: "not_proven",
      why: expect.stringContaining("no required command fails on the base as a failing test does: c0: "),
    });
  });

  it.each([...NOT_RED.slice(1), exited(1)])("are not proven by %j on the candidate", (ending) => {
    expect(judge([exited(1), PASS], [PASS, ending])).toMatchObject({
      kind: "not_proven",
      why: expect.stringContaining("a required command does not pass on the candidate: c1: "),
    });
  });

  it("need one red command, whatever the others do on the base", () => {
    for (const other of NOT_RED) {
      expect(judge([other, exited(1)], [PASS, PASS])).toEqual({ kind: "proven" });
      expect(judge([exited(1), other], [PASS, PASS])).toEqual({ kind: "proven" });
    }
  });

  it("are not proven without a test, a command, or the same commands on both sides", () => {
    const why = (verdict: ReturnType<typeof judge>) => (verdict.kind === "proven" ? "proven" : verdict.why);
    expect(why(judge([exited(1)], [PASS], []))).toBe("no changed file matches validation.test-paths");
    expect(why(judge([], []))).toBe("no required command was run on the base");
    expect(why(judge([exited(1)], []))).toContain("same commands");
    expect(why(judge([exited(1)], [PASS, PASS]))).toContain("same commands");
    const red = [{ command: "x", ending: exited(1) }];
    expect(why(judgeRedGreen({ testPaths: ["a"], red, green: runs(PASS) }))).toContain("same commands");
  });

  it("say all that is missing at once", () => {
    expect(judge([PASS], [exited(2)], [])).toEqual({
      kind: "not_proven",
      why:
        "no changed file matches validation.test-paths; " +
        "no required command fails on the base as a failing test does: c0: exit code 0; " +
        "a required command does not pass on the candidate: c0: exit code 2",
    });
  });
});

describe("test files", () => {
  const change = (path: string, more: Partial<TreeChange> = {}): TreeChange => ({
    path,
    status: "added",
    old_mode: "000000",
    new_mode: "100644",
    old_oid: "0".repeat(40),
    new_oid: "2".repeat(40),
    added_lines: 1,
    deleted_lines: 0,
    new_bytes: 1,
    ...more,
  });
  const GLOBS = ["**/__tests__/**", "**/*.test.*"];

  it("are the changed paths that match", () => {
    const paths = ["src/a.ts", "a.test.ts", "src/b.TEST.js", "__tests__/x/data.json", "latest.ts", "__tests__.md"];
    expect(
      findTestPaths(
        paths.map((path) => change(path)),
        GLOBS,
      ),
    ).toEqual(["a.test.ts", "src/b.TEST.js", "__tests__/x/data.json"]);
  });

  it.each<[string, Partial<TreeChange>]>([
    ["changed", { status: "modified", old_mode: "100644" }],
    ["executable", { new_mode: "100755" }],
    ["in place of a symlink", { status: "type_changed", old_mode: "120000" }],
  ])("may be %s", (_, more) => {
    expect(findTestPaths([change("a.test.ts", more)], GLOBS)).toEqual(["a.test.ts"]);
  });

  it.each<[string, Partial<TreeChange>]>([
    ["deleted", { status: "deleted", new_mode: "000000" }],
    ["a symlink", { new_mode: "120000", link_target: "x" }],
    ["a submodule", { new_mode: "160000" }],
    ["a name that is not UTF-8", { path_hex: "ff" }],
  ])("are not what is %s", (_, more) => {
    expect(findTestPaths([change("a.test.ts", more)], GLOBS)).toEqual([]);
  });

  it("are none when the configuration names none", () => {
    expect(findTestPaths([change("a.test.ts")], [])).toEqual([]);
  });
});
