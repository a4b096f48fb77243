import { z } from "zod";
import { AUTHORITIES } from "./approval-gesture.ts";
import { auditSummarySchema, buildAuditSummary, sayAudited } from "./audit-summary.ts";
import { commandReportSchema, reportCommand } from "./command-report.ts";
import type { Config } from "./config.ts";
import { listBudgets } from "./cost-bound.ts";
import { buildRunCost, costLimit, runCostSchema } from "./cost.ts";
import { gateDecisionSchema } from "./gates.ts";
import { optionValueSchema, stageExecutionSchema } from "./journal.ts";
import type { AttemptState, ItemState } from "./item.ts";
import { buildNextActions, nextActionSchema } from "./next-actions.ts";
import { RISK_TIERS, type Plan } from "./plan.ts";
import type { RunPolicy } from "./policy.ts";
import { pullRequestSchema } from "./published.ts";
import { REASON_CODE_NAMES } from "./reason-codes.ts";
import type { RunSandbox, RunState } from "./run.ts";
import { sandboxFactsSchema } from "./sandbox.ts";
import { judgeLayers, layerReportSchema } from "./sandbox-layers.ts";
import { scopeViolationSchema } from "./scope.ts";
import { redactionFactsSchema } from "./secrets.ts";
import { isSelfApproved, SELF_APPROVED } from "./self-approval.ts";
import { listStallWarnings } from "./stage-execution.ts";
import { STAGES } from "./stages.ts";
import { MODES, SANDBOX_LEVELS } from "./run-choices.ts";

const stage = z.enum(STAGES);
const reasonCode = z.enum(REASON_CODE_NAMES);

export const runReportSchema = z.strictObject({
  schema_version: z.literal("conveyor.run_report.v1"),
  run_id: z.string(),
  plan_id: z.string(),
  /** One line, verdict first. */
  verdict: z.string(),
  terminal_state: z.enum(["done", "blocked", "failed", "timeout"]).nullable(),
  /** True when the run is sealed to be gone on with in another session. */
  handoff: z.boolean(),
  /** What ended the run from outside, if anything did: SIGINT, SIGTERM, or DEADLINE with a handoff. */
  interrupted_by: z.string().nullable(),
  audit: auditSummarySchema,
  current_stage: stage.nullable(),
  created_at: z.string(),
  stopped_at: z.string().nullable(),
  resumes: z.int().nonnegative(),
  /** How much the run may do by itself. */
  mode: z.enum(MODES),
  /** The run's own policy as it was decided last, with the risk of the plan and who approved it; null before that. */
  policy: z
    .strictObject({
      decision: z.enum(["allow", "deny"]),
      reason_codes: z.array(reasonCode),
      refusals: z.array(z.strictObject({ code: reasonCode, text: z.string() })),
      risk: z.strictObject({
        tier: z.enum(RISK_TIERS),
        reasons: z.array(z.strictObject({ tier: z.enum(RISK_TIERS), text: z.string() })),
      }),
      approvals: z.array(
        z.strictObject({
          tier: z.enum(RISK_TIERS),
          /** What vouches for it. */
          authority: z.enum(AUTHORITIES),
          /** Login of whoever approved; null when nobody vouches for a name. */
          approver: z.string().nullable(),
          counts: z.boolean(),
          /** Whether the approver took part in what they approved. */
          self_approved: z.boolean(),
          /** The rules that refused it. */
          refused_by: z.array(z.string()),
        }),
      ),
    })
    .nullable(),
  /** The sandbox of the last invocation that started programs; null before that. */
  sandbox: z
    .strictObject({
      level: z.enum(SANDBOX_LEVELS),
      minimum_tier: z.int(),
      tier: z.int(),
      /** Why it is not a higher one. */
      why: z.string(),
      layers: z.array(layerReportSchema),
      facts: sandboxFactsSchema,
    })
    .nullable(),
  gate_decisions: z.array(gateDecisionSchema),
  blocked_reason_codes: z.array(reasonCode),
  failure: z.string().nullable(),
  transitions: z.array(z.strictObject({ seq: z.int(), at: z.string(), from: stage.nullable(), to: stage })),
  /** When the orchestrator worked on the run; between two of them the run waited. The last has no end while it runs. */
  invocations: z.array(z.strictObject({ started_at: z.string(), ended_at: z.string().nullable() })),
  completed_stages: z.array(z.string()),
  items: z.array(
    z.strictObject({
      item_id: z.string(),
      action: z.string(),
      terminal_state: z.enum(["passed", "awaiting_human_gate", "blocked_external", "escalated"]).nullable(),
      reason_codes: z.array(reasonCode),
      commit: z.string().nullable(),
      attempts: z.array(
        z.strictObject({
          attempt: z.int(),
          base_commit: z.string(),
          ended: z.enum(["void", "lost", "kept", "superseded"]).nullable(),
          sessions: z.array(
            z.strictObject({
              session: z.int(),
              round: z.int(),
              kind: z.enum(["execute", "fix", "remediation"]),
              outcome: z.string(),
              /** What the executor said of itself; a claim, never read by a decision. */
              summary: z.string(),
              tamper_kinds: z.array(z.string()),
              survivors: z.int(),
            }),
          ),
          candidates: z.array(
            z.strictObject({
              round: z.int(),
              tree: z.string(),
              commit: z.string().nullable(),
              changed_paths: z.int(),
              violations: z.array(scopeViolationSchema),
              verification: z.enum(["passed", "failed", "not_judged"]),
              failures: z.array(z.string()),
              /** What it changes as one patch, relative to the run folder; null when there is none. */
              patch: z.string().nullable(),
              /** The commands of its verification, in their order. */
              commands: z.array(commandReportSchema.extend({ required: z.boolean() })),
            }),
          ),
        }),
      ),
    }),
  ),
  /** The plan's own commands on the run branch; null before they ran. */
  validation: z
    .strictObject({
      commit: z.string(),
      passed: z.boolean(),
      failures: z.array(z.string()),
      commands: z.array(commandReportSchema),
    })
    .nullable(),
  /** What the coding agents of the run cost, as they say themselves or as their tokens are priced. */
  cost: runCostSchema,
  /** What was taken out of output, files and events because it is the value of a secret variable; never a value. */
  redactions: redactionFactsSchema,
  stage_executions: z.array(stageExecutionSchema),
  branch: z.string(),
  /** True when the branch stands in the user's repository. */
  delivered: z.boolean(),
  /** The run's pull request, when the run itself opened it. */
  pull_request: pullRequestSchema.nullable(),
  base_commit: z.string(),
  head_sha: z.string(),
  digests: z.strictObject({
    plan_sha256: z.string(),
    policy_sha256: z.string(),
    config_sha256: z.string().nullable(),
    config_authority: z.enum(["trust_ref", "local", "none"]),
  }),
  /** SHA-256 of the last journal line that this report speaks of. */
  journal_head: z.string(),
  journal_seq: z.int(),
  options: z.record(z.string(), optionValueSchema),
  versions: z.record(z.string(), z.string()),
  warnings: z.array(z.string()),
  next_actions: z.array(nextActionSchema),
});
/** What a run hands to people and programs whenever it stops (source document 001, *Required Artifacts*). */
export type RunReport = z.infer<typeof runReportSchema>;

/** Builds the run report from state, plan and configuration alone: the same journal always gives the same report. */
export function buildRunReport(
  state: RunState,
  { plan, config }: { readonly plan: Plan; readonly config: Config },
  journalHead: string,
): RunReport {
  const { created, stop } = state;
  return {
    schema_version: "conveyor.run_report.v1",
    run_id: state.runId,
    plan_id: state.planId,
    verdict: buildVerdict(state),
    terminal_state: stop?.terminalState ?? null,
    handoff: stop?.kind === "handoff",
    interrupted_by: stop?.signal ?? null,
    audit: buildAuditSummary(state),
    current_stage: state.currentStage,
    created_at: state.createdAt,
    stopped_at: stop?.at ?? null,
    resumes: state.resumes,
    mode: created.mode,
    policy: state.policy === undefined ? null : reportPolicy(state.policy),
    sandbox: state.sandbox === undefined ? null : reportSandbox(state.sandbox),
    gate_decisions: [...(state.gates?.decisions ?? [])],
    blocked_reason_codes: [...(stop?.reasonCodes ?? [])],
    failure: state.stageFailure?.message ?? null,
    transitions: [...state.transitions],
    invocations: state.invocations.map((each) => ({ ...each })),
    completed_stages: [...state.completedStages],
    items: state.items.map((item) => reportItem(item, plan)),
    validation: state.validation === undefined ? null : reportValidation(state.validation),
    cost: buildRunCost(state, listBudgets({ plan, config, executor: state.created.executor.use }, costLimit(state))),
    redactions: state.redactions,
    stage_executions: [...state.executions],
    branch: created.run_branch,
    delivered: state.delivery?.status === "moved" && state.delivery.head === state.tip,
    pull_request: state.publication?.pullRequest ?? null,
    base_commit: state.baseCommit,
    head_sha: state.tip,
    digests: {
      plan_sha256: created.plan_sha256,
      policy_sha256: created.policy_sha256,
      config_sha256: created.config.sha256,
      config_authority: created.config.authority,
    },
    journal_head: journalHead,
    journal_seq: state.seq,
    options: state.options,
    versions: created.versions,
    warnings: [...state.warnings, ...listStallWarnings(state.executions)],
    next_actions: buildNextActions(state),
  };
}

function reportSandbox({ wish, facts, tier, why }: RunSandbox): NonNullable<RunReport["sandbox"]> {
  const layers = judgeLayers(tier, facts, wish.held_keys);
  return { level: wish.level, minimum_tier: wish.minimum_tier, tier, why, layers, facts };
}

function reportPolicy(policy: RunPolicy): NonNullable<RunReport["policy"]> {
  return {
    decision: policy.decision,
    reason_codes: [...policy.reasonCodes],
    refusals: policy.refusals.map((refusal) => ({ ...refusal })),
    risk: { tier: policy.risk.tier, reasons: policy.risk.reasons.map((reason) => ({ ...reason })) },
    approvals: policy.approvals.map(({ refusedBy, selfApproved, ...approval }) => ({
      ...approval,
      self_approved: selfApproved,
      refused_by: [...refusedBy],
    })),
  };
}

/** One line, verdict first; it always says how much of the run was audited, and whether it was self-approved. */
export function buildVerdict(state: RunState): string {
  const passed = state.items.filter((item) => item.settled?.terminalState === "passed").length;
  const items = `${passed} of ${state.items.length} items passed`;
  const { stop } = state;
  const said = `${sayAudited(state)}${isSelfApproved(state) ? `; ${SELF_APPROVED}` : ""}`;
  if (stop === undefined) return `not stopped (${said}): ${items}, stage ${state.currentStage ?? "none"}`;
  const codes = stop.reasonCodes.length === 0 ? "" : `: ${stop.reasonCodes.join(", ")}`;
  const word =
    stop.kind === "terminal" ? (stop.terminalState ?? "failed") : stop.kind === "handoff" ? "handoff" : "interrupted";
  return `${word} (${said}): ${items}${codes}`;
}

function reportValidation(ran: NonNullable<RunState["validation"]>): NonNullable<RunReport["validation"]> {
  return {
    commit: ran.commit,
    passed: ran.verdict.kind === "passed",
    failures: ran.verdict.kind === "failed" ? [...ran.verdict.failures] : [],
    commands: ran.commands.map(reportCommand),
  };
}

function reportItem(item: ItemState, plan: Plan): RunReport["items"][number] {
  return {
    item_id: item.itemId,
    action: plan.items.find((candidate) => candidate.item_id === item.itemId)?.action ?? "",
    terminal_state: item.settled?.terminalState ?? null,
    reason_codes: [...(item.settled?.reasonCodes ?? [])],
    commit: item.settled?.commit ?? null,
    attempts: item.attempts.map(reportAttempt),
  };
}

function reportAttempt(attempt: AttemptState): RunReport["items"][number]["attempts"][number] {
  return {
    attempt: attempt.attempt,
    base_commit: attempt.baseCommit,
    ended: attempt.ended ?? null,
    sessions: attempt.sessions.map((session) => ({
      session: session.session,
      round: session.round,
      kind: session.kind,
      outcome: session.outcome.kind,
      summary: session.summary,
      tamper_kinds: [...session.tamperKinds],
      survivors: session.survivors,
    })),
    candidates: attempt.candidates.map((candidate) => ({
      round: candidate.round,
      tree: candidate.tree,
      commit: candidate.commit,
      changed_paths: candidate.changedPaths,
      violations: [...candidate.violations],
      verification:
        candidate.verdict?.kind === "passed" || candidate.verdict?.kind === "failed"
          ? candidate.verdict.kind
          : "not_judged",
      failures: candidate.verdict?.kind === "failed" ? [...candidate.verdict.failures] : [],
      patch: candidate.patch ?? null,
      commands: (candidate.verified?.commands ?? []).map((each) => ({
        ...reportCommand(each),
        required: each.required,
      })),
    })),
  };
}
