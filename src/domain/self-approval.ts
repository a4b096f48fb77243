import type { RunState } from "./run.ts";

/** What a verdict says when somebody who took part approved: `policy.approvals.medium.self` allows it. */
export const SELF_APPROVED = "self-approved";

/** Whether anything that let the run go on was approved by somebody who took part: its plan, an item, or its delivery. */
export function isSelfApproved({ policy, items, gates }: Pick<RunState, "policy" | "items" | "gates">): boolean {
  const ofPlan = policy?.approvals.some(({ counts, selfApproved }) => counts && selfApproved) === true;
  // A note that a person typed in at a terminal is theirs; what GitHub vouches for is worded by us.
  const ofItem = items.some(
    ({ gate }) => gate?.decision === "approved" && gate.authority !== "local-unverified" && isMarked(gate.note),
  );
  const ofDelivery = gates?.decisions.some(
    ({ gate, passed, detail }) => gate === "review" && passed && isMarked(detail),
  );
  return ofPlan || ofItem || ofDelivery === true;
}

function isMarked(text: string): boolean {
  return new RegExp(`[ (]${SELF_APPROVED}\\)?$`).test(text);
}
