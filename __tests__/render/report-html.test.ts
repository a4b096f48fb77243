import { createHash } from "node:crypto";
import { describe, expect, it, test } from "vitest";
import { invisibleIndex } from "../../src/domain/visible-text.ts";
import { ROUNDS_BYTES_MAX } from "../../src/render/html/items.ts";
import { renderReportHtml } from "../../src/render/report-html.ts";
import { HOSTILE, poisonPage } from "./hostile.ts";
import { finding, pageText, richPage, richReport, richTexts, round } from "./page-fixtures.ts";

const html = renderReportHtml(richPage());
/** The page as it is read: without its style and its tags. */
const text = (page: string): string =>
  page
    .replace(/<style>[^]*<\/style>/, "")
    .replaceAll(/<[^>]*>/g, " ")
    .replaceAll(/\s+/g, " ");

/** A page is long: what is missing is said, not what is there. */
function expectText(page: string, words: string): void {
  const read = text(page)
    .replaceAll("&#39;", "'")
    .replaceAll("&quot;", '"')
    .replaceAll("&lt;", "<")
    .replaceAll("&gt;", ">");
  expect([words, read.includes(words) ? "is there" : "is missing"]).toEqual([words, "is there"]);
}

/** Every tag of a page with its attributes' names. */
const tags = (page: string): string[] =>
  [...page.matchAll(/<(\/?[a-z][a-z0-9]*)((?:\s+[a-zA-Z-]+(?:="[^"<>]*")?)*)\s*\/?>/g)].map(
    ([, name, attributes = ""]) =>
      [name, ...[...attributes.matchAll(/ ([a-zA-Z-]+)/g)].map(([, attribute]) => attribute)].join(" "),
  );

describe("the page of a run", () => {
  it("says the verdict first, then what would unblock it with the commands", () => {
    expect(html).toMatch(/^<!doctype html>\n<html lang="en">/);
    const read = text(html);
    const order = [
      "1 of 4 items passed",
      "ITEM_AWAITING_HUMAN_GATE",
      "What would unblock it",
      "conveyor gate approve RUN_20260325T120000Z_deadbeef 02 --by NAME --note TEXT",
      "Timeline",
    ];
    const at = order.map((words) => read.lastIndexOf(words));
    expect(read.indexOf("blocked")).toBeLessThan(read.indexOf("items passed"));
    expect(at.every((place) => place > 0)).toBe(true);
    expect(html).toContain("<title>blocked (2 of 4 items audited): 1 of 4 items passed");
  });

  it.each([
    ["stages with durations, and what it waited for", "execution open 58 min 58 s"],
    ["the pause between two invocations", "the run waited 2 h 0 min in between"],
    ["programs", "required command 01 failed exit code 1"],
    [
      "what an executor says, as a claim",
      "It says of itself, which decides nothing: Sessions end after thirty minutes.",
    ],
    ["violations of scope", "SCOPE_VIOLATION lib/x.ts outside the write roots src"],
    ["a command that failed, and its log", "failed npm test -- session exit code 1"],
    ["what a log says, without its colours", "✖ a session is renewed by a request (0.8 ms)"],
    ["what of a log is left out", "bytes left out, all of them in the file"],
    ["red and green", "Red, then green proven"],
    ["auditors side by side, and that they disagree", "Audits they disagree"],
    ["what each auditor says", "It says issues found The comparison leaks how much of the token is right."],
    ["what an auditor could not look at", "I could not run the tests against a real clock."],
    ["answers that proved nothing", "1 answer of it proved nothing"],
    ["what was refused to triage", "Refused to the triage program: false positive for F-aaaaaaaaaa: it blocks"],
    ["findings with what was decided", "Decided by triage: out of scope: the document is the plan's own wish"],
    ["a manual gate", "Manual gate: approval open It decides who is let in."],
    ["evidence from outside", "Evidence from outside: items/02/evidence-7/measured.txt"],
    ["validation", "failed The plan's own commands on the run branch"],
    ["gates with their reasons", "blocked ci it was told pending expected success GATE_CI_NOT_SUCCESS CI is missing"],
    ["risk with its reasons", "risk high low: Risk-Tier is low high: item 02 may write src/auth, a sensitive path"],
    [
      "approvals that count, and those that do not",
      "high octo github, self-approved does not count approver-is-author",
    ],
    ["cost beside its limit", "$3.1417 of at most $10."],
    ["cost by lane", "audit:careful 2 unknown none 81000 in (60000 cached), 9000 out"],
    ["what a lane may cost", "executor 2 $3.1417 $2.5 a session"],
    ["what an item may cost", "item 01 2 $3.1417 at most $7.5"],
    ["the sandbox, layer by layer", "tier 3 every probe held"],
    ["strengths", "disk and memory advisory"],
    ["probes", "12 of 12 probes held when the run started"],
    ["the network", "203.0.113.7:80 auditor no 1 0 bytes 0 bytes"],
    ["warnings", "the checkpoint was older than the journal"],
    ["digests", "journal head"],
    ["options and where they came from", "max-cost-usd 10 configuration"],
    ["an item that never began", "Write it down not started"],
  ])("has %s", (_what, words) => {
    expectText(html, words);
  });

  it("puts a finding beside the line that its evidence names, and above the file when it names none", () => {
    const diff = html.slice(html.indexOf('id="item-2"'), html.indexOf('id="item-3"'));
    const read = text(diff.slice(diff.indexOf("Changes")));
    expect(read).toContain(
      "4 + high The token is compared with === careful, line 4 Compare with timingSafeEqual. 3 -export",
    );
    expect(read).toMatch(/docs\/sessions\.md added \+3 −0 1 finding low The limit is written in two places/);
    expect(read).toContain("test/old.test.ts deleted +0 −2");
  });

  it("has a way round, an order of headings, and names for what scrolls", () => {
    const levels = [...html.matchAll(/<h([1-6])/g)].map(([, level]) => Number(level));
    expect(levels[0]).toBe(1);
    for (const [index, level] of levels.entries()) expect(level - (levels[index - 1] ?? 0)).toBeLessThanOrEqual(1);
    for (const [opening] of html.matchAll(/<(?:div|pre)[^>]*tabindex="0"[^>]*>/g))
      expect(opening).toMatch(/aria-label="[^"]+"/);
    for (const [, target] of html.matchAll(/href="#([^"]+)"/g)) expect(html).toContain(`id="${target}"`);
    const ids = [...html.matchAll(/ id="([^"]+)"/g)].map(([, id]) => id);
    expect(new Set(ids).size).toBe(ids.length);
  });

  it("allows nothing but its own style, named by digest", () => {
    const style = /<style>([^]*)<\/style>/.exec(html)?.[1] ?? "";
    const digest = createHash("sha256").update(style).digest("base64");
    expect(html).toContain(
      `content="default-src 'none'; style-src 'sha256-${digest}'; base-uri 'none'; form-action 'none'"`,
    );
    expect(style).not.toMatch(/url\(|@import|expression/);
    expect(html).not.toMatch(/<script|<img|<link|<iframe|<form| style=| on[a-z]+=/);
  });

  it("is the same for the same report and files", () => {
    expect(renderReportHtml(richPage())).toBe(html);
  });

  it.each([
    ["done", { terminal_state: "done" as const, next_actions: [] }, "Nothing is left to do Every item passed"],
    ["timeout", { terminal_state: "timeout" as const }, "timeout 1 of 4 items passed"],
    ["handed off", { terminal_state: null, handoff: true }, "handoff 1 of 4 items passed"],
    ["interrupted", { terminal_state: null, interrupted_by: "SIGTERM" }, "ended from outside by SIGTERM"],
    ["killed", { terminal_state: null, stopped_at: null }, "not stopped 1 of 4 items passed"],
    ["failed", { terminal_state: "failed" as const, failure: "the disk is full" }, "the disk is full"],
    ["before its gates", { gate_decisions: [] }, "Not evaluated: the run stopped before them. allow"],
    ["before anything", { items: [], policy: null, sandbox: null, stage_executions: [] }, "No program was started."],
  ])("of a run that is %s", (_what, input, words) => {
    expectText(renderReportHtml(richPage(input)), words);
  });

  it("says which file is not on it", () => {
    const page = renderReportHtml({ report: richReport(), texts: new Map() });
    expectText(
      page,
      "Left out here: the changes. All of it is in items/01/attempt-1/round-2/candidate-1/candidate.patch .",
    );
    expectText(page, "Output: validation-3/command-1.stdout.log is not on this page");
  });
});

describe("texts of plans, programs and changed files", () => {
  const innocent = tags(renderReportHtml(poisonPage("plain")));

  it("are the only thing that differs: the innocent page has its tags", () => {
    expect(innocent.length).toBeGreaterThan(300);
    expect(new Set(innocent.map((tag) => tag.split(" ")[0]))).toContain("details");
  });

  test.each(HOSTILE)("%j is shown and does nothing", (hostile) => {
    const page = renderReportHtml(poisonPage(hostile));
    const lines = hostile.split("\n").length;
    const found = tags(page);
    // Each further line of a changed file is a further row, and nothing else is.
    const rows: readonly (string | undefined)[] = found.filter(
      (tag) => tag === "tr class" || tag === "td" || tag === "/td" || tag === "/tr",
    );
    if (lines === 1) expect(found).toEqual(innocent);
    else expect(found.filter((tag) => !rows.includes(tag))).toEqual(innocent.filter((tag) => !rows.includes(tag)));
    // Whatever looks like a tag is one of those.
    expect((page.match(/</g) ?? []).length).toBe(found.length + 1);
    expect(page.replaceAll(/[\n\t]/g, "")).toSatisfy((seen: string) => invisibleIndex(seen) === -1);
    expect(page).toBe(page.toWellFormed());
  });
});

describe("a page of too much", () => {
  const many = (count: number, size: number) =>
    Array.from({ length: count }, (_, index) =>
      finding({
        title: `${index} ${"t".repeat(500)}`,
        why_it_matters: "<".repeat(size),
        evidence: Array(50).fill("&".repeat(size)),
      }),
    );

  it("of ten million bytes of findings stays small, and says what is left out", () => {
    const audit = richReport().audit;
    const items = audit.items.map((item) => ({
      ...item,
      rounds: [round({ findings: many(200, 1000), outcome: "findings" })],
    }));
    const report = { ...richReport(), audit: { ...audit, items } };
    expect(JSON.stringify(report).length).toBeGreaterThan(10_000_000);
    const page = renderReportHtml({ report, texts: richTexts() });
    expect(Buffer.byteLength(page)).toBeLessThan(ROUNDS_BYTES_MAX);
    expectText(page, "Left out here: 140 more findings.");
    expectText(page, "1 of 4 items passed");
  });

  it("of rounds without number leaves out whole rounds, those that decided last", () => {
    const report = richReport();
    const [first] = report.items;
    const [attempt] = first?.attempts ?? [];
    if (first === undefined || attempt === undefined) throw new Error("the fixture has an item");
    const attempts = Array.from({ length: 6 }, (_, index) => ({ ...attempt, attempt: index + 1 }));
    const rounds = attempts.map((each) => round({ attempt: each.attempt, round: 2, findings: many(60, 2000) }));
    const items = [{ ...first, attempts }];
    const audit = { ...report.audit, items: [{ item_id: "01", audited: true, gate: null, evidence: [], rounds }] };
    const page = renderReportHtml({ report: { ...report, items, audit }, texts: richTexts() });
    expect(Buffer.byteLength(page)).toBeLessThan(ROUNDS_BYTES_MAX + 1_000_000);
    expectText(page, "Left out here: this round, because the page would be too large.");
    expectText(page.slice(page.indexOf("Attempt 6, round 2")), "high, blocking 0 ttt");
  }, 30_000);

  it("a patch is cut at its lines, and its file is named", () => {
    const lines = Array.from({ length: 5000 }, (_, index) => `+line ${index}\n`).join("");
    const patch = `diff --git a/x b/x\nnew file mode 100644\n--- /dev/null\n+++ b/x\n@@ -0,0 +1,5000 @@\n${lines}`;
    const path = "items/02/attempt-1/round-1/candidate-1/candidate.patch";
    const page = renderReportHtml({
      report: richReport(),
      texts: richTexts().set(path, pageText(patch, 1_000_000, 0)),
    });
    expectText(page, "+line 2499");
    expect(page.includes("+line 2500")).toBe(false);
    expectText(page, `Left out here: the rest of a patch of 52.7 KiB. All of it is in ${path} .`);
  });
});
