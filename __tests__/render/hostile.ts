import type { PageText, ReportPage } from "../../src/domain/report-page.ts";
import type { RunReport } from "../../src/domain/report.ts";
import { pageText, richReport, richTexts } from "./page-fixtures.ts";

/** What a plan, a program or a changed file may try with a reader's browser, mail, terminal or eyes. */
export const HOSTILE: readonly string[] = [
  "<script>alert(1)</script>",
  "</style></title></textarea></details><script>alert(1)</script>",
  '"><img src=x onerror=alert(1)>',
  "' onmouseover='alert(1)",
  "<svg/onload=alert(1)>",
  "<!--><script>alert(1)</script>",
  "[click](javascript:alert(1)) javascript:alert(1)",
  "![x](https://evil.example/x.png) https://evil.example www.evil.example",
  "@somebody @some/team fixes #1, closes GH-2 resolves owner/name#3",
  "a | b | c <br> &lt; &#60; &amp;",
  "line\n# Heading\n\n- list\n::error::x\r\n::endgroup::\n##[add-path]/tmp",
  "\u001b[2J\u009b31m\u001b]8;;https://evil.example\u0007\u202e\u2066\u200b\ufeff\u{e0001}",
  "\ud800 half \udc00 a pair",
  "`code` ```\n**bold** _it_ ~~x~~ $$x$$ [^1]",
  "diff --git a/x b/x\n@@ -1 +1 @@\n+y",
];

/** Values that programs have no say in: words of closed lists, digests, instants, names that the run makes itself. */
const OWN_KEYS: ReadonlySet<string> = new Set(
  (
    "schema_version run_id terminal_state interrupted_by status outcome red_green packet_sha256 commit sha256 disposition " +
    "decided_by severity category confidence kind check reason_code decision gate_type authority current_stage created_at " +
    "stopped_at mode reason_codes code tier counts level layer strength probe gate signal blocked_reason_codes at from to " +
    "started_at ended_at completed_stages tree ended verification stage purpose base_commit head_sha plan_sha256 policy_sha256 " +
    "config_sha256 config_authority journal_head source answer verdict asked refused_by evidence_path idempotency_key"
  ).split(" "),
);

/** A report in which every text of a plan or a program is `text`. Files keep their names, so that their texts are found. */
export function poisonReport(text: string): RunReport {
  const poison = (value: unknown, key: string): unknown => {
    if (typeof value === "string") return OWN_KEYS.has(key) || key === "log" || key === "patch" ? value : text;
    if (Array.isArray(value)) return value.map((each) => poison(each, key));
    if (value === null || typeof value !== "object") return value;
    return Object.fromEntries(Object.entries(value).map(([name, inner]) => [name, poison(inner, name)]));
  };
  const report = richReport();
  const poisoned = poison(report, "") as RunReport;
  // Items are found by their names, which have to stay apart.
  for (const [index, item] of poisoned.items.entries()) item.item_id = `${text} ${index}`;
  for (const [index, item] of poisoned.audit.items.entries()) item.item_id = `${text} ${index}`;
  return {
    ...poisoned,
    verdict: `blocked (not audited): ${text}`,
    options: { [text]: { value: text, source: "default" } },
  };
}

/** The same for a page: also what the programs printed, and what they changed. */
export function poisonPage(text: string): ReportPage {
  const lines = text.toWellFormed().split(/\r\n|\n/);
  const patch = `diff --git a/x b/x\n--- a/x\n+++ b/x\n@@ -1,0 +1,${lines.length} @@ ${lines[0]}\n${lines.map((line) => `+${line}\n`).join("")}`;
  const texts = new Map<string, PageText>();
  for (const path of richTexts().keys()) texts.set(path, pageText(path.endsWith(".patch") ? patch : text));
  return { report: poisonReport(text), texts };
}
