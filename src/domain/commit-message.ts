import type { PlanItem } from "./plan.ts";

const SUBJECT_MAX = 72;

/** Builds the message of an item's commit: the item's action, then the trailers that say what it came from. */
export function buildCommitMessage(input: {
  planId: string;
  runId: string;
  item: Pick<PlanItem, "item_id" | "action">;
  /** Digest of the packet that the auditors judged. */
  packet: string;
}): string {
  const { item, planId, runId } = input;
  // One line without control characters: a plan's cell must not be able to forge a trailer.
  const action = item.action.replaceAll(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]+/gu, " ").trim();
  const subject = [...`${item.item_id}: ${action}`];
  const short = subject.length > SUBJECT_MAX ? `${subject.slice(0, SUBJECT_MAX - 1).join("")}…` : subject.join("");
  return `${short}\n\nPlan: ${planId}\nItem: ${item.item_id}\nRun: ${runId}\nPacket: ${input.packet}\n`;
}
