import type { ApprovalFacts } from "../../src/domain/approval-facts.ts";
import type { GithubCheckRun, GithubUser } from "../../src/domain/github-answers.ts";
import { approvalFactsSchema } from "../../src/domain/approval-facts.ts";
import { buildCallCase, buildCase, type ApprovalCase } from "../../src/domain/approval-case.ts";
import { buildBinding, type Gesture } from "../../src/domain/approval-gesture.ts";
import { listGestures } from "../../src/domain/approval-gestures.ts";
import {
  APPROVAL_RULES,
  decideApproval,
  type ApprovalDecision,
  type ApprovalRules,
} from "../../src/domain/approvals.ts";
import { configSchema, policyDigest } from "../../src/domain/config.ts";

export const ZERO = "0".repeat(40);
export const OLD = "a".repeat(40);
export const HEAD = "b".repeat(40);
const BASE = "c".repeat(40);
const PLAN = "1".repeat(64);
export const OTHER = "2".repeat(64);
const APP = 900;

/** The people of the stories; each has the permission that the name says unless something else is said. */
export const PEOPLE = {
  admin: [1, "admin", "admin"],
  maintain: [2, "write", "maintain"],
  write: [3, "write", "write"],
  triage: [4, "read", "triage"],
  read: [5, "read", "read"],
  none: [6, null, ""],
  author: [7, "write", "maintain"],
  committer: [8, "write", "maintain"],
  coAuthor: [9, "write", "maintain"],
  pusher: [10, "write", "maintain"],
  machine: [11, "write", "maintain"],
  second: [12, "write", "maintain"],
  custom: [13, "write", "release-captain"],
  bot: [14, "write", "maintain"],
} as const;
export type Person = keyof typeof PEOPLE;

export function user(person: Person): NonNullable<GithubUser> {
  return { id: PEOPLE[person][0], login: person, type: person === "bot" ? "Bot" : "User" };
}

/** A time on the day of the stories: push at 12:00:00, check at 12:01:00, gesture at 12:05:00, question at 12:10:00. */
export const at = (time: string): string => `2026-03-25T${time}Z`;

interface Start {
  readonly kind?: ApprovalFacts["kind"];
  readonly risk?: ApprovalFacts["risk"];
  readonly policy?: object;
}

const parsed = new Map<string, ApprovalFacts>();

/** A pull request with everything in order, a check shown, and nobody's approval. */
export function buildFacts({ kind = "plan", risk = "high", policy = {} }: Start = {}): ApprovalFacts {
  const key = JSON.stringify({ kind, risk, policy });
  const facts = structuredClone(parsed.get(key) ?? parseFacts({ kind, risk, policy }));
  if (!parsed.has(key)) parsed.set(key, structuredClone(facts));
  show(facts);
  return facts;
}

function parseFacts({ kind, risk, policy }: Required<Start>): ApprovalFacts {
  return approvalFactsSchema.parse({
    schema_version: "conveyor.approval_facts.v1",
    kind,
    asked_at: at("12:10:00"),
    fetched_at: at("12:09:58"),
    triggered_at: at("12:09:55"),
    risk,
    plan: {
      path: "docs/exec-plans/active/plan.md",
      sha256_at_head: PLAN,
      sha256_at_tip: kind === "plan" ? null : PLAN,
    },
    config: { version: 1, policy: { "machine-users": ["Machine"], ...policy } },
    base_ref: "main",
    repository: { id: 500 },
    installation: { app_id: APP, suspended_at: null },
    pull_request: {
      number: 42,
      state: "open",
      draft: kind === "manual_gate",
      merged_at: null,
      user: user("author"),
      commits: 1,
      head: { sha: HEAD, repo: { id: 500 } },
      base: { ref: "main", repo: { id: 500 } },
      labels: [],
    },
    sealing_pulls: null,
    commits: [
      {
        sha: HEAD,
        commit: {
          message: "Propose a plan\n\nCo-authored-by: C <9+coAuthor@users.noreply.github.com>",
          author: { email: "author@example.com" },
          committer: { email: "committer@example.com" },
        },
        author: user("author"),
        committer: user("committer"),
      },
    ],
    plan_commits: [],
    identities: [],
    compare: { merge_base_commit: { sha: BASE } },
    reviews: [],
    timeline: [{ event: "committed" }],
    check_runs: [],
    comments: [],
    pushes: [{ before: ZERO, after: HEAD, actor: user("pusher"), timestamp: at("12:00:00") }],
    workflow_runs: [],
    permissions: Object.entries(PEOPLE).map(([login, [id, permission, role]]) => ({
      login,
      answered_at: at("12:09:58"),
      answer:
        permission === null
          ? null
          : { permission, role_name: role, user: { id, login, type: user(login as Person).type } },
    })),
    memberships: [],
    deliveries: [],
  });
}

export interface Shown {
  readonly head?: string;
  readonly time?: string;
  readonly plan?: string;
  readonly policy?: string;
  readonly risk?: string;
  readonly app?: number | null;
}

/** The App completes a check run that says what it saw. */
export function show(facts: ApprovalFacts, said: Shown = {}): GithubCheckRun {
  const block = {
    repo_id: facts.repository.id,
    pr: facts.pull_request.number,
    head_sha: said.head ?? HEAD,
    plan_sha256: said.plan ?? PLAN,
    policy_sha256: said.policy ?? policyDigest(facts.config),
  };
  const text = JSON.stringify({ ...block, risk: said.risk ?? facts.risk, merge_base_sha: BASE });
  const run = {
    id: 100 + facts.check_runs.length,
    head_sha: block.head_sha,
    external_id: buildBinding(block),
    status: "completed",
    completed_at: at(said.time ?? "12:01:00"),
    app: said.app === null ? null : { id: said.app ?? APP },
    output: { text: `Plan and risk:\n\n\`\`\`json\n${text}\n\`\`\`\n` },
  };
  facts.check_runs.push(run);
  return run;
}

export interface Given {
  readonly by?: GithubUser;
  readonly time?: string;
  readonly head?: string | null;
  readonly viaApp?: boolean;
}

let made = 0;

export const GESTURES = {
  label: (facts: ApprovalFacts, { by = user("maintain"), time = "12:05:00", viaApp = false }: Given = {}): void => {
    const label = { name: "conveyor:approve-high" };
    facts.pull_request.labels.push(label);
    facts.timeline.push({
      event: "labeled",
      id: (made += 1),
      actor: by,
      created_at: at(time),
      label,
      performed_via_github_app: viaApp ? { id: 901 } : null,
    });
  },
  review: (facts: ApprovalFacts, { by = user("maintain"), time = "12:05:00", head = HEAD }: Given = {}): number => {
    facts.reviews.push({ id: (made += 1), user: by, state: "APPROVED", commit_id: head, submitted_at: at(time) });
    return made;
  },
  button: (
    facts: ApprovalFacts,
    { by = user("maintain"), time = "12:05:00", head = HEAD, id }: Given & { id?: string } = {},
  ): void => {
    const run = facts.check_runs.find((each) => each.head_sha === head);
    facts.deliveries.push({
      guid: `guid-${(made += 1)}`,
      received_at: at(time),
      event: "check_run",
      payload: {
        action: "requested_action",
        requested_action: {
          identifier: id ?? (facts.kind === "manual_gate" ? "approve_gate" : `approve_${facts.risk}`),
        },
        check_run: {
          id: run?.id ?? 1,
          head_sha: head ?? "f".repeat(40),
          external_id: run?.external_id ?? null,
          app: run?.app ?? { id: APP },
        },
        sender: by,
      },
    });
  },
  comment: (
    facts: ApprovalFacts,
    { by = user("maintain"), time = "12:05:00", viaApp = false, body }: Given & { body?: string } = {},
  ): void => {
    const shown = facts.check_runs.findLast((run) => run.completed_at !== null && run.completed_at <= at(time));
    const digest = (shown ?? facts.check_runs[0])?.external_id?.slice(3) ?? "";
    facts.comments.push({
      id: (made += 1),
      user: by,
      body: body ?? `/conveyor approve ${digest}`,
      created_at: at(time),
      updated_at: at(time),
      performed_via_github_app: viaApp ? { id: 901 } : null,
    });
  },
} as const;

/** The pull request is merged, and its plan is the one that the trust ref holds. */
export function seal(facts: ApprovalFacts, time = "12:06:00"): void {
  facts.pull_request.state = "closed";
  facts.pull_request.merged_at = at(time);
  facts.plan.sha256_at_tip = PLAN;
  facts.sealing_pulls = [{ number: 42, merged_at: at(time), base: { ref: "main" }, plan_sha256_at_head: PLAN }];
  facts.timeline.push({ event: "closed", actor: user("maintain"), created_at: at(time) });
}

/** A question about approvals, and every gesture that might answer it. */
export interface Question {
  readonly asked: ApprovalCase;
  readonly gestures: readonly Gesture[];
}

export function ask(facts: ApprovalFacts): Question {
  const asked = buildCase(facts);
  return { asked, gestures: listGestures(asked) };
}

export function answer({ asked, gestures }: Question, rules: ApprovalRules = APPROVAL_RULES): ApprovalDecision {
  return decideApproval(asked, gestures, rules);
}

export function decide(facts: ApprovalFacts): ApprovalDecision {
  return answer(ask(facts));
}

/** A question that nobody took to GitHub. */
export function askCall(
  kind: ApprovalCase["kind"],
  risk: ApprovalCase["risk"],
  policy: object,
  ...gestures: Gesture[]
): Question {
  const config = configSchema.parse({ version: 1, policy });
  const given = { kind, risk, policy: config.policy, planSha256: PLAN, policySha256: policyDigest(config), now: 0 };
  return { asked: buildCallCase(given), gestures };
}

/** What refused, each rule once; `approved` and the like when nothing did. */
export function wordsOf(decision: ApprovalDecision): readonly string[] {
  if (decision.reasonCode === null || decision.verdict === "rejected") return [decision.verdict];
  const each = decision.judged.flatMap(({ refusals }) => refusals.map(({ rule }) => rule));
  const together = decision.refusals.map(({ rule }) => rule);
  const words = [...new Set([...each, ...together])];
  // That too few are left is said only when it is the whole story.
  return (words.length > 1 ? words.filter((word) => word !== "too-few-approvals") : words).sort();
}
