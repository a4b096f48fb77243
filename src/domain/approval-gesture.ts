import { z } from "zod";
import type { ApprovalFacts } from "./approval-facts.ts";
import { digestOf } from "./digest.ts";
import type { GithubCheckRun, GithubUser } from "./github-answers.ts";
import { instantSchema } from "./instants.ts";
import { RISK_TIERS, type RiskTier } from "./plan.ts";

const digest = z.string().regex(/^[0-9a-f]{64}$/);

/** An approval of which every rule held when it was judged, with what it is bound to. */
export const approvalRecordSchema = z.strictObject({
  repo_id: z.int(),
  pr: z.int(),
  head_sha: z.string(),
  base_ref: z.string(),
  merge_base_sha: z.string().nullable(),
  plan_path: z.string(),
  plan_sha256: digest,
  policy_sha256: digest,
  risk: z.enum(RISK_TIERS),
  approver_id: z.int(),
  approver_login: z.string(),
  role_at_time: z.string(),
  source: z.enum(["label", "review", "button", "comment"]),
  source_id: z.string(),
  delivery_guid: z.string().nullable(),
  decision: z.enum(["approve", "reject"]),
  /** True when the approver took part in what was approved, which the policy allows. */
  self_approved: z.boolean(),
  created_at: instantSchema,
  /** Null for a rejection, which holds until somebody reopens the gate. */
  expires_at: instantSchema.nullable(),
});
export type ApprovalRecord = z.infer<typeof approvalRecordSchema>;

/** What somebody did on GitHub to approve or to reject, with all that it is bound to. Unknown is null. */
export interface GivenGesture {
  readonly kind: "given";
  readonly source: ApprovalRecord["source"];
  readonly sourceId: string;
  readonly decision: "approve" | "reject";
  readonly actor: GithubUser;
  /** The app that acted in the name of the person; nothing when GitHub says none or cannot say. */
  readonly viaApp: boolean;
  /** Milliseconds since 1970. */
  readonly at: number;
  readonly head: string | null;
  /** Name of the label, or identifier of the button. */
  readonly name: string | null;
  /** What a comment names after its command. */
  readonly names: string | null;
  readonly edited: boolean;
  /** State of a review as of the time that counts. */
  readonly state: string | null;
  readonly deliveryGuid: string | null;
  readonly check: ShownCheck | null;
}

/** What the App showed to whoever approved. */
export interface ShownCheck {
  readonly run: GithubCheckRun;
  /** As the gesture knew it: a button carries the one that was clicked. */
  readonly externalId: string | null;
  /** What its JSON block says; null when there is none that can be read. */
  readonly shown: Shown | null;
}

const shownSchema = z.object({
  repo_id: z.int(),
  pr: z.int(),
  head_sha: z.string(),
  plan_sha256: digest,
  policy_sha256: digest,
  risk: z.enum(RISK_TIERS),
  merge_base_sha: z.string().nullable(),
});
type Shown = z.infer<typeof shownSchema>;

/** Every way in which somebody's approval reaches us. Only what GitHub vouches for names anybody. */
export type Gesture =
  | GivenGesture
  /** An approval that was judged on GitHub's facts elsewhere. */
  | { readonly kind: "recorded"; readonly record: ApprovalRecord }
  /** `ORCH_APPROVED_MEDIUM=1`, `ORCH_APPROVED_HIGH=1`: for this call, and for whatever it runs. */
  | { readonly kind: "environment"; readonly tier: "medium" | "high" }
  /** Somebody at a keyboard, who says who they are. */
  | { readonly kind: "local"; readonly by: string; readonly decision: "approve" | "reject" };

/** An approval that a run was given, as its journal keeps it. Whether it counts is the fold's to say. */
export const approvalFactSchema = z.discriminatedUnion("authority", [
  z.strictObject({ authority: z.literal("environment"), tier: z.enum(["medium", "high"]) }),
  z.strictObject({ authority: z.literal("github"), record: approvalRecordSchema }),
  /** Something on GitHub that was meant to approve and does not count, for whoever wonders why. */
  z.strictObject({
    authority: z.literal("github-refused"),
    tier: z.enum(RISK_TIERS),
    approver: z.string().nullable(),
    source: z.enum(["label", "review", "button", "comment"]),
    source_id: z.string(),
    refused_by: z.array(z.string()).min(1),
    text: z.string(),
  }),
]);
export type ApprovalFact = z.infer<typeof approvalFactSchema>;

/** The gesture that an approval in the journal stands for; what was refused stands for none. */
export function listGesturesOf(fact: ApprovalFact): Gesture[] {
  switch (fact.authority) {
    case "environment":
      return [{ kind: "environment", tier: fact.tier }];
    case "github":
      return [{ kind: "recorded", record: fact.record }];
    case "github-refused":
      return [];
  }
}

export const AUTHORITIES = ["environment", "local-unverified", "github"] as const;
export type Authority = (typeof AUTHORITIES)[number];

/** What vouches for whoever made a gesture. */
export function authorityOf(gesture: Gesture): Authority {
  switch (gesture.kind) {
    case "environment":
      return "environment";
    case "local":
      return "local-unverified";
    case "recorded":
    case "given":
      return "github";
  }
}

/** The buttons that the App offers, and what each says. */
export const BUTTONS: Readonly<
  Record<string, { readonly decision: "approve" | "reject"; readonly risk: RiskTier | null }>
> = {
  approve_medium: { decision: "approve", risk: "medium" },
  approve_high: { decision: "approve", risk: "high" },
  approve_gate: { decision: "approve", risk: null },
  reject_gate: { decision: "reject", risk: null },
};

/**
 * What binds an approval to a head, a plan and a policy: the `external_id` of the App's check run. Whole digests:
 * two plans that agree in a part of one are made in a minute.
 */
export function buildBinding(
  bound: Pick<Shown, "repo_id" | "pr" | "head_sha" | "plan_sha256" | "policy_sha256">,
): string {
  const { repo_id, pr, head_sha, plan_sha256, policy_sha256 } = bound;
  return `v1:${digestOf({ repo_id, pr, head_sha, plan_sha256, policy_sha256 })}`;
}

/** Reads the JSON block of a check run; nothing when it has none, or one that is not whole. */
export function readShown(run: ApprovalFacts["check_runs"][number]): Shown | null {
  const block = /^```json\r?\n([\s\S]*?)^```\s*$/m.exec(run.output.text ?? "")?.[1];
  if (block === undefined) return null;
  try {
    return shownSchema.safeParse(JSON.parse(block)).data ?? null;
  } catch {
    return null;
  }
}
