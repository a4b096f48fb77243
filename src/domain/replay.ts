import { canonicalJson, type Json } from "./digest.ts";
import { decideItem, type ItemCommand } from "./item-decide.ts";
import type { ItemRules } from "./item-evolve.ts";
import type { EventType, JournalEvent } from "./journal.ts";
import { evolveRun, newRun, type RunState } from "./run.ts";

/** Events that may follow a command. `attempt_lost` and `worktree_restored` may follow any that needs a worktree. */
const EVENTS_OF: Record<ItemCommand["type"], readonly EventType[]> = {
  start_item: ["item_started"],
  open_attempt: ["attempt_opened"],
  run_session: ["session_started", "worktree_restored", "attempt_lost"],
  lose_attempt: ["attempt_lost"],
  seal_handoff: ["handoff_sealed", "candidate_refused", "worktree_restored", "attempt_lost"],
  build_candidate: ["candidate_built", "candidate_refused", "attempt_lost"],
  verify: ["verification_started", "verification_finished"],
  prepare_commit: ["item_commit_prepared"],
  advance_branch: ["item_settled"],
  settle: ["item_settled"],
  stop: [],
  nothing: [],
};

/** A step that the machine would not have taken. */
export interface ReplayFault {
  readonly seq: number;
  readonly message: string;
}

/**
 * Replays a journal beside the machine that should have written it: before each event of an item, the command that the
 * state gives must be one that leads to the event, and a settlement must be the very one that was decided.
 */
export function replayDecisions(events: readonly JournalEvent[], rules: ItemRules): ReplayFault[] {
  const [first, ...rest] = events;
  if (first?.type !== "run_created") return [{ seq: 1, message: "expected run_created" }];
  let state: RunState = newRun(first);
  const faults: ReplayFault[] = [];
  for (const event of rest) {
    const fault = judgeStep(state, event, rules);
    if (fault !== undefined) faults.push({ seq: event.seq, message: fault });
    state = evolveRun(state, event, rules);
  }
  return faults;
}

function judgeStep(state: RunState, event: JournalEvent, rules: ItemRules): string | undefined {
  const item = state.items.find((candidate) => candidate.itemId === event.item_id);
  // The receipt of a session answers its intent, not a decision.
  if (item === undefined || event.type === "session_finished") return undefined;
  const command = decideItem(item, rules);
  if (!EVENTS_OF[command.type].includes(event.type)) {
    return `${event.type} of item ${item.itemId}, where ${command.type} was due`;
  }
  if (event.type === "item_settled") return judgeSettlement(command, event);
  if ("round" in command && "round" in event.details && command.round !== event.details.round) {
    return `${event.type} of item ${item.itemId} in round ${event.details.round}, where round ${command.round} was due`;
  }
  return undefined;
}

function judgeSettlement(command: ItemCommand, event: JournalEvent & { type: "item_settled" }): string | undefined {
  const { terminal_state: terminalState, reason_codes: reasonCodes, commit } = event.details;
  if (command.type === "advance_branch") {
    const tampered = terminalState === "escalated" && canonicalJson(reasonCodes) === '["GIT_TAMPERED"]';
    return tampered || (terminalState === "passed" && commit === command.commit)
      ? undefined
      : "an item settled otherwise than its prepared commit";
  }
  const decided: Json = command.type === "settle" ? [command.terminalState, [...command.reasonCodes]] : null;
  return canonicalJson(decided) === canonicalJson([terminalState, reasonCodes])
    ? undefined
    : "an item settled otherwise than was decided";
}
