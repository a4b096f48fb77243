import { describe, expect, it } from "vitest";
import type { TreeChange } from "../../src/domain/candidate.ts";
import { configSchema } from "../../src/domain/config.ts";
import { findProtectedException, judgeScope } from "../../src/domain/scope.ts";

const config = configSchema.parse({ version: 1, policy: { "protected-paths": ["deploy/**"] } });
const rules = { planPath: "plans/keys.md", configPath: ".github/conveyor.yml", config };

const change = (path: string, more: Partial<TreeChange> = {}): TreeChange => ({
  path,
  status: "modified",
  old_mode: "100644",
  new_mode: "100644",
  old_oid: "1".repeat(40),
  new_oid: "2".repeat(40),
  added_lines: 1,
  deleted_lines: 0,
  new_bytes: 1,
  ...more,
});

/** The codes for one change by an item with these roots, when these exceptions are handed over. */
const codes = (changed: TreeChange, roots: string[], protectedException: string[]) =>
  judgeScope([changed], {
    ...rules,
    item: { write_roots: roots },
    tier: "high",
    protectedException,
    trackedPaths: [],
  }).map(({ code }) => code);

describe("the exception to protected paths", () => {
  const find = (roots: string[], tier: "low" | "medium" | "high", isHighApproved: boolean) =>
    findProtectedException({ ...rules, item: { write_roots: roots }, tier, isHighApproved });

  it("exists only for a plan of high risk that was approved as that", () => {
    const roots = ["src", ".github/workflows/ci.yml", "Deploy", "plans/keys.md", "."];
    const listed = [".github/workflows/ci.yml", "Deploy", "plans/keys.md"];
    expect(find(roots, "high", true)).toEqual(listed);
    expect(find(roots, "high", false)).toEqual([]);
    expect(find(roots, "medium", true)).toEqual([]);
    expect(find(roots, "low", true)).toEqual([]);
    expect(find(["src", "."], "high", true)).toEqual([]);
  });

  it.each([
    [".github/workflows/ci.yml", ".github/workflows/ci.yml"],
    [".github/workflows/ci.yml", ".github"],
    ["deploy/prod/x.yml", "deploy"],
    ["a/CODEOWNERS", "a/CODEOWNERS"],
  ])("lets %s be changed under the listed root %s, and without it not", (path, root) => {
    expect(codes(change(path), [root], [root])).toEqual([]);
    expect(codes(change(path, { status: "added", old_mode: "000000" }), [root], [root])).toEqual([]);
    expect(codes(change(path, { status: "deleted", new_mode: "000000" }), [root], [root])).toEqual([]);
    expect(codes(change(path), [root], [])).toEqual(["PROTECTED_PATH_CHANGED"]);
  });

  it.each([
    ["a root above the path lists nothing", ".github/x.yml", ["."], ["."]],
    ["a folder above a protected file lists nothing", "a/CODEOWNERS", ["a"], ["a"]],
    ["another listed path", ".github/x.yml", [".github/x.yml", "deploy"], ["deploy"]],
    ["a path that begins alike", ".github/x.yml.bak", [".github/x.yml", ".github"], [".github/x.yml"]],
  ])("stays closed: %s", (_, path, roots, exception) => {
    expect(codes(change(path), roots, exception)).toEqual(["PROTECTED_PATH_CHANGED"]);
  });

  it("opens nothing that the item does not list as a root", () => {
    expect(codes(change(".github/x.yml"), ["src"], [".github"])).toEqual(["PROTECTED_PATH_CHANGED", "SCOPE_VIOLATION"]);
    expect(codes(change(".github/x.yml"), ["."], [".github"])).toEqual(["PROTECTED_PATH_CHANGED"]);
  });

  it("opens nothing in other letters than the item's", () => {
    expect(codes(change(".GitHub/x.yml"), [".github"], [".github"])).toEqual([
      "PROTECTED_PATH_CHANGED",
      "SCOPE_VIOLATION",
    ]);
  });

  it.each<[string, Partial<TreeChange>]>([
    ["a new symlink", { status: "added", new_mode: "120000", link_target: "x.yml" }],
    ["a symlink in place of a file", { status: "type_changed", new_mode: "120000", link_target: "x.yml" }],
    ["a file in place of a symlink", { status: "type_changed", old_mode: "120000" }],
    ["a symlink that goes", { status: "deleted", old_mode: "120000", new_mode: "000000" }],
  ])("is never for %s", (_, more) => {
    expect(codes(change(".github/y.yml", more), [".github"], [".github"])).toEqual(["PROTECTED_PATH_CHANGED"]);
  });

  it.each(["deploy/.git/config", "deploy/.GIT./x", "deploy/git~1"])("leaves %s unsafe", (path) => {
    expect(codes(change(path, { status: "added" }), ["deploy"], ["deploy"])).toEqual(["PATH_UNSAFE"]);
  });
});
