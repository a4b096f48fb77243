import { REPORT_HTML, REPORT_JSON, REPORT_MARKDOWN } from "../domain/artifact-names.ts";
import type { RunReport } from "../domain/report.ts";
import type { RunFiles } from "../ports.ts";
import { renderReportHtml } from "../render/report-html.ts";
import { renderReportMarkdown } from "../render/report-markdown.ts";
import { readReportPage } from "./read-report-page.ts";

/**
 * Every file that a report is written to, with its whole text: a report follows from the journal, in each of its forms.
 * The page also shows the ends of files that are read with `readEnds`.
 */
export async function buildReportFiles(
  report: RunReport,
  readEnds: RunFiles["readEnds"],
): Promise<readonly { readonly path: string; readonly text: string }[]> {
  return [
    { path: REPORT_JSON, text: `${JSON.stringify(report, null, 2)}\n` },
    { path: REPORT_MARKDOWN, text: renderReportMarkdown(report) },
    { path: REPORT_HTML, text: renderReportHtml(await readReportPage(report, readEnds)) },
  ];
}

/** True for a report: it is written again at every stop, so between two stops the old one may stand, or none. */
export function isReportFile(path: string): boolean {
  return path === REPORT_JSON || path === REPORT_MARKDOWN || path === REPORT_HTML;
}
