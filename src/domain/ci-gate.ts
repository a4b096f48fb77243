import { z } from "zod";
import type { CI_SIGNALS } from "./signals.ts";
import { ciCheckRunSchema, commitStatusSchema, digest, id, sha, workflowRunAnswerSchema } from "./github-answers.ts";

/** GitHub Actions' own app; any workflow can make a check run of any name under it. */
const ACTIONS = "github-actions";
const ACTIONS_ID = 15_368;

/** Word in the place of an app for a commit status, which whoever may write can set. */
const COMMIT_STATUS = "commit-status";

const requiredCheckSchema = z
  .strictObject({
    name: z.string().min(1, "expected the name of a check, for example test"),
    /** Slug or number of the app that makes it; `commit-status` for a status. */
    app: z.union([z.string().min(1), z.int().positive()], {
      error: "expected the slug or number of an app, for example github-actions",
    }),
    workflow: z
      .string()
      .regex(/^\.github\/workflows\/[^/]+\.ya?ml$/, "expected a workflow file, for example .github/workflows/ci.yml")
      .optional(),
  })
  .refine(({ app, workflow }) => isActions(app) === (workflow !== undefined), {
    path: ["workflow"],
    message: "expected a workflow with app: github-actions, and with no other app",
  });
/** A check that must have succeeded on the delivered commit. */
export type RequiredCheck = z.infer<typeof requiredCheckSchema>;

/** `policy.required-checks`. */
export const requiredChecksSchema = z.array(requiredCheckSchema).max(50).default([]);

/** What was fetched about the checks of one commit. Lists are whole. */
export const ciFactsSchema = z.strictObject({
  /** The commit that they are of. */
  head: sha,
  repository: z.object({ id }),
  check_runs: z.array(ciCheckRunSchema),
  statuses: z.array(commitStatusSchema),
  workflow_runs: z.array(workflowRunAnswerSchema),
  /** Which check runs are jobs of which workflow run: others were made by somebody's token. */
  jobs: z.array(z.strictObject({ workflow_run: id, check_run: id })),
  /** Digests of the required workflow files at the commit and at the trust ref's tip; null where there is none. */
  workflows: z.array(
    z.strictObject({ path: z.string(), sha256_at_head: digest.nullable(), sha256_at_tip: digest.nullable() }),
  ),
});
export type CiFacts = z.infer<typeof ciFactsSchema>;

type CiSignal = (typeof CI_SIGNALS)[number];

/** What the ci gate is to be told, and why. */
export interface CiDecision {
  readonly signal: CiSignal;
  /** Each required check and what became of it, in the policy's order. */
  readonly checks: readonly JudgedCheck[];
}

export interface JudgedCheck {
  readonly name: string;
  readonly signal: CiSignal;
  readonly why: string;
}

/** From best to worst: of several, the worst counts. */
const ORDER: readonly CiSignal[] = ["success", "pending", "missing", "failure"];

/**
 * Decides whether CI is green on exactly one commit: every required check, by name, app and, for GitHub Actions, the
 * workflow file that the trust ref's tip holds, must have completed with success; of several of one name the worst
 * counts. Absent, skipped, neutral, cancelled and stale are not success. Nothing required is `missing`.
 */
export function decideCi(required: readonly RequiredCheck[], facts: CiFacts): CiDecision {
  const checks = required.map((check) => ({ name: check.name, ...judgeCheck(check, facts) }));
  return { signal: checks.length === 0 ? "missing" : worst(checks.map(({ signal }) => signal)), checks };
}

type Verdict = Omit<JudgedCheck, "name">;

function judgeCheck(check: RequiredCheck, facts: CiFacts): Verdict {
  if (check.app === COMMIT_STATUS) return judgeStatus(check.name, facts);
  const runs = facts.check_runs.filter(
    (run) => run.name === check.name && run.head_sha === facts.head && isOf(run.app, check.app),
  );
  if (runs.length === 0) {
    const other = facts.check_runs.some(({ name }) => name === check.name)
      ? ` (untrusted-source: another app than ${check.app} made one of that name)`
      : facts.statuses.some(({ context }) => context === check.name)
        ? " (untrusted-source: there is a commit status of that name)"
        : "";
    return { signal: "missing", why: `there is none on this commit${other}` };
  }
  const judged = runs.map((run) => judgeRun(run, check, facts));
  // A check of this name that somebody else made cannot stand in for the one that is asked for, but it can fail.
  const own = judged.filter(({ trusted }) => trusted);
  const foreign = judged.filter(({ trusted, signal }) => !trusted && signal !== "success");
  if (own.length === 0) return { signal: "missing", why: judged[0]?.why ?? "" };
  const all = [...own, ...foreign];
  const signal = worst(all.map((each) => each.signal));
  return { signal, why: all.find((each) => each.signal === signal)?.why ?? "" };
}

function judgeRun(
  run: CiFacts["check_runs"][number],
  { workflow }: RequiredCheck,
  facts: CiFacts,
): Verdict & { readonly trusted: boolean } {
  const outcome = judgeOutcome(run);
  if (workflow === undefined) return { ...outcome, trusted: true };
  const why = whyUntrusted(run, workflow, facts);
  if (why === undefined) return { ...outcome, trusted: true };
  return { ...outcome, trusted: false, why: `untrusted-source: ${why}` };
}

function judgeOutcome({ status, conclusion }: CiFacts["check_runs"][number]): Verdict {
  if (status !== "completed") return { signal: "pending", why: `is ${status}` };
  switch (conclusion) {
    case "success":
      return { signal: "success", why: "succeeded" };
    case "failure":
    case "timed_out":
    case "startup_failure":
    case "action_required":
      return { signal: "failure", why: `ended with ${conclusion}` };
    default:
      return { signal: "missing", why: `ended with ${conclusion ?? "nothing"}, which is not success` };
  }
}

/** A check run of GitHub Actions says nothing of the file it comes from: its job and that job's workflow run do. */
function whyUntrusted(run: CiFacts["check_runs"][number], workflow: string, facts: CiFacts): string | undefined {
  const runIds = facts.jobs.filter(({ check_run: made }) => made === run.id).map((job) => job.workflow_run);
  const [workflowRun] = facts.workflow_runs.filter((each) => runIds.includes(each.id));
  if (runIds.length !== 1 || workflowRun === undefined) return "it is the job of no workflow run that is known";
  if (workflowRun.head_sha !== facts.head) return "its workflow ran on another commit";
  if (workflowRun.repository.id !== facts.repository.id || workflowRun.head_repository?.id !== facts.repository.id)
    return "its workflow ran in or for another repository";
  const path = workflowRun.path.replace(/@.*$/, "");
  if (path !== workflow) return `it comes from ${path}, expected ${workflow}`;
  const file = facts.workflows.find((each) => each.path === workflow);
  if (file === undefined || file.sha256_at_tip === null) return `${workflow} is not on the trusted branch`;
  return file.sha256_at_head === file.sha256_at_tip
    ? undefined
    : `${workflow} is not as it is on the trusted branch; bring the branch up to date, or have the file changed there first`;
}

function judgeStatus(name: string, { statuses }: CiFacts): Verdict {
  const found = statuses.filter(({ context }) => context === name);
  if (found.length === 0) return { signal: "missing", why: "there is no such status on this commit" };
  const signals = found.map(({ state }): CiSignal => {
    if (state === "success" || state === "pending") return state;
    return state === "failure" || state === "error" ? "failure" : "missing";
  });
  const signal = worst(signals);
  return { signal, why: `the status is ${found[signals.indexOf(signal)]?.state ?? "unknown"}` };
}

function isOf(app: { readonly id: number; readonly slug?: string | undefined } | null, wanted: string | number) {
  if (app === null) return false;
  if (isActions(wanted)) return app.id === ACTIONS_ID;
  return typeof wanted === "number" ? app.id === wanted : app.slug === wanted;
}

function isActions(app: string | number): boolean {
  return app === ACTIONS || app === ACTIONS_ID;
}

function worst(signals: readonly CiSignal[]): CiSignal {
  return ORDER.findLast((signal) => signals.includes(signal)) ?? "missing";
}
