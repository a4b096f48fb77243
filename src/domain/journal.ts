import { z } from "zod";
import { agentFactsSchema } from "./agent.ts";
import { AGENTS } from "./agent-config.ts";
import { approvalFactSchema } from "./approval-gesture.ts";
import { auditFactsSchema } from "./audit-report.ts";
import { tamperFindingSchema } from "./candidate.ts";
import { foundConsentSchema } from "./consent.ts";
import { executorPayloadSchema } from "./executor-outcome.ts";
import { gateDecisionSchema, gateDetailsSchema, gateSignalsSchema } from "./gates.ts";
import { GATE_AUTHORITIES } from "./github-gate.ts";
import { networkUseSchema } from "./network-hosts.ts";
import { processEndingSchema } from "./process-report.ts";
import { MANUAL_GATES } from "./plan.ts";
import { PUBLICATION_STATES, pullRequestSchema } from "./published.ts";
import { REASON_CODE_NAMES } from "./reason-codes.ts";
import { ITEM_STATES } from "./run-stop.ts";
import { sandboxFactsSchema, sandboxWishSchema } from "./sandbox.ts";
import { scopeViolationSchema } from "./scope.ts";
import { redactionFactsSchema } from "./secrets.ts";
import { STAGES } from "./stages.ts";
import { triageFactsSchema } from "./triage.ts";
import { surfaceFactsSchema } from "./verification-surface.ts";
import { artifactCheckSchema } from "./verification.ts";
import { MODES } from "./run-choices.ts";

const sha256Schema = z.string().regex(/^[0-9a-f]{64}$/);
const reasonCode = z.enum(REASON_CODE_NAMES).meta({ id: "reason_code" });
const stage = z.enum(STAGES);
const counter = z.int().positive();

export const fileDigestSchema = z
  .strictObject({
    /** Relative to the run folder, with `/`. */
    path: z.string(),
    sha256: sha256Schema,
    bytes: z.int().nonnegative(),
  })
  .meta({ id: "file_digest" });
/** A file of the run folder, named by the event that made it. */
export type FileDigest = z.infer<typeof fileDigestSchema>;
const files = z.array(fileDigestSchema);

export const stageExecutionSchema = z
  .strictObject({
    stage,
    idempotency_key: z.string(),
    item_id: z.string().nullable(),
    /** What the program was started for. */
    purpose: z.enum([
      "prepare",
      "manager",
      "executor",
      "auditor",
      "triage",
      "red_command",
      "required_command",
      "suggested_command",
      "surface_command",
      "validation_command",
      "stage",
    ]),
    command: z.string(),
    args: z.array(z.string()),
    /** Names of the variables the program was given; values are never recorded. */
    env_keys: z.array(z.string()),
    started_at: z.string().nullable(),
    duration_ms: z.number().nonnegative(),
    exit_code: z.int().nullable(),
    status: z.enum(["success", "skipped", "failed", "timeout", "spawn_failed", "artifact_missing"]),
    error: z.string().nullable(),
    missing_artifacts: z.array(z.string()),
    malformed_artifacts: z.array(z.string()),
    /** What a coding agent says of its session; null for every other program, and for one that did not start. */
    agent: agentFactsSchema.nullable(),
    /** What it asked the proxy for; empty where there is none. */
    network: z.array(networkUseSchema),
    /** Times that it said nothing for `limits.stall-minutes`; left out when it never did. */
    stalls: counter.optional(),
  })
  .meta({ id: "stage_execution" });
/** One program that was started, or one stage that a resume did not need to do again (source document 002). */
export type StageExecution = z.infer<typeof stageExecutionSchema>;
const executions = z.array(stageExecutionSchema);

export const optionValueSchema = z.strictObject({
  value: z.union([z.string(), z.number(), z.boolean(), z.array(z.string()), z.null()]),
  source: z.enum(["command_line", "configuration", "environment", "default"]),
});
/** An option as it was in force, and where its value came from. */
export type OptionValue = z.infer<typeof optionValueSchema>;
const options = z.record(z.string(), optionValueSchema);

/** Processes that were still alive after the program had ended; they have been killed. */
const survivors = z.array(z.strictObject({ pid: z.int(), command: z.string() }));
const attemptRound = { attempt: counter, round: counter };

/** Details of every type of event. What an event says is what was seen or done; what follows is derived by the fold. */
const DETAILS = {
  run_created: z.strictObject({
    plan_path: z.string(),
    plan_sha256: sha256Schema,
    policy_sha256: sha256Schema,
    config: z.strictObject({
      path: z.string().nullable(),
      sha256: sha256Schema.nullable(),
      authority: z.enum(["trust_ref", "local", "none"]),
    }),
    base_commit: z.string(),
    /** Full name of the branch the run started on; nothing when HEAD was detached: then the base itself is trusted. */
    trust_ref: z.string().nullable(),
    /** All items of the plan, in the order of work. */
    item_ids: z.array(z.string()).min(1),
    /** The items this invocation may start (`--item`); a resume goes on with all. */
    selected_ids: z.array(z.string()).min(1),
    /** `env_names`: variables given with `--executor-env`; their values are never written, so a resume needs them again. */
    executor: z.strictObject({
      /** `command`: a program of the user's own; else the agent's name, and `command` is that name alone. */
      use: z.enum(["command", ...AGENTS]),
      command: z.array(z.string()).min(1),
      expected_artifacts: z.array(z.string()),
      env_names: z.array(z.string()),
    }),
    /** The program that plans before anything is executed; its variables are like those of the executor. */
    manager: z
      .strictObject({
        command: z.array(z.string()).min(1),
        expected_artifacts: z.array(z.string()),
        env_names: z.array(z.string()),
      })
      .nullable(),
    /** How much the run may do by itself; a resume cannot change it. */
    mode: z.enum(MODES),
    run_branch: z.string(),
    options,
    versions: z.record(z.string(), z.string()),
    files,
  }),
  run_resumed: z.strictObject({
    options,
    warnings: z.array(z.string()),
    /** The item that gets a new attempt although it had been settled. */
    new_attempt: z.string().nullable(),
  }),
  /** What the machine offers for a sandbox, found out once in an invocation, before any program of the plan is started. */
  sandbox_probed: z.strictObject({ wish: sandboxWishSchema, facts: sandboxFactsSchema }),
  files_set_aside: z.strictObject({ reason: z.enum(["torn_tail", "leftover"]), files }),
  stage_started: z.strictObject({ stage }),
  stage_finished: z.strictObject({ stage }),
  stage_failed: z.strictObject({ stage, reason_code: reasonCode, message: z.string() }),
  stage_skipped: z.strictObject({ stage, execution: stageExecutionSchema }),
  base_prepared: z.strictObject({
    status: z.string(),
    key: z.string(),
    /** Ending of the command that went wrong; null when all went well. */
    ending: processEndingSchema.nullable(),
    tracked_changes: z.array(z.string()),
    executions,
    files,
  }),
  manager_started: z.strictObject({ commit: z.string() }),
  manager_finished: z.strictObject({
    commit: z.string(),
    /** Ending of the preparation when it failed or was cut short; null when it went well. */
    prepare_ending: processEndingSchema.nullable(),
    /** Null when the preparation failed: then nothing was started. */
    ending: processEndingSchema.nullable(),
    tamper: z.array(tamperFindingSchema),
    survivors: z.array(z.strictObject({ pid: z.int(), command: z.string() })),
    executions,
    files,
  }),
  item_started: z.strictObject({}),
  attempt_opened: z.strictObject({
    ...attemptRound,
    base_commit: z.string(),
    worktree: z.string(),
    prepare_status: z.string(),
    prepare_ending: processEndingSchema.nullable(),
    executions,
    files,
  }),
  /** The worktree of the attempt was gone and was made again, under a name of its own, from the tree proven last. */
  worktree_restored: z.strictObject({
    attempt: counter,
    worktree: z.string(),
    prepare_status: z.string(),
    prepare_ending: processEndingSchema.nullable(),
    executions,
    files,
  }),
  session_started: z.strictObject({
    ...attemptRound,
    session: counter,
    kind: z.enum(["execute", "fix", "remediation"]),
    files,
  }),
  session_finished: z.strictObject({
    ...attemptRound,
    session: counter,
    ending: processEndingSchema,
    payload: executorPayloadSchema,
    execution: stageExecutionSchema,
    tamper: z.array(tamperFindingSchema),
    survivors,
    files,
  }),
  /** The attempt proves nothing any more: its session was cut short, or its worktree is gone. */
  attempt_lost: z.strictObject({
    attempt: counter,
    why: z.enum(["session_cut_short", "worktree_gone"]),
  }),
  handoff_sealed: z.strictObject({ attempt: counter, session: counter, tree: z.string(), files }),
  candidate_built: z.strictObject({
    ...attemptRound,
    base_commit: z.string(),
    tree: z.string(),
    commit: z.string().nullable(),
    changed_paths: z.int().nonnegative(),
    violations: z.array(scopeViolationSchema),
    files,
  }),
  /** No candidate could be built: a stored object is forged, a path cannot be read, or there is far too much. */
  candidate_refused: z.strictObject({
    ...attemptRound,
    reason_code: z.enum(["GIT_TAMPERED", "PATH_UNSAFE", "DIFF_LIMIT_EXCEEDED", "SECRET_IN_DIFF"]),
    detail: z.string(),
  }),
  verification_started: z.strictObject({ ...attemptRound, commit: z.string() }),
  verification_finished: z.strictObject({
    ...attemptRound,
    commit: z.string(),
    /** Ending of the preparation when it failed or was cut short; null when it went well. */
    prepare_ending: processEndingSchema.nullable(),
    prepare_tracked_changes: z.array(z.string()),
    commands: z.array(
      z.strictObject({ command: z.string(), required: z.boolean(), ending: processEndingSchema, log: z.string() }),
    ),
    artifacts: z.array(artifactCheckSchema),
    /** The second run of a candidate that changed what it is verified by; null when it did not, or did not pass. */
    surface: surfaceFactsSchema.nullable(),
    /** Git metadata that a command changed: the code under test is the executor's. */
    tamper: z.array(tamperFindingSchema),
    executions,
    files,
  }),
  /** The required commands on the base with the candidate's tests alone: at least one must fail there. */
  red_green_judged: z.strictObject({
    ...attemptRound,
    commit: z.string(),
    test_paths: z.array(z.string()),
    prepare_ending: processEndingSchema.nullable(),
    red: z.array(z.strictObject({ command: z.string(), ending: processEndingSchema, log: z.string() })),
    tamper: z.array(tamperFindingSchema),
    executions,
    files,
  }),
  /** What the auditors are given, and the commit that passes when nothing is left open: made before anybody judges it. */
  packet_frozen: z.strictObject({
    ...attemptRound,
    packet_sha256: sha256Schema,
    commit: z.string(),
    tree: z.string(),
    parent: z.string(),
    files,
  }),
  audit_started: z.strictObject({
    ...attemptRound,
    packet_sha256: sha256Schema,
    lanes: z.array(z.strictObject({ lane: z.string(), nonce: z.string() })).min(1),
  }),
  audit_finished: z.strictObject({
    ...attemptRound,
    packet_sha256: sha256Schema,
    lanes: z
      .array(
        z.strictObject({
          lane: z.string(),
          nonce: z.string(),
          ending: processEndingSchema,
          survivors,
          facts: auditFactsSchema,
        }),
      )
      .min(1),
    tamper: z.array(tamperFindingSchema),
    /** True when the shared checkout is no longer that of the audited commit: then no answer over it counts. */
    checkout_changed: z.boolean(),
    executions,
    files,
  }),
  findings_merged: z.strictObject({ ...attemptRound, findings_sha256: sha256Schema, files }),
  triage_started: z.strictObject({ ...attemptRound, nonce: z.string(), findings_sha256: sha256Schema }),
  triage_finished: z.strictObject({
    ...attemptRound,
    nonce: z.string(),
    ending: processEndingSchema,
    survivors,
    facts: triageFactsSchema,
    tamper: z.array(tamperFindingSchema),
    execution: stageExecutionSchema,
    files,
  }),
  gate_requested: z.strictObject({
    ...attemptRound,
    gate_type: z.enum(MANUAL_GATES),
    reason: z.string(),
    required_evidence: z.string(),
    finding_ids: z.array(z.string()),
    commit: z.string(),
    packet_sha256: sha256Schema,
  }),
  gate_decided: z.strictObject({
    decision: z.enum(["approved", "rejected", "reopened"]),
    by: z.string().min(1),
    note: z.string(),
    /** What stands behind the name: the command line knows nobody; of GitHub the facts are among the files. */
    authority: z.enum(GATE_AUTHORITIES),
    commit: z.string(),
    packet_sha256: sha256Schema,
    files,
  }),
  evidence_supplied: z.strictObject({ files: files.min(1) }),
  item_commit_prepared: z.strictObject({
    attempt: counter,
    commit: z.string(),
    tree: z.string(),
    parent: z.string(),
  }),
  item_settled: z.strictObject({
    terminal_state: z.enum(ITEM_STATES),
    reason_codes: z.array(reasonCode),
    commit: z.string().nullable(),
  }),
  validation_started: z.strictObject({ commit: z.string() }),
  validation_finished: z.strictObject({
    commit: z.string(),
    prepare_ending: processEndingSchema.nullable(),
    commands: z.array(z.strictObject({ command: z.string(), ending: processEndingSchema, log: z.string() })),
    tamper: z.array(tamperFindingSchema),
    executions,
    files,
  }),
  /** What the tip of the trust ref held when policy was decided: before execution, and again before delivery. */
  trust_read: z.strictObject({
    stage,
    tip: z.string().nullable(),
    /** Digest of the plan at the tip; null when it is gone there. */
    plan_sha256: sha256Schema.nullable(),
    /** Digest of the policy at the tip; null when it cannot be read; that of the run when it came from a local file. */
    policy_sha256: sha256Schema.nullable(),
    /** False when the trust ref no longer contains the base. */
    base_contained: z.boolean(),
    /** What the orchestrator's environment said in this invocation. */
    environment: z.strictObject({ allow_full_autonomy: z.boolean() }),
    /** Every approval that this invocation was given, with what vouches for it. */
    approvals: z.array(approvalFactSchema),
    /** Where it was read on GitHub: what was said besides. Without it the branch was read in the checkout. */
    observed: z
      .strictObject({
        /** Asked by this process, or handed to it as a file. */
        source: z.enum(["api", "preflight"]),
        repository: z.string(),
        branch: z.string(),
        consent: z.strictObject({ by_person: z.boolean(), asked_by: z.string(), found: foundConsentSchema }),
        paused: z.string().nullable(),
        unknown: z.array(z.string()),
      })
      .optional(),
    /** The document that was read. */
    files: files.optional(),
  }),
  /** The commit that closes the plan, made and not yet on the run branch; `prev` of this event is the head it names. */
  closing_prepared: z.strictObject({
    commit: z.string(),
    tree: z.string(),
    parent: z.string(),
    /** Day of the closure in UTC. */
    date: z.iso.date(),
    /** Every path that it changes, and the digest of what stands there; null deletes it. */
    changes: z.array(z.strictObject({ path: z.string(), sha256: sha256Schema.nullable() })).min(1),
  }),
  closing_committed: z.strictObject({ commit: z.string() }),
  delivery_started: z.strictObject({ branch: z.string(), from: z.string().nullable(), head: z.string() }),
  delivery_finished: z.strictObject({ branch: z.string(), head: z.string(), status: z.enum(["moved", "refused"]) }),
  /** The run is about to be pushed to GitHub, and its pull request to be opened or brought up to date. */
  publication_started: z.strictObject({
    repository: z.string(),
    branch: z.string(),
    base_branch: z.string(),
    /** The verified head: the run branch's, or the candidate that waits. */
    head: z.string(),
    draft: z.boolean(),
  }),
  publication_finished: z.strictObject({
    head: z.string(),
    status: z.enum(PUBLICATION_STATES),
    /** The head as it stands there: another one where its commits had to be signed. */
    published_head: z.string().nullable(),
    pull_request: pullRequestSchema.nullable(),
    commits: z.array(z.strictObject({ verified: z.string(), published: z.string() })),
    reason_code: reasonCode.nullable(),
    message: z.string(),
  }),
  gates_evaluated: z.strictObject({
    head: z.string(),
    signals: gateSignalsSchema,
    /** Why the signals are what they are, where they were read on GitHub; the facts are in the one file. */
    observed: gateDetailsSchema.optional(),
    files: files.optional(),
    /** True when this invocation was to end blocked whatever the gates say (`--simulate-blocked`). */
    simulate_blocked: z.boolean(),
    decisions: z.array(gateDecisionSchema),
  }),
  /** A person moves the base of a stopped run forward, to a commit with the same plan and policy. */
  base_refresh_started: z.strictObject({
    /** The ref as the person named it. */
    onto: z.string(),
    from: z.string(),
    to: z.string(),
    plan_sha256: sha256Schema,
    policy_sha256: sha256Schema,
  }),
  base_refreshed: z.strictObject({ from: z.string(), to: z.string() }),
  run_stopped: z.strictObject({
    kind: z.enum(["terminal", "handoff", "interrupted"]),
    terminal_state: z.enum(["done", "blocked", "failed", "timeout"]).nullable(),
    reason_codes: z.array(reasonCode),
    /** SIGINT or SIGTERM when a person or a runner ended it, DEADLINE when its time was up: then it is a handoff. */
    signal: z.string().nullable(),
    /** What this invocation redacted; earlier versions did not say. */
    redactions: redactionFactsSchema.optional(),
  }),
  report_written: z.strictObject({ files }),
} as const;

export type EventType = keyof typeof DETAILS;
export type EventDetails<T extends EventType> = z.infer<(typeof DETAILS)[T]>;

/** What the kernel hands to the journal: everything but what the journal itself adds. */
export type EventDraft = {
  [T in EventType]: { readonly type: T; readonly item_id: string | null; readonly details: EventDetails<T> };
}[EventType];

interface Envelope {
  readonly schema_version: "conveyor.event.v1";
  /** From 1, without gaps. */
  readonly seq: number;
  readonly at: string;
  readonly run_id: string;
  readonly plan_id: string;
  /** SHA-256 of the line before, without its newline. */
  readonly prev: string;
  /** Fencing number: the lock under which the line was written. */
  readonly fence: number;
}
/** One line of `run-events.jsonl`. */
export type JournalEvent = EventDraft & Envelope;

const envelope = {
  schema_version: z.literal("conveyor.event.v1"),
  seq: counter,
  at: z.iso.datetime(),
  run_id: z.string(),
  plan_id: z.string(),
  item_id: z.string().nullable(),
  prev: sha256Schema,
  fence: counter,
};

export const journalEventSchema = z.discriminatedUnion(
  "type",
  (Object.keys(DETAILS) as EventType[]).map((type) =>
    z.strictObject({ ...envelope, type: z.literal(type), details: DETAILS[type] }),
  ) as unknown as [z.ZodObject<{ type: z.ZodLiteral<string> }>],
);
