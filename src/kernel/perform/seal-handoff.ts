import { encodeName } from "../../domain/ids.ts";
import type { RunContext } from "../run-context.ts";
import { recordRefusal } from "./build-candidate.ts";
import { currentAttempt, findOrRestoreWorktree, readPreparedPaths } from "./attempt-files.ts";

/** Path of a handoff note in the run folder. */
export function handoffPath(itemId: string, attempt: number, session: number): string {
  return `handoffs/${encodeName(itemId)}-attempt-${attempt}-session-${session}.json`;
}

/**
 * Seals a handoff: the worktree as one tree, so that the next session starts from exactly this, here or elsewhere,
 * and a note for it.
 */
export async function sealHandoff(
  context: RunContext,
  itemId: string,
  { attempt, session, round }: { attempt: number; session: number; round: number },
): Promise<void> {
  const { recorder, ports } = context;
  const worktree = await findOrRestoreWorktree(context, itemId);
  if (worktree === undefined) return;
  const state = currentAttempt(context, itemId);
  const excluded = await readPreparedPaths(context, itemId, attempt);
  const candidate = await ports.repository.buildCandidate(worktree, state.baseCommit, excluded);
  if (candidate.kind === "refused") return recordRefusal(context, itemId, { attempt, round }, candidate);
  const { tree, changes } = candidate;
  const note = {
    schema_version: "conveyor.handoff.v1",
    item_id: itemId,
    attempt,
    session,
    round,
    summary: state.sessions.at(-1)?.summary ?? "",
    tree,
    changed_paths: changes.map((change) => change.path).slice(0, 200),
    next_action: "go on in the same worktree where the session before stopped",
  };
  const file = await ports.files.write(handoffPath(itemId, attempt, session), `${JSON.stringify(note, null, 2)}\n`);
  recorder.record("handoff_sealed", { attempt, session, tree, files: [file] }, itemId);
}
