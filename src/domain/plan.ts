import { z } from "zod";

/** How much a plan may break, from least to most. */
export const RISK_TIERS = ["low", "medium", "high"] as const;
export type RiskTier = (typeof RISK_TIERS)[number];

/** Words that `Status` may hold, in the order of a plan's life. */
export const PLAN_STATUSES = [
  "draft",
  "ready-for-promotion",
  "promoted",
  "queued",
  "in-progress",
  "blocked",
  "validation",
  "failed",
  "completed",
] as const;

export const PLAN_PRIORITIES = ["p0", "p1", "p2", "p3"] as const;

/** The modes a plan's author allows for it. */
export const AUTONOMY_VALUES = ["guarded", "full", "both"] as const;

/** `approved` is what somebody wrote, not an approval. */
export const SECURITY_APPROVALS = ["not-required", "pending", "approved"] as const;

export const planMetadataSchema = z.strictObject({
  plan_id: z.string().nullable(),
  status: z.enum(PLAN_STATUSES).nullable(),
  priority: z.enum(PLAN_PRIORITIES),
  owner: z.string().nullable(),
  acceptance_criteria: z.string().nullable(),
  /** Ids of plans that must be completed before this one starts, each once. */
  dependencies: z.array(z.string()),
  /** Documents that describe the product's state; null means those of the configuration. */
  spec_targets: z.array(z.string()).nullable(),
  done_evidence: z.string(),
  /** What the author says; `unreadable` counts as high. The effective tier comes from `classifyRisk`. */
  risk_tier: z.enum([...RISK_TIERS, "unreadable"]).nullable(),
  autonomy_allowed: z.enum(AUTONOMY_VALUES),
  security_approval: z.enum(SECURITY_APPROVALS),
  tags: z.array(z.string()),
  promoted: z.string().nullable(),
  /** Files and folders the whole plan may change; null when it does not say. */
  implementation_targets: z.array(z.string()).nullable().default(null),
  /** Commands that hold for the whole plan, for a shell; null means those of the configuration. */
  validation: z.array(z.string()).nullable().default(null),
});
/** What a plan says of itself as a whole, with defaults where it says nothing. */
export type PlanMetadata = z.infer<typeof planMetadataSchema>;

/** Gate types a plan may ask for. */
export const MANUAL_GATES = [
  "none",
  "signoff",
  "approval",
  "operator_confirmation",
  "security_review",
  "presenter_review",
  "custom",
] as const;

export const planItemSchema = z.strictObject({
  item_id: z.string(),
  phase: z.string(),
  action: z.string(),
  why_now: z.string(),
  owner_type: z.string(),
  /** Ids of items that must have passed before this one starts. */
  prerequisites: z.array(z.string()),
  repo_surfaces: z.array(z.string()),
  deliverables: z.array(z.string()),
  exit_criteria: z.string(),
  /** Files or folders, relative to the repository's root; `.` is the whole repository. */
  write_roots: z.array(z.string()).min(1),
  requires_red_green: z.boolean(),
  manual_gate: z.enum(MANUAL_GATES),
  manual_gate_reason: z.string(),
  manual_gate_evidence: z.string(),
  external_check: z.enum(["none", "human_supplied_evidence_required"]),
  external_dependencies: z.string(),
  consult_paths: z.array(z.string()),
  required_commands: z.array(z.string()),
  suggested_commands: z.array(z.string()),
  required_artifacts: z.array(z.string()),
  notes: z.string(),
  /** True when a candidate that changes nothing is judged like any other, instead of asked for again. */
  allow_no_change: z.boolean().default(false),
  change_profile: z.enum(["behavioral_code", "docs_only", "mixed"]),
  /** Line of the plan file where the item stands, from 1. */
  line: z.int().positive(),
});
/** One unit of a plan, as the kernel sees it. */
export type PlanItem = z.infer<typeof planItemSchema>;

export const planSchema = z.strictObject({
  schema_version: z.literal("conveyor.plan.v1"),
  plan_id: z.string(),
  title: z.string(),
  /** Path of the plan file, relative to the repository's root. */
  path: z.string(),
  /** Null when the plan has neither a section `Metadata` nor front matter. */
  metadata: planMetadataSchema.nullable().default(null),
  /** Items in the order of the plan; the order of work comes from `orderItems`. */
  items: z.array(planItemSchema).min(1),
  /** Support text that travels with every item: plan context, shared guidance, risks. */
  shared_sections: z.array(z.strictObject({ title: z.string(), text: z.string() })),
  /** Support text of a phase, which travels with the items of that phase. */
  phase_sections: z.array(z.strictObject({ phase: z.string(), title: z.string(), text: z.string() })),
  /** Text that travels with one item. */
  item_sections: z.array(z.strictObject({ item_id: z.string(), title: z.string(), text: z.string() })).default([]),
});
/** One approved unit of work: what `normalized_plan.json` holds. */
export type Plan = z.infer<typeof planSchema>;

/** A fault in a text that a person wrote, with the place to look at. Lines and columns count from 1. */
export interface LocatedProblem {
  readonly path: string;
  readonly line: number;
  readonly column: number;
  readonly severity: "error" | "warning";
  /** Stable upper-case code, for example `PLAN_CELL_COUNT`. */
  readonly code: string;
  /** What was expected, what was found, and one example. */
  readonly message: string;
}

/** Renders a problem as `file:line:col CODE message`, the form every command prints. */
export function buildProblemLine(problem: LocatedProblem): string {
  const { path, line, column, code, message } = problem;
  return `${path}:${line}:${column} ${code} ${problem.severity === "warning" ? "warning: " : ""}${message}`;
}
