import { describe, expect, test } from "vitest";
import { artifactName, legOf, parseArtifactName } from "../../src/domain/artifact-names.ts";
import { judgeBundleHeader, renderBundleHeader } from "../../src/domain/bundle-header.ts";
import type { HandedObjects } from "../../src/domain/handed-objects.ts";
import { chooseLeftOut } from "../../src/domain/left-out.ts";
import { judgeRerun } from "../../src/domain/rerun.ts";
import { parseSums, renderSums } from "../../src/domain/sums.ts";

const RUN_ID = "RUN_20260325T120000Z_deadbeef";
const digest = (digit: string): string => digit.repeat(64);

describe("names of artifacts", () => {
  test("a leg for the start and for each resume; read back, and nothing else is", () => {
    expect(legOf({ resumes: 2 })).toBe(3);
    expect(artifactName(RUN_ID, 3)).toBe(`conveyor-${RUN_ID}-leg3`);
    expect(parseArtifactName(artifactName(RUN_ID, 12))).toEqual({ runId: RUN_ID, leg: 12 });
    for (const name of [
      `conveyor-${RUN_ID}`,
      `conveyor-${RUN_ID}-leg0`,
      `conveyor-${RUN_ID}-leg01`,
      `x-conveyor-${RUN_ID}-leg1`,
      `conveyor-RUN_1-leg1`,
      `conveyor-${RUN_ID}-leg1\n`,
    ]) {
      expect(parseArtifactName(name), name).toBeUndefined();
    }
  });
});

describe("lists of digests", () => {
  const files = [
    { path: "b.md", sha256: digest("1") },
    { path: "a.json", sha256: digest("2") },
  ];

  test("are sorted, and read back", () => {
    const text = renderSums(files);
    expect(text).toBe(`${digest("2")}  a.json\n${digest("1")}  b.md\n`);
    expect(parseSums(text)).toEqual({ ok: true, value: files.toReversed() });
  });

  test.each([
    ["another order", `${digest("1")}  b.md\n${digest("2")}  a.json\n`],
    ["a name twice", `${digest("1")}  a\n${digest("1")}  a\n`],
    ["no newline at the end", `${digest("1")}  a`],
    ["a folder", `${digest("1")}  a/b\n`],
    ["a hidden name", `${digest("1")}  .a\n`],
    ["binary mode", `${digest("1")} *a\n`],
    ["a short digest", `${digest("1").slice(1)}  a\n`],
    ["an empty line", `\n`],
  ])("%s is none", (_, text) => {
    expect(parseSums(text).ok).toBe(false);
  });
});

describe("what is left out", () => {
  const file = (path: string, bytes: number) => ({ path, sha256: digest("0"), bytes });
  const files = [
    file("a/command-1.stdout.log", 50),
    file("a/command-2.stderr.log", 80),
    file("session-1/stdout.log", 500),
    file("session-1/stderr.log", 60),
    file("changes.json", 100),
    file("stdout.log.txt", 1),
  ];
  const bytesOf = ({ bytes }: { bytes: number }): number => bytes;

  test.each([
    [791, []],
    [790, ["a/command-2.stderr.log"]],
    [700, ["a/command-2.stderr.log", "session-1/stderr.log"]],
    [601, ["a/command-1.stdout.log", "a/command-2.stderr.log", "session-1/stderr.log"]],
  ])("to stay within %i bytes: the largest logs, no more than needed", (budget, expected) => {
    const chosen = chooseLeftOut(files, budget, bytesOf);
    expect(chosen.ok ? chosen.value.map(({ path }) => path) : chosen.error).toEqual(expected);
  });

  test("never what verify reads: then it says how much it takes", () => {
    expect(chooseLeftOut(files, 600, bytesOf)).toEqual({ ok: false, error: 601 });
  });
});

describe("heads of bundles", () => {
  const oid = (digit: string): string => digit.repeat(40);
  const objects: HandedObjects = {
    bases: [oid("b")],
    refs: [
      { ref: "refs/conveyor/kept/x", oid: oid("1") },
      { ref: "refs/heads/run", oid: oid("2") },
    ],
  };
  const judge = (text: string) =>
    judgeBundleHeader(text, {
      branchRef: "refs/heads/run",
      format: "sha1",
      expect: (branch) => (branch === oid("2") ? objects : undefined),
    });

  test("are what git writes, in both formats", () => {
    expect(renderBundleHeader(objects, "sha1")).toBe(
      `# v2 git bundle\n-${oid("b")} base\n${oid("1")} refs/conveyor/kept/x\n${oid("2")} refs/heads/run\n\n`,
    );
    expect(renderBundleHeader(objects, "sha256")).toMatch(/^# v3 git bundle\n@object-format=sha256\n-/);
    expect(judge(renderBundleHeader(objects, "sha1"))).toEqual({ ok: true, value: { ...objects, branch: oid("2") } });
  });

  test.each([
    [
      "no branch",
      (text: string) => text.replace("refs/heads/run", "refs/heads/ran"),
      "says that the run branch is at nothing",
    ],
    [
      "another base",
      (text: string) => text.replace(`-${oid("b")}`, `-${oid("c")}`),
      "has a line that the journal does not give",
    ],
    ["no base", (text: string) => text.replace(`-${oid("b")} base\n`, ""), "has its lines in another order"],
    ["another signature", (text: string) => text.replace("v2", "v3"), "has a line that the journal does not give"],
    [
      "a ref twice",
      (text: string) => text.replace("\n\n", `\n${oid("1")} refs/conveyor/kept/x\n\n`),
      "has its lines in another order",
    ],
  ])("%s is refused", (_, change, why) => {
    const judged = judge(change(renderBundleHeader(objects, "sha1")));
    expect(judged.ok ? "" : judged.error).toContain(why);
  });
});

describe("a rerun", () => {
  const passed = { kind: "exited", exit_code: 0 } as const;
  const facts = {
    prepare: { status: "ran", ending: null, tracked_changes: [] },
    commands: [{ purpose: "required" as const, items: ["01"], command: "true", ending: passed, duration_ms: 1 }],
    artifacts: [{ path: "a", status: "present" as const }],
    tamper: [],
  };

  test("passes when everything did", () => {
    expect(judgeRerun(facts)).toEqual({ outcome: "passed", failures: [] });
  });

  test.each([
    ["a command", { commands: [{ ...facts.commands[0], ending: { kind: "exited", exit_code: 1 } }] }, "failed"],
    [
      "a command over its limit",
      { commands: [{ ...facts.commands[0], ending: { kind: "timed_out", timeout_ms: 5 } }] },
      "timeout",
    ],
    ["an artifact", { artifacts: [{ path: "a", status: "empty" }] }, "failed"],
    ["git metadata", { tamper: ["refs changed"] }, "failed"],
    [
      "prepare",
      { prepare: { status: "failed", ending: { kind: "exited", exit_code: 2 }, tracked_changes: [] } },
      "failed",
    ],
    [
      "prepare over its limit",
      { prepare: { status: "failed", ending: { kind: "timed_out", timeout_ms: 5 }, tracked_changes: [] } },
      "timeout",
    ],
    [
      "prepare that changed a tracked file",
      { prepare: { status: "failed", ending: null, tracked_changes: ["a"] } },
      "failed",
    ],
  ])("fails by %s", (_, change, outcome) => {
    const judged = judgeRerun({ ...facts, ...change } as Parameters<typeof judgeRerun>[0]);
    expect(judged.outcome).toBe(outcome);
    expect(judged.failures).toHaveLength(1);
  });
});
