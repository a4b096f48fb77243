import { expect, test } from "vitest";
import { GATES_OPEN, TestRepository } from "../support/conveyor.ts";

test("one item runs, the gates block, a resume with the signals ends done, and verify agrees", async () => {
  const repository = new TestRepository();
  const first = await repository.run();
  expect(first.stderr).toContain("01: passed");
  expect(first.code).toBe(3);
  expect(first.outcome.blocked_reason_codes).toEqual([
    "GATE_POLICY_DENIED_OR_UNKNOWN",
    "GATE_CI_NOT_SUCCESS",
    "GATE_REVIEW_NOT_APPROVED",
  ]);
  const second = await repository.resume(GATES_OPEN);
  expect(second.code).toBe(0);
  expect(second.outcome.terminal_state).toBe("done");
  expect(repository.git("show", `${second.outcome.branch}:out/01.txt`)).toBe("01 done");
  const verified = await repository.conveyor(["verify"]);
  expect(verified.stdout).toContain("agrees with its journal");
  expect(verified.code).toBe(0);
});
