import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { auditLanes, buildPlan, GATES_OPEN, PLAN_PATH, TestRepository, type Row } from "../support/conveyor.ts";
import { forgeRun, type ForgedEvent } from "../support/forgery.ts";
import { once } from "../support/once.ts";

const NOT_APPROVED = { ORCH_APPROVED_MEDIUM: "" };

/** A plan of one item, or of these, with a section `Metadata`. */
function planWith(bullets: readonly string[], rows: readonly Row[] = [{ step_id: "01" }]): Record<string, string> {
  const metadata = ["## Metadata", "", ...bullets.map((bullet) => `- ${bullet}`), "", ""].join("\n");
  return { [PLAN_PATH]: buildPlan(rows).replace("## 2. Items", `${metadata}## 2. Items`) };
}

/** An executor that ends its item at once: that it was started at all is what policy allowed. */
const BLOCKED = `echo '{"status": "blocked"}' > "$ORCH_RESULT_PATH"\n`;

/** A run that nobody has approved, made once: each test goes on with a copy. */
const refusedRun = once(async () => {
  const repository = new TestRepository();
  return { repository, ...(await repository.run(GATES_OPEN, { env: NOT_APPROVED })) };
});

/** One whose work is all done, and whose branch is still to be delivered. */
const undelivered = once(async () => {
  const repository = new TestRepository();
  return { repository, ...(await repository.run(["--deliver", "none", "--simulate-blocked", ...GATES_OPEN])) };
});

interface PolicyReport {
  readonly mode: string;
  readonly policy: {
    readonly decision: string;
    readonly risk: { readonly tier: string; readonly reasons: readonly { readonly text: string }[] };
    readonly approvals: readonly { readonly tier: string; readonly authority: string; readonly counts: boolean }[];
    readonly refusals: readonly { readonly code: string; readonly text: string }[];
  } | null;
}

const policyOf = (repository: TestRepository): PolicyReport => repository.report() as unknown as PolicyReport;
const verifies = async (repository: TestRepository): Promise<void> => {
  const verified = await repository.conveyor(["verify"]);
  expect(verified.stdout + verified.stderr).toContain("agrees with its journal");
};

describe("risk and approvals", () => {
  test("low risk runs without any approval", async () => {
    const repository = new TestRepository({ files: planWith(["Risk-Tier: low"]) });
    const ended = await repository.run(GATES_OPEN, { env: NOT_APPROVED });
    expect(ended.code).toBe(0);
    expect(policyOf(repository)).toMatchObject({ mode: "guarded", policy: { risk: { tier: "low" }, approvals: [] } });
  });

  test("a plan that says nothing of its risk is medium: it waits, and goes on when the next call approves", async () => {
    const { repository: made, ...refused } = await refusedRun();
    const repository = new TestRepository({ copyOf: made });
    expect(refused.code).toBe(3);
    expect(refused.outcome.blocked_reason_codes).toEqual(["RISK_MEDIUM_NOT_APPROVED"]);
    expect(refused.outcome.next_actions[0]?.command).toBe(
      `ORCH_APPROVED_MEDIUM=1 conveyor resume ${refused.outcome.run_id}`,
    );
    expect(repository.events().map(({ type }) => type)).not.toContain("item_started");
    expect(policyOf(repository).policy?.risk.reasons.map(({ text }) => text)).toEqual([
      "no Risk-Tier, and an item changes more than documents",
    ]);
    expect(repository.report().gate_decisions).toEqual([]);
    await verifies(repository);
    // The approval of another tier is none of this one.
    expect((await repository.resume(GATES_OPEN, { env: { ...NOT_APPROVED, ORCH_APPROVED_HIGH: "1" } })).code).toBe(3);
    const ended = await repository.resume(GATES_OPEN);
    expect(ended.code).toBe(0);
    expect(policyOf(repository).policy?.approvals).toEqual([
      { tier: "medium", authority: "environment", approver: null, counts: true, self_approved: false, refused_by: [] },
    ]);
    const markdown = readFileSync(join(repository.runFolder(), "report.md"), "utf8");
    expect(markdown).toContain("medium risk was approved by the environment, which names nobody");
    expect(markdown).toContain("- medium: no Risk-Tier, and an item changes more than documents");
    await verifies(repository);
  });

  test.each([
    ["Risk-Tier: high", "Risk-Tier is high"],
    ["Risk-Tier: grave", "Risk-Tier is none of low, medium and high"],
    ["Tags: auth", 'the tag "auth" is sensitive'],
  ])("%s is high risk, which the approval of medium does not cover", async (bullet, reason) => {
    const repository = new TestRepository({ files: planWith([bullet]), executor: BLOCKED });
    const refused = await repository.run(GATES_OPEN);
    expect(refused.code).toBe(3);
    expect(refused.outcome.blocked_reason_codes).toEqual(["RISK_HIGH_NOT_APPROVED"]);
    expect(policyOf(repository).policy?.risk.reasons.map(({ text }) => text)).toContain(reason);
    expect(repository.events().map(({ type }) => type)).not.toContain("item_started");
    // Such a plan is carried to its end, once, where a protected path is changed.
    const allowed = await repository.resume(GATES_OPEN, { env: { ORCH_APPROVED_HIGH: "1" } });
    expect(allowed.outcome.blocked_reason_codes).toEqual(["ITEM_BLOCKED_EXTERNAL"]);
  });

  test("only the value 1 approves", async () => {
    const repository = new TestRepository();
    const refused = await repository.run([], { env: { ORCH_APPROVED_MEDIUM: "true" } });
    expect(refused.outcome.blocked_reason_codes).toEqual(["RISK_MEDIUM_NOT_APPROVED"]);
  });

  test("an approval from the environment does not count where an identity is required, and is recorded", async () => {
    const repository = new TestRepository({ configLines: ["policy: {require-github-identity: true}"] });
    const refused = await repository.run(GATES_OPEN);
    expect(refused.code).toBe(3);
    expect(refused.outcome.blocked_reason_codes).toEqual(["RISK_MEDIUM_NOT_APPROVED"]);
    expect(policyOf(repository).policy?.approvals).toEqual([
      {
        tier: "medium",
        authority: "environment",
        approver: null,
        counts: false,
        self_approved: false,
        refused_by: ["identity-not-proven"],
      },
    ]);
    expect(refused.outcome.next_actions[0]).toMatchObject({ command: null });
    expect(refused.outcome.next_actions[0]?.what).toContain("policy.require-github-identity is on");
  });

  test("policy is decided again before delivery: an approval that is taken away meanwhile delivers nothing", async () => {
    const { repository: made, ...first } = await undelivered();
    const repository = new TestRepository({ copyOf: made });
    expect(first.outcome.blocked_reason_codes).toEqual(["BLOCK_SIMULATED"]);
    const refused = await repository.resume(["--deliver", "branch", ...GATES_OPEN], { env: NOT_APPROVED });
    expect(refused.code).toBe(3);
    expect(refused.outcome.blocked_reason_codes).toEqual(["RISK_MEDIUM_NOT_APPROVED"]);
    expect(repository.git("branch", "--list", "conveyor/*")).toBe("");
    await verifies(repository);
    expect((await repository.resume(["--deliver", "branch", ...GATES_OPEN])).code).toBe(0);
    expect(repository.git("branch", "--list", "conveyor/*")).not.toBe("");
  });

  test.each([
    ["Status: blocked", "Status is blocked"],
    ["Security-Approval: pending", "Security-Approval is pending"],
  ])("a plan with %s does not run, whoever approves", async (bullet, text) => {
    const repository = new TestRepository({ files: planWith(["Risk-Tier: low", bullet]) });
    const refused = await repository.run(GATES_OPEN, { env: { ORCH_APPROVED_HIGH: "1" } });
    expect(refused.code).toBe(3);
    expect(refused.outcome.blocked_reason_codes).toEqual(["PLAN_MARKED_BLOCKED"]);
    expect(policyOf(repository).policy?.refusals).toEqual([{ code: "PLAN_MARKED_BLOCKED", text }]);
    expect(refused.outcome.next_actions[0]?.command).toBe(
      `conveyor run "$(git rev-parse --show-toplevel)"/${PLAN_PATH}`,
    );
  });
});

describe("modes", () => {
  const FULL = { ORCH_ALLOW_FULL_AUTONOMY: "1" };

  /** A run in full mode that waits at its gates, whose executor writes what it was told. */
  const fullRun = once(async () => {
    const repository = new TestRepository({
      config: [
        "version: 1",
        `executor: {use: command, command: [bash, tools/executor.sh, "{mode}-{risk_tier}"]}`,
        auditLanes(),
        "policy: {mode: full}",
        "",
      ].join("\n"),
      executor: 'mkdir -p out && echo "$ORCH_MODE $ORCH_RISK_TIER $1" > out/01.txt',
    });
    return { repository, ...(await repository.run([], { env: FULL })) };
  });

  test("full mode needs the environment's permission at every call, and the same approvals", async () => {
    const repository = new TestRepository({ executor: BLOCKED });
    const refused = await repository.run(["--mode", "full"], { env: NOT_APPROVED });
    expect(refused.outcome.blocked_reason_codes).toEqual(["RISK_MEDIUM_NOT_APPROVED", "MODE_FULL_NOT_ALLOWED"]);
    expect(refused.outcome.next_actions[0]?.command).toMatch(
      /^ORCH_APPROVED_MEDIUM=1 ORCH_ALLOW_FULL_AUTONOMY=1 conveyor resume /,
    );
    expect((await repository.resume()).outcome.blocked_reason_codes).toEqual(["MODE_FULL_NOT_ALLOWED"]);
    const allowed = await repository.resume(GATES_OPEN, { env: FULL });
    expect(allowed.outcome.blocked_reason_codes).toEqual(["ITEM_BLOCKED_EXTERNAL"]);
    expect(policyOf(repository).mode).toBe("full");
  });

  test("the mode comes from the configuration, from the journal on resume, and is refused there when different", async () => {
    const { repository: made, outcome } = await fullRun();
    const repository = new TestRepository({ copyOf: made });
    expect(outcome.blocked_reason_codes).toContain("GATE_CI_NOT_SUCCESS");
    expect(repository.report()).toMatchObject({
      mode: "full",
      options: { mode: { value: "full", source: "configuration" } },
    });
    const journal = join(repository.runFolder(), "run-events.jsonl");
    const before = readFileSync(journal);
    const other = await repository.conveyor(["resume", "--mode", "guarded"]);
    expect({ code: other.code, stdout: other.stdout }).toEqual({ code: 2, stdout: "" });
    expect(other.stderr).toContain("the run was started in full mode");
    expect(readFileSync(journal)).toEqual(before);
    expect((await repository.resume(["--mode", "full", ...GATES_OPEN], { env: FULL })).code).toBe(0);
  });

  test("a mode that does not exist is refused", async () => {
    const ended = await new TestRepository().conveyor(["run", PLAN_PATH, "--mode", "wild"]);
    expect(ended.code).toBe(2);
    expect(ended.stderr).toContain("guarded, full");
  });

  test.each([
    ["guarded", "full"],
    ["full", "guarded"],
  ])("a plan that allows %s mode alone does not run in %s", async (allowed, mode) => {
    const repository = new TestRepository({ files: planWith(["Risk-Tier: low", `Autonomy-Allowed: ${allowed}`]) });
    const refused = await repository.run(["--mode", mode], { env: FULL });
    expect(refused.code).toBe(3);
    expect(refused.outcome.blocked_reason_codes).toEqual(["AUTONOMY_NOT_ALLOWED"]);
  });

  test("programs are told mode and risk, and placeholders carry the same", async () => {
    const { repository, outcome } = await fullRun();
    expect(repository.git("show", `${outcome.branch}:out/01.txt`)).toBe("full medium full-medium");
  });

  test("a dry run shows mode and risk and starts nothing", async () => {
    const repository = new TestRepository();
    const shown = await repository.conveyor(["run", PLAN_PATH, "--dry-run", "--format", "json"], { env: NOT_APPROVED });
    expect(JSON.parse(shown.stdout)).toMatchObject({ mode: "guarded", risk: { tier: "medium" }, manager: null });
    expect(repository.runFolders()).toEqual([]);
  });
});

describe("protected and sensitive paths", () => {
  const ROWS: readonly Row[] = [{ step_id: "01", allowed_write_roots: "out; AGENTS.md", deliverable: "AGENTS.md" }];
  const WRITE = 'mkdir -p out && echo "$ORCH_ITEM_ID" > out/01.txt && echo "rule" >> AGENTS.md\n';
  const HIGH = { ORCH_APPROVED_HIGH: "1" };

  test("an item that lists a protected path may change it when high risk is approved, and verify judges it so", async () => {
    const repository = new TestRepository({ rows: ROWS, executor: WRITE });
    const refused = await repository.run(GATES_OPEN);
    expect(refused.outcome.blocked_reason_codes).toEqual(["RISK_HIGH_NOT_APPROVED"]);
    const ended = await repository.resume(GATES_OPEN, { env: HIGH });
    expect(ended.code).toBe(0);
    expect(repository.git("show", `${ended.outcome.branch}:AGENTS.md`)).toBe("rule");
    await verifies(repository);
    // The same candidate without the approval that stood behind it is a candidate that was never allowed.
    const forged = forgeRun(repository.runFolder(), (events) => events.map(withoutHighApproval));
    expect(forged).toBe(false);
  });

  test("a protected path that the item does not list stays closed, whoever approved", async () => {
    const repository = new TestRepository({
      rows: ROWS,
      executor: `${WRITE}echo x > CLAUDE.md\n`,
      configLines: ["limits: {fix-rounds: 0, remediation-rounds: 0}"],
    });
    const ended = await repository.run(GATES_OPEN, { env: HIGH });
    expect(ended.code).toBe(1);
    expect(repository.report().items[0]?.attempts[0]?.candidates[0]?.violations).toEqual(
      expect.arrayContaining([expect.objectContaining({ code: "PROTECTED_PATH_CHANGED", path: "CLAUDE.md" })]),
    );
    expect(repository.report().items[0]?.attempts[0]?.candidates[0]?.violations).not.toEqual(
      expect.arrayContaining([expect.objectContaining({ path: "AGENTS.md" })]),
    );
  });

  test("a sensitive path is out of scope for a plan that is not of high risk", async () => {
    const repository = new TestRepository({
      executor: "mkdir -p out/auth && echo done > out/01.txt && echo x > out/auth/login.txt\n",
      configLines: ["limits: {fix-rounds: 0, remediation-rounds: 0}", 'policy: {sensitive-paths: ["**/auth/**"]}'],
    });
    const ended = await repository.run(GATES_OPEN);
    expect(ended.code).toBe(1);
    expect(ended.outcome.blocked_reason_codes).toContain("SCOPE_VIOLATION");
    expect(repository.report().items[0]?.attempts[0]?.candidates[0]?.violations).toEqual([
      {
        code: "SCOPE_VIOLATION",
        path: "out/auth/login.txt",
        detail: "lies in a sensitive path, which a plan of medium risk may not change",
      },
    ]);
    await verifies(repository);
  });

  test("a plan that lists the sensitive path is of high risk and may change it when that is approved", async () => {
    const repository = new TestRepository({
      rows: [
        {
          step_id: "01",
          allowed_write_roots: "out/auth",
          deliverable: "out/auth/01.txt",
          required_verification_commands: "test -s out/auth/01.txt",
        },
      ],
      executor: "mkdir -p out/auth && echo done > out/auth/01.txt\n",
      configLines: ['policy: {sensitive-paths: ["**/auth/**"]}'],
    });
    expect((await repository.run(GATES_OPEN)).outcome.blocked_reason_codes).toEqual(["RISK_HIGH_NOT_APPROVED"]);
    expect((await repository.resume(GATES_OPEN, { env: HIGH })).code).toBe(0);
  });
});

describe("the journal", () => {
  test("an approval that is written into a run that was refused is found: verify derives the decision again", async () => {
    const repository = new TestRepository({ copyOf: (await refusedRun()).repository });
    const folder = repository.runFolder();
    expect(forgeRun(folder, (events) => events.map(asAllowed))).toBe(true);
    const verified = await repository.conveyor(["verify"]);
    expect(verified.code).toBe(1);
    expect(verified.stdout).toContain("the run stopped otherwise than its state gives");
  });

  test("--simulate-blocked: all gates are evaluated and pass, the run is blocked, the next call ends it", async () => {
    const { repository: made, ...blocked } = await undelivered();
    const repository = new TestRepository({ copyOf: made });
    expect({ code: blocked.code, state: blocked.outcome.terminal_state }).toEqual({ code: 3, state: "blocked" });
    expect(blocked.outcome.blocked_reason_codes).toEqual(["BLOCK_SIMULATED"]);
    expect(repository.report().gate_decisions.map(({ passed }) => passed)).toEqual([true, true, true]);
    expect(blocked.outcome.next_actions[0]?.command).toBe(
      `conveyor resume ${blocked.outcome.run_id} --policy-status allow --ci-status success --review-status approved`,
    );
    await verifies(repository);
    const both = await repository.resume(["--simulate-blocked"]);
    expect(both.outcome.blocked_reason_codes).toEqual([
      "GATE_POLICY_DENIED_OR_UNKNOWN",
      "GATE_CI_NOT_SUCCESS",
      "GATE_REVIEW_NOT_APPROVED",
      "BLOCK_SIMULATED",
    ]);
    expect((await repository.resume(["--deliver", "branch", ...GATES_OPEN])).code).toBe(0);
    await verifies(repository);
    expect(existsSync(join(repository.path, "out"))).toBe(false);
  });
});

function withoutHighApproval(event: ForgedEvent): ForgedEvent {
  if (event.type !== "trust_read") return event;
  return { ...event, details: { ...event.details, approvals: [] } };
}

function asAllowed(event: ForgedEvent): ForgedEvent {
  if (event.type !== "trust_read") return event;
  return { ...event, details: { ...event.details, approvals: [{ authority: "environment", tier: "medium" }] } };
}
