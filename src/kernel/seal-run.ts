import { buildRunReport } from "../domain/report.ts";
import { decideStop, INTERRUPT_SIGNALS, type InterruptSignal } from "../domain/run-decide.ts";
import type { RunStop } from "../domain/run-stop.ts";
import type { StopState } from "../domain/run.ts";
import { renderReportMarkdown } from "../render/report-markdown.ts";
import type { RunContext } from "./run-context.ts";

export const REPORT_JSON = "orchestrator_run_report.json";
export const REPORT_MARKDOWN = "report.md";

/** Records how the run stopped, writes both reports and syncs the checkpoint. Says how it stopped. */
export async function sealRun(context: RunContext, stop: RunStop): Promise<StopState> {
  const { recorder, ports } = context;
  recorder.record("run_stopped", decideStop(stop, recorder.state, interruptSignal(ports.interrupt)));
  await writeReports(context);
  recorder.seal();
  const { stop: stopped } = recorder.state;
  if (stopped === undefined) throw new Error("the run did not stop");
  return stopped;
}

/** Writes the reports from the state alone; the event that names them comes last. */
export async function writeReports({
  recorder,
  ports,
  plan,
}: Pick<RunContext, "recorder" | "ports" | "plan">): Promise<void> {
  const report = buildRunReport(recorder.state, plan, ports.journal.head);
  const files = [
    await ports.files.write(REPORT_JSON, `${JSON.stringify(report, null, 2)}\n`),
    await ports.files.write(REPORT_MARKDOWN, renderReportMarkdown(report)),
  ];
  recorder.record("report_written", { files });
}

function interruptSignal({ reason }: AbortSignal): InterruptSignal {
  return INTERRUPT_SIGNALS.find((signal) => signal === reason) ?? "SIGINT";
}
