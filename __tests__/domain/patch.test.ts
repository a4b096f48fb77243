import { describe, expect, it, test } from "vitest";
import { cutText, decodeEnds } from "../../src/domain/cut-text.ts";
import { sayDuration } from "../../src/domain/durations.ts";
import { parsePatch } from "../../src/domain/patch.ts";
import { placesOf } from "../../src/domain/reported-findings.ts";
import { listStageSpans, sumStageTimes } from "../../src/domain/stage-times.ts";

describe("parsePatch", () => {
  const head = (path: string, more = ""): string =>
    `diff --git a/${path} b/${path}\n${more}index 1..2 100644\n--- a/${path}\n+++ b/${path}\n`;

  it("reads hunks with the numbers of both sides", () => {
    const { files, isCut } = parsePatch(
      `${head("src/a b.ts")}@@ -3,3 +3,3 @@ function f() {\n one\n-two\n+zwei\n three\n`,
      100,
    );
    expect(isCut).toBe(false);
    expect(files).toEqual([
      {
        path: "src/a b.ts",
        kind: "changed",
        remarks: [],
        added: 1,
        deleted: 1,
        hunks: [
          {
            heading: "function f() {",
            lines: [
              { kind: "context", old: 3, new: 3, text: "one" },
              { kind: "deleted", old: 4, new: null, text: "two" },
              { kind: "added", old: null, new: 4, text: "zwei" },
              { kind: "context", old: 5, new: 5, text: "three" },
            ],
          },
        ],
      },
    ]);
  });

  it("takes nothing that stands in a file for the head of another", () => {
    const body = ["diff --git a/evil b/evil", "@@ -1 +1 @@", "--- a/evil", "+++ b/evil"];
    const { files } = parsePatch(
      `${head("x")}@@ -0,0 +1,4 @@\n${body.map((line) => `+${line}\n`).join("")}${head("y")}@@ -1 +1 @@\n-a\n+b\n`,
      100,
    );
    expect(files.map(({ path, added }) => [path, added])).toEqual([
      ["x", 4],
      ["y", 1],
    ]);
    expect(files[0]?.hunks[0]?.lines.map(({ text }) => text)).toEqual(body);
  });

  it.each([
    [
      "a new file",
      `diff --git a/n b/n\nnew file mode 100755\nindex 0..1\n--- /dev/null\n+++ b/n\n@@ -0,0 +1 @@\n+x\n`,
      { path: "n", kind: "added", remarks: ["new file mode 100755"] },
    ],
    [
      "a deleted file",
      `diff --git a/o b/o\ndeleted file mode 100644\nindex 1..0\n--- a/o\n+++ /dev/null\n@@ -1 +0,0 @@\n-x\n`,
      { path: "o", kind: "deleted" },
    ],
    [
      "a mode",
      `diff --git a/m b/m\nold mode 100644\nnew mode 100755\n`,
      { path: "m", kind: "changed", remarks: ["old mode 100644", "new mode 100755"], hunks: [] },
    ],
    [
      "a binary file",
      `diff --git a/b b/b\nindex 1..2 100644\nGIT binary patch\nliteral 3\nKcmZ\n\n`,
      { path: "b", remarks: ["binary content"] },
    ],
    [
      "a quoted name",
      `diff --git "a/t\\303\\244b\\t\\"x" "b/t\\303\\244b\\t\\"x"\nold mode 100644\nnew mode 100755\n`,
      { path: 'täb\t"x' },
    ],
    [
      "a quoted name of a changed file",
      `diff --git "a/\\303\\244" "b/\\303\\244"\n--- "a/\\303\\244"\n+++ "b/\\303\\244"\n@@ -1 +1 @@\n-a\n+b\n`,
      { path: "ä" },
    ],
    [
      "a name with a tab after it",
      `diff --git a/a b b/a b\n--- a/a b\t\n+++ b/a b\t\n@@ -1 +1 @@\n-a\n+b\n`,
      { path: "a b" },
    ],
  ])("reads %s", (_what, patch, file) => {
    expect(parsePatch(patch, 100).files).toMatchObject([file]);
  });

  it("keeps git's remark about the end of a file", () => {
    const { files } = parsePatch(
      `${head("x")}@@ -1 +1 @@\n-a\n\\ No newline at end of file\n+b\n\\ No newline at end of file\n`,
      100,
    );
    expect(files[0]?.hunks[0]?.lines.map(({ kind }) => kind)).toEqual(["deleted", "note", "added", "note"]);
  });

  it.each([
    ["more lines than are wanted", `${head("x")}@@ -0,0 +1,3 @@\n+a\n+b\n+c\n`, 2],
    ["a patch that was cut", `${head("x")}@@ -0,0 +1,3 @@\n+a\n`, 100],
    ["a line that no hunk has", `${head("x")}@@ -1,2 +1,2 @@\n a\n?\n`, 100],
  ])("says that it is cut: %s", (_what, patch, max) => {
    expect(parsePatch(patch, max).isCut).toBe(true);
  });

  it("of no patch gives no file", () => {
    expect(parsePatch("", 10)).toEqual({ files: [], isCut: false });
    expect(parsePatch("hello\n@@ -1 +1 @@\n+x\n", 10)).toEqual({ files: [], isCut: false });
  });
});

describe("placesOf", () => {
  test.each([
    [["src/a.ts"], ["see src/a.ts:12:3"], [{ path: "src/a.ts", line: 12 }]],
    [["src/a.ts"], ["other/src/a.ts:12", "src/a.ts:0", "src/a.ts: none"], [{ path: "src/a.ts", line: null }]],
    [["a.ts", "a.ts", "../b", "/c", "."], ["`a.ts:7`"], [{ path: "a.ts", line: 7 }]],
  ])("%j %j", (paths, evidence, places) => {
    expect(placesOf(paths, evidence)).toEqual(places);
  });
});

describe("cutting texts", () => {
  it("never goes through a character", () => {
    expect(cutText("short", 5)).toBe("short");
    expect(cutText("ab😀cd", 3)).toBe("ab… [4 more characters]");
    const bytes = Buffer.from("ä😀".repeat(10));
    for (let head = 0; head < 12; head += 1) {
      for (let tail = 0; tail < 12; tail += 1) {
        const cut = decodeEnds({
          bytes: bytes.length,
          head: bytes.subarray(0, head),
          tail: bytes.subarray(bytes.length - tail),
        });
        expect(cut.head + cut.tail).not.toContain("\ufffd");
        expect(cut.leftOut).toBe(bytes.length - head - tail);
      }
    }
  });
});

test.each([
  [0, "0 ms"],
  [999.4, "999 ms"],
  [1000, "1.0 s"],
  [59_999, "59.9 s"],
  [61_000, "1 min 1 s"],
  [7_260_000, "2 h 1 min"],
])("%d is said as %s", (ms, words) => {
  expect(sayDuration(ms)).toBe(words);
});

describe("times of stages", () => {
  const at = (time: string): string => `2026-03-25T${time}.000Z`;
  const times = {
    transitions: [
      { seq: 1, at: at("12:00:00"), from: null, to: "planning" as const },
      { seq: 2, at: at("12:00:10"), from: "planning" as const, to: "execution" as const },
      { seq: 3, at: at("14:00:00"), from: "execution" as const, to: "execution" as const },
    ],
    invocations: [
      { started_at: at("12:00:00"), ended_at: at("12:01:00") },
      { started_at: at("14:00:00"), ended_at: at("14:00:05") },
    ],
    completed_stages: ["stage:Planning"],
  };

  it("leave out what the run waited between two invocations", () => {
    expect(sumStageTimes(times).slice(0, 3)).toEqual([
      { stage: "planning", duration_ms: 10_000, state: "done" },
      { stage: "policy_ingestion", duration_ms: 0, state: "not_reached" },
      { stage: "execution", duration_ms: 55_000, state: "open" },
    ]);
  });

  it("of a run that has not stopped end with what is known", () => {
    const running = { ...times, invocations: [{ started_at: at("12:00:00"), ended_at: null }] };
    expect(listStageSpans(running).at(-1)).toMatchObject({
      stage: "execution",
      from_ms: Date.parse(at("14:00:00")),
      to_ms: Date.parse(at("14:00:00")),
    });
  });
});
