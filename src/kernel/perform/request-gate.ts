import { buildGateRequest } from "../../domain/gate-request.ts";
import type { ItemCommand } from "../../domain/item-decide.ts";
import { planItem, type RunContext } from "../run-context.ts";

/** Records what a person is asked. */
export function requestGate(
  context: RunContext,
  itemId: string,
  command: Extract<ItemCommand, { type: "request_gate" }>,
): void {
  context.recorder.record("gate_requested", buildGateRequest(planItem(context, itemId), command), itemId);
}
