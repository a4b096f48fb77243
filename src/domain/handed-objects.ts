import { encodeName } from "./ids.ts";
import { lastAttempt, type ItemState } from "./item.ts";
import type { JournalEvent } from "./journal.ts";
import { listPreparedTips, type RunState } from "./run.ts";

/** A ref of the bundle, and the commit or tree that it names. */
export interface HandedRef {
  readonly ref: string;
  readonly oid: string;
}

/** What a bundle carries of a run: its refs, and the commits that whoever reads it has already. */
export interface HandedObjects {
  readonly refs: readonly HandedRef[];
  readonly bases: readonly string[];
}

interface Run {
  readonly state: RunState;
  readonly journal: { readonly events: readonly JournalEvent[] };
}

/**
 * Lists what has to be carried elsewhere, so that `verify` and `resume` find there what the journal speaks of: the run
 * branch as it stands at `branch`, the commit that waits for a person, every commit that was verified, audited or
 * prepared, and the tree of a session that handed off. What scope refused is not among it: nobody reads it again.
 */
export function listHandedObjects({ state, journal }: Run, branch: string): HandedObjects {
  const bases = listBases(journal.events);
  const named: HandedRef[] = [
    ...state.items.flatMap((item) => {
      const waiting = findWaitingCommit(item);
      return waiting === undefined ? [] : [{ ref: candidateRef(item.itemId), oid: waiting }];
    }),
    { ref: `refs/heads/${state.created.run_branch}`, oid: branch },
  ];
  const known = new Set([...bases, ...named.map(({ oid }) => oid)]);
  const kept = new Set(
    [...journal.events.flatMap(commitsOf), ...state.items.flatMap(treesOf)].filter((oid) => !known.has(oid)),
  );
  const refs = [...named, ...[...kept].map((oid) => ({ ref: `refs/conveyor/kept/${oid}`, oid }))];
  return { refs: refs.toSorted((left, right) => (left.ref < right.ref ? -1 : 1)), bases: [...bases].sort() };
}

/** Whether the run branch may stand at a commit: where the journal says, or one step further that a killed process took. */
export function mayBranchBe(state: RunState, commit: string | undefined): commit is string {
  return commit !== undefined && (commit === state.tip || listPreparedTips(state).includes(commit));
}

/** The audited commit of an item that waits for a person at a manual gate, or whose approval nobody has gone on with. */
export function findWaitingCommit({ settled, gate }: ItemState): string | undefined {
  return settled?.terminalState === "awaiting_human_gate" ? gate?.commit : undefined;
}

/** The ref that names the waiting commit of an item. */
function candidateRef(itemId: string): string {
  return `refs/conveyor/candidate/${encodeName(itemId)}`;
}

/** The commits of the user's own history that the run was ever based on. */
function listBases(events: readonly JournalEvent[]): ReadonlySet<string> {
  return new Set(
    events.flatMap((event) => {
      if (event.type === "run_created") return [event.details.base_commit];
      return event.type === "base_refresh_started" ? [event.details.to] : [];
    }),
  );
}

function commitsOf(event: JournalEvent): string[] {
  switch (event.type) {
    case "candidate_built":
      return event.details.commit === null ? [] : [event.details.commit];
    case "packet_frozen":
    case "item_commit_prepared":
    case "closing_prepared":
      return [event.details.commit];
    default:
      return [];
  }
}

/** What a resume makes the worktree of an attempt under way from. */
function treesOf(item: ItemState): string[] {
  const tree = item.settled === undefined ? lastAttempt(item)?.sessions.at(-1)?.handoffTree : undefined;
  return tree === undefined ? [] : [tree];
}
