import { parseInstant } from "./instants.ts";
import type { RunReport } from "./report.ts";
import { STAGES, stageKey, type Stage } from "./stages.ts";

/** How long the orchestrator was in a stage, over all invocations of the run. */
export interface StageTime {
  readonly stage: Stage;
  readonly duration_ms: number;
  /** `open`: entered and not done, because the run stopped in it or runs on. */
  readonly state: "done" | "open" | "not_reached";
}

/** A piece of a stage without a pause: one invocation at most. Instants in milliseconds since the epoch. */
export interface StageSpan {
  readonly stage: Stage;
  readonly from_ms: number;
  readonly to_ms: number;
}

type Times = Pick<RunReport, "transitions" | "invocations" | "completed_stages">;

/** Sums the time of each of the five stages. What a run waited for somebody between two invocations is not in it. */
export function sumStageTimes(report: Times): StageTime[] {
  const spans = listStageSpans(report);
  return STAGES.map((stage) => ({
    stage,
    duration_ms: spans.reduce((sum, span) => sum + (span.stage === stage ? span.to_ms - span.from_ms : 0), 0),
    state: report.completed_stages.includes(stageKey(stage))
      ? "done"
      : report.transitions.some(({ to }) => to === stage)
        ? "open"
        : "not_reached",
  }));
}

/**
 * The spans of the stages in the order in which they were entered. A stage lasts until the next one is entered, or until
 * its invocation ends; of one that has no end nothing is known after the last transition.
 */
export function listStageSpans({ transitions, invocations }: Times): StageSpan[] {
  return transitions.map(({ at, to: stage }, index) => {
    const from_ms = parseInstant(at);
    const invocation = invocations.findLast(({ started_at: started }) => parseInstant(started) <= from_ms);
    const next = transitions[index + 1]?.at;
    const ends = [next, invocation?.ended_at].flatMap((end) =>
      end === null || end === undefined ? [] : [parseInstant(end)],
    );
    return { stage, from_ms, to_ms: ends.length === 0 ? from_ms : Math.max(from_ms, Math.min(...ends)) };
  });
}
