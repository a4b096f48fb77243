import { describe, expect, it } from "vitest";
import { buildExcludeFile } from "../../../src/effects/git/ignore-rules.ts";

function build(files: Readonly<Record<string, string>>): string {
  return buildExcludeFile(
    Object.entries(files).map(([folder, content]) => ({ folder: Buffer.from(folder), content: Buffer.from(content) })),
  ).toString("latin1");
}

describe("one exclude file from all ignore files of a tree", () => {
  it("leaves the patterns of the root as they are", () => {
    expect(build({ "": "*.log\n/dist/\n!keep.log\nsrc/*.o" })).toBe("*.log\n/dist/\n!keep.log\nsrc/*.o\n");
  });

  it("anchors the patterns of a nested file to its folder", () => {
    expect(build({ a: "*.log\n/dist\nx/y\nout/\n!keep\n\\#odd\n" })).toBe(
      "/a/**/*.log\n/a/dist\n/a/x/y\n/a/**/out/\n!/a/**/keep\n/a/**/\\#odd\n",
    );
  });

  it("puts deeper folders after shallower ones, since the last match decides", () => {
    expect(build({ "a/b": "x", "": "y", a: "z" })).toBe("y\n/a/**/z\n/a/b/**/x\n");
  });

  it("drops comments, empty lines, carriage returns and a byte order mark", () => {
    expect(build({ a: "\ufeffone\r\n# comment\r\n\r\n   \n/\ntwo \n" })).toBe("/a/**/one\n/a/**/two \n");
  });

  it("lets a folder with pattern characters or a line feed match itself alone", () => {
    expect(build({ "[a]*?\\": "x" })).toBe("/\\[a]\\*\\?\\\\/**/x\n");
    expect(build({ "a\nb": "x" })).toBe("/a[^\u0001-\u0009\u000b-\u00ff]b/**/x\n");
  });
});
