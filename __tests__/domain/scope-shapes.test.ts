import { describe, expect, it } from "vitest";
import type { TreeChange } from "../../src/domain/candidate.ts";
import { findBareRepositories, findLinkLoops } from "../../src/domain/scope-shapes.ts";

const OID = "a".repeat(40);

function change(path: string, input: Partial<TreeChange> = {}): TreeChange {
  const rest = { old_mode: "000000", new_mode: "100644", old_oid: OID, new_oid: OID, new_bytes: 1 };
  return { path, status: "added", added_lines: 1, deleted_lines: 0, ...rest, ...input };
}

const pathsOf = (violations: readonly { readonly path: string }[]): string[] => violations.map(({ path }) => path);

describe("a folder that git takes for a bare repository", () => {
  it.each([
    ["made at once", ["x/HEAD", "x/objects/a", "x/refs/a"], [], ["x/HEAD", "x/objects/a", "x/refs/a"]],
    ["completed", ["x/HEAD"], ["x/objects/a", "x/refs/a"], ["x/HEAD"]],
    ["in another case", ["x/head", "X/Objects/a", "x/REFS/a"], [], ["x/head", "X/Objects/a", "x/REFS/a"]],
    ["with its objects elsewhere", ["x/HEAD", "x/commondir"], [], ["x/HEAD", "x/commondir"]],
    ["in the root", ["HEAD", "objects/a", "refs/a"], [], ["HEAD", "objects/a", "refs/a"]],
    ["without refs", ["x/HEAD", "x/objects/a"], [], []],
    ["without HEAD", ["x/objects/a", "x/refs/a"], [], []],
    ["spread over two", ["x/HEAD", "y/objects/a", "y/refs/a"], [], []],
    ["of names that only begin so", ["x/HEADS", "x/objects2/a", "x/refs-a/b"], [], []],
    ["that was there, and is not touched", ["x/other"], ["x/HEAD", "x/objects/a", "x/refs/a"], []],
  ])("%s", (_what, added, tracked, expected) => {
    expect(
      pathsOf(
        findBareRepositories(
          added.map((path) => change(path)),
          tracked,
        ),
      ),
    ).toEqual(expected);
  });

  it("is none when the change takes a part of it away", () => {
    const changes = [change("x/HEAD"), change("x/refs/a", { status: "deleted" })];
    expect(findBareRepositories(changes, ["x/objects/a", "x/refs/a"])).toEqual([]);
  });
});

describe("symlinks that lead to each other", () => {
  const link = (path: string, target: string): TreeChange => change(path, { new_mode: "120000", link_target: target });

  it.each([
    ["itself", [link("a", "a")], ["a"]],
    ["itself by another spelling", [link("x/a", ".././x//a")], ["x/a"]],
    ["a pair", [link("a", "b"), link("b", "./a")], ["a", "b"]],
    ["three", [link("a", "x/b"), link("x/b", "../c"), link("c", "a")], ["a", "x/b", "c"]],
    ["who leads into a circle is not in it", [link("a", "b"), link("b", "b")], ["b"]],
    ["a chain with an end", [link("a", "b"), link("b", "file")], []],
    ["the folder it lies in", [link("x/a", ".")], []],
  ])("%s", (_what, changes, expected) => {
    expect(pathsOf(findLinkLoops(changes))).toEqual(expected);
  });
});
