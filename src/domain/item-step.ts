import { isCostSpent } from "./cost.ts";
import { decideItem, type ItemCommand } from "./item-decide.ts";
import type { ItemRules } from "./item-rules.ts";
import type { ItemState } from "./item.ts";
import type { RunState } from "./run.ts";

/**
 * Decides what is next for an item in its run: what its own state asks for, unless that would start an agent and the
 * money of the run is spent. Reason code: COST_LIMIT.
 */
export function decideStep(state: RunState, item: ItemState, rules: ItemRules): ItemCommand {
  const command = decideItem(item, rules);
  if (!startsAgent(command, state, rules) || !isCostSpent(state)) return command;
  return { type: "stop", stop: { kind: "terminal", terminalState: "blocked", reasonCodes: ["COST_LIMIT"] } };
}

/** A command of the user's own costs nothing that the orchestrator could count. */
function startsAgent(command: ItemCommand, state: RunState, rules: ItemRules): boolean {
  switch (command.type) {
    case "run_session":
      return state.created.executor.use !== "command";
    case "run_audits":
      return command.lanes.some((lane) => rules.agentLanes.includes(lane));
    case "run_triage":
      return rules.agentTriage;
    default:
      return false;
  }
}
