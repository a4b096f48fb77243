import { canonicalJson } from "./digest.ts";
import { decideItem } from "./item-decide.ts";
import type { ItemRules } from "./item-evolve.ts";
import type { EventType, JournalEvent } from "./journal.ts";
import type { Plan } from "./plan.ts";
import { decideStop, decideStopOfVerdict, nextItem } from "./run-decide.ts";
import type { RunState } from "./run.ts";
import type { RunStop } from "./run-stop.ts";
import { STAGES, stageKey, type Stage } from "./stages.ts";

/** How far the events got that the state does not keep: a run that is killed and resumed begins at the first stage. */
export interface StageProgress {
  /** The stage that must begin next; undefined after the last one. */
  readonly due: Stage | undefined;
  /** The stage that is under way. */
  readonly open: Stage | undefined;
  /** Types of the events since the stage began. */
  readonly seen: ReadonlySet<EventType>;
  /** The preparation of the base was over its limit. */
  readonly baseTimedOut: boolean;
  /** Files were set aside: the next event is the resume or the report. */
  readonly settingAside: boolean;
  /** The reports of the last stop have been written. */
  readonly reported: boolean;
}

/** Where a run stands that was just created, or resumed. */
export const BEFORE_STAGES: StageProgress = {
  due: STAGES[0],
  open: undefined,
  seen: new Set(),
  baseTimedOut: false,
  settingAside: false,
  reported: false,
};

/** Follows one event. */
export function evolveProgress(progress: StageProgress, event: JournalEvent): StageProgress {
  const seen = new Set([...progress.seen, event.type]);
  switch (event.type) {
    case "run_resumed":
      return BEFORE_STAGES;
    case "stage_started":
      return { ...progress, due: undefined, open: event.details.stage, seen: new Set() };
    case "stage_finished":
      return { ...progress, due: stageAfter(event.details.stage), open: undefined, seen: new Set() };
    case "stage_skipped":
      return { ...progress, due: stageAfter(event.details.stage) };
    case "base_prepared":
      return { ...progress, seen, baseTimedOut: event.details.ending?.kind === "timed_out" };
    case "files_set_aside":
      return { ...progress, settingAside: true };
    case "report_written":
      return { ...progress, settingAside: false, reported: true };
    default:
      return { ...progress, seen };
  }
}

/** The stages in which an event of the run itself, or of an item, may stand. */
const STAGE_OF: Partial<Record<EventType, Stage>> = {
  base_prepared: "planning",
  validation_started: "validation",
  validation_finished: "validation",
  delivery_started: "closure",
  delivery_finished: "closure",
  gates_evaluated: "closure",
};

/** Events that a stage has once. Execution alone reads the trust ref as often as it has items. */
const ONCE: ReadonlySet<EventType> = new Set<EventType>([
  "base_prepared",
  "trust_read",
  "validation_started",
  "validation_finished",
  "delivery_started",
  "delivery_finished",
  "gates_evaluated",
]);

/** What the events of a run are judged by. */
export interface ReplayRules {
  readonly rules: ItemRules;
  readonly plan: Plan;
}

/**
 * Judges an event against the order in which a run does things: stages one after the other, each with what it must
 * have seen before it may end, nothing after the stop but its report, and a stop that follows from the state.
 */
export function judgeRunStep(
  progress: StageProgress,
  state: RunState,
  event: JournalEvent,
  replay: ReplayRules,
): string | undefined {
  if (event.type === "files_set_aside") return undefined;
  if (event.type === "run_resumed") {
    return state.stop !== undefined && !progress.reported ? "a resume before the reports of the stop" : undefined;
  }
  if (event.type === "report_written") return state.stop === undefined ? "a report without a stop" : undefined;
  if (state.stop !== undefined) return `${event.type} after the run stopped`;
  if (progress.settingAside) return `${event.type} after files were set aside, where run_resumed was due`;
  if (state.stageFailure !== undefined && event.type !== "run_stopped") return `${event.type} after a stage failed`;
  if (event.item_id !== null) return judgeItemPlace(progress, state, event.item_id, replay);
  if (ONCE.has(event.type) && progress.seen.has(event.type) && progress.open !== "execution") {
    return `${event.type} twice in a stage`;
  }
  const stage = STAGE_OF[event.type];
  if (stage !== undefined && stage !== progress.open) return `${event.type} outside of stage ${stage}`;
  return judgeEvent(progress, state, event, replay);
}

function judgeItemPlace(
  { open }: StageProgress,
  state: RunState,
  itemId: string,
  { plan }: ReplayRules,
): string | undefined {
  if (open !== "execution") return "an event of an item outside of stage execution";
  if (state.policy?.decision !== "allow") return "an event of an item that policy did not allow";
  const next = nextItem(state, plan);
  return next.kind === "item" && next.itemId === itemId ? undefined : `an event of item ${itemId}, which was not next`;
}

function judgeEvent(
  progress: StageProgress,
  state: RunState,
  event: JournalEvent,
  replay: ReplayRules,
): string | undefined {
  const { due, open, seen } = progress;
  const expect = (holds: boolean, message: string): string | undefined => (holds ? undefined : message);
  switch (event.type) {
    case "stage_started":
    case "stage_skipped": {
      const isDone = state.completedStages.includes(stageKey(event.details.stage));
      const fits = isDone === (event.type === "stage_skipped");
      return expect(
        event.details.stage === due && fits,
        `${event.type} ${event.details.stage}, where ${due ?? "none"} was due`,
      );
    }
    case "stage_finished":
      return expect(
        event.details.stage === open && isStageDone(open, progress, state, replay),
        `stage ${event.details.stage} finished before what it does`,
      );
    case "stage_failed":
      return expect(event.details.stage === open, `stage ${event.details.stage} failed, which was not under way`);
    case "trust_read":
      return expect(event.details.stage === open, "the trust ref was read in another stage than is under way");
    case "validation_started":
      return expect(event.details.commit === state.tip, "validation of another commit than the run branch's");
    case "validation_finished":
      return expect(seen.has("validation_started") && event.details.commit === state.tip, "validation never begun");
    case "delivery_started":
      return expect(
        seen.has("trust_read") &&
          state.policy?.decision === "allow" &&
          event.details.branch === state.created.run_branch &&
          event.details.head === state.tip,
        "a delivery that policy did not allow, or of something else than the run branch",
      );
    case "delivery_finished":
      return expect(
        seen.has("delivery_started") &&
          event.details.branch === state.delivery?.branch &&
          event.details.head === state.delivery.head,
        "a delivery never begun",
      );
    case "gates_evaluated":
      return expect(
        (seen.has("trust_read") || state.readyHead === state.tip) &&
          seen.has("delivery_started") === seen.has("delivery_finished"),
        "gates before policy was decided or the delivery ended",
      );
    case "run_stopped": {
      const stop = event.details.kind === "interrupted" ? INTERRUPTED : dueStop(progress, state, replay);
      const expected = stop === undefined ? undefined : decideStop(stop, state, "SIGTERM");
      const signalled = event.details.kind === "interrupted";
      return expect(
        expected !== undefined &&
          canonicalJson({ ...expected, signal: null }) === canonicalJson({ ...event.details, signal: null }) &&
          signalled === (event.details.signal !== null),
        "the run stopped otherwise than its state gives",
      );
    }
    default:
      return undefined;
  }
}

const INTERRUPTED: RunStop = { kind: "interrupted", reasonCodes: [] };

function isStageDone(
  stage: Stage | undefined,
  { seen }: StageProgress,
  state: RunState,
  { plan }: ReplayRules,
): boolean {
  switch (stage) {
    case "planning":
      return state.basePrepared || !seen.has("base_prepared");
    case "policy_ingestion":
      return seen.has("trust_read") && state.policy?.decision === "allow";
    case "execution":
      return nextItem(state, plan).kind === "all_passed";
    case "validation":
      return !seen.has("validation_started") || state.validation?.verdict.kind === "passed";
    case "closure":
      return seen.has("gates_evaluated") && (state.gates?.decisions.every((gate) => gate.passed) ?? false);
    default:
      return false;
  }
}

/** The stop that the state gives, if it gives one. */
function dueStop(
  { open, seen, baseTimedOut }: StageProgress,
  state: RunState,
  replay: ReplayRules,
): RunStop | undefined {
  const blocked = (reasonCodes: RunStop["reasonCodes"]): RunStop => ({
    kind: "terminal",
    terminalState: "blocked",
    reasonCodes,
  });
  if (state.stageFailure !== undefined) {
    return { kind: "terminal", terminalState: "failed", reasonCodes: [state.stageFailure.reasonCode] };
  }
  if (state.gates !== undefined) {
    const codes = state.gates.decisions.flatMap(({ reason_code: code }) => (code === null ? [] : [code]));
    return codes.length > 0 ? blocked(codes) : { kind: "terminal", terminalState: "done", reasonCodes: [] };
  }
  if (seen.has("trust_read") && state.policy?.decision === "deny") return blocked(state.policy.reasonCodes);
  if (open === "planning" && baseTimedOut) return decideStopOfVerdict("timeout");
  if (open === "validation" && seen.has("validation_finished") && state.validation?.verdict.kind === "timeout") {
    return decideStopOfVerdict("timeout");
  }
  return open === "execution" ? dueStopOfExecution(state, replay) : undefined;
}

function dueStopOfExecution(state: RunState, { rules, plan }: ReplayRules): RunStop | undefined {
  const next = nextItem(state, plan);
  if (next.kind === "stop") return next.stop;
  if (next.kind === "all_passed") return undefined;
  const item = state.items.find((candidate) => candidate.itemId === next.itemId);
  const command = item === undefined ? undefined : decideItem(item, rules);
  return command?.type === "stop" ? command.stop : undefined;
}

function stageAfter(stage: Stage): Stage | undefined {
  return STAGES[STAGES.indexOf(stage) + 1];
}
