import { judgeLane } from "../domain/item-audit.ts";
import { decideSandbox } from "../domain/sandbox.ts";
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
    case "sandbox_probed": {
      const { tier, why } = decideSandbox(event.details.facts, event.details.wish);
      return tier === 3 ? say("plain", `sandbox tier 3: ${why}`) : say("yellow", `sandbox tier 1: ${why}`);
    }
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
      if (event.details.execution.agent?.failure === "unavailable") {
        return say(
          "yellow",
          `${item}executor came to nothing: its model was not to be had: ${event.details.execution.agent.detail}`,
        );
      }
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
      if (verdict.kind === "passed") {
        const own = event.details.surface === null ? "" : "; it changed what it is verified by";
        return say(own === "" ? "green" : "yellow", `${item}verified in a clean checkout${own}`);
      }
      return say(
        "red",
        `${item}verification ${verdict.kind}${verdict.kind === "failed" ? `: ${verdict.failures.join("; ")}` : ""}`,
      );
    }
    case "red_green_judged":
      return say(
        "plain",
        `${item}${event.details.test_paths.length} test file${event.details.test_paths.length === 1 ? "" : "s"} tried on the base`,
      );
    case "packet_frozen":
      return say("plain", `${item}packet ${event.details.packet_sha256.slice(0, 12)} frozen`);
    case "audit_started":
      return say("plain", `${item}auditors ${event.details.lanes.map(({ lane }) => lane).join(", ")}`);
    case "audit_finished":
      return renderAudits(event, say, item);
    case "triage_finished": {
      const { facts } = event.details;
      return facts.kind === "read"
        ? say("plain", `${item}triage answered about ${facts.dispositions.length} findings`)
        : say("yellow", `${item}triage does not count: ${facts.why}`);
    }
    case "gate_requested":
      return say("yellow", `${item}waits for a person: ${event.details.gate_type} ${event.details.reason}`.trimEnd());
    case "gate_decided":
      return say(
        event.details.decision === "rejected" ? "red" : "green",
        `${item}gate ${event.details.decision} by ${event.details.by} (${event.details.authority})`,
      );
    case "evidence_supplied":
      return say(
        "plain",
        `${item}evidence: ${event.details.files.length} file${event.details.files.length === 1 ? "" : "s"}`,
      );
    case "item_settled": {
      const tone = event.details.terminal_state === "passed" ? "green" : "red";
      return say(tone, `${item}${[event.details.terminal_state, ...event.details.reason_codes].join(" ")}`);
    }
    case "manager_started":
      return say("plain", "manager plans");
    case "closing_committed":
      return say("green", `plan closed by commit ${event.details.commit.slice(0, 12)}`);
    case "base_refreshed":
      return say("bold", `base moved from ${event.details.from.slice(0, 12)} to ${event.details.to.slice(0, 12)}`);
    case "delivery_finished":
      return say("plain", `branch ${event.details.branch}: ${event.details.status}`);
    case "publication_finished": {
      const { status, pull_request: pull, message } = event.details;
      const where = pull === null ? "" : ` ${pull.draft ? "draft " : ""}pull request ${pull.number}`;
      return say(
        status === "published" ? "green" : "red",
        `GitHub: ${status}${where}${message === "" ? "" : `: ${message}`}`,
      );
    }
    case "gates_evaluated":
      return say(
        "plain",
        `gates: ${event.details.decisions.map((gate) => `${gate.gate} ${gate.passed ? "passed" : `blocked (${gate.signal})`}`).join(", ")}`,
      );
    default:
      return undefined;
  }
}

/** A program that says nothing: perhaps it hangs, perhaps its work is slow, and nobody but a person can tell. */
export function renderStall(stall: {
  readonly itemId: string | null;
  readonly purpose: string;
  readonly minutes: number;
}): string {
  const item = stall.itemId === null ? "" : `${stall.itemId}: `;
  const time = stall.minutes === 1 ? "a minute" : `${stall.minutes} minutes`;
  return showText(`${item}${stall.purpose} has said nothing for ${time}; it goes on until its time limit`);
}

/** Side by side: what each lane's answer came to, and the first finding of each that found something. */
function renderAudits(
  event: Extract<JournalEvent, { type: "audit_finished" }>,
  say: (tone: RenderedProgress["tone"], text: string) => RenderedProgress,
  item: string,
): RenderedProgress {
  const { lanes, checkout_changed: changed, tamper } = event.details;
  const judged = lanes.map((lane) => ({ ...lane, outcome: judgeLane(lane, changed) }));
  const words = judged.map(({ lane, outcome, facts }) => {
    const [first, ...more] = facts.kind === "read" && outcome.kind !== "engine_failed" ? facts.findings : [];
    const found = first === undefined ? "" : ` (${first.title}${more.length > 0 ? ` and ${more.length} more` : ""})`;
    if (outcome.kind === "engine_failed") return `${lane} proves nothing: ${outcome.why}`;
    return `${lane} ${outcome.kind}${outcome.kind === "findings" && outcome.blocks ? ", blocks" : ""}${found}`;
  });
  if (tamper.length > 0) return say("red", `${item}git was tampered with during the audit: ${tamper[0]?.detail ?? ""}`);
  const passes = judged.every(({ outcome }) => outcome.kind === "pass");
  return say(passes ? "green" : "yellow", `${item}audits: ${words.join("; ")}`);
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
