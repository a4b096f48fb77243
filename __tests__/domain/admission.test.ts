import { describe, expect, it } from "vitest";
import type { ApprovalRecord } from "../../src/domain/approval-gesture.ts";
import { defaultConfig } from "../../src/domain/config.ts";
import type { Plan } from "../../src/domain/plan.ts";
import { decideAdmission, parseAdmissionEnvironment, type AdmissionFacts } from "../../src/domain/policy.ts";
import { parseText, readFixture } from "./plan-fixtures.ts";

function metadata(bullets: string): Plan["metadata"] {
  const text = readFixture("base.md").replace("## 2. Items", `## Metadata\n\n${bullets}\n\n## 2. Items`);
  const parsed = parseText(text).plan?.metadata;
  if (parsed === undefined) throw new Error("the metadata do not parse");
  return parsed;
}

const FLAGS = [false, true];
const AUTONOMY = [undefined, "guarded", "full", "both"] as const;

interface Row extends AdmissionFacts {
  readonly autonomy: (typeof AUTONOMY)[number];
  readonly variables: { readonly approvedMedium: boolean; readonly approvedHigh: boolean };
  readonly requireGithubIdentity: boolean;
}

const POLICY = defaultConfig().policy;
const OF = { planSha256: "1".repeat(64), policySha256: "2".repeat(64), now: Date.UTC(2026, 2, 25, 12) };

/** The facts that the environment gives with these variables. */
function given(variables: { approvedMedium: boolean; approvedHigh: boolean; allowFullAutonomy: boolean }) {
  const word = (is: boolean) => (is ? "1" : undefined);
  return parseAdmissionEnvironment({
    ORCH_APPROVED_MEDIUM: word(variables.approvedMedium),
    ORCH_APPROVED_HIGH: word(variables.approvedHigh),
    ORCH_ALLOW_FULL_AUTONOMY: word(variables.allowFullAutonomy),
  });
}

const ROWS: Row[] = (["guarded", "full"] as const).flatMap((mode) =>
  (["low", "medium", "high"] as const).flatMap((tier) =>
    FLAGS.flatMap((approvedMedium) =>
      FLAGS.flatMap((approvedHigh) =>
        FLAGS.flatMap((allowFullAutonomy) =>
          FLAGS.flatMap((requireGithubIdentity) =>
            AUTONOMY.map((autonomy) => ({
              mode,
              risk: { tier },
              autonomy,
              metadata: autonomy === undefined ? null : metadata(`- Autonomy-Allowed: ${autonomy}`),
              ...given({ approvedMedium, approvedHigh, allowFullAutonomy }),
              variables: { approvedMedium, approvedHigh },
              requireGithubIdentity,
              policy: { ...POLICY, "require-github-identity": requireGithubIdentity },
              ...OF,
            })),
          ),
        ),
      ),
    ),
  ),
);

/**
 * The expectation, as a list of what is allowed rather than of what is refused: `mode tier identity? variables
 * autonomy`. Written from the document and not from the code.
 */
function expectedCodes(row: Row): string[] {
  const set = [
    row.variables.approvedMedium ? "M" : "",
    row.variables.approvedHigh ? "H" : "",
    row.allowFullAutonomy ? "F" : "",
  ].join("");
  const sufficientForRisk = {
    low: ["", "M", "H", "F", "MH", "MF", "HF", "MHF"],
    medium: row.requireGithubIdentity ? [] : ["M", "MH", "MF", "MHF"],
    high: row.requireGithubIdentity ? [] : ["H", "MH", "HF", "MHF"],
  }[row.risk.tier];
  const sufficientForMode = { guarded: ["", "M", "H", "F", "MH", "MF", "HF", "MHF"], full: ["F", "MF", "HF", "MHF"] };
  const autonomyFor = { guarded: [undefined, "guarded", "both"], full: [undefined, "full", "both"] };
  const codes: string[] = [];
  if (!sufficientForRisk.includes(set)) codes.push(`RISK_${row.risk.tier.toUpperCase()}_NOT_APPROVED`);
  if (!sufficientForMode[row.mode].includes(set)) codes.push("MODE_FULL_NOT_ALLOWED");
  if (!autonomyFor[row.mode].includes(row.autonomy)) codes.push("AUTONOMY_NOT_ALLOWED");
  return codes;
}

describe("admission", () => {
  it("is decided as the table says in all combinations", () => {
    expect(ROWS).toHaveLength(2 * 3 * 2 * 2 * 2 * 2 * 4);
    for (const row of ROWS) {
      const codes = expectedCodes(row);
      const decided = decideAdmission(row);
      expect({ row, codes: decided.reasonCodes }).toEqual({ row, codes });
      expect(decided.decision).toBe(codes.length === 0 ? "allow" : "deny");
      expect(decided.refusals.map(({ code }) => code)).toEqual(codes);
    }
    const allowed = ROWS.filter((row) => decideAdmission(row).decision === "allow");
    // guarded: low 16 environments, medium and high 4 each; full: half of them; three of four autonomies each.
    expect(allowed).toHaveLength((16 + 4 + 4) * 3 + (8 + 2 + 2) * 3);
  });

  const LOW: AdmissionFacts = {
    mode: "guarded",
    risk: { tier: "low" },
    metadata: null,
    ...parseAdmissionEnvironment({}),
    policy: POLICY,
    ...OF,
  };
  const ALL = { ORCH_APPROVED_MEDIUM: "1", ORCH_APPROVED_HIGH: "1", ORCH_ALLOW_FULL_AUTONOMY: "1" };

  it.each([
    ["Status: blocked", ["Status is blocked"]],
    ["Status: failed", ["Status is failed"]],
    ["Security-Approval: pending", ["Security-Approval is pending"]],
    ["Status: blocked\n- Security-Approval: pending", ["Status is blocked", "Security-Approval is pending"]],
  ])("is refused to a plan that says %j, whatever the environment approves", (bullets, texts) => {
    const decided = decideAdmission({
      ...LOW,
      metadata: metadata(`- ${bullets}`),
      ...parseAdmissionEnvironment(ALL),
    });
    expect(decided.decision).toBe("deny");
    expect(decided.reasonCodes).toEqual(["PLAN_MARKED_BLOCKED"]);
    expect(decided.refusals.map(({ text }) => text)).toEqual(texts);
  });

  it.each(["Status: queued", "Status: in-progress", "Security-Approval: approved", "Security-Approval: not-required"])(
    "is not refused to a plan that says %s",
    (bullet) => {
      expect(decideAdmission({ ...LOW, metadata: metadata(`- ${bullet}`) }).decision).toBe("allow");
    },
  );

  it("takes no word of the plan for an approval", () => {
    const decided = decideAdmission({
      ...LOW,
      risk: { tier: "high" },
      metadata: metadata("- Security-Approval: approved"),
    });
    expect(decided.reasonCodes).toEqual(["RISK_HIGH_NOT_APPROVED"]);
  });

  it("records every approval with its authority, and whether it counts", () => {
    const environment = parseAdmissionEnvironment(ALL);
    const by = { authority: "environment", approver: null, selfApproved: false };
    expect(decideAdmission({ ...LOW, ...environment, risk: { tier: "high" } }).approvals).toEqual([
      { tier: "medium", ...by, counts: false, refusedBy: ["other-risk"] },
      { tier: "high", ...by, counts: true, refusedBy: [] },
    ]);
    const policy = { ...POLICY, "require-github-identity": true };
    const refused = decideAdmission({ ...LOW, ...environment, risk: { tier: "high" }, policy });
    expect(refused.approvals.map(({ refusedBy }) => refusedBy)).toEqual([
      ["identity-not-proven", "other-risk"],
      ["identity-not-proven"],
    ]);
    expect(refused.refusals[0]?.text).toContain("policy.require-github-identity is on");
    expect(decideAdmission(LOW).approvals).toEqual([]);
  });
});

describe("the environment", () => {
  it.each([undefined, "", "0", "true", "yes", " 1", "1 ", "01"])("says no with %j", (value) => {
    const env = { ORCH_APPROVED_MEDIUM: value, ORCH_APPROVED_HIGH: value, ORCH_ALLOW_FULL_AUTONOMY: value };
    expect(parseAdmissionEnvironment(env)).toEqual({ allowFullAutonomy: false, approvals: [] });
  });

  it.each([
    ["ORCH_APPROVED_MEDIUM", { allowFullAutonomy: false, approvals: [{ authority: "environment", tier: "medium" }] }],
    ["ORCH_APPROVED_HIGH", { allowFullAutonomy: false, approvals: [{ authority: "environment", tier: "high" }] }],
    ["ORCH_ALLOW_FULL_AUTONOMY", { allowFullAutonomy: true, approvals: [] }],
  ])("says yes with %s=1 to that alone", (name, said) => {
    expect(parseAdmissionEnvironment({ [name]: "1" })).toEqual(said);
  });
});

describe("an approval that was judged on GitHub's facts before", () => {
  const RECORD: ApprovalRecord = {
    repo_id: 1,
    pr: 7,
    head_sha: "a".repeat(40),
    base_ref: "main",
    merge_base_sha: null,
    plan_path: "docs/exec-plans/active/plan.md",
    plan_sha256: OF.planSha256,
    policy_sha256: OF.policySha256,
    risk: "high",
    approver_id: 11,
    approver_login: "ada",
    role_at_time: "maintain",
    source: "label",
    source_id: "5",
    delivery_guid: null,
    decision: "approve",
    self_approved: false,
    created_at: "2026-03-24T12:00:00.000Z",
    expires_at: "2026-03-25T12:00:01.000Z",
  };
  const decide = (record: Partial<ApprovalRecord>, policy: Partial<typeof POLICY> = {}, more: ApprovalRecord[] = []) =>
    decideAdmission({
      mode: "guarded",
      risk: { tier: "high" },
      metadata: null,
      allowFullAutonomy: false,
      approvals: [{ ...RECORD, ...record }, ...more].map((each) => ({ authority: "github", record: each })),
      policy: { ...POLICY, "require-github-identity": true, ...policy },
      ...OF,
    });

  it("counts where an identity is required, and is named", () => {
    const decided = decide({});
    expect(decided.decision).toBe("allow");
    expect(decided.approvals).toEqual([
      { tier: "high", authority: "github", approver: "ada", counts: true, selfApproved: false, refusedBy: [] },
    ]);
    // S-38: what the facts said of the approver's own hand in it is kept.
    expect(decide({ self_approved: true }).approvals).toMatchObject([{ approver: "ada", selfApproved: true }]);
  });

  it.each([
    ["another plan", { plan_sha256: "3".repeat(64) }, "plan-digest-changed"],
    ["another policy", { policy_sha256: "3".repeat(64) }, "policy-digest-changed"],
    ["another risk", { risk: "medium" }, "other-risk"],
    ["an earlier time", { expires_at: "2026-03-25T12:00:00.000Z" }, "expired"],
  ] as const)("does not count when it is of %s", (_what, record, word) => {
    const decided = decide(record);
    expect(decided.reasonCodes).toEqual(["RISK_HIGH_NOT_APPROVED"]);
    expect(decided.approvals.map(({ refusedBy }) => refusedBy)).toEqual([[word]]);
  });

  it("is one voice, however often the same person approved", () => {
    const high = { ...POLICY.approvals.high, count: 2 };
    const policy = { approvals: { ...POLICY.approvals, high } };
    expect(decide({}, policy, [{ ...RECORD, source_id: "6" }]).decision).toBe("deny");
    expect(decide({}, policy, [{ ...RECORD, source_id: "6", approver_id: 12 }]).decision).toBe("allow");
  });

  it("needs a review by somebody else where the policy says so", () => {
    const high = { ...POLICY.approvals.high, "second-person-review": true };
    const policy = { approvals: { ...POLICY.approvals, high } };
    const review = { ...RECORD, source: "review" as const, source_id: "6" };
    expect(decide({}, policy).decision).toBe("deny");
    expect(decide({}, policy, [review]).decision).toBe("deny");
    expect(decide({}, policy, [{ ...review, approver_id: 12 }]).decision).toBe("allow");
  });
});
