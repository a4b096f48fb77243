import type { TreeChange } from "./candidate.ts";
import type { ItemState, SessionState } from "./item.ts";
import type { RunState } from "./run.ts";

/** Paths that a note lists; the tree holds them all. */
const CHANGED_PATHS_MAX = 200;

/** What one session leaves for the next (source document 000, `handoffs/`): the JSON twin of the Markdown note. */
export interface HandoffNote {
  readonly schema_version: "conveyor.handoff.v1";
  readonly run_id: string;
  readonly item_id: string;
  readonly attempt: number;
  readonly session: number;
  readonly round: number;
  /** What the executor said of its work, and why it stopped: claims, for the next session alone. */
  readonly summary: string;
  readonly reason: string;
  /** The worktree at the handoff, as one tree, and what it changed. */
  readonly tree: string;
  readonly changed_paths: readonly string[];
  readonly changed_paths_left_out: number;
  /** What the orchestrator itself has seen; a session that handed off has proven nothing yet. */
  readonly proven: readonly string[];
  /** Output of the session, relative to the run folder. */
  readonly log_paths: readonly string[];
  readonly next_action: string;
}

/** Builds the note of a session that handed off. */
export function buildHandoffNote(
  run: Pick<RunState, "runId" | "items">,
  item: ItemState,
  seen: {
    readonly attempt: number;
    readonly session: SessionState;
    readonly tree: string;
    readonly changes: readonly TreeChange[];
    readonly logPaths: readonly string[];
  },
): HandoffNote {
  const { attempt, session, tree, changes } = seen;
  return {
    schema_version: "conveyor.handoff.v1",
    run_id: run.runId,
    item_id: item.itemId,
    attempt,
    session: session.session,
    round: session.round,
    summary: session.summary,
    reason: session.reason === "" ? "the session asked to be continued in a new one" : session.reason,
    tree,
    changed_paths: changes.map((change) => change.path).slice(0, CHANGED_PATHS_MAX),
    changed_paths_left_out: Math.max(0, changes.length - CHANGED_PATHS_MAX),
    proven: listProven(run, item),
    log_paths: seen.logPaths,
    next_action: `go on with item ${item.itemId} in the same worktree, where session ${session.session} stopped`,
  };
}

function listProven(run: Pick<RunState, "items">, item: ItemState): string[] {
  const passed = run.items.flatMap(({ itemId, settled }) =>
    settled?.terminalState === "passed" ? [`item ${itemId} passed with commit ${settled.commit ?? ""}`] : [],
  );
  const candidates = (item.attempts.at(-1)?.candidates ?? []).map(
    ({ round, verdict }) => `item ${item.itemId}, round ${round}: verification ${verdict?.kind ?? "not judged"}`,
  );
  return [...passed, ...(candidates.length === 0 ? [`nothing of item ${item.itemId} yet`] : candidates)];
}
