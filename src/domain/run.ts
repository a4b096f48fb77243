import { newItem, type CommandRun, type ItemState } from "./item.ts";
import { evolveItem } from "./item-evolve.ts";
import { ImpossibleEventError, requireStep } from "./item-steps.ts";
import type { ItemRules } from "./item-rules.ts";
import { blockedGateCodes, evaluateGates, type GateDecision } from "./gates.ts";
import { canonicalJson } from "./digest.ts";
import { EVENT_OF } from "./event-owner.ts";
import type { EventDetails, JournalEvent, StageExecution } from "./journal.ts";
import type { ManagerOutcome } from "./manager.ts";
import { beginInvocation, endInvocation, type Invocation } from "./invocations.ts";
import { NamedFiles } from "./named-files.ts";
import { followSessions, type OpenSession } from "./open-sessions.ts";
import type { RunPolicy } from "./policy.ts";
import type { PublishedState } from "./published.ts";
import {
  beginPublication,
  beginRefresh,
  commitClosing,
  decidePolicyOf,
  finishManager,
  finishPublication,
  finishRefresh,
  prepareClosing,
} from "./run-course.ts";
import type { ReasonCode } from "./reason-codes.ts";
import { nextItem } from "./run-decide.ts";
import { addRedactions, NO_REDACTIONS, type RedactionFacts } from "./secrets.ts";
import { decideSandbox, type SandboxDecision, type SandboxFacts, type SandboxWish } from "./sandbox.ts";
import type { RunStop, TerminalState } from "./run-stop.ts";
import { STAGES, stageKey, type Stage } from "./stages.ts";
import { judgeValidation, type VerificationVerdict } from "./verification.ts";
import { addWorkflowRun } from "./workflow-runs.ts";

/** A change of the current stage, as the report lists it. */
export interface Transition {
  readonly seq: number;
  readonly at: string;
  readonly from: Stage | null;
  readonly to: Stage;
}

/** What was asked of the sandbox, what the machine offers, and what follows. */
export interface RunSandbox extends SandboxDecision {
  readonly wish: SandboxWish;
  readonly facts: SandboxFacts;
}

/** The commit that closes the plan. */
export interface ClosingState {
  readonly commit: string;
  readonly tree: string;
  readonly parent: string;
  /** The journal's head that it names. */
  readonly journalHead: string;
  readonly committed: boolean;
}

/** How a run stopped; the exit code follows from it. */
export interface StopState {
  readonly kind: RunStop["kind"];
  readonly terminalState: TerminalState | null;
  readonly reasonCodes: readonly ReasonCode[];
  readonly signal: string | null;
  readonly at: string;
}

/** Where a run stands: the fold of its journal, and nothing else. */
export interface RunState {
  readonly runId: string;
  readonly planId: string;
  readonly created: EventDetails<"run_created">;
  readonly createdAt: string;
  readonly seq: number;
  readonly fence: number;
  /** Options of the invocation that runs now or ran last. */
  readonly options: EventDetails<"run_created">["options"];
  readonly warnings: readonly string[];
  /** The workflow runs whose jobs worked on it: who started them had a hand in it. */
  readonly workflowRuns: readonly number[];
  readonly resumes: number;
  readonly currentStage: Stage | null;
  /** Keys of the stages that are done. */
  readonly completedStages: readonly string[];
  readonly transitions: readonly Transition[];
  /** When the orchestrator worked on the run; between two of them the run waited for somebody. */
  readonly invocations: readonly Invocation[];
  readonly items: readonly ItemState[];
  /** The commit that the run builds on: the one it was started at, or the one a person refreshed it to. */
  readonly baseCommit: string;
  /** The commit of the run branch: the base, that of the item that passed last, or the one that closes the plan. */
  readonly tip: string;
  /** Items that this invocation may start. */
  readonly selectedIds: readonly string[];
  /** The head for which everything before the gates has been done: a resume then evaluates the gates alone. */
  readonly readyHead?: string;
  readonly basePrepared: boolean;
  readonly manager?: ManagerOutcome;
  readonly policy?: RunPolicy;
  readonly validation?: {
    readonly commit: string;
    readonly verdict: VerificationVerdict;
    readonly commands: readonly CommandRun[];
  };
  /** The commit that closes the plan; it is on the run branch when `committed`. */
  readonly closing?: ClosingState;
  readonly delivery?: {
    readonly branch: string;
    readonly head: string;
    readonly status: "intended" | "moved" | "refused";
  };
  /** The run on GitHub, as far as this run delivered itself there. */
  readonly publication?: PublishedState;
  readonly gates?: {
    readonly head: string;
    readonly decisions: readonly GateDecision[];
    readonly simulateBlocked: boolean;
  };
  /** A refresh of the base that has begun: the run branch names one of both. */
  readonly refresh?: { readonly from: string; readonly to: string };
  /** The sandbox of the invocation that runs now or ran last. */
  readonly sandbox?: RunSandbox;
  /** A stage that failed in this invocation. */
  readonly stageFailure?: { readonly stage: Stage; readonly reasonCode: ReasonCode; readonly message: string };
  readonly stop?: StopState;
  /** What the invocations of the run have redacted that told of their end. */
  readonly redactions: RedactionFacts;
  readonly executions: readonly StageExecution[];
  /** Sessions of agents without a receipt. */
  readonly openSessions: readonly OpenSession[];
  /** Every file of the run folder that an event names; the newest digest of a path counts. */
  readonly files: NamedFiles;
  /** True when `report_written` is the last event: nothing happened since the run stopped. */
  readonly sealed: boolean;
  /** Seq and digest of the event before the report: what the report speaks of. */
  readonly lastAt: string;
}

/**
 * Folds events into the state of a run. Throws `ImpossibleEventError` when an event cannot follow the ones before it:
 * then the journal was not written by this machine, and nothing may be believed of it.
 */
export function foldRun(events: readonly JournalEvent[], rules: ItemRules): RunState {
  const [first, ...rest] = events;
  if (first?.type !== "run_created") throw new ImpossibleEventError("expected run_created first");
  return rest.reduce((state, event) => evolveRun(state, event, rules), newRun(first));
}

/**
 * Commits that the run branch may name although the journal does not say yet that it does: each has its intent, and a
 * process that was killed had moved the branch or not.
 */
export function listPreparedTips(state: RunState): string[] {
  const items = state.items.flatMap((item) =>
    item.settled === undefined && item.commitPrepared !== undefined ? [item.commitPrepared.commit] : [],
  );
  const closing = state.closing?.committed === false ? [state.closing.commit] : [];
  return [...items, ...closing, ...(state.refresh === undefined ? [] : [state.refresh.to])];
}

/** The state after `run_created`. */
export function newRun(event: JournalEvent & { type: "run_created" }): RunState {
  const created = event.details;
  return {
    runId: event.run_id,
    planId: event.plan_id,
    created,
    createdAt: event.at,
    seq: event.seq,
    fence: event.fence,
    options: created.options,
    warnings: [],
    workflowRuns: addWorkflowRun([], created.options),
    resumes: 0,
    currentStage: null,
    completedStages: [],
    transitions: [],
    invocations: [{ started_at: event.at, ended_at: null }],
    items: created.item_ids.map(newItem),
    baseCommit: created.base_commit,
    tip: created.base_commit,
    selectedIds: created.selected_ids,
    basePrepared: false,
    redactions: NO_REDACTIONS,
    executions: [],
    openSessions: [],
    files: NamedFiles.of(created.files),
    sealed: false,
    lastAt: event.at,
  };
}

/** Folds one more event into the state of a run. */
export function evolveRun(state: RunState, event: JournalEvent, rules: ItemRules): RunState {
  const executions = executionsOf(event);
  const seen: RunState = {
    ...state,
    seq: event.seq,
    fence: event.fence,
    lastAt: event.at,
    sealed: event.type === "report_written",
    executions: executions.length === 0 ? state.executions : [...state.executions, ...executions],
    openSessions: followSessions(state.openSessions, event, {
      isAgent: state.created.executor.use !== "command",
      rules,
    }),
    files:
      "files" in event.details && event.details.files !== undefined
        ? state.files.with(event.details.files)
        : state.files,
  };
  return evolveItems(evolveStages(seen, event, rules, state), event, rules);
}

function executionsOf({ details }: JournalEvent): StageExecution[] {
  if ("executions" in details) return details.executions;
  return "execution" in details ? [details.execution] : [];
}

function evolveItems(state: RunState, event: JournalEvent, rules: ItemRules): RunState {
  if ((event.item_id !== null) !== (EVENT_OF[event.type] === "item")) {
    throw new ImpossibleEventError(`${event.type} with item ${event.item_id ?? "none"}`);
  }
  if (event.item_id === null && event.type !== "run_resumed") return state;
  let found = event.item_id === null;
  const items = state.items.map((item) => {
    if (event.item_id !== null && item.itemId !== event.item_id) return item;
    found = true;
    return evolveItem(item, event, rules);
  });
  if (!found) throw new ImpossibleEventError(`the run has no item ${event.item_id}`);
  if (event.type === "gate_decided") return { ...state, items, ...restateStop(state, items) };
  const passedWith =
    event.type === "item_settled" && event.details.terminal_state === "passed" ? event.details.commit : null;
  return { ...state, items, tip: passedWith ?? state.tip };
}

/** A run that waits at a manual gate is blocked by what its item now waits for: a decision, or a rejection's end. */
function restateStop(state: RunState, items: readonly ItemState[]): Pick<RunState, "stop"> {
  const next = nextItem({ ...state, items });
  return state.stop === undefined || next.kind !== "stop"
    ? {}
    : { stop: { ...state.stop, reasonCodes: next.stop.reasonCodes } };
}

function evolveStages(state: RunState, event: JournalEvent, rules: ItemRules, before: RunState): RunState {
  switch (event.type) {
    case "run_resumed":
      return {
        ...resumeRun(state, event.details),
        invocations: beginInvocation(before.invocations, before.lastAt, event.at),
      };
    case "sandbox_probed":
      return { ...state, sandbox: { ...event.details, ...decideSandbox(event.details.facts, event.details.wish) } };
    case "stage_started":
      return enterStage(state, event.details.stage, event);
    case "stage_skipped":
      return enterStage(state, event.details.stage, event);
    case "stage_finished":
      return { ...state, completedStages: [...state.completedStages, stageKey(event.details.stage)] };
    case "stage_failed":
      return {
        ...state,
        stageFailure: {
          stage: event.details.stage,
          reasonCode: event.details.reason_code,
          message: event.details.message,
        },
      };
    case "base_prepared":
      return { ...state, basePrepared: event.details.status !== "failed" };
    case "manager_finished":
      return finishManager(state, event.details);
    case "trust_read":
      return { ...state, policy: decidePolicyOf(state, event, rules) };
    case "validation_finished":
      return { ...state, validation: finishValidation(event.details) };
    case "closing_prepared":
      return prepareClosing(state, event);
    case "closing_committed":
      return commitClosing(state, event.details);
    case "base_refresh_started":
      return beginRefresh(state, event.details);
    case "base_refreshed":
      return finishRefresh(state, event.details);
    case "delivery_started":
      return { ...state, delivery: { branch: event.details.branch, head: event.details.head, status: "intended" } };
    case "delivery_finished":
      return { ...state, delivery: event.details };
    case "publication_started":
      return { ...state, publication: beginPublication(state, event.details.head) };
    case "publication_finished":
      return { ...state, publication: finishPublication(state, event.details) };
    case "gates_evaluated":
      return evolveGates(state, event.details);
    case "run_stopped":
      return stopRun(state, event);
    default:
      return state;
  }
}

function enterStage(state: RunState, stage: Stage, event: JournalEvent): RunState {
  const transition = { seq: event.seq, at: event.at, from: state.currentStage, to: stage };
  return { ...state, currentStage: stage, transitions: [...state.transitions, transition] };
}

function resumeRun(state: RunState, details: EventDetails<"run_resumed">): RunState {
  requireStep(state.refresh === undefined, "a resume before the refresh of the base has ended");
  // The next invocation may run on another machine: what its sandbox holds is found out anew.
  const { stop: _stop, stageFailure: _failure, gates: _gates, sandbox: _sandbox, ...going } = state;
  const execution = stageKey("execution");
  const gatesAlone = state.readyHead === state.tip && details.new_attempt === null;
  const again = [stageKey("closure"), ...(gatesAlone ? [] : [stageKey("policy_ingestion")])];
  // Validation that did not pass is not a result to build on, and an item that gets a new attempt reopens execution.
  const { validation, ...rest } = going;
  const keepValidation = validation?.verdict.kind === "passed" && details.new_attempt === null;
  return {
    ...(keepValidation ? going : rest),
    // A resume brings its own signals and limits; what it cannot give anew stays as the run was started with.
    options: { ...state.options, ...details.options },
    warnings: details.warnings,
    // Who only asks the gates once more has no hand in what they decide about.
    workflowRuns: gatesAlone ? state.workflowRuns : addWorkflowRun(state.workflowRuns, details.options),
    resumes: state.resumes + 1,
    selectedIds: state.created.item_ids,
    completedStages: state.completedStages.filter(
      (key) => !again.includes(key) && !(details.new_attempt !== null && key === execution),
    ),
  };
}

function finishValidation(details: EventDetails<"validation_finished">): NonNullable<RunState["validation"]> {
  return { commit: details.commit, verdict: judgeValidation(details), commands: details.commands };
}

function evolveGates(state: RunState, details: EventDetails<"gates_evaluated">): RunState {
  if (details.head !== state.tip) throw new ImpossibleEventError("gates of another head than the run branch's");
  if (state.closing?.committed !== true) throw new ImpossibleEventError("gates before the plan was closed");
  const decisions = evaluateGates(details.signals, state.policy?.decision === "allow", details.observed);
  if (canonicalJson(decisions) !== canonicalJson(details.decisions)) {
    throw new ImpossibleEventError("the gate decisions are not those that the signals give");
  }
  const gates = { head: details.head, decisions, simulateBlocked: details.simulate_blocked };
  return { ...state, gates, readyHead: details.head };
}

function stopRun(state: RunState, event: JournalEvent & { type: "run_stopped" }): RunState {
  const { kind, terminal_state: terminalState, reason_codes: reasonCodes, signal } = event.details;
  const codes = state.gates === undefined ? [] : blockedGateCodes(state.gates);
  const done = terminalState === "done";
  if (
    done &&
    (state.gates === undefined ||
      codes.length > 0 ||
      STAGES.some((stage) => !state.completedStages.includes(stageKey(stage))) ||
      state.items.some((item) => item.settled?.terminalState !== "passed"))
  ) {
    throw new ImpossibleEventError("a run is done only when every stage is, every item passed and every gate did");
  }
  const redactions = addRedactions(state.redactions, event.details.redactions ?? NO_REDACTIONS);
  const stop = { kind, terminalState, reasonCodes, signal, at: event.at };
  return { ...state, redactions, stop, invocations: endInvocation(state.invocations, event.at) };
}
