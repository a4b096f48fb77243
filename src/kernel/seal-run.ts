import type { FileDigest } from "../domain/journal.ts";
import { buildRunReport } from "../domain/report.ts";
import { decideStop, INTERRUPT_SIGNALS, type InterruptSignal } from "../domain/run-decide.ts";
import type { RunStop } from "../domain/run-stop.ts";
import type { StopState } from "../domain/run.ts";
import { buildReportFiles } from "./report-files.ts";
import type { RunContext } from "./run-context.ts";

/** Records how the run stopped, writes the reports and syncs the checkpoint. Says how it stopped. */
export async function sealRun(context: RunContext, stop: RunStop): Promise<StopState> {
  const { recorder, ports } = context;
  const decided = decideStop(stop, recorder.state, interruptSignal(ports.interrupt));
  recorder.record("run_stopped", { ...decided, redactions: ports.secrets.facts() });
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
  config,
}: Pick<RunContext, "recorder" | "ports" | "plan" | "config">): Promise<void> {
  const report = buildRunReport(recorder.state, { plan, config }, ports.journal.head);
  const files: FileDigest[] = [];
  for (const { path, text } of await buildReportFiles(report, ports.files.readEnds)) {
    files.push(await ports.files.write(path, text));
  }
  recorder.record("report_written", { files });
}

function interruptSignal({ reason }: AbortSignal): InterruptSignal {
  return INTERRUPT_SIGNALS.find((signal) => signal === reason) ?? "SIGINT";
}
