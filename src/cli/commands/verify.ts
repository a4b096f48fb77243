import { resolve } from "node:path";
import { buildAuditSummary, sayAudited } from "../../domain/audit-summary.ts";
import { openForReading } from "../../compose/read-run.ts";
import { openRerun } from "../../compose/rerun.ts";
import { world } from "../../compose/world.ts";
import { planRerun, type RerunReport } from "../../domain/rerun.ts";
import { EXIT, exitCodeFor } from "../../domain/run-stop.ts";
import { DEFAULT_CONFIG_PATH, type SandboxLevel } from "../../domain/run-choices.ts";
import { describeEnding } from "../../domain/verification.ts";
import { showText } from "../../domain/visible-text.ts";
import { rerunChecks, type Rerun } from "../../kernel/rerun-checks.ts";
import { verifyRun, type VerifiedRun } from "../../kernel/verify-run.ts";
import { refusedPack } from "../../invocation/refused.ts";
import type { FoundRun } from "../../invocation/open-saved-run.ts";
import { printRefused, refuse, requireRun } from "../answer.ts";
import type { Format, Io } from "../io.ts";
import { sandboxOf } from "../../invocation/settings.ts";
import { createProgress } from "../progress.ts";
import { readVersions } from "../../invocation/versions.ts";

interface VerifyOptions {
  readonly rerun?: boolean;
  readonly output?: string;
  readonly packSha256?: string;
  readonly sandbox?: SandboxLevel;
  readonly timeoutMs?: number;
  readonly quiet?: boolean;
  readonly format: Format;
}

/**
 * `conveyor verify [RUN] [--rerun]`: offline; exit 1 on any mismatch, which it names. With `--rerun` the required and
 * validation commands are run again when all agrees: exit 1 when one fails, 124 when one takes too long.
 */
export async function verify(io: Io, name: string | undefined, options: VerifyOptions): Promise<number> {
  const misplaced = (["output", "sandbox", "timeoutMs"] as const).find((key) => options[key] !== undefined);
  if (options.rerun !== true && misplaced !== undefined) {
    return refuse(
      io,
      "USAGE",
      `--${misplaced === "timeoutMs" ? "timeout-ms" : misplaced}: expected together with --rerun`,
    );
  }
  const output = options.output === undefined ? undefined : resolve(io.cwd, options.output);
  if (output !== undefined && world.readLocalFile(output) !== undefined)
    return refuse(io, "USAGE", `--output: expected a new file, found one at ${output}`);
  const found = await requireRun(io, name, { packSha256: options.packSha256 });
  if (typeof found === "number") return found;
  const { workplace, runFolder, run } = found;
  const verified = await verifyRun(run, {
    ...openForReading(workplace, runFolder, run.state.runId),
    configPath: run.state.created.config.path ?? DEFAULT_CONFIG_PATH,
  });
  const agrees = verified.mismatches.length === 0;
  const report = options.rerun === true && agrees ? await rerun(io, found, options) : undefined;
  if (typeof report === "number") return report;
  if (options.format === "json") io.out(`${JSON.stringify(buildAnswer(found, verified, report))}\n`);
  else {
    printVerified(io, found, verified);
    if (report !== undefined) printRerun(io, report);
  }
  if (report !== undefined && output !== undefined) world.writeNewFile(output, `${JSON.stringify(report, null, 2)}\n`);
  if (!agrees) return EXIT.failed;
  return report === undefined ? EXIT.done : exitCodeOf(report);
}

function buildAnswer({ run }: FoundRun, verified: VerifiedRun, report: RerunReport | undefined) {
  const { mismatches, notes, leftOut } = verified;
  return {
    run_id: run.state.runId,
    agrees: mismatches.length === 0,
    audit: buildAuditSummary(run.state).status,
    checked: { events: verified.eventsChecked, files: verified.filesChecked, commits: verified.commitsChecked },
    mismatches,
    notes,
    left_out: leftOut,
    ...(report === undefined ? {} : { rerun: report }),
  };
}

function printVerified(io: Io, { run }: FoundRun, verified: VerifiedRun): void {
  for (const note of verified.notes) io.note(note);
  for (const mismatch of verified.mismatches) io.out(showText(`${mismatch.where}: ${mismatch.message}`));
  const counts = `${verified.eventsChecked} events, ${verified.filesChecked} files, ${verified.commitsChecked} commits`;
  io.out(
    verified.mismatches.length === 0
      ? `${run.state.runId} agrees with its journal: ${counts} (${sayAudited(run.state)})`
      : `${run.state.runId}: ${verified.mismatches.length} mismatches`,
  );
}

/** Runs the checks again and gives the report, or the exit code of why there is none. */
async function rerun(io: Io, found: FoundRun, options: VerifyOptions): Promise<RerunReport | number> {
  const { workplace, run } = found;
  const planned = planRerun(run);
  if (!planned.ok) {
    io.note(`${io.style("red", "VERIFICATION_MISSING")} ${planned.error}`);
    return EXIT.failed;
  }
  const wiring = {
    interrupt: io.interrupt,
    redactor: io.redactor,
    progress: createProgress(io, options.quiet ?? false),
  };
  const opened = await openRerun(workplace, wiring, found);
  if (!opened.ok) return printRefused(io, refusedPack(opened.error));
  await using place = opened.value;
  const { level } = sandboxOf(options, run.config, run.state.created.options);
  const ended = await rerunChecks(run, planned.value, place.ports, { sandbox: level, timeoutMs: options.timeoutMs });
  if (ended.ok) return buildReport(found, planned.value, ended.value, await readVersions(io, []));
  if (ended.error.kind === "interrupted") {
    io.note("interrupted: nothing was proven");
    return exitCodeFor({ kind: "interrupted", terminalState: null, signal: String(io.interrupt.reason) });
  }
  io.note(`${io.style("red", "SANDBOX_UNAVAILABLE")} ${ended.error.why}`);
  return EXIT.failed;
}

function buildReport(
  { run, packed }: FoundRun,
  { commit, items }: { commit: string; items: readonly string[] },
  rerun: Rerun,
  versions: Record<string, string>,
): RerunReport {
  const { tree, outcome, failures, sandbox_tier, prepare, commands, artifacts, tamper } = rerun;
  return {
    schema_version: "conveyor.rerun.v1",
    run_id: run.state.runId,
    plan_id: run.state.planId,
    journal_head: run.journal.head,
    pack_sha256: packed?.packSha256 ?? null,
    commit,
    tree,
    items: [...items],
    outcome,
    failures,
    sandbox_tier,
    prepare,
    commands,
    artifacts,
    tamper,
    versions,
  };
}

function printRerun(io: Io, { commit, commands, artifacts, failures, outcome, prepare }: RerunReport): void {
  io.out(`run again on ${commit}, prepare: ${prepare.status}`);
  for (const { purpose, command, ending } of commands)
    io.out(showText(`  ${describeEnding(ending)}  ${purpose}: ${command}`));
  for (const { path, status } of artifacts) io.out(showText(`  ${status}  artifact: ${path}`));
  for (const failure of failures) io.out(showText(failure));
  io.out(outcome === "passed" ? "every command passed again" : `run again: ${outcome}`);
}

function exitCodeOf({ outcome }: RerunReport): number {
  switch (outcome) {
    case "passed":
      return EXIT.done;
    case "timeout":
      return EXIT.timeout;
    case "failed":
      return EXIT.failed;
  }
}
