import { decodeEnds } from "../domain/cut-text.ts";
import { listPageFiles, PAGE_READ_BYTES_MAX, type PageText, type ReportPage } from "../domain/report-page.ts";
import type { RunReport } from "../domain/report.ts";
import type { RunFiles } from "../ports.ts";

/**
 * Reads what the page of a run shows besides its report: the ends of its patches and logs, until all of them together
 * are `PAGE_READ_BYTES_MAX`. The same files give the same page; one that is gone is missing on it.
 */
export async function readReportPage(report: RunReport, readEnds: RunFiles["readEnds"]): Promise<ReportPage> {
  const texts = new Map<string, PageText>();
  let left = PAGE_READ_BYTES_MAX;
  for (const { path, headMax, tailMax } of listPageFiles(report)) {
    if (left < headMax + tailMax) continue;
    const ends = await readEnds(path, headMax, tailMax);
    if (ends === undefined) continue;
    texts.set(path, { ...decodeEnds(ends), bytes: ends.bytes });
    left -= ends.head.length + ends.tail.length;
  }
  return { report, texts };
}
