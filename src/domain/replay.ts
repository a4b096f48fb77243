import { canonicalJson, type Json } from "./digest.ts";
import { buildGateRequest } from "./gate-request.ts";
import type { ItemCommand } from "./item-decide.ts";
import { decideStep } from "./item-step.ts";
import type { ItemRules } from "./item-rules.ts";
import type { EventType, JournalEvent } from "./journal.ts";
import type { Plan } from "./plan.ts";
import { BEFORE_STAGES, evolveProgress, judgeRunStep, type StageProgress } from "./replay-run.ts";
import { evolveRun, newRun, type RunState } from "./run.ts";

/** Events that may follow a command. `attempt_lost` and `worktree_restored` may follow any that needs a worktree. */
const EVENTS_OF: Record<ItemCommand["type"], readonly EventType[]> = {
  start_item: ["item_started"],
  open_attempt: ["attempt_opened"],
  run_session: ["session_started", "worktree_restored", "attempt_lost"],
  lose_attempt: ["attempt_lost"],
  seal_handoff: ["handoff_sealed", "candidate_refused", "worktree_restored", "attempt_lost"],
  build_candidate: ["candidate_built", "candidate_refused", "attempt_lost"],
  verify: ["verification_started", "verification_finished"],
  prove_red: ["red_green_judged"],
  freeze_packet: ["packet_frozen"],
  run_audits: ["audit_started", "audit_finished"],
  merge_findings: ["findings_merged"],
  run_triage: ["triage_started", "triage_finished"],
  request_gate: ["gate_requested"],
  prepare_commit: ["item_commit_prepared"],
  advance_branch: ["item_settled"],
  settle: ["item_settled"],
  stop: [],
  nothing: [],
};

/** What a command says of the event that it leads to. */
const COMPARED = ["attempt", "round", "session", "kind", "commit", "tree", "parent", "why"] as const;

/** What begins each of the steps that are recorded in two events; nothing else comes between the two. */
const BEGINS: Partial<Record<EventType, EventType>> = {
  verification_finished: "verification_started",
  audit_finished: "audit_started",
  triage_finished: "triage_started",
};
const BEGINNINGS = Object.values(BEGINS);

/** A step that the machine would not have taken. */
export interface ReplayFault {
  readonly seq: number;
  readonly message: string;
}

/**
 * Replays a journal beside the machine that should have written it: before each event of an item, the command that the
 * state gives must be one that leads to the event, and a settlement must be the very one that was decided. Events of
 * the run must keep the order of its stages. Expects a journal that folds.
 */
export function replayDecisions(events: readonly JournalEvent[], rules: ItemRules, plan: Plan): ReplayFault[] {
  const [first, ...rest] = events;
  if (first?.type !== "run_created") return [{ seq: 1, message: "expected run_created" }];
  let state: RunState = newRun(first);
  const faults: ReplayFault[] = [];
  let progress: StageProgress = BEFORE_STAGES;
  let before: JournalEvent = first;
  for (const event of rest) {
    const fault =
      judgeRunStep(progress, state, event, { rules, plan }) ?? judgeStep(state, event, before, { rules, plan });
    if (fault !== undefined) faults.push({ seq: event.seq, message: fault });
    progress = evolveProgress(progress, event);
    state = evolveRun(state, event, rules);
    before = event;
  }
  return faults;
}

function judgeStep(
  state: RunState,
  event: JournalEvent,
  before: JournalEvent,
  { rules, plan }: { readonly rules: ItemRules; readonly plan: Plan },
): string | undefined {
  const item = state.items.find((candidate) => candidate.itemId === event.item_id);
  // The receipt of a session answers its intent, not a decision.
  if (item === undefined || event.type === "session_finished" || isOfPeople(event)) return undefined;
  const command = decideStep(state, item, rules);
  if (!EVENTS_OF[command.type].includes(event.type)) {
    return `${event.type} of item ${item.itemId}, where ${command.type} was due`;
  }
  if (event.type === "item_settled") return judgeSettlement(command, event);
  if (event.type === "attempt_opened" && event.details.base_commit !== state.tip) {
    return `attempt ${event.details.attempt} of item ${item.itemId} does not begin at the run branch's tip`;
  }
  if (event.type === "gate_requested" && command.type === "request_gate") {
    const planned = plan.items.find(({ item_id }) => item_id === item.itemId);
    const due = planned && canonicalJson(buildGateRequest(planned, command));
    return due === canonicalJson(event.details)
      ? undefined
      : `item ${item.itemId} asks a person otherwise than was due`;
  }
  const begun = judgeBeginning(event, before);
  if (begun !== undefined) return begun;
  const asked: Readonly<Record<string, unknown>> = { ...command };
  const said: Readonly<Record<string, unknown>> = { ...event.details };
  const differs = COMPARED.find((name) => name in asked && name in said && asked[name] !== said[name]);
  return differs === undefined
    ? undefined
    : `${event.type} of item ${item.itemId}: ${differs} ${String(said[differs])}, where ${String(asked[differs])} was due`;
}

/** A step that is recorded in two events begins once and ends as what was begun: auditors answer the nonces they got. */
function judgeBeginning(event: JournalEvent, before: JournalEvent): string | undefined {
  if (BEGINNINGS.includes(event.type) && before.type === event.type) {
    return `${event.type} of item ${event.item_id} twice in a row`;
  }
  const begins = BEGINS[event.type];
  if (begins !== undefined && (before.type !== begins || before.item_id !== event.item_id)) {
    return `${event.type} of item ${event.item_id} without ${begins}`;
  }
  if (event.type === "triage_finished" && before.type === "triage_started") {
    return event.details.nonce === before.details.nonce ? undefined : "triage answers another nonce than it was given";
  }
  if (event.type !== "audit_finished" || before.type !== "audit_started") return undefined;
  const answered = event.details.lanes.map(({ lane, nonce }) => [lane, nonce]);
  const asked = before.details.lanes.map(({ lane, nonce }) => [lane, nonce]);
  return canonicalJson(answered) === canonicalJson(asked) ? undefined : "auditors answer others than were asked";
}

/** People are not asked by the machine whether they decide. */
function isOfPeople(event: JournalEvent): boolean {
  return event.type === "gate_decided" || event.type === "evidence_supplied";
}

function judgeSettlement(command: ItemCommand, event: JournalEvent & { type: "item_settled" }): string | undefined {
  const { terminal_state: terminalState, reason_codes: reasonCodes, commit } = event.details;
  if (command.type === "advance_branch") {
    const tampered = terminalState === "escalated" && canonicalJson(reasonCodes) === '["GIT_TAMPERED"]';
    return tampered || (terminalState === "passed" && commit === command.commit)
      ? undefined
      : "an item settled otherwise than its prepared commit";
  }
  const decided: Json = command.type === "settle" ? [command.terminalState, [...command.reasonCodes]] : null;
  return canonicalJson(decided) === canonicalJson([terminalState, reasonCodes])
    ? undefined
    : "an item settled otherwise than was decided";
}
