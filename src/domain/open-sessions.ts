import type { ItemRules } from "./item-rules.ts";
import type { JournalEvent } from "./journal.ts";

/** A session of a coding agent that began and has no receipt: it runs now, or it ended with the orchestrator. */
export interface OpenSession {
  readonly item_id: string;
  readonly lane: string;
}

/**
 * Follows the sessions of agents from their intent to their receipt. One that never gets it was paid for all the same:
 * what it cost nobody knows.
 */
export function followSessions(
  open: readonly OpenSession[],
  event: JournalEvent,
  { isAgent, rules }: { readonly isAgent: boolean; readonly rules: ItemRules },
): readonly OpenSession[] {
  const item_id = event.item_id ?? "";
  const begin = (lanes: readonly string[]) => [...open, ...lanes.map((lane) => ({ item_id, lane }))];
  switch (event.type) {
    case "session_started":
      return isAgent ? begin(["executor"]) : open;
    case "audit_started": {
      const lanes = event.details.lanes.filter(({ lane }) => rules.agentLanes.includes(lane));
      return begin(lanes.map(({ lane }) => `audit:${lane}`));
    }
    case "triage_started":
      return rules.agentTriage ? begin(["triage"]) : open;
    case "session_finished":
      return end(open, item_id, ["executor"]);
    case "audit_finished": {
      const lanes = event.details.lanes.map(({ lane }) => `audit:${lane}`);
      return end(open, item_id, lanes);
    }
    case "triage_finished":
      return end(open, item_id, ["triage"]);
    default:
      return open;
  }
}

/** A receipt is of the session that began last. */
function end(open: readonly OpenSession[], itemId: string, lanes: readonly string[]): readonly OpenSession[] {
  return lanes.reduce((rest, ended) => {
    const at = rest.findLastIndex(({ item_id, lane }) => item_id === itemId && lane === ended);
    return at === -1 ? rest : rest.toSpliced(at, 1);
  }, open);
}
