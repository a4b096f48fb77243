import type { PublicationFault } from "./publication.ts";
import { planRerun, rerunReportSchema } from "./rerun.ts";
import type { SavedRun } from "./saved-run.ts";

/**
 * Judges what a rerun of a run's own checks says: that it was of this very run, of the commit that is to be delivered,
 * and that all of them passed. Reason codes: ARTIFACT_TAMPERED, VERIFICATION_FAILED.
 */
export function judgeRerunReport(text: string, run: SavedRun): PublicationFault | undefined {
  const tampered = (message: string): PublicationFault => ({ code: "ARTIFACT_TAMPERED", message: `rerun: ${message}` });
  const report = rerunReportSchema.safeParse(parseJson(text)).data;
  if (report === undefined) return tampered("the report cannot be read");
  const planned = planRerun(run);
  if (!planned.ok) return tampered(planned.error);
  const { runId, planId } = run.state;
  const pairs = [
    ["run", runId, report.run_id],
    ["plan", planId, report.plan_id],
    ["journal head", run.journal.head, report.journal_head],
    ["commit", planned.value.commit, report.commit],
  ] as const;
  const other = pairs.find(([, expected, found]) => expected !== found);
  if (other !== undefined) return tampered(`expected ${other[0]} ${other[1]}, found ${other[2]}`);
  const ran = new Set(report.commands.map(({ purpose, command }) => `${purpose} ${command}`));
  const { required, validation, artifacts } = planned.value;
  const commands = [
    ...required.map(({ words }) => ({ purpose: "required", command: words })),
    ...validation.map((words) => ({ purpose: "validation", command: words.join(" ") })),
  ];
  const skipped = commands.find(({ purpose, command }) => !ran.has(`${purpose} ${command}`));
  if (skipped !== undefined) return tampered(`a ${skipped.purpose} command was not run again: ${skipped.command}`);
  const unseen = artifacts.find((path) => !report.artifacts.some((artifact) => artifact.path === path));
  if (unseen !== undefined) return tampered(`a required artifact was not looked for: ${unseen}`);
  if (report.outcome === "passed" && report.failures.length === 0) return undefined;
  return { code: "VERIFICATION_FAILED", message: `run again: ${report.failures[0] ?? report.outcome}` };
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
