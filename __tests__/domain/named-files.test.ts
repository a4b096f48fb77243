import { describe, expect, it } from "vitest";
import { NamedFiles } from "../../src/domain/named-files.ts";

const file = (path: string, digit: string) => ({ path, sha256: digit.repeat(64), bytes: Number(digit) });
const A1 = file("a", "1");
const A2 = file("a", "2");
const B = file("b", "3");
const show = (files: NamedFiles) => ({
  values: [...files.values()],
  paths: [...files.paths()],
  size: files.size,
});

describe("the files that events name", () => {
  it("are those that were named, the newest digest of a path counting, in the order in which they came", () => {
    const files = NamedFiles.of([A1, B]).with([A2]);
    expect(show(files)).toEqual({ values: [A2, B], paths: ["a", "b"], size: 2 });
    expect([files.get("a"), files.has("b"), files.get("c"), files.has("c")]).toEqual([A2, true, undefined, false]);
    expect(NamedFiles.of([A1, A2]).get("a")).toBe(A2);
  });

  it("stay what they were when more are named, and two that came of the same one do not see each other's", () => {
    const first = NamedFiles.of([A1]);
    const second = first.with([B]);
    const other = first.with([A2]);
    const third = second.with([file("b", "4")]);
    expect(show(first)).toEqual({ values: [A1], paths: ["a"], size: 1 });
    expect(first.has("b")).toBe(false);
    expect(show(second)).toEqual({ values: [A1, B], paths: ["a", "b"], size: 2 });
    expect(show(other)).toEqual({ values: [A2], paths: ["a"], size: 1 });
    expect(third.get("b")?.bytes).toBe(4);
    expect(second.get("b")).toBe(B);
    expect(second.with([])).toBe(second);
  });
});
