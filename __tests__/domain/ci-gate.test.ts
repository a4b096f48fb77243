import { describe, expect, it } from "vitest";
import { ciFactsSchema, decideCi, requiredChecksSchema, type CiFacts } from "../../src/domain/ci-gate.ts";

const HEAD = "a".repeat(40);
const OTHER = "b".repeat(40);
const FILE = "1".repeat(64);
const WORKFLOW = ".github/workflows/ci.yml";
const ACTIONS = { id: 15_368, slug: "github-actions" };
const REQUIRED = requiredChecksSchema.parse([{ name: "test", app: "github-actions", workflow: WORKFLOW }]);

type Run = CiFacts["check_runs"][number];

const check = (more: Partial<Run> = {}): Run => ({
  id: 1,
  name: "test",
  head_sha: HEAD,
  status: "completed",
  conclusion: "success",
  app: ACTIONS,
  check_suite: { id: 10 },
  ...more,
});

const workflowRun = (more: Partial<CiFacts["workflow_runs"][number]> = {}): CiFacts["workflow_runs"][number] => ({
  id: 100,
  run_attempt: 1,
  path: WORKFLOW,
  head_branch: "feature",
  head_sha: HEAD,
  event: "push",
  status: "completed",
  conclusion: "success",
  check_suite_id: 10,
  actor: null,
  triggering_actor: null,
  repository: { id: 5 },
  head_repository: { id: 5 },
  ...more,
});

/** A commit whose one required check is green, by the workflow file that the trusted branch holds. */
const facts = (more: Partial<CiFacts> = {}): CiFacts =>
  ciFactsSchema.parse({
    head: HEAD,
    repository: { id: 5 },
    check_runs: [check()],
    statuses: [],
    workflow_runs: [workflowRun()],
    jobs: [{ workflow_run: 100, check_run: 1 }],
    workflows: [{ path: WORKFLOW, sha256_at_head: FILE, sha256_at_tip: FILE }],
    ...more,
  });

const second = (more: Partial<Run>): Partial<CiFacts> => ({
  check_runs: [check(), check({ id: 2, ...more })],
  jobs: [
    { workflow_run: 100, check_run: 1 },
    { workflow_run: 100, check_run: 2 },
  ],
});

describe("the ci gate", () => {
  it("passes on a required check that the trusted workflow made and that succeeded", () => {
    expect(decideCi(REQUIRED, facts())).toEqual({
      signal: "success",
      checks: [{ name: "test", signal: "success", why: "succeeded" }],
    });
  });

  it.each([
    ["absent", { check_runs: [] }, "missing", "there is none on this commit"],
    ["of another name", { check_runs: [check({ name: "Test" })] }, "missing", "there is none"],
    ["queued", { check_runs: [check({ status: "queued", conclusion: null })] }, "pending", "is queued"],
    ["running", { check_runs: [check({ status: "in_progress", conclusion: null })] }, "pending", "is in_progress"],
    ["waiting, with a conclusion", { check_runs: [check({ status: "waiting" })] }, "pending", "is waiting"],
    ["failed", { check_runs: [check({ conclusion: "failure" })] }, "failure", "ended with failure"],
    ["timed out", { check_runs: [check({ conclusion: "timed_out" })] }, "failure", "ended with timed_out"],
    ["asking for action", { check_runs: [check({ conclusion: "action_required" })] }, "failure", "action_required"],
    ["not started", { check_runs: [check({ conclusion: "startup_failure" })] }, "failure", "startup_failure"],
    ["skipped", { check_runs: [check({ conclusion: "skipped" })] }, "missing", "ended with skipped"],
    ["neutral", { check_runs: [check({ conclusion: "neutral" })] }, "missing", "ended with neutral"],
    ["cancelled", { check_runs: [check({ conclusion: "cancelled" })] }, "missing", "ended with cancelled"],
    ["stale", { check_runs: [check({ conclusion: "stale" })] }, "missing", "ended with stale"],
    ["of a conclusion nobody knows", { check_runs: [check({ conclusion: "SUCCESS" })] }, "missing", "SUCCESS"],
    ["completed without conclusion", { check_runs: [check({ conclusion: null })] }, "missing", "ended with nothing"],
    ["of another commit", { check_runs: [check({ head_sha: OTHER })] }, "missing", "untrusted-source"],
    ["made by another app", { check_runs: [check({ app: { id: 7, slug: "evil" } })] }, "missing", "untrusted-source"],
    [
      "made by an app that calls itself so",
      { check_runs: [check({ app: { id: 7, slug: "github-actions" } })] },
      "missing",
      "untrusted-source",
    ],
    ["made by nobody", { check_runs: [check({ app: null })] }, "missing", "untrusted-source"],
    [
      "only a status",
      { check_runs: [], statuses: [{ context: "test", state: "success" }] },
      "missing",
      "untrusted-source: there is a commit status",
    ],
    ["made by a token, not by a job", { jobs: [] }, "missing", "untrusted-source: it is the job of no workflow run"],
    [
      "a job of two runs",
      {
        jobs: [
          { workflow_run: 100, check_run: 1 },
          { workflow_run: 101, check_run: 1 },
        ],
      },
      "missing",
      "untrusted-source",
    ],
    [
      "of another workflow",
      { workflow_runs: [workflowRun({ path: ".github/workflows/evil.yml" })] },
      "missing",
      "untrusted-source: it comes from .github/workflows/evil.yml",
    ],
    [
      "of a workflow run on another commit",
      { workflow_runs: [workflowRun({ head_sha: OTHER })] },
      "missing",
      "untrusted-source",
    ],
    [
      "of a workflow run in another repository",
      { workflow_runs: [workflowRun({ repository: { id: 6 } })] },
      "missing",
      "untrusted-source",
    ],
    [
      "of a workflow run for a fork",
      { workflow_runs: [workflowRun({ head_repository: { id: 6 } })] },
      "missing",
      "untrusted-source",
    ],
    [
      "of a workflow run for a fork that is gone",
      { workflow_runs: [workflowRun({ head_repository: null })] },
      "missing",
      "untrusted-source",
    ],
    [
      "of a changed workflow file",
      { workflows: [{ path: WORKFLOW, sha256_at_head: "2".repeat(64), sha256_at_tip: FILE }] },
      "missing",
      "untrusted-source: .github/workflows/ci.yml is not as it is",
    ],
    [
      "of a workflow that is new in the branch",
      { workflows: [{ path: WORKFLOW, sha256_at_head: FILE, sha256_at_tip: null }] },
      "missing",
      "is not on the trusted branch",
    ],
    ["of a workflow that nobody looked at", { workflows: [] }, "missing", "is not on the trusted branch"],
    ["green and failed", second({ conclusion: "failure" }), "failure", "ended with failure"],
    ["green and running", second({ status: "in_progress", conclusion: null }), "pending", "is in_progress"],
    ["green and skipped", second({ conclusion: "skipped" }), "missing", "ended with skipped"],
    [
      "green, and failed elsewhere under the same name",
      { check_runs: [check(), check({ id: 3, conclusion: "failure" })] },
      "failure",
      "untrusted-source",
    ],
  ] as const)("does not pass on one that is %s", (_what, more, signal, why) => {
    const decision = decideCi(REQUIRED, facts(more as unknown as Partial<CiFacts>));
    expect(decision.signal).toBe(signal);
    expect(decision.checks[0]?.why).toContain(why);
  });

  it("takes a path with the ref that GitHub adds to it", () => {
    expect(
      decideCi(REQUIRED, facts({ workflow_runs: [workflowRun({ path: `${WORKFLOW}@refs/heads/x` })] })).signal,
    ).toBe("success");
  });

  it("is missing when nothing is required, and as bad as the worst of what is", () => {
    expect(decideCi([], facts()).signal).toBe("missing");
    const two = requiredChecksSchema.parse([
      { name: "test", app: 15_368, workflow: WORKFLOW },
      { name: "scan", app: "scanner" },
    ]);
    const scan = (conclusion: string): Run =>
      check({ id: 9, name: "scan", app: { id: 77, slug: "scanner" }, conclusion });
    expect(decideCi(two, facts()).signal).toBe("missing");
    expect(decideCi(two, facts({ check_runs: [check(), scan("success")] })).signal).toBe("success");
    expect(decideCi(two, facts({ check_runs: [check(), scan("failure")] })).signal).toBe("failure");
  });

  it.each([
    ["success", "success"],
    ["pending", "pending"],
    ["failure", "failure"],
    ["error", "failure"],
    ["whatever", "missing"],
  ] as const)("reads a commit status only where the policy says so: %s", (state, signal) => {
    const required = requiredChecksSchema.parse([{ name: "ci/jenkins", app: "commit-status" }]);
    expect(decideCi(required, facts({ statuses: [{ context: "ci/jenkins", state }] })).signal).toBe(signal);
    expect(decideCi(required, facts({ statuses: [] })).signal).toBe("missing");
  });

  it.each([
    ["Actions without a workflow", { name: "test", app: "github-actions" }],
    ["another app with a workflow", { name: "test", app: "scanner", workflow: WORKFLOW }],
    ["a workflow elsewhere", { name: "test", app: "github-actions", workflow: "ci.yml" }],
    ["no name", { name: "", app: "scanner" }],
    ["an unknown key", { name: "test", app: "scanner", optional: true }],
  ])("the policy cannot ask for %s", (_what, entry) => {
    expect(requiredChecksSchema.safeParse([entry]).success).toBe(false);
  });
});
