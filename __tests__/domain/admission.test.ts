import { describe, expect, it } from "vitest";
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
              environment: { approvedMedium, approvedHigh, allowFullAutonomy },
              requireGithubIdentity,
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
    row.environment.approvedMedium ? "M" : "",
    row.environment.approvedHigh ? "H" : "",
    row.environment.allowFullAutonomy ? "F" : "",
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
    environment: parseAdmissionEnvironment({}),
    requireGithubIdentity: false,
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
      environment: parseAdmissionEnvironment(ALL),
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
    expect(decideAdmission({ ...LOW, environment }).approvals).toEqual([
      { tier: "medium", authority: "environment", counts: true },
      { tier: "high", authority: "environment", counts: true },
    ]);
    const refused = decideAdmission({ ...LOW, environment, risk: { tier: "high" }, requireGithubIdentity: true });
    expect(refused.approvals.map(({ counts }) => counts)).toEqual([false, false]);
    expect(refused.refusals[0]?.text).toContain("does not count");
    expect(decideAdmission(LOW).approvals).toEqual([]);
  });
});

describe("the environment", () => {
  it.each([undefined, "", "0", "true", "yes", " 1", "1 ", "01"])("says no with %j", (value) => {
    const env = { ORCH_APPROVED_MEDIUM: value, ORCH_APPROVED_HIGH: value, ORCH_ALLOW_FULL_AUTONOMY: value };
    expect(Object.values(parseAdmissionEnvironment(env))).toEqual([false, false, false]);
  });

  it.each([
    ["ORCH_APPROVED_MEDIUM", "approvedMedium"],
    ["ORCH_APPROVED_HIGH", "approvedHigh"],
    ["ORCH_ALLOW_FULL_AUTONOMY", "allowFullAutonomy"],
  ])("says yes with %s=1 to that alone", (name, key) => {
    const found = Object.entries(parseAdmissionEnvironment({ [name]: "1" })).filter(([, value]) => value);
    expect(found).toEqual([[key, true]]);
  });
});
