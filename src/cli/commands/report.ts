import { resolve } from "node:path";
import { openForReading } from "../../compose/read-run.ts";
import { world } from "../../compose/world.ts";
import { buildSavedReport } from "../../domain/saved-report.ts";
import { EXIT } from "../../domain/run-stop.ts";
import { renderReportHtml } from "../../render/report-html.ts";
import { renderReportMarkdown } from "../../render/report-markdown.ts";
import { readReportPage } from "../../kernel/read-report-page.ts";
import { refuse, requireRun } from "../answer.ts";
import type { Io } from "../io.ts";

/**
 * `conveyor report [RUN]`: renders the report again from the journal; of a sealed run the very bytes that were saved.
 * `--html FILE` writes the page to a file of that name, which must not be there yet.
 */
export async function printReport(
  io: Io,
  name: string | undefined,
  options: { markdown?: boolean; html?: string },
): Promise<number> {
  const found = await requireRun(io, name);
  if (typeof found === "number") return found;
  const report = buildSavedReport(found.run);
  if (options.html !== undefined) {
    const { readEnds } = openForReading(found.workplace, found.runFolder, found.run.state.runId);
    const page = renderReportHtml(await readReportPage(report, readEnds));
    if (world.writeNewFile(resolve(io.cwd, options.html), page) === "exists")
      return refuse(io, "USAGE", `--html: ${options.html} is there already; name another file, or remove it yourself`);
    io.note(`wrote ${options.html}`);
    if (options.markdown !== true) return EXIT.done;
  }
  io.out(options.markdown === true ? renderReportMarkdown(report) : `${JSON.stringify(report, null, 2)}\n`);
  return EXIT.done;
}
