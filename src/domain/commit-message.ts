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

/** Author and committer of every commit that a run makes: nobody's account. */
const AUTHOR = "Plan Conveyor <plan-conveyor@noreply.invalid>";

/** The whole text of a commit of a run; `seconds` since 1970, in UTC. */
export function buildCommitText(input: { tree: string; parent: string; message: string; seconds: number }): string {
  const by = `${AUTHOR} ${input.seconds} +0000`;
  return `tree ${input.tree}\nparent ${input.parent}\nauthor ${by}\ncommitter ${by}\n\n${input.message}`;
}

/** Whether a commit's text is one that `buildCommitText` gives at some time: nothing in it is anybody's own. */
export function isCommitText(text: string, input: { tree: string; parent: string; message: string }): boolean {
  const seconds = /^author [^\n]*> (\d{1,12}) \+0000$/m.exec(text)?.[1];
  return seconds !== undefined && text === buildCommitText({ ...input, seconds: Number(seconds) });
}
