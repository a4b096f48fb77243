import { expect, test } from "vitest";
import type { RunState } from "../../src/domain/run.ts";
import { listStanding } from "../../src/domain/publication.ts";
import { isSelfApproved } from "../../src/domain/self-approval.ts";
import { defaultConfig } from "../../src/domain/config.ts";
import type { RiskApproval } from "../../src/domain/policy.ts";

type Facts = Parameters<typeof isSelfApproved>[0];

const approval = (more: Partial<RiskApproval>): RiskApproval => ({
  tier: "medium",
  authority: "github",
  approver: "ada",
  counts: true,
  selfApproved: true,
  refusedBy: [],
  ...more,
});
const ofPlan = (more: Partial<RiskApproval>): Facts =>
  ({ items: [], policy: { approvals: [approval(more)] } }) as unknown as Facts;
const ofItem = (gate: Partial<NonNullable<RunState["items"][number]["gate"]>>): Facts =>
  ({ items: [{ gate: { decision: "approved", authority: "github-review", note: "", ...gate } }] }) as unknown as Facts;
const ofGate = (gate: string, passed: boolean, detail: string): Facts =>
  ({ items: [], gates: { decisions: [{ gate, passed, detail }] } }) as unknown as Facts;

test.each([
  ["a plan that its author approved", ofPlan({}), true],
  ["an approval that does not count", ofPlan({ counts: false }), false],
  ["a plan that somebody else approved", ofPlan({ selfApproved: false }), false],
  ["an item that whoever took part approved", ofItem({ note: "review 5 on pull request #2, self-approved" }), true],
  ["one that somebody else approved", ofItem({ note: "review 5 on pull request #2" }), false],
  ["one that was rejected", ofItem({ decision: "rejected", note: "x, self-approved" }), false],
  ["a note that a person typed", ofItem({ authority: "local-unverified", note: "not self-approved" }), false],
  ["a delivery that whoever took part approved", ofGate("review", true, "#2: approved by ada (self-approved)"), true],
  ["a review that is missing", ofGate("review", false, "(self-approved)"), false],
  ["another gate", ofGate("ci", true, "test (self-approved)"), false],
])("%s", (_what, facts, expected) => {
  expect(isSelfApproved(facts)).toBe(expected);
});

test("a pull request says that it was, and that it may be where nobody knows", () => {
  const config = defaultConfig();
  const say = (approvals: readonly RiskApproval[], self: boolean): string => {
    const { medium, high } = config.policy.approvals;
    const policy = { ...config.policy, approvals: { medium: { ...medium, self }, high } };
    return listStanding({ policy }, { approvals }).join(" ");
  };
  expect(say([approval({})], true)).toMatch(/^\*Self-approved\*: whoever took part approved the plan/);
  expect(say([approval({ selfApproved: false, authority: "environment" })], true)).toContain(
    "it may be *self-approved*",
  );
  expect(say([approval({ counts: false })], true)).toBe("");
  expect(say([approval({ selfApproved: false })], false)).toBe("");
});
