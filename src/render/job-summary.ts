import { markdownTable } from "markdown-table";
import { cutText, utf8Length } from "../domain/cut-text.ts";
import { sayDuration } from "../domain/durations.ts";
import { listReportedFindings, type ReportedFinding } from "../domain/reported-findings.ts";
import type { RunReport } from "../domain/report.ts";
import { sumStageTimes } from "../domain/stage-times.ts";
import { escapeCell, escapeCode, escapeText } from "./markdown-text.ts";
import { listNextActions, sayCosts, sayWhoAudited, tableGates } from "./report-parts.ts";

/** GitHub refuses a summary over 1 MiB whole; ours stays where a browser still likes to show it. */
export const SUMMARY_BYTES_MAX = 256 * 1024;
/** Rows of a table, and characters of one text of a plan or a program; the report has all of them. */
const ROWS_MAX = 100;
const TEXT_MAX = 300;

/** What is around a run on GitHub; addresses come from GitHub's own answers, never from a program. */
export interface SummaryPlaces {
  readonly artifactName?: string | undefined;
  readonly artifactUrl?: string | undefined;
  readonly pullRequestUrl?: string | undefined;
}

/**
 * Renders the summary of a job: verdict on the first line, what would unblock it, stages with durations, items, findings
 * and gates; details are folded. Sections that would go over `SUMMARY_BYTES_MAX` are left out whole and named, so that
 * neither a character nor a table is ever broken. Nothing from a plan or a program is active in it.
 */
export function renderJobSummary(report: RunReport, places: SummaryPlaces = {}): string {
  const first = `## ${escapeText(cutText(report.verdict, TEXT_MAX * 4))}`;
  const where = sayWhere(places);
  const kept = [first];
  const left: string[] = [];
  let bytes = utf8Length(first) + utf8Length(where) + RESERVED_BYTES;
  for (const { name, text } of sectionsOf(report)) {
    const size = utf8Length(text) + 2;
    if (bytes + size > SUMMARY_BYTES_MAX) {
      left.push(name);
      continue;
    }
    kept.push(text);
    bytes += size;
  }
  if (left.length > 0) kept.push(`**Left out here because of its size: ${left.join(", ")}.** The report has it.`);
  return `${[...kept, where].join("\n\n")}\n`;
}

/** Room for the line that names what was left out. */
const RESERVED_BYTES = 1024;

interface Section {
  readonly name: string;
  readonly text: string;
}

/** In the order in which a reader needs them, which is the order in which they are kept. */
function sectionsOf(report: RunReport): Section[] {
  const section = (name: string, parts: readonly string[]): Section[] =>
    parts.length === 0 ? [] : [{ name, text: parts.join("\n\n") }];
  const clipped = { ...report, next_actions: report.next_actions.map(clipAction) };
  const findings = listReportedFindings(report);
  const warnings = report.warnings.map((text) => `- ${escapeText(cutText(text, TEXT_MAX))}`);
  return [
    ...section("the run", [
      `Run \`${report.run_id}\` of plan \`${escapeCode(cutText(report.plan_id, TEXT_MAX))}\`. ${sayWhoAudited(report)}`,
    ]),
    ...section(
      "why it failed",
      report.failure === null ? [] : [`**Why:** ${escapeText(cutText(report.failure, TEXT_MAX * 4))}`],
    ),
    ...section(
      "what would unblock it",
      clipped.next_actions.length === 0 ? [] : ["### What would unblock it", listNextActions(clipped)],
    ),
    ...section("items", ["### Items", tableItems(report)]),
    ...section("gates", ["### Gates", tableGates(report)]),
    ...section("findings", findings.length === 0 ? [] : ["### Findings", tableFindings(findings)]),
    ...section("stages", ["### Stages", tableStages(report)]),
    ...section("details of findings", foldFindings(findings)),
    ...section("cost", fold("Cost", sayCosts(report))),
    ...section("warnings", fold(`Warnings (${warnings.length})`, capped(warnings, "\n"))),
  ];
}

function clipAction({ what, command }: RunReport["next_actions"][number]): RunReport["next_actions"][number] {
  return { what: cutText(what, TEXT_MAX * 4), command };
}

function tableItems({ items }: RunReport): string {
  const rows = items.map((item) => [
    escapeCell(cutText(item.item_id, TEXT_MAX)),
    item.terminal_state ?? "not settled",
    String(item.attempts.length),
    item.reason_codes.map(asCode).join(" "),
    escapeCell(cutText(item.action, TEXT_MAX)),
  ]);
  return tableOf(["item", "state", "attempts", "codes", "what"], rows);
}

function tableFindings(findings: readonly ReportedFinding[]): string {
  const rows = findings.map((finding) => [
    escapeCell(cutText(finding.item_id, TEXT_MAX)),
    `${finding.severity}${finding.is_blocking ? ", blocking" : ""}${finding.standing === "left" ? ", left" : ""}`,
    escapeCell(cutText(finding.title, TEXT_MAX)),
    finding.places.slice(0, 3).map(sayPlace).join(" "),
    escapeCell(cutText(finding.found_by.join(", "), TEXT_MAX)),
  ]);
  return tableOf(["item", "severity", "what", "where", "found by"], rows);
}

function sayPlace({ path, line }: ReportedFinding["places"][number]): string {
  return asCode(line === null ? path : `${path}:${line}`);
}

/** In a table a code span still ends its cell at a bar, so that one cannot stand in it. */
function asCode(text: string): string {
  return `\`${escapeCode(cutText(text, TEXT_MAX)).replaceAll("|", "¦")}\``;
}

function foldFindings(findings: readonly ReportedFinding[]): string[] {
  const lines = findings.flatMap(({ title, text }) =>
    text === "" ? [] : [`- **${escapeText(cutText(title, TEXT_MAX))}** ${escapeText(cutText(text, TEXT_MAX * 2))}`],
  );
  return lines.length === 0 ? [] : fold("What the findings say", capped(lines, "\n"));
}

function tableStages(report: RunReport): string {
  const rows = sumStageTimes(report).map(({ stage, duration_ms: ms, state }) => {
    const programs = report.stage_executions.filter((each) => each.stage === stage && each.purpose !== "stage");
    const time = state === "not_reached" ? "" : sayDuration(ms);
    return [stage, state.replace("_", " "), time, String(programs.length)];
  });
  return markdownTable([["stage", "state", "duration", "programs"], ...rows], {
    align: ["l", "l", "r", "r"],
  });
}

function tableOf(head: readonly string[], rows: readonly (readonly string[])[]): string {
  return capped(
    [markdownTable([[...head], ...rows.slice(0, ROWS_MAX).map((row) => [...row])])],
    "\n\n",
    rows.length,
  ).join("\n\n");
}

/** At most `ROWS_MAX` lines, and a line that counts the rest. */
function capped(lines: readonly string[], separator: string, total = lines.length): string[] {
  if (lines.length === 0) return [];
  const rest = total > ROWS_MAX ? [`… and ${total - ROWS_MAX} more in the report.`] : [];
  return [lines.slice(0, ROWS_MAX).join(separator), ...rest];
}

function fold(title: string, parts: readonly string[]): string[] {
  return parts.length === 0 ? [] : [`<details><summary>${title}</summary>`, ...parts, "</details>"];
}

/** Where the rest is. An address is a link only when it is one of the web that can be trusted to be what it says. */
function sayWhere({ artifactName, artifactUrl, pullRequestUrl }: SummaryPlaces): string {
  const link = (text: string, url: string | undefined): string =>
    url !== undefined && /^https:\/\/[\w.:-]+\/[\w./?=&%-]*$/.test(url) ? `[${text}](${url})` : text;
  const name = artifactName === undefined ? "the run's artifact" : `the artifact ${escapeText(artifactName)}`;
  return [
    `The whole report is \`report.html\` in ${link(name, artifactUrl)}.`,
    ...(pullRequestUrl === undefined ? [] : [`Published as ${link("a pull request", pullRequestUrl)}.`]),
  ].join(" ");
}
