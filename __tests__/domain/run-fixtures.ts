import { sha256 } from "../../src/domain/digest.ts";
import type { ExecutorPayload } from "../../src/domain/executor-outcome.ts";
import { defaultConfig } from "../../src/domain/config.ts";
import type { AdmissionRules, ItemRules } from "../../src/domain/item-rules.ts";
import { buildEventLine, JOURNAL_START } from "../../src/domain/journal-text.ts";
import type { EventDetails, EventDraft, EventType, JournalEvent, StageExecution } from "../../src/domain/journal.ts";
import type { Plan, PlanItem } from "../../src/domain/plan.ts";
import type { ProcessEnding } from "../../src/domain/process-report.ts";

export const RUN_ID = "RUN_20260325T120000Z_deadbeef";
export const BASE = "b".repeat(40);
const PLAN_SHA = "1".repeat(64);
const POLICY_SHA = "2".repeat(64);
/** What plan and policy say of a run that nothing holds back. */
export const LOW_RISK: AdmissionRules = {
  risk: { tier: "low", reasons: [{ tier: "low", text: "Risk-Tier is low" }] },
  metadata: null,
};
export const RULES: ItemRules = {
  fixRounds: 2,
  remediationRounds: 1,
  sessionsPerItem: 12,
  rollovers: 5,
  contextRemainingFloor: 2000,
  lanes: ["careful", "quick"],
  executorRetries: 2,
  auditRetries: 2,
  agentLanes: [],
  keyRequestsMax: new Map(),
  agentTriage: false,
  triageProgram: false,
  approvalPolicy: defaultConfig().policy,
  demands: new Map(),
  admission: LOW_RISK,
};
export const PACKET_SHA = "4".repeat(64);
export const FINDINGS_SHA = "5".repeat(64);
export const EXIT_0: ProcessEnding = { kind: "exited", exit_code: 0 };
export const EXIT_1: ProcessEnding = { kind: "exited", exit_code: 1 };
const NO_PAYLOAD: ExecutorPayload = { kind: "absent" };

export function payload(status: "completed" | "handoff_required" | "blocked" | "failed"): ExecutorPayload {
  return { kind: "read", status, summary: `it is ${status}`, context_remaining: null, reason: "" };
}

export function planItem(input: Partial<PlanItem> = {}): PlanItem {
  return {
    item_id: "01",
    phase: "build",
    action: "Do it",
    why_now: "because",
    owner_type: "executor",
    prerequisites: [],
    repo_surfaces: ["README.md"],
    deliverables: ["out/01.txt"],
    exit_criteria: "it is there",
    write_roots: ["out"],
    requires_red_green: false,
    manual_gate: "none",
    manual_gate_reason: "",
    manual_gate_evidence: "",
    external_check: "none",
    external_dependencies: "",
    consult_paths: [],
    required_commands: ["test -s out/01.txt"],
    suggested_commands: [],
    required_artifacts: [],
    notes: "",
    allow_no_change: false,
    change_profile: "behavioral_code",
    line: 7,
    ...input,
  };
}

export function buildPlan(items: readonly Partial<PlanItem>[] = [{}]): Plan {
  return {
    schema_version: "conveyor.plan.v1",
    plan_id: "plan",
    title: "A plan",
    path: "docs/exec-plans/active/plan.md",
    metadata: null,
    items: items.map((item) => planItem(item)),
    shared_sections: [],
    phase_sections: [],
    item_sections: [],
  };
}

export function execution(input: Partial<StageExecution> = {}): StageExecution {
  return {
    stage: "execution",
    idempotency_key: "stage:Execution item:01 attempt:1 session:1",
    item_id: "01",
    purpose: "executor",
    command: "agent",
    args: [],
    env_keys: ["PATH"],
    started_at: "2026-03-25T12:00:00.000Z",
    duration_ms: 5,
    exit_code: 0,
    status: "success",
    error: null,
    missing_artifacts: [],
    malformed_artifacts: [],
    agent: null,
    network: [],
    ...input,
  };
}

type LaneAnswer = EventDetails<"audit_finished">["lanes"][number];

/** What a lane answers that found nothing. */
export function laneAnswer(input: Partial<LaneAnswer> = {}): LaneAnswer {
  return {
    lane: "careful",
    nonce: "nonce of careful",
    ending: EXIT_0,
    survivors: [],
    facts: { kind: "read", verdict: "pass", summary: "", limitations: [], findings: [] },
    ...input,
  };
}

/** Details of events, each with what a good run says unless a test says otherwise. */
export const DETAILS = {
  run_created: (input: Partial<EventDetails<"run_created">> = {}): EventDetails<"run_created"> => ({
    plan_path: "docs/exec-plans/active/plan.md",
    plan_sha256: PLAN_SHA,
    policy_sha256: POLICY_SHA,
    config: { path: ".github/conveyor.yml", sha256: "3".repeat(64), authority: "trust_ref" },
    base_commit: BASE,
    trust_ref: "refs/heads/main",
    item_ids: ["01"],
    selected_ids: input.item_ids ?? ["01"],
    executor: { use: "command", command: ["agent"], expected_artifacts: [], env_names: [] },
    manager: null,
    mode: "guarded",
    run_branch: `conveyor/plan/${RUN_ID}`,
    options: {
      deliver: { value: "branch", source: "default" },
      sandbox: { value: "auto", source: "configuration" },
    },
    versions: { node: "24" },
    files: [],
    ...input,
  }),
  sandbox_probed: (input: Partial<EventDetails<"sandbox_probed">> = {}): EventDetails<"sandbox_probed"> => ({
    wish: { level: "auto", minimum_tier: 1, held_keys: [] },
    facts: {
      platform: "linux",
      bubblewrap: null,
      setpriv: true,
      prlimit: true,
      root: false,
      trial: { kind: "not_tried", why: "bubblewrap not found; install it" },
    },
    ...input,
  }),
  run_resumed: (input: Partial<EventDetails<"run_resumed">> = {}): EventDetails<"run_resumed"> => ({
    options: {},
    warnings: [],
    new_attempt: null,
    ...input,
  }),
  attempt_opened: (input: Partial<EventDetails<"attempt_opened">> = {}): EventDetails<"attempt_opened"> => ({
    attempt: 1,
    round: 1,
    base_commit: BASE,
    worktree: "01-1-work",
    prepare_status: "nothing_to_do",
    prepare_ending: null,
    executions: [],
    files: [],
    ...input,
  }),
  session_started: (input: Partial<EventDetails<"session_started">> = {}): EventDetails<"session_started"> => ({
    attempt: 1,
    round: 1,
    session: 1,
    kind: "execute",
    files: [],
    ...input,
  }),
  session_finished: (input: Partial<EventDetails<"session_finished">> = {}): EventDetails<"session_finished"> => ({
    attempt: 1,
    round: 1,
    session: 1,
    ending: EXIT_0,
    payload: NO_PAYLOAD,
    execution: execution(),
    tamper: [],
    survivors: [],
    files: [],
    ...input,
  }),
  candidate_built: (input: Partial<EventDetails<"candidate_built">> = {}): EventDetails<"candidate_built"> => ({
    attempt: 1,
    round: 1,
    base_commit: BASE,
    tree: "tree-1",
    commit: "candidate-1",
    changed_paths: 1,
    violations: [],
    files: [],
    ...input,
  }),
  verification_finished: (
    input: Partial<EventDetails<"verification_finished">> = {},
  ): EventDetails<"verification_finished"> => ({
    attempt: 1,
    round: 1,
    commit: "candidate-1",
    prepare_ending: null,
    prepare_tracked_changes: [],
    commands: [{ command: "test -s out/01.txt", required: true, ending: EXIT_0, log: "log" }],
    artifacts: [],
    surface: null,
    tamper: [],
    executions: [],
    files: [],
    ...input,
  }),
  packet_frozen: (input: Partial<EventDetails<"packet_frozen">> = {}): EventDetails<"packet_frozen"> => ({
    attempt: 1,
    round: 1,
    packet_sha256: PACKET_SHA,
    commit: "commit-1",
    tree: "tree-1",
    parent: BASE,
    files: [],
    ...input,
  }),
  audit_started: (input: Partial<EventDetails<"audit_started">> = {}): EventDetails<"audit_started"> => ({
    attempt: 1,
    round: 1,
    packet_sha256: PACKET_SHA,
    lanes: RULES.lanes.map((lane) => ({ lane, nonce: `nonce of ${lane}` })),
    ...input,
  }),
  audit_finished: (input: Partial<EventDetails<"audit_finished">> = {}): EventDetails<"audit_finished"> => ({
    attempt: 1,
    round: 1,
    packet_sha256: PACKET_SHA,
    lanes: RULES.lanes.map((lane) => laneAnswer({ lane, nonce: `nonce of ${lane}` })),
    tamper: [],
    checkout_changed: false,
    executions: [],
    files: [],
    ...input,
  }),
  item_commit_prepared: (
    input: Partial<EventDetails<"item_commit_prepared">> = {},
  ): EventDetails<"item_commit_prepared"> => ({
    attempt: 1,
    commit: "commit-1",
    tree: "tree-1",
    parent: BASE,
    ...input,
  }),
  trust_read: (input: Partial<EventDetails<"trust_read">> = {}): EventDetails<"trust_read"> => ({
    stage: "policy_ingestion",
    tip: BASE,
    plan_sha256: PLAN_SHA,
    policy_sha256: POLICY_SHA,
    base_contained: true,
    environment: { allow_full_autonomy: false },
    approvals: [],
    ...input,
  }),
} as const;

export function draft<T extends EventType>(
  type: T,
  details: EventDetails<T>,
  itemId: string | null = "01",
): EventDraft {
  return { type, item_id: itemId, details } as EventDraft;
}

/** Makes a journal of drafts: numbered, timed and chained as the real one is. */
export function chain(drafts: readonly EventDraft[], input: { fence?: number } = {}): JournalEvent[] {
  let prev = JOURNAL_START;
  return drafts.map((each, index) => {
    const event: JournalEvent = {
      ...each,
      schema_version: "conveyor.event.v1",
      seq: index + 1,
      at: new Date(Date.UTC(2026, 2, 25, 12, 0, index)).toISOString(),
      run_id: RUN_ID,
      plan_id: "plan",
      prev,
      fence: input.fence ?? 1,
    };
    prev = sha256(buildEventLine(event));
    return event;
  });
}

/** The bytes of a journal. */
export function toBytes(events: readonly JournalEvent[]): Uint8Array {
  return new TextEncoder().encode(events.map((event) => `${buildEventLine(event)}\n`).join(""));
}

/** The events of an item that passes at once. */
export function passingItem(itemId = "01", input: { base?: string; commit?: string } = {}): EventDraft[] {
  const base = input.base ?? BASE;
  const commit = input.commit ?? "commit-1";
  return [
    draft("item_started", {}, itemId),
    draft("attempt_opened", DETAILS.attempt_opened({ base_commit: base }), itemId),
    draft("session_started", DETAILS.session_started(), itemId),
    draft("session_finished", DETAILS.session_finished(), itemId),
    draft("candidate_built", DETAILS.candidate_built({ base_commit: base }), itemId),
    draft("verification_started", { attempt: 1, round: 1, commit: "candidate-1" }, itemId),
    draft("verification_finished", DETAILS.verification_finished(), itemId),
    draft("packet_frozen", DETAILS.packet_frozen({ parent: base, commit }), itemId),
    draft("audit_started", DETAILS.audit_started(), itemId),
    draft("audit_finished", DETAILS.audit_finished(), itemId),
    draft("findings_merged", { attempt: 1, round: 1, findings_sha256: FINDINGS_SHA, files: [] }, itemId),
    draft("item_commit_prepared", DETAILS.item_commit_prepared({ parent: base, commit }), itemId),
    draft("item_settled", { terminal_state: "passed", reason_codes: [], commit }, itemId),
  ];
}
