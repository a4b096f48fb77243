import { describe, expect, it, test } from "vitest";
import type { EventDraft } from "../../src/domain/journal.ts";
import { invisibleIndex } from "../../src/domain/visible-text.ts";
import { ANNOTATIONS_MAX, buildAnnotations, listAnnotationPaths } from "../../src/render/annotations.ts";
import { renderJobSummary, SUMMARY_BYTES_MAX } from "../../src/render/job-summary.ts";
import { renderLogEvent, renderLogOutput } from "../../src/render/log-groups.ts";
import { chain, draft } from "../domain/run-fixtures.ts";
import { created, inStage } from "../domain/run-story.ts";
import { HOSTILE, poisonReport } from "./hostile.ts";
import { finding, richReport, round } from "./page-fixtures.ts";

describe("the summary of a job", () => {
  const summary = renderJobSummary(richReport(), {
    artifactName: "conveyor-RUN-leg1",
    artifactUrl: "https://github.com/o/r/actions/runs/1/artifacts/2",
  });

  it("begins with the verdict, and says what would unblock it before anything else", () => {
    const lines = summary.split("\n");
    expect(lines[0]).toBe("## blocked (2 of 4 items audited): 1 of 4 items passed: ITEM\\_AWAITING\\_HUMAN\\_GATE");
    const headings = lines.filter((line) => line.startsWith("### "));
    expect(headings).toEqual(["### What would unblock it", "### Items", "### Gates", "### Findings", "### Stages"]);
  });

  it.each([
    ["the commands", "`conveyor gate approve RUN_20260325T120000Z_deadbeef 02 --by NAME --note TEXT`"],
    ["items", /\| 02 +\| awaiting_human_gate +\| 1 +\| `ITEM_AWAITING_HUMAN_GATE` +\| Compare tokens/],
    ["gates", /\| ci +\| no +\| pending +\| GATE_CI_NOT_SUCCESS/],
    [
      "findings with their places",
      /\| 02 +\| high, blocking +\| The token is compared with === +\| `src\/session.ts:4` +\| careful/,
    ],
    ["what verification found", /\| 03 +\| high, blocking +\| required command failed: npm test/],
    ["stages with durations", /\| execution +\| open +\| 58 min 58 s \| +6 \|/],
    ["stages it never reached", /\| closure +\| not reached \| +\| +0 \|/],
    ["cost, folded", "<details><summary>Cost</summary>"],
    [
      "where the rest is",
      "The whole report is `report.html` in [the artifact conveyor-RUN-leg1](https://github.com/o/r/actions/runs/1/artifacts/2).",
    ],
  ])("has %s", (_what, words) => {
    if (typeof words === "string") expect(summary).toContain(words);
    else expect(summary.replaceAll("\\", "")).toMatch(words);
  });

  it("makes no link of an address that is none of the web", () => {
    for (const artifactUrl of ["javascript:alert(1)", "http://evil.example/x", "https://a/b)[x](https://evil.example"])
      expect(renderJobSummary(richReport(), { artifactUrl })).not.toContain("](");
    expect(renderJobSummary(richReport(), { pullRequestUrl: "https://github.com/o/r/pull/7" })).toContain(
      "Published as [a pull request](https://github.com/o/r/pull/7).",
    );
  });

  test.each(HOSTILE)("nothing in %j is active", (hostile) => {
    const text = renderJobSummary(poisonReport(hostile));
    const shape = (markdown: string): string[] =>
      markdown.split("\n").map((line) => /^(?:#+ [A-Z]?|- |\||<\/?details|$)/.exec(line)?.[0] ?? "text");
    expect(shape(text)).toEqual(shape(renderJobSummary(poisonReport("plain"))));
    expect(text.replaceAll("\n", "")).toSatisfy((seen: string) => invisibleIndex(seen) === -1);
    // In code nothing is active; an empty comment is what keeps the parts of a mention or an address apart.
    const seen = text
      .replaceAll(/`[^`\n]*`/g, "")
      .replaceAll(/(?:@|:|www|\\#|GH-)<!-- -->/gi, "")
      .replaceAll(/<\/?details>|<\/?summary>/g, "");
    expect(seen).not.toMatch(/(?<!\\)(?:<|!\[|\]\(|&)|@|:\/\/|(?<!\\)#\d|GH-\d/);
  });

  it("of ten million bytes of findings is valid, cut at whole rows, and has its verdict", () => {
    const findings = Array.from({ length: 200 }, (_, index) =>
      finding({
        title: `${index} ${"é😀".repeat(200)}`,
        why_it_matters: "😀".repeat(4000),
        evidence: Array(5).fill("x".repeat(8000)),
      }),
    );
    const audit = richReport().audit;
    const items = audit.items.map((item) => ({ ...item, rounds: [round({ findings })] }));
    const text = renderJobSummary({ ...richReport(), audit: { ...audit, items } });
    expect(Buffer.byteLength(text)).toBeLessThanOrEqual(SUMMARY_BYTES_MAX);
    expect(text).toBe(text.toWellFormed());
    expect(text).toMatch(/^## blocked/);
    expect(text).toMatch(/… and \d+ more in the report\./);
    expect(text.match(/<details>/g)).toHaveLength(text.match(/<\/details>/g)?.length ?? 0);
  });

  it("leaves a section out whole when there is no room for it, and names it", () => {
    const [item] = richReport().items;
    if (item === undefined) throw new Error("the fixture has an item");
    const items = Array.from({ length: 100 }, (_, index) => ({
      ...item,
      item_id: `${index}`,
      reason_codes: Array<"ITEM_ESCALATED">(200).fill("ITEM_ESCALATED"),
    }));
    const text = renderJobSummary({ ...richReport(), items });
    expect(Buffer.byteLength(text)).toBeLessThanOrEqual(SUMMARY_BYTES_MAX);
    expect(text).toContain("**Left out here because of its size: items.** The report has it.");
    expect(text).toContain("### Gates");
  });
});

describe("annotations", () => {
  const files = new Set(["src/session.ts", "docs/sessions.md"]);

  it("are of the findings in the last candidate of each item, worst first", () => {
    const annotations = buildAnnotations(richReport(), files);
    expect(annotations.map(({ level, file, line, title }) => [level, file, line, title])).toEqual([
      ["error", "src/session.ts", 4, "Item 02: The token is compared with ==="],
      ["error", undefined, undefined, "Item 03: required command failed: npm test -- session: exit code 1"],
      ["warning", "docs/sessions.md", undefined, "Item 02: The limit is written in two places"],
    ]);
    expect(annotations[0]?.message).toBe(
      "The token is compared with === (high, blocking, found by careful): How long the comparison takes says how much of the token is right. Compare with timingSafeEqual.",
    );
  });

  it("of an item that passed are notices", () => {
    const report = richReport();
    const audit = {
      ...report.audit,
      items: report.audit.items.map((item) => ({
        ...item,
        rounds: item.rounds.map((each) => ({ ...each, round: 2, findings: [finding()] })),
      })),
    };
    expect(
      buildAnnotations({ ...report, items: report.items.slice(0, 1), audit }, files).map(({ level }) => level),
    ).toEqual(["notice"]);
  });

  it("name a path only when it is a file of the repository", () => {
    const paths = ["../outside", "/etc/passwd", "src/session.ts", "gone.ts", "a\\b", "https://x/y"];
    const report = richReport();
    const audit = {
      ...report.audit,
      items: report.audit.items.map((item) => ({
        ...item,
        rounds: item.rounds.map((each) => ({ ...each, findings: [finding({ file_paths: paths })] })),
      })),
    };
    const odd = { ...report, audit };
    expect(listAnnotationPaths(odd)).toEqual(["src/session.ts", "gone.ts"]);
    expect(
      buildAnnotations(odd, new Set(paths)).every(
        ({ file }) => file === undefined || file === "src/session.ts" || file === "gone.ts",
      ),
    ).toBe(true);
    expect(buildAnnotations(odd, new Set()).every(({ file, line }) => file === undefined && line === undefined)).toBe(
      true,
    );
  });

  it.each([0, 10, 11, 200])("of %i findings are ten at most, and one that counts the rest", (count) => {
    const findings = Array.from({ length: count }, (_, index) =>
      finding({ title: `f${index}`, severity: index < 5 ? "low" : "high", is_blocking: false }),
    );
    const report = richReport();
    const audit = {
      ...report.audit,
      items: report.audit.items.map((item) => ({
        ...item,
        rounds: item.rounds.map((each) => ({ ...each, findings })),
      })),
    };
    const annotations = buildAnnotations({ ...report, items: report.items.slice(1, 2), audit }, files);
    expect(annotations).toHaveLength(Math.min(count, ANNOTATIONS_MAX + 1));
    if (count < 10) return;
    expect(annotations[0]?.level).toBe("error");
    if (count > 10)
      expect(annotations.at(-1)).toMatchObject({
        level: "notice",
        file: undefined,
        message: expect.stringMatching(new RegExp(`^${count - 10} more findings`)) as string,
      });
  });

  test.each(HOSTILE)("%j stays on its line", (hostile) => {
    for (const { title, message } of buildAnnotations(poisonReport(hostile), files)) {
      for (const text of [title, message]) {
        expect(invisibleIndex(text)).toBe(-1);
        expect(text).not.toMatch(/^\s*::|##\[/);
        expect(text.length).toBeLessThan(1100);
      }
    }
  });
});

describe("groups in the log of a job", () => {
  const render = (drafts: readonly EventDraft[]): string[] => {
    let isOpen = false;
    return chain([created(), ...drafts]).flatMap((event) => {
      const rendered = renderLogEvent(event, isOpen);
      ({ isOpen } = rendered);
      return rendered.lines;
    });
  };

  it("are one for each stage, each closed before the next", () => {
    const lines = render([
      ...inStage("planning"),
      draft("stage_started", { stage: "execution" }, null),
      draft("stage_started", { stage: "closure" }, null),
    ]);
    expect(lines.filter((line) => line.startsWith("::"))).toEqual([
      "::group::planning",
      "::endgroup::",
      "::group::execution",
      "::endgroup::",
      "::group::closure",
    ]);
  });

  it("a failure stands outside, where it is seen", () => {
    const failed = draft(
      "stage_failed",
      { stage: "planning", reason_code: "PREPARE_FAILED", message: "::endgroup::\n::error::x ##[group]y" },
      null,
    );
    const lines = render([draft("stage_started", { stage: "planning" }, null), failed]);
    expect(lines.slice(-2)).toEqual([
      "::endgroup::",
      "12:00:02 stage planning failed: PREPARE_FAILED ::endgroup::\\u{A}::error::x #\\u{23}[group]y",
    ]);
  });

  test.each(HOSTILE)("nothing that a program prints opens or closes one: %j", (hostile) => {
    for (const line of ["::endgroup::", "::group::x", `\u001b[2K\r::error::${hostile}`, hostile]) {
      const text = renderLogOutput(line);
      expect(text).not.toMatch(/[\r\n]|##\[/);
      expect(text).not.toMatch(/^\s*::/);
    }
  });
});
