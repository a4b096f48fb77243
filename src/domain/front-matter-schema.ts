import { z } from "zod";
import {
  AUTONOMY_VALUES,
  MANUAL_GATES,
  PLAN_PRIORITIES,
  PLAN_STATUSES,
  RISK_TIERS,
  SECURITY_APPROVALS,
} from "./plan.ts";

/** A text that holds more than blanks. */
const text = (description: string) => z.string().regex(/\S/).describe(description);
const texts = (description: string) => z.array(z.string().regex(/\S/)).describe(description);
const planId = z
  .string()
  .max(80)
  .regex(/^[a-z0-9]+(?:-[a-z0-9]+)*$/);

const frontMatterItemSchema = z.strictObject({
  id: z
    .string()
    .max(80)
    .regex(/^[A-Za-z0-9][A-Za-z0-9._:-]*$/)
    .describe("Names the item. Unique in the plan, also when case is ignored. Quote it when it is a number."),
  title: text("What to do."),
  phase: text("The part of the plan that the item belongs to; the plan's when left out.").optional(),
  why: text("Why it is to be done now; the plan's when left out.").optional(),
  owner: text("Who is to do it; the plan's when left out.").optional(),
  after: texts("Items that must have passed before: ids, and ranges such as 01-03.").optional(),
  surfaces: texts("Paths to look at first; tracked, or delivered by an item before.").optional(),
  deliverables: texts("Paths that the item makes or changes.").min(1),
  "exit-criteria": text("When the item is done."),
  "write-roots": texts("Files and folders that may change; . is the whole repository, and high risk.").min(1),
  "red-green": z.boolean().describe("True: the change brings tests that fail without it.").optional(),
  verify: texts("Commands that must exit 0, for bash, one line each.").optional(),
  suggest: texts("Commands that may be worth running.").optional(),
  artifacts: texts("Paths that the item's commit must hold, with content; the deliverables when left out.").optional(),
  consult: texts("Further paths to read; tracked, or delivered by an item before.").optional(),
  gate: z
    .strictObject({
      type: z.enum(MANUAL_GATES).describe("What a person has to do."),
      reason: text("Why; the exit criteria when left out.").optional(),
      evidence: texts("What the decision needs; a decision record when left out.").optional(),
    })
    .describe("A person decides before the item passes.")
    .optional(),
  external: z
    .strictObject({
      evidence: z
        .enum(["none", "human_supplied_evidence_required"])
        .describe("human_supplied_evidence_required: the item waits until a person hands evidence in."),
      dependencies: texts("What the item waits for.").optional(),
    })
    .describe("Something outside of the repository that the item needs.")
    .optional(),
  "allow-no-change": z
    .boolean()
    .describe("True: a session that changes nothing is judged like any other. Default false.")
    .optional(),
  notes: text("What else the item's programs should know.").optional(),
});

/** The front matter of a plan, as a person may write it: what `schemas/plan.schema.json` publishes. */
export const frontMatterSchema = z.strictObject({
  "plan-id": planId
    .describe("Words of a to z and digits, joined by dashes. Made from the title when left out.")
    .optional(),
  status: z.enum(PLAN_STATUSES).describe("Where the plan stands; one that is blocked or failed is not run.").optional(),
  priority: z
    .enum([...PLAN_PRIORITIES, "high", "medium", "low"])
    .describe("high, medium and low are p1, p2 and p3. Default p2.")
    .optional(),
  owner: text("Who answers for the plan, and for items without an owner.").optional(),
  "acceptance-criteria": text("What has to be true in the end, and no placeholder.").optional(),
  dependencies: z.array(planId).describe("Ids of plans that must be completed before.").optional(),
  "spec-targets": texts("Documents that describe the product's state.").optional(),
  "done-evidence": text("pending; a run that completes the plan writes here where the evidence is.").optional(),
  risk: z
    .enum(RISK_TIERS)
    .describe("The least risk; what is computed only raises it. low for documents alone, else medium.")
    .optional(),
  "autonomy-allowed": z.enum(AUTONOMY_VALUES).describe("The modes in which the plan may run. Default both.").optional(),
  "security-approval": z
    .enum(SECURITY_APPROVALS)
    .describe("pending stops a run; approved is not an approval. Default not-required.")
    .optional(),
  "implementation-targets": texts("Files and folders that the plan as a whole may change.").min(1).optional(),
  validation: texts("Commands that must exit 0 in the end, for bash; the configuration's when left out.")
    .min(1)
    .optional(),
  tags: texts("Words; security, auth, payments, pii, migration and infra make a plan high risk.").optional(),
  promoted: text("When and by whom the plan was promoted.").optional(),
  phase: text("The phase of items that name none.").optional(),
  why: text("Why now, for items that do not say.").optional(),
  items: z.array(frontMatterItemSchema).min(1).max(500).describe("The items, in the order of the plan.").optional(),
});

/** Keys of the front matter, of its items, and of what they hold, with the names that other forms give them. */
export const FRONT_MATTER_KEYS = {
  plan: Object.keys(frontMatterSchema.shape),
  item: Object.keys(frontMatterItemSchema.shape),
  gate: Object.keys(frontMatterItemSchema.shape.gate.unwrap().shape),
  external: Object.keys(frontMatterItemSchema.shape.external.unwrap().shape),
} as const;

/** What the other forms call a key; people move their plans. */
export const OTHER_NAMES: ReadonlyMap<string, string> = new Map([
  ["risk-tier", "risk"],
  ["step-id", "id"],
  ["action", "title"],
  ["why-now", "why"],
  ["owner-type", "owner"],
  ["prerequisites", "after"],
  ["repo-surfaces", "surfaces"],
  ["deliverable", "deliverables"],
  ["allowed-write-roots", "write-roots"],
  ["requires-red-green", "red-green"],
  ["required-verification-commands", "verify"],
  ["suggested-verification-commands", "suggest"],
  ["required-verification-artifacts", "artifacts"],
  ["consult-paths", "consult"],
  ["manual-gate", "gate"],
  ["external-check", "external"],
]);

/** One example for each key, for messages. */
export const KEY_EXAMPLES: Readonly<Record<string, string>> = {
  "plan-id": "plan-id: rotate-session-keys",
  status: "status: queued",
  priority: "priority: p1",
  owner: "owner: '@platform'",
  "acceptance-criteria": "acceptance-criteria: Old sessions stay valid for 24 hours",
  dependencies: "dependencies: [key-ring, audit-log]",
  "spec-targets": "spec-targets: [docs/product-specs/current-state.md]",
  "done-evidence": "done-evidence: pending",
  risk: "risk: high",
  "autonomy-allowed": "autonomy-allowed: guarded",
  "security-approval": "security-approval: not-required",
  "implementation-targets": "implementation-targets: [src/session]",
  validation: "validation: [npm test]",
  tags: "tags: [sessions]",
  promoted: "promoted: 2026-03-01 by the platform team",
  items: "items: [{id: '01', …}]",
  id: "id: '01'",
  title: "title: Key ring with two active keys",
  phase: "phase: build",
  why: "why: Keys leak",
  after: "after: ['01', 03-05]",
  surfaces: "surfaces: [src/session]",
  deliverables: "deliverables: [src/session/key-ring.ts]",
  "exit-criteria": "exit-criteria: Both keys verify, the newer signs",
  "write-roots": "write-roots: [src/session]",
  "red-green": "red-green: true",
  verify: "verify: [npm test -- session]",
  suggest: "suggest: [npm run bench]",
  artifacts: "artifacts: [src/session/key-ring.ts]",
  consult: "consult: [docs/security.md]",
  gate: "gate: {type: security_review}",
  type: "type: signoff",
  reason: "reason: Key handling changed",
  evidence: "evidence: [signed review]",
  external: "external: {evidence: human_supplied_evidence_required}",
  "allow-no-change": "allow-no-change: true",
  notes: "notes: Never log a key.",
};
