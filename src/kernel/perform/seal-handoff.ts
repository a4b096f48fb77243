import { buildHandoffNote } from "../../domain/handoff-note.ts";
import { encodeName } from "../../domain/ids.ts";
import { renderHandoffMarkdown } from "../../render/handoff-markdown.ts";
import { itemState, type RunContext } from "../run-context.ts";
import { recordRefusal } from "./build-candidate.ts";
import { scanCandidate } from "./scan-secrets.ts";
import {
  candidateLimits,
  currentAttempt,
  findOrRestoreWorktree,
  readPreparedPaths,
  sessionFolder,
  sessionLogs,
} from "./attempt-files.ts";

/** Path of a handoff note in the run folder, for eyes or as its JSON twin. */
export function handoffPath(itemId: string, attempt: number, session: number, form: "md" | "json"): string {
  return `handoffs/${encodeName(itemId)}-attempt-${attempt}-session-${session}.${form}`;
}

/**
 * Seals a handoff: the worktree as one tree, so that the next session starts from exactly this, here or elsewhere,
 * and a note for it, as Markdown and as JSON.
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
  const candidate = await ports.repository.buildCandidate(
    worktree,
    state.baseCommit,
    excluded,
    candidateLimits(context),
  );
  if (candidate.kind === "refused") return recordRefusal(context, itemId, { attempt, round }, candidate);
  const { tree, changes } = candidate;
  // The next session may run elsewhere: what is carried there is looked through as what is committed is.
  const [secret] = await scanCandidate(context, await ports.repository.buildPatch(state.baseCommit, tree));
  if (secret !== undefined) {
    const detail = `${secret.path}: ${secret.detail}`;
    return recordRefusal(context, itemId, { attempt, round }, { code: "SECRET_IN_DIFF", detail });
  }
  const last = state.sessions.at(-1);
  if (last === undefined) throw new Error("only a session hands off");
  const logPaths = sessionLogs(sessionFolder(itemId, attempt, last));
  const seen = { attempt, session: last, tree, changes, logPaths };
  const note = buildHandoffNote(recorder.state, itemState(context, itemId), seen);
  const files = [
    await ports.files.write(handoffPath(itemId, attempt, session, "json"), `${JSON.stringify(note, null, 2)}\n`),
    await ports.files.write(handoffPath(itemId, attempt, session, "md"), renderHandoffMarkdown(note)),
  ];
  recorder.record("handoff_sealed", { attempt, session, tree, files }, itemId);
}
