import { buildCallCase } from "./approval-case.ts";
import { decideApproval } from "./approvals.ts";
import { lastAttempt, type ItemState } from "./item.ts";
import { endAttempt, requireStep } from "./item-steps.ts";
import type { ItemRules } from "./item-rules.ts";
import type { EventDetails, EventDraft } from "./journal.ts";

type GateEvent = Extract<EventDraft, { type: "gate_requested" | "gate_decided" | "evidence_supplied" }>;

/** Folds what people are asked and what they decide or supply (source document 003, *Manual gate boundary*). */
export function evolveGate(state: ItemState, event: GateEvent, rules: ItemRules): ItemState {
  switch (event.type) {
    case "gate_requested":
      return requestGate(state, event.details);
    case "gate_decided":
      return decideGate(state, event.details, rules);
    case "evidence_supplied":
      requireStep(waitsForEvidence(state), "the item does not wait for evidence");
      return { ...state, evidence: event.details.files.map((file) => file.path), evidenceIsNew: true };
  }
}

/** True when evidence is what the item waits for. */
export function waitsForEvidence(state: ItemState): boolean {
  return state.settled?.terminalState === "blocked_external";
}

/** True when a person has done what the item waited for: the next resume goes on with it. */
export function isWaitOver({ settled, gate, evidenceIsNew }: ItemState): boolean {
  return settled?.terminalState === "awaiting_human_gate"
    ? gate?.decision === "approved"
    : settled?.terminalState === "blocked_external" && evidenceIsNew;
}

function requestGate(state: ItemState, details: EventDetails<"gate_requested">): ItemState {
  const packet = lastAttempt(state)?.candidates.at(-1)?.packet;
  requireStep(
    packet?.commit === details.commit && packet.sha256 === details.packet_sha256,
    "a gate is about the audited commit",
  );
  return {
    ...state,
    gate: {
      gateType: details.gate_type,
      reason: details.reason,
      requiredEvidence: details.required_evidence,
      commit: details.commit,
      packetSha256: details.packet_sha256,
      findingIds: details.finding_ids,
      decision: "none",
      by: "",
      note: "",
      authority: "",
      evidence: [],
    },
  };
}

/**
 * Why a decision that was typed at a keyboard does not count under the rules of the run; nothing when it does. One that
 * was read on GitHub was judged on what was read, which stands among its files.
 */
export function whyNotCounted(
  { by, decision, authority }: Pick<EventDetails<"gate_decided">, "by" | "decision" | "authority">,
  { admission, approvalPolicy: policy }: Pick<ItemRules, "admission" | "approvalPolicy">,
): string | undefined {
  if (authority !== "local-unverified") return undefined;
  // Whoever may decide may take the decision back.
  const local = { kind: "local", by, decision: decision === "rejected" ? "reject" : "approve" } as const;
  const asked = {
    kind: "manual_gate",
    risk: admission.risk.tier,
    policy,
    planSha256: null,
    policySha256: "",
    now: 0,
  } as const;
  return decideApproval(buildCallCase(asked), [local]).judged[0]?.refusals[0]?.text;
}

function decideGate(state: ItemState, details: EventDetails<"gate_decided">, rules: ItemRules): ItemState {
  const { gate, settled } = state;
  requireStep(gate !== undefined && settled?.terminalState === "awaiting_human_gate", "no gate waits for a decision");
  requireStep(
    gate.commit === details.commit && gate.packetSha256 === details.packet_sha256,
    "the decision is about another commit than the one that waits",
  );
  requireStep(
    details.decision === "reopened" ? gate.decision === "rejected" : gate.decision === "none",
    `a gate that is ${gate.decision === "none" ? "open" : gate.decision} cannot be ${details.decision}`,
  );
  const { decision: decided, by, note, authority, files: evidence } = details;
  if (whyNotCounted(details, rules) !== undefined)
    return { ...state, gate: { ...gate, uncounted: { decision: decided, by, authority } } };
  const decision = decided === "reopened" ? "none" : decided;
  const code = decision === "rejected" ? "ITEM_GATE_REJECTED" : "ITEM_AWAITING_HUMAN_GATE";
  return {
    ...state,
    gate: { ...gate, decision, by, note, authority, evidence },
    settled: { ...settled, reasonCodes: [code] },
  };
}

/** Reopens an item whose wait has ended: its gate was approved, or its evidence is there. */
export function reopenDecided(state: ItemState): ItemState {
  if (!isWaitOver(state)) return state;
  const { settled, ...open } = state;
  if (settled?.terminalState === "awaiting_human_gate") return open;
  // Whoever waited for evidence has not seen it: what was done before is done again with it.
  const again = { ...endAttempt(open, "superseded"), evidenceIsNew: false };
  return { ...again, round: 1, unchangedInARow: 0, handoffTrees: [] };
}
