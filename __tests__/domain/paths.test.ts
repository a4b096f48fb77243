import { describe, expect, it } from "vitest";
import { foldersAbove, forbiddenRoot, isInside, normalizePath, pathProblem } from "../../src/domain/paths.ts";

describe("pathProblem", () => {
  it.each(["README.md", "src/a b.ts", ".", ".github/x", "a..b", "docs/日本.md", "[id].ts", "it's", "x".repeat(512)])(
    "has nothing against %j",
    (path) => {
      expect(pathProblem(path)).toBeUndefined();
    },
  );

  it.each([
    ["", "an empty path"],
    ["x".repeat(513), "a path longer than 512 characters"],
    ["a\u200Bb", "a control or invisible character"],
    ["a\nb", "a control or invisible character"],
    ["https://a/b", "a URL"],
    ["/a", "an absolute path"],
    ["c:a", "an absolute path"],
    ["~", "a path in a home folder"],
    ["~/a", "a path in a home folder"],
    ["a\\b", "a backslash"],
    ["..", "`..`"],
    ["a/..", "`..`"],
    ["a//b", "an empty segment"],
    ["a/./b", "a segment `.`"],
  ])("says what is wrong with %j: %s", (path, problem) => {
    expect(pathProblem(path)).toBe(problem);
  });
});

describe("normalizePath", () => {
  it.each([
    ["src/", "src"],
    ["././src//", "src"],
    ["./", "."],
    [".", "."],
    ["/", "/"],
    [".//", "/"],
    ["../", ".."],
    ["", ""],
  ])("makes of %j %j", (path, normalized) => {
    expect(normalizePath(path)).toBe(normalized);
  });
});

describe("isInside", () => {
  it.each([
    [".", "a/b", true],
    ["a", "a", true],
    ["a", "a/b", true],
    ["a", "ab", false],
    ["a/b", "a", false],
    ["A", "a/b", false],
  ])("of %j and %j is %s", (root, path, inside) => {
    expect(isInside(root, path)).toBe(inside);
  });
});

describe("forbiddenRoot", () => {
  it.each([
    ["src", undefined],
    [".", undefined],
    [".gitignore", undefined],
    ["docs", undefined],
    ["a/.Git", ".Git"],
    [".git. .", ".git. ."],
    [".codex:x/a", ".codex:x"],
    [".claude/.ſ", ".claude"],
    ["DOCS/plans", "./docs/plans/"],
  ])("of %j is %j", (path, rule) => {
    expect(forbiddenRoot(path, ["./docs/plans/"])).toBe(rule);
  });
});

describe("foldersAbove", () => {
  it("goes from the nearest to the topmost", () => {
    expect(foldersAbove("a/b/c.ts")).toEqual(["a/b", "a"]);
    expect(foldersAbove("c.ts")).toEqual([]);
  });
});
