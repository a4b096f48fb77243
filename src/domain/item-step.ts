import { isCostSpent } from "./cost.ts";
import { countKeyRequests } from "./network-hosts.ts";
import { decideItem, type ItemCommand } from "./item-decide.ts";
import type { ItemRules } from "./item-rules.ts";
import type { ItemState } from "./item.ts";
import type { RunState } from "./run.ts";

/**
 * Decides what is next for an item in its run: what its own state asks for, unless that would start an agent and the
 * money of the run is spent, or a program and the requests that the run may send with a held key are. Reason code:
 * COST_LIMIT.
 */
export function decideStep(state: RunState, item: ItemState, rules: ItemRules): ItemCommand {
  const command = decideItem(item, rules);
  const isSpent = startsAgent(command, state, rules) && isCostSpent(state);
  if (!isSpent && !(startsProgram(command) && areKeysSpent(state, rules))) return command;
  return { type: "stop", stop: { kind: "terminal", terminalState: "blocked", reasonCodes: ["COST_LIMIT"] } };
}

/** Who could be meant to use a key: not those that verify. */
function startsProgram({ type }: ItemCommand): boolean {
  return type === "run_session" || type === "run_audits" || type === "run_triage";
}

function areKeysSpent(state: RunState, { keyRequestsMax }: ItemRules): boolean {
  if (keyRequestsMax.size === 0) return false;
  const uses = state.executions.flatMap(({ network }) => network);
  return [...keyRequestsMax].some(([name, max]) => countKeyRequests(uses, name) >= max);
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
