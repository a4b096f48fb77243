import { canonicalJson } from "./digest.ts";
import { decideStep } from "./item-step.ts";
import type { ItemRules } from "./item-rules.ts";
import type { EventDetails, EventType, JournalEvent } from "./journal.ts";
import type { Plan } from "./plan.ts";
import { blockedGateCodes } from "./gates.ts";
import { findWaiting } from "./publication.ts";
import { decideStop, decideStopOfVerdict, INTERRUPT_SIGNALS, nextItem } from "./run-decide.ts";
import type { RunState } from "./run.ts";
import type { RunStop } from "./run-stop.ts";
import { STAGES, stageKey, startsPrograms, type Stage } from "./stages.ts";

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
  manager_started: "planning",
  manager_finished: "planning",
  validation_started: "validation",
  validation_finished: "validation",
  closing_prepared: "closure",
  closing_committed: "closure",
  delivery_started: "closure",
  delivery_finished: "closure",
  gates_evaluated: "closure",
};

/** Events that a stage has once. Execution alone reads the trust ref as often as it has items. */
const ONCE: ReadonlySet<EventType> = new Set<EventType>([
  "base_prepared",
  "manager_started",
  "manager_finished",
  "trust_read",
  "validation_started",
  "validation_finished",
  "closing_prepared",
  "closing_committed",
  "delivery_started",
  "delivery_finished",
  "publication_started",
  "publication_finished",
  "gates_evaluated",
]);

/** Events that stand for what a person did to a run that had stopped. */
const OF_PEOPLE: ReadonlySet<EventType> = new Set<EventType>([
  "gate_decided",
  "evidence_supplied",
  "base_refresh_started",
  "base_refreshed",
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
  // What people decide and supply comes when a run has stopped; the fold judges whether it may.
  if (OF_PEOPLE.has(event.type)) {
    return state.stop === undefined ? `${event.type} while the run was going on` : undefined;
  }
  if (state.stop !== undefined) return `${event.type} after the run stopped`;
  if (progress.settingAside) return `${event.type} after files were set aside, where run_resumed was due`;
  if (state.stageFailure !== undefined && event.type !== "run_stopped") return `${event.type} after a stage failed`;
  const unsafe = judgeSandboxed(state, event);
  if (unsafe !== undefined) return unsafe;
  if (event.item_id !== null) return judgeItemPlace(progress, state, event.item_id);
  if (ONCE.has(event.type) && progress.seen.has(event.type) && progress.open !== "execution") {
    return `${event.type} twice in a stage`;
  }
  const stage = STAGE_OF[event.type];
  if (stage !== undefined && stage !== progress.open) return `${event.type} outside of stage ${stage}`;
  return judgeEvent(progress, state, event, replay);
}

/** Events that stand for a program, or for something that leads to one: none comes before the sandbox is known. */
const STARTS_PROGRAMS: ReadonlySet<EventType> = new Set<EventType>([
  "base_prepared",
  "manager_started",
  "validation_started",
]);

function judgeSandboxed({ sandbox }: RunState, event: JournalEvent): string | undefined {
  if (sandbox === undefined) {
    const starts = event.item_id !== null || STARTS_PROGRAMS.has(event.type);
    if (!starts) return undefined;
    return `${event.item_id === null ? event.type : "an item's event"} before the sandbox was probed`;
  }
  if (sandbox.refusal === undefined || event.type === "stage_failed" || event.type === "run_stopped") return undefined;
  return `${event.type} although the sandbox that is required is not there`;
}

function judgeItemPlace({ open }: StageProgress, state: RunState, itemId: string): string | undefined {
  if (open !== "execution") return "an event of an item outside of stage execution";
  if (state.policy?.decision !== "allow") return "an event of an item that policy did not allow";
  const next = nextItem(state);
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
        event.details.stage === open && isStageDone(open, progress, state),
        `stage ${event.details.stage} finished before what it does`,
      );
    case "stage_failed":
      return expect(
        event.details.stage === open &&
          (event.details.reason_code === "SANDBOX_UNAVAILABLE") === (state.sandbox?.refusal !== undefined),
        `stage ${event.details.stage} failed, which was not under way, or of something else than its sandbox`,
      );
    case "sandbox_probed":
      return expect(
        open !== undefined &&
          startsPrograms(open) &&
          state.sandbox === undefined &&
          event.details.wish.level === state.options["sandbox"]?.value,
        "the sandbox was probed twice, in a stage without programs, or otherwise than was asked for",
      );
    case "trust_read":
      return expect(event.details.stage === open, "the trust ref was read in another stage than is under way");
    case "manager_started":
      return expect(
        state.created.manager !== null && event.details.commit === state.baseCommit,
        "a manager that the run does not have, or on another commit than the base",
      );
    case "manager_finished":
      return expect(seen.has("manager_started"), "a manager never begun");
    case "closing_prepared":
    case "closing_committed":
      return expect(
        seen.has("trust_read") && state.policy?.decision === "allow",
        "the plan was closed before policy allowed it",
      );
    case "validation_started":
      return expect(event.details.commit === state.tip, "validation of another commit than the run branch's");
    case "validation_finished":
      return expect(seen.has("validation_started") && event.details.commit === state.tip, "validation never begun");
    case "delivery_started":
      return expect(
        seen.has("trust_read") &&
          state.policy?.decision === "allow" &&
          state.closing?.committed === true &&
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
    case "publication_started":
      return expect(
        seen.has("trust_read") && state.policy?.decision === "allow" && isPublishable(open, state, event.details),
        "a publication that policy did not allow, or of something that may not leave the run",
      );
    case "publication_finished":
      return expect(
        seen.has("publication_started") && state.publication?.status === "intended",
        "a publication never begun",
      );
    case "gates_evaluated":
      return expect(
        (seen.has("trust_read") || state.readyHead === state.tip) &&
          seen.has("delivery_started") === seen.has("delivery_finished") &&
          seen.has("publication_started") === seen.has("publication_finished"),
        "gates before policy was decided or the delivery ended",
      );
    case "run_stopped": {
      // Whoever interrupts may do so anywhere, and an interruption claims nothing; any other stop follows from the state.
      const signal = INTERRUPT_SIGNALS.find((known) => known === event.details.signal);
      const stop = signal === undefined ? dueStop(progress, state, replay) : INTERRUPTED;
      const expected = stop === undefined ? undefined : decideStop(stop, state, signal ?? "SIGINT");
      // What was redacted is what was seen, and follows from nothing.
      const { redactions: _seen, ...decided } = event.details;
      return expect(
        expected !== undefined && canonicalJson(expected) === canonicalJson(decided),
        "the run stopped otherwise than its state gives",
      );
    }
    default:
      return undefined;
  }
}

/** The closed branch in closure; in execution a draft of the candidate that waits, which then ends the run. */
function isPublishable(
  open: Stage | undefined,
  state: RunState,
  { branch, head, draft }: EventDetails<"publication_started">,
): boolean {
  if (branch !== state.created.run_branch) return false;
  if (open === "closure") return state.closing?.committed === true && head === state.tip && !draft;
  return open === "execution" && draft && findWaiting(state)?.gate.commit === head;
}

const INTERRUPTED: RunStop = { kind: "interrupted", reasonCodes: [] };

function isStageDone(stage: Stage | undefined, { seen }: StageProgress, state: RunState): boolean {
  const isManaged = state.created.manager === null || state.manager?.kind === "passed";
  switch (stage) {
    case "planning":
      return (state.basePrepared || !seen.has("base_prepared")) && isManaged;
    case "policy_ingestion":
      return seen.has("trust_read") && state.policy?.decision === "allow";
    case "execution":
      return nextItem(state).kind === "all_passed";
    case "validation":
      return !seen.has("validation_started") || state.validation?.verdict.kind === "passed";
    case "closure":
      return seen.has("gates_evaluated") && state.gates !== undefined && blockedGateCodes(state.gates).length === 0;
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
    const codes = blockedGateCodes(state.gates);
    return codes.length > 0 ? blocked(codes) : { kind: "terminal", terminalState: "done", reasonCodes: [] };
  }
  if (seen.has("trust_read") && state.policy?.decision === "deny") return blocked(state.policy.reasonCodes);
  if (open === "planning" && (baseTimedOut || (seen.has("manager_finished") && state.manager?.kind === "timeout")))
    return decideStopOfVerdict("timeout");
  if (open === "validation" && seen.has("validation_finished") && state.validation?.verdict.kind === "timeout") {
    return decideStopOfVerdict("timeout");
  }
  return open === "execution" ? dueStopOfExecution(state, replay) : undefined;
}

function dueStopOfExecution(state: RunState, { rules }: ReplayRules): RunStop | undefined {
  const next = nextItem(state);
  if (next.kind === "stop") return next.stop;
  if (next.kind === "all_passed") return undefined;
  const item = state.items.find((candidate) => candidate.itemId === next.itemId);
  const command = item === undefined ? undefined : decideStep(state, item, rules);
  return command?.type === "stop" ? command.stop : undefined;
}

function stageAfter(stage: Stage): Stage | undefined {
  return STAGES[STAGES.indexOf(stage) + 1];
}
