import type { ItemCommand } from "./item-decide.ts";
import type { EventDetails } from "./journal.ts";
import type { PlanItem } from "./plan.ts";

/** What a person is asked: the gate that the plan wants, or one because a finding needs judgment. */
export function buildGateRequest(
  item: PlanItem,
  { type: _type, gateType, finding_ids: findingIds, ...about }: Extract<ItemCommand, { type: "request_gate" }>,
): EventDetails<"gate_requested"> {
  const own = gateType === "own";
  return {
    ...about,
    gate_type: own ? item.manual_gate : "custom",
    reason: own ? item.manual_gate_reason : "a blocking finding needs a person's judgment",
    required_evidence: own ? item.manual_gate_evidence : "decision record",
    finding_ids: [...findingIds],
  };
}
