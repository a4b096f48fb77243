import { buildAuditSummary, sayAudited } from "../../domain/audit-summary.ts";
import { openForReading } from "../../compose.ts";
import { DEFAULT_CONFIG_PATH } from "../../domain/config.ts";
import { EXIT } from "../../domain/run-stop.ts";
import { showText } from "../../domain/visible-text.ts";
import { verifyRun } from "../../kernel/verify-run.ts";
import { requireRun } from "../answer.ts";
import type { Format, Io } from "../io.ts";

/** `conveyor verify [RUN]`: offline; exit 1 on any mismatch, which it names. */
export async function verify(io: Io, name: string | undefined, options: { format: Format }): Promise<number> {
  const found = await requireRun(io, name);
  if (typeof found === "number") return found;
  const { workplace, runFolder, run } = found;
  const verified = await verifyRun(run, {
    ...openForReading(workplace, runFolder, run.state.runId),
    configPath: run.state.created.config.path ?? DEFAULT_CONFIG_PATH,
  });
  const agrees = verified.mismatches.length === 0;
  if (options.format === "json") {
    const { mismatches, notes } = verified;
    const checked = { events: verified.eventsChecked, files: verified.filesChecked, commits: verified.commitsChecked };
    const audit = buildAuditSummary(run.state).status;
    io.out(`${JSON.stringify({ run_id: run.state.runId, agrees, audit, checked, mismatches, notes })}\n`);
  } else {
    for (const note of verified.notes) io.note(note);
    for (const mismatch of verified.mismatches) io.out(showText(`${mismatch.where}: ${mismatch.message}`));
    const counts = `${verified.eventsChecked} events, ${verified.filesChecked} files, ${verified.commitsChecked} commits`;
    io.out(
      agrees
        ? `${run.state.runId} agrees with its journal: ${counts} (${sayAudited(run.state)})`
        : `${run.state.runId}: ${verified.mismatches.length} mismatches`,
    );
  }
  return agrees ? EXIT.done : EXIT.failed;
}
