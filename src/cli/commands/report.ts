import { buildSavedReport } from "../../domain/saved-report.ts";
import { EXIT } from "../../domain/run-stop.ts";
import { renderReportMarkdown } from "../../render/report-markdown.ts";
import { requireRun } from "../answer.ts";
import type { Io } from "../io.ts";

/** `conveyor report [RUN]`: renders the report again from the journal; of a sealed run the very bytes that were saved. */
export async function printReport(io: Io, name: string | undefined, options: { markdown?: boolean }): Promise<number> {
  const found = await requireRun(io, name);
  if (typeof found === "number") return found;
  const report = buildSavedReport(found.run);
  io.out(options.markdown === true ? renderReportMarkdown(report) : `${JSON.stringify(report, null, 2)}\n`);
  return EXIT.done;
}
