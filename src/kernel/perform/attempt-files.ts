import { treeChangeSchema, type TreeChange } from "../../domain/candidate.ts";
import { encodeName } from "../../domain/ids.ts";
import { lastAttempt, type AttemptState } from "../../domain/item.ts";
import type { CandidateLimits, Worktree } from "../../ports/git.ts";
import { readNamed } from "../named-files.ts";
import { prepareWorktree } from "../prepare-worktree.ts";
import { itemState, type RunContext } from "../run-context.ts";

/** Folder of an attempt in the run folder, for example `items/01/attempt-2`. */
export function attemptFolder(itemId: string, attempt: number): string {
  return `items/${encodeName(itemId)}/attempt-${attempt}`;
}

/** Folder of one session in the run folder. */
export function sessionFolder(
  itemId: string,
  attempt: number,
  { session, round }: { readonly session: number; readonly round: number },
): string {
  return `${attemptFolder(itemId, attempt)}/round-${round}/session-${session}`;
}

/** The files that keep a session's output: stdout, then stderr. */
export function sessionLogs(folder: string): readonly [string, string] {
  return [`${folder}/stdout.log`, `${folder}/stderr.log`];
}

/** Name of an attempt's worktree for a purpose, for example `01-2-work`. */
export function worktreeName(itemId: string, attempt: number, purpose: string): string {
  return `${encodeName(itemId)}-${attempt}-${purpose}`;
}

/** The attempt that is under way. */
export function currentAttempt(context: RunContext, itemId: string): AttemptState {
  const attempt = lastAttempt(itemState(context, itemId));
  if (attempt === undefined) throw new Error(`item ${itemId} has no attempt`);
  return attempt;
}

/**
 * The worktree of the attempt under way. When it is gone, because a run folder was carried elsewhere or a cache was
 * emptied, it is made again from the tree that was proven last; without such a tree the attempt is lost. Nothing is
 * given when the state now says what is to be done instead.
 */
export async function findOrRestoreWorktree(context: RunContext, itemId: string): Promise<Worktree | undefined> {
  const { recorder, ports } = context;
  const attempt = currentAttempt(context, itemId);
  const sealed = attempt.sessions.at(-1)?.handoffTree;
  const found = await ports.repository.findWorktree(attempt.worktree);
  if (found !== undefined && (sealed === undefined || (await isStillAt(context, itemId, found, sealed)))) return found;
  const tree = sealed ?? attempt.candidates.at(-1)?.tree;
  if (tree !== undefined || attempt.sessions.length === 0) return restoreWorktree(context, itemId, tree);
  recorder.record("attempt_lost", { attempt: attempt.attempt, why: "worktree_gone" }, itemId);
  return undefined;
}

/** Makes the worktree anew; it takes the old one's place with the event alone, when it is prepared and complete. */
async function restoreWorktree(
  context: RunContext,
  itemId: string,
  tree: string | undefined,
): Promise<Worktree | undefined> {
  const { recorder, ports } = context;
  const { attempt, baseCommit: commit, sessions } = currentAttempt(context, itemId);
  const purpose = `restore-${recorder.state.resumes}-${sessions.length}`;
  const worktree = await ports.repository.openWorktree(worktreeName(itemId, attempt, purpose), commit);
  const folder = `${attemptFolder(itemId, attempt)}/${purpose}`;
  const prepared = await prepareWorktree(context, { worktree, commit, folder, itemId, stage: "execution" });
  const usable = prepared.status !== "failed";
  if (usable && tree !== undefined) await ports.repository.restoreTree(worktree, tree);
  recorder.record(
    "worktree_restored",
    {
      attempt,
      worktree: worktree.name,
      prepare_status: prepared.status,
      prepare_ending: prepared.ending,
      executions: prepared.executions,
      files: prepared.files,
    },
    itemId,
  );
  return usable ? worktree : undefined;
}

async function isStillAt(context: RunContext, itemId: string, worktree: Worktree, tree: string): Promise<boolean> {
  const attempt = currentAttempt(context, itemId);
  const excluded = await readPreparedPaths(context, itemId, attempt.attempt);
  const limits = candidateLimits(context);
  const candidate = await context.ports.repository.buildCandidate(worktree, attempt.baseCommit, excluded, limits);
  return candidate.kind === "built" && candidate.tree === tree;
}

/** A worktree that holds so many times what a change may have is a flood and is not read: scope would refuse it anyway. */
const FLOOD_FACTOR = 10;

/** How much a worktree may hold beyond its commit before it is refused unread. */
export function candidateLimits({ config }: RunContext): CandidateLimits {
  const { limits } = config;
  return { filesMax: FLOOD_FACTOR * limits["diff-files"], bytesMax: FLOOD_FACTOR * limits["diff-bytes"] };
}

/** Files that `prepare` added to the attempt's worktree. */
export async function readPreparedPaths(context: RunContext, itemId: string, attempt: number): Promise<string[]> {
  const bytes = await readNamed(context, `${attemptFolder(itemId, attempt)}/prepared-paths.json`);
  return JSON.parse(new TextDecoder().decode(bytes)) as string[];
}

/** What the candidate of a round changes, as it was written down when it was built. */
export async function readCandidateChanges(
  context: RunContext,
  itemId: string,
  { attempt, round }: { attempt: number; round: number },
): Promise<TreeChange[]> {
  const { sessions } = currentAttempt(context, itemId);
  const path = `${attemptFolder(itemId, attempt)}/round-${round}/candidate-${sessions.length}/changes.json`;
  return treeChangeSchema.array().parse(JSON.parse(new TextDecoder().decode(await readNamed(context, path))));
}
