import { mergedFindingsOf } from "../../domain/item-decide.ts";
import { renderMergedFindings } from "../../domain/merged-findings.ts";
import type { RunContext } from "../run-context.ts";
import { attemptFolder, currentAttempt } from "./attempt-files.ts";

/** Path of a candidate's merged findings in the run folder. */
export function findingsPath(context: RunContext, itemId: string, round: number): string {
  const state = currentAttempt(context, itemId);
  return `${attemptFolder(itemId, state.attempt)}/round-${round}/findings-${state.sessions.length}.json`;
}

/** Writes what all lanes found, merged: the same findings in any order give the same bytes. */
export async function writeMergedFindings(
  context: RunContext,
  itemId: string,
  { attempt, round }: { attempt: number; round: number },
): Promise<void> {
  const candidate = currentAttempt(context, itemId).candidates.at(-1);
  if (candidate === undefined) throw new Error("there is no candidate");
  const text = renderMergedFindings(mergedFindingsOf(candidate));
  const file = await context.ports.files.write(findingsPath(context, itemId, round), text);
  context.recorder.record("findings_merged", { attempt, round, findings_sha256: file.sha256, files: [file] }, itemId);
}
