import { readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { TestRepository } from "../support/conveyor.ts";

const POLICY = ["deny", "unknown", "allow"] as const;
const CI = ["pending", "failure", "missing", "success"] as const;
const REVIEW = ["changes_requested", "missing", "approved"] as const;

/** Every combination, the only one that opens all three gates last. */
const COMBINATIONS = POLICY.flatMap((policy) => CI.flatMap((ci) => REVIEW.map((review) => ({ policy, ci, review }))));

type Signals = (typeof COMBINATIONS)[number];

const toOptions = ({ policy, ci, review }: Signals): string[] => [
  "--policy-status",
  policy,
  "--ci-status",
  ci,
  "--review-status",
  review,
];

const blockedBy = ({ policy, ci, review }: Signals): string[] => [
  ...(policy === "allow" ? [] : ["GATE_POLICY_DENIED_OR_UNKNOWN"]),
  ...(ci === "success" ? [] : ["GATE_CI_NOT_SUCCESS"]),
  ...(review === "approved" ? [] : ["GATE_REVIEW_NOT_APPROVED"]),
];

const repository = new TestRepository();

test("without signals all three gates block, in the order policy, ci, review", async () => {
  const ended = await repository.run();
  expect({ exit: ended.code, run: ended.outcome.terminal_state }).toEqual({ exit: 3, run: "blocked" });
  expect(ended.outcome.blocked_reason_codes).toEqual(
    blockedBy({ policy: "unknown", ci: "missing", review: "missing" }),
  );
});

test.each([
  ["--policy-status", "approved", "allow, deny, unknown"],
  ["--ci-status", "green", "success, pending, failure, missing"],
  ["--review-status", "APPROVED", "approved, changes_requested, missing"],
  ["--policy-status", "", "allow, deny, unknown"],
])("%s %j is refused with the values there are, and nothing is changed", async (option, value, allowed) => {
  const journal = join(repository.runFolder(), "run-events.jsonl");
  const before = readFileSync(journal);
  const refused = await repository.conveyor(["resume", option, value]);
  expect({ code: refused.code, stdout: refused.stdout }).toEqual({ code: 2, stdout: "" });
  expect(refused.stderr).toContain(option);
  expect(refused.stderr).toContain(allowed);
  expect(readFileSync(journal)).toEqual(before);
});

test("there are 36 combinations, and the last is the one that opens", () => {
  expect(COMBINATIONS).toHaveLength(36);
  expect(COMBINATIONS.filter((signals) => blockedBy(signals).length === 0)).toEqual([COMBINATIONS.at(-1)]);
});

test.each(COMBINATIONS)("policy $policy, ci $ci, review $review", async (signals) => {
  const codes = blockedBy(signals);
  const ended = await repository.resume(toOptions(signals));
  expect(ended.outcome.blocked_reason_codes).toEqual(codes);
  expect({ exit: ended.code, run: ended.outcome.terminal_state }).toEqual(
    codes.length === 0 ? { exit: 0, run: "done" } : { exit: 3, run: "blocked" },
  );
  const decisions = repository.report().gate_decisions;
  expect(decisions.map((decision) => decision.gate)).toEqual(["policy", "ci", "review"]);
  expect(decisions.flatMap((decision) => decision.reason_code ?? [])).toEqual(codes);
  expect(decisions.every((decision) => decision.passed === (decision.reason_code === null))).toBe(true);
});

test("each resume evaluated the gates alone, and the journal verifies", async () => {
  const types = repository.events().map((event) => event.type);
  expect(types.filter((type) => type === "gates_evaluated")).toHaveLength(37);
  for (const once of ["session_started", "trust_read", "delivery_started"]) {
    expect(types.indexOf(once)).toBeLessThan(types.indexOf("run_resumed"));
    expect(types.lastIndexOf(once)).toBeLessThan(types.indexOf("run_resumed"));
  }
  expect((await repository.conveyor(["verify"])).code).toBe(0);
});
