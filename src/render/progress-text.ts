import { judgeVerification } from "../domain/verification.ts";
import type { JournalEvent } from "../domain/journal.ts";
import { showText } from "../domain/visible-text.ts";

/** A line of progress and how it is to be shown. */
export interface RenderedProgress {
  readonly tone: "plain" | "bold" | "green" | "red" | "yellow" | "dim";
  readonly text: string;
}

/**
 * Renders an event as one line for a person who follows a run; events that say nothing new give nothing. Names of files
 * and targets of symlinks are an executor's words: what steers a terminal is shown instead of sent.
 */
export function renderProgress(event: JournalEvent): RenderedProgress | undefined {
  const at = event.at.slice(11, 19);
  const say = (tone: RenderedProgress["tone"], text: string): RenderedProgress => ({
    tone,
    text: `${at} ${showText(text)}`,
  });
  const item = event.item_id === null ? "" : `${event.item_id}: `;
  switch (event.type) {
    case "run_created":
      return say(
        "bold",
        `run ${event.run_id} of plan ${event.plan_id}, base ${event.details.base_commit.slice(0, 12)}`,
      );
    case "run_resumed":
      return say("bold", `run ${event.run_id} goes on`);
    case "stage_started":
      return say("plain", `stage ${event.details.stage}`);
    case "stage_skipped":
      return say("dim", `stage ${event.details.stage} is done already`);
    case "stage_failed":
      return say("red", `stage ${event.details.stage} failed: ${event.details.reason_code} ${event.details.message}`);
    case "attempt_opened":
      return say(
        "plain",
        `${item}attempt ${event.details.attempt}, worktree ${event.details.prepare_status === "nothing_to_do" ? "open" : `prepared (${event.details.prepare_status})`}`,
      );
    case "worktree_restored":
      return say("yellow", `${item}worktree was gone and is made again (${event.details.prepare_status})`);
    case "session_started":
      return say("plain", `${item}executor, ${event.details.kind}, round ${event.details.round}`);
    case "session_finished":
      return say(
        "plain",
        `${item}executor ended: ${event.details.execution.status} after ${event.details.execution.duration_ms} ms`,
      );
    case "attempt_lost":
      return say("yellow", `${item}attempt ${event.details.attempt} proves nothing any more: ${event.details.why}`);
    case "handoff_sealed":
      return say("yellow", `${item}handed off, sealed`);
    case "candidate_built":
      return renderCandidate(event, say, item);
    case "candidate_refused":
      return say("red", `${item}candidate refused: ${event.details.reason_code} ${event.details.detail}`);
    case "verification_finished": {
      const verdict = judgeVerification(event.details);
      if (verdict.kind === "passed") return say("green", `${item}verified in a clean checkout`);
      return say(
        "red",
        `${item}verification ${verdict.kind}${verdict.kind === "failed" ? `: ${verdict.failures.join("; ")}` : ""}`,
      );
    }
    case "item_settled": {
      const tone = event.details.terminal_state === "passed" ? "green" : "red";
      return say(tone, `${item}${[event.details.terminal_state, ...event.details.reason_codes].join(" ")}`);
    }
    case "delivery_finished":
      return say("plain", `branch ${event.details.branch}: ${event.details.status}`);
    case "gates_evaluated":
      return say(
        "plain",
        `gates: ${event.details.decisions.map((gate) => `${gate.gate} ${gate.passed ? "passed" : `blocked (${gate.signal})`}`).join(", ")}`,
      );
    default:
      return undefined;
  }
}

function renderCandidate(
  event: Extract<JournalEvent, { type: "candidate_built" }>,
  say: (tone: RenderedProgress["tone"], text: string) => RenderedProgress,
  item: string,
): RenderedProgress {
  const { violations, changed_paths: changed } = event.details;
  const first = violations[0];
  if (first !== undefined) {
    const more = violations.length > 1 ? ` and ${violations.length - 1} more` : "";
    return say("red", `${item}candidate refused: ${first.code} ${JSON.stringify(first.path)} ${first.detail}${more}`);
  }
  return changed === 0
    ? say("yellow", `${item}no change`)
    : say("plain", `${item}candidate with ${changed} changed path${changed === 1 ? "" : "s"}`);
}
