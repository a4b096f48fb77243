import { planItem, type RunContext } from "../run-context.ts";

/** Records what a person is asked: the gate that the plan wants, or one because a finding needs judgment. */
export function requestGate(
  context: RunContext,
  itemId: string,
  command: {
    attempt: number;
    round: number;
    gateType: "own" | "custom";
    commit: string;
    packet_sha256: string;
    finding_ids: readonly string[];
  },
): void {
  const item = planItem(context, itemId);
  const own = command.gateType === "own";
  const { attempt, round, commit, packet_sha256, finding_ids } = command;
  context.recorder.record(
    "gate_requested",
    {
      attempt,
      round,
      gate_type: own ? item.manual_gate : "custom",
      reason: own ? item.manual_gate_reason : "a blocking finding needs a person's judgment",
      required_evidence: own ? item.manual_gate_evidence : "decision record",
      finding_ids: [...finding_ids],
      commit,
      packet_sha256,
    },
    itemId,
  );
}
