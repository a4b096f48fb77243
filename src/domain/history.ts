import type { JournalEvent } from "./journal.ts";
import type { ReasonCode } from "./reason-codes.ts";
import type { TerminalState } from "./run-stop.ts";

/** What a history of runs remembers of each: enough to say how it stands, however long its journal is. */
export interface RunOutline {
  readonly runId: string;
  readonly planId: string;
  readonly planPath: string;
  readonly createdAt: string;
  readonly lastAt: string;
  readonly events: number;
  readonly items: number;
  readonly passed: readonly string[];
  readonly stop?: {
    readonly kind: "terminal" | "handoff" | "interrupted";
    readonly terminalState: TerminalState | null;
    readonly reasonCodes: readonly ReasonCode[];
  };
}

/** Follows one event of a run; expects them in the order of the journal, `run_created` first. */
export function evolveOutline(outline: RunOutline | undefined, event: JournalEvent): RunOutline | undefined {
  if (event.type === "run_created") {
    return {
      runId: event.run_id,
      planId: event.plan_id,
      planPath: event.details.plan_path,
      createdAt: event.at,
      lastAt: event.at,
      events: 1,
      items: event.details.item_ids.length,
      passed: [],
    };
  }
  if (outline === undefined) return undefined;
  const seen = { ...outline, lastAt: event.at, events: outline.events + 1 };
  switch (event.type) {
    case "run_stopped": {
      const { kind, terminal_state: terminalState, reason_codes: reasonCodes } = event.details;
      return { ...seen, stop: { kind, terminalState, reasonCodes } };
    }
    case "run_resumed": {
      const { stop: _stop, ...going } = seen;
      return going;
    }
    case "item_settled":
      return event.details.terminal_state === "passed" && event.item_id !== null
        ? { ...seen, passed: [...seen.passed, event.item_id] }
        : seen;
    default:
      return seen;
  }
}

/** How a run stands, in one line: its verdict, or that it has not stopped. */
export function describeOutline({ stop, passed, items }: RunOutline): string {
  const done = `${passed.length} of ${items} items passed`;
  if (stop === undefined) return `not stopped: ${done}`;
  const codes = stop.reasonCodes.length === 0 ? "" : `: ${stop.reasonCodes.join(", ")}`;
  return `${stop.kind === "terminal" ? (stop.terminalState ?? "failed") : stop.kind}: ${done}${codes}`;
}

/** True for a time, or the beginning of one, as `--since` takes it: a day, or a day and a time in UTC. */
export function isTime(text: string): boolean {
  return /^\d{4}-\d\d-\d\d(T\d\d:\d\d(:\d\d(\.\d{1,3})?)?Z?)?$/.test(text);
}

/** Whether an event happened at that time or after. Times of events are ISO 8601 in UTC, whose order is that of text. */
export function isSince(at: string, since: string | undefined): boolean {
  return since === undefined || at >= since.replace(/Z$/, "");
}
