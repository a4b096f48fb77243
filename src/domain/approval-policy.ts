import { z } from "zod";

const count = z.int().min(1).max(10).default(1);
const roles = (fallback: string[]) =>
  z.array(z.string().min(1, "expected the name of a role, for example maintain")).min(1).default(fallback);

/** Hours that an approval holds unless `policy.approvals.high.expires-hours` says otherwise for high risk. */
const EXPIRES_HOURS = 72;
const EXPIRES_HOURS_MAX = 8760;

/** `policy.approvals`: who may approve a plan of which risk, how many of them, and for how long. */
export const approvalPolicySchema = z
  .strictObject({
    medium: z
      .strictObject({ count, roles: roles(["write", "maintain", "admin"]), self: z.boolean().default(false) })
      .prefault({}),
    high: z
      .strictObject({
        count,
        roles: roles(["maintain", "admin"]),
        label: z
          .string()
          .min(1, "expected the name of a label, for example conveyor:approve-high")
          .default("conveyor:approve-high"),
        "expires-hours": z.number().positive().max(EXPIRES_HOURS_MAX).default(EXPIRES_HOURS),
        "second-person-review": z.boolean().default(false),
      })
      .prefault({}),
  })
  .prefault({});

/** `policy.reviews`: how many people must have approved the delivered commit, and of which teams they are. */
export const reviewPolicySchema = z
  .strictObject({
    count,
    teams: z
      .array(z.string().regex(/^[A-Za-z0-9_-]+$/, "expected the slug of a team, for example release-managers"))
      .default([]),
  })
  .prefault({});

/** `policy.machine-users`: accounts that look like people and are programs, by login or, which survives a rename, by id. */
export const machineUsersSchema = z
  .array(z.union([z.string().min(1), z.int()], { error: "expected a login or the number of an account" }))
  .default([]);

/** `policy.on-base-move`: whether an approval outlives that the base branch moved under the pull request. */
export const onBaseMoveSchema = z.enum(["keep", "revoke"]).default("keep");

/** The part of `policy` that decides about approvals. */
export interface ApprovalPolicy {
  readonly approvals: z.infer<typeof approvalPolicySchema>;
  readonly reviews: z.infer<typeof reviewPolicySchema>;
  readonly "require-github-identity": boolean;
  readonly "machine-users": readonly (string | number)[];
  readonly "on-base-move": "keep" | "revoke";
}

/** What an approval is asked for. */
export const APPROVAL_KINDS = ["plan", "delivery", "manual_gate"] as const;
export type ApprovalKind = (typeof APPROVAL_KINDS)[number];

/** What the policy asks of the approvals of one kind at one risk. */
export interface ApprovalNeeds {
  /** Different people; nothing is needed at 0. */
  readonly count: number;
  readonly roles: readonly string[];
  /** Somebody must be in one of these; anybody will do when it is empty. */
  readonly teams: readonly string[];
  /** Whether somebody who took part may approve. */
  readonly self: boolean;
  readonly expiresHours: number;
  /** The label that approves; nothing when no label does. */
  readonly label: string | null;
  readonly secondPersonReview: boolean;
}

/**
 * What is needed. A plan of low risk needs nobody. Deliveries and gates have no roles of their own: those of the plan's
 * risk hold, and medium's for low risk.
 */
export function needsOf(policy: ApprovalPolicy, kind: ApprovalKind, risk: "low" | "medium" | "high"): ApprovalNeeds {
  const { medium, high } = policy.approvals;
  const tier =
    risk === "high"
      ? { count: high.count, roles: high.roles, self: false, expiresHours: high["expires-hours"] }
      : { count: medium.count, roles: medium.roles, self: medium.self, expiresHours: EXPIRES_HOURS };
  const none = { ...tier, teams: [], label: null, secondPersonReview: false };
  switch (kind) {
    case "plan":
      if (risk === "high") return { ...none, label: high.label, secondPersonReview: high["second-person-review"] };
      return risk === "medium" ? none : { ...none, count: 0 };
    case "delivery":
      return { ...none, count: policy.reviews.count, teams: policy.reviews.teams };
    case "manual_gate":
      return { ...none, count: 1 };
  }
}
