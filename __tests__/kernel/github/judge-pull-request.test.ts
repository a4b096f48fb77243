import { afterEach, beforeAll, describe, expect, it } from "vitest";
import { defaultConfig, parseConfig, policyDigest } from "../../../src/domain/config.ts";
import { DEFAULT_CONFIG_PATH } from "../../../src/domain/run-choices.ts";
import { judgePullRequest, type JudgedPull } from "../../../src/kernel/github/judge-pull-request.ts";
import { readApprovalFacts } from "../../../src/kernel/github/read-approval-facts.ts";
import { renderGateTree } from "../../../src/render/gate-text.ts";
import { PLAN_PATH } from "../../support/conveyor.ts";
import { connect } from "../../support/github/connect.ts";
import { app } from "../../support/github/github.ts";
import type { Fault } from "../../support/github/server.ts";
import { secondsAgo, type EmulatedPull } from "../../support/github/state.ts";
import { CI_WORKFLOW, PlanStory } from "../../support/github/story.ts";

interface Delivery {
  readonly story: PlanStory;
  readonly pull: EmulatedPull;
  readonly head: string;
}

/** A pull request with one commit that carries out an approved plan, reviewed and green unless a test says otherwise. */
async function deliver(
  options: { readonly edit?: Record<string, string>; readonly green?: boolean } = {},
): Promise<Delivery> {
  const story = (await PlanStory.propose()).approve();
  const { repository, github } = story;
  repository.git("checkout", "--quiet", "-b", "work");
  repository.write({ "out/01.txt": "done\n", ...options.edit });
  const head = repository.commit("do it");
  repository.git("checkout", "--quiet", "main");
  github.push("work", repository.path, head, story.bot, secondsAgo(90));
  const pull = github.openPull({ headRef: "work", user: story.bot });
  if (options.green !== false) {
    github.review(pull, story.maintainer, "APPROVED", { at: secondsAgo(30) });
    story.passCi(head);
  }
  return { story, pull, head };
}

async function judge(
  { story, pull }: Pick<Delivery, "story" | "pull">,
  more: Partial<Parameters<typeof judgePullRequest>[2]> = {},
): Promise<{ readonly judged: JudgedPull | string; readonly signals: string; readonly text: string }> {
  const { github, clock } = await connect(story.github, { requestMs: 2000 });
  const result = await judgePullRequest(github, clock, {
    pull: pull.number,
    head: undefined,
    planPath: PLAN_PATH,
    mode: "guarded",
    paused: false,
    repositoryId: undefined,
    ...more,
  });
  if (!result.ok) return { judged: result.error, signals: "none", text: result.error };
  const { decisions, head } = result.value;
  return {
    judged: result.value,
    signals: decisions.map(({ signal }) => signal).join(" "),
    text: renderGateTree(head, decisions),
  };
}

const OPEN = "allow success approved";

let passing: Delivery;
let restore: () => void = () => undefined;

beforeAll(async () => {
  passing = await deliver();
  restore = passing.story.github.save();
});

afterEach(() => restore());

describe("the gates of a pull request, judged from GitHub alone", () => {
  it("pass when the plan was approved, the required check is green, and somebody else approved this head", async () => {
    const delivery = passing;
    const { judged, signals, text } = await judge(delivery);
    expect(signals).toBe(OPEN);
    expect(judged).toMatchObject({ passed: true, head: delivery.head, planPath: PLAN_PATH });
    expect(text).toContain(`done: all three gates pass for ${delivery.head}`);
    expect(text).toContain("medium risk, approved by maintainer");
    // Within the budget of one evaluation, nothing is asked for twice as often as it must be.
    expect(delivery.story.github.requests.length).toBeLessThan(60);
    // S-03: policy and plan are read at the trusted branch's tip, never at the head.
    const tip = delivery.story.github.bare.tip("main") ?? "";
    const configs = delivery.story.github.requests.filter(({ path }) => path.includes("conveyor.yml"));
    expect(configs.some(({ path }) => path.includes(tip))).toBe(true);
    expect(configs.filter(({ path }) => path.includes(delivery.head))).toEqual([]);
    // By its name the branch may be another commit's a moment later.
    const compared = delivery.story.github.requests.filter(({ path }) => path.includes("/compare/"));
    expect(compared.filter(({ path }) => path.includes("/compare/main"))).toEqual([]);
    expect(compared.length).toBeGreaterThan(1);
  });

  it("explain as a tree what is missing", async () => {
    const { text } = await judge(await deliver({ green: false }));
    expect(text).toMatch(/^blocked: ci, review for /);
    expect(text).toContain("closed  ci: missing (GATE_CI_NOT_SUCCESS)\n          test there is none on this commit");
    expect(text).toContain("closed  review: missing (GATE_REVIEW_NOT_APPROVED)");
    expect(text).toContain("approvals by 0 of 1 different people");
  });

  /** What an attacker, or bad luck, does to a pull request that would pass. */
  const ATTACKS: readonly [what: string, act: (delivery: Delivery) => void, signals: string, why: string][] = [
    // S-34, S-35
    [
      "the review is by a bot",
      ({ story, pull }) => {
        story.github.state.reviews.length = 1;
        story.github.review(pull, story.bot, "APPROVED", { at: secondsAgo(30) });
      },
      "allow success missing",
      "not-human",
    ],
    [
      "the review is by somebody who may only triage",
      ({ story }) => {
        Object.assign(story.maintainer, { permission: "read", roleName: "triage" });
      },
      "deny success missing",
      "approver-not-authorised",
    ],
    // S-39
    [
      "the approver lost the permission",
      ({ story }) => {
        Object.assign(story.maintainer, { permission: "none", roleName: "" });
      },
      "deny success missing",
      "approver-not-authorised",
    ],
    [
      "the approver left",
      ({ story }) => {
        story.github.state.users.splice(story.github.state.users.indexOf(story.maintainer), 1);
      },
      "deny success missing",
      "approver-not-authorised",
    ],
    // S-34: a login that somebody else has now.
    [
      "the approver's login is another account's now",
      ({ story }) => {
        story.github.state.users.splice(story.github.state.users.indexOf(story.maintainer), 1);
        story.github.addUser("maintainer", "maintain");
      },
      "deny success missing",
      "approver-is-another-account",
    ],
    // S-36
    [
      "the branch was pushed to after the review",
      ({ story, pull }) => {
        story.repository.git("checkout", "--quiet", pull.headRef);
        story.repository.write({ "out/more.txt": "unseen\n" });
        const head = story.repository.commit("one more");
        story.repository.git("checkout", "--quiet", "main");
        story.github.push(pull.headRef, story.repository.path, head, story.bot, secondsAgo(5));
        story.passCi(head);
      },
      "allow success missing",
      "other-head",
    ],
    [
      "changes were requested",
      ({ story, pull }) => {
        const other = story.github.addUser("second", "write");
        story.github.review(pull, other, "CHANGES_REQUESTED", { commitId: "0".repeat(40), at: secondsAgo(20) });
      },
      "allow success changes_requested",
      "changes-requested",
    ],
    [
      "the review was dismissed",
      ({ story }) => {
        const review = story.github.state.reviews.at(-1);
        if (review !== undefined) story.github.dismiss(review, story.author, secondsAgo(10));
      },
      "allow success missing",
      "review-dismissed",
    ],
    [
      "the pull request is a draft",
      ({ pull }) => {
        pull.draft = true;
      },
      "allow success missing",
      "draft",
    ],
    [
      "the pull request was closed",
      ({ pull }) => {
        pull.state = "closed";
      },
      "allow success missing",
      "pull-request-closed",
    ],
    [
      "the pull request comes from a fork",
      ({ pull }) => {
        pull.headRepoId = 999;
      },
      "allow success missing",
      "fork",
    ],
    [
      "the fork is gone",
      ({ pull }) => {
        pull.headRepoId = null;
      },
      "allow success missing",
      "fork",
    ],
    // S-37
    [
      "the check is of another app",
      ({ story, head }) => {
        story.github.state.checkRuns.length = 0;
        story.github.addCheckRun(head, { app: app(7, "evil") });
      },
      "allow missing approved",
      "untrusted-source",
    ],
    [
      "the check was made by a token in the suite of the right workflow",
      ({ story, head }) => {
        const [run] = story.github.state.workflowRuns;
        story.github.state.checkRuns.length = 0;
        story.github.addCheckRun(head, { suite: run?.suite, isJob: false });
      },
      "allow missing approved",
      "untrusted-source",
    ],
    [
      "the check is only a status",
      ({ story, head }) => {
        story.github.state.checkRuns.length = 0;
        story.github.addStatus(head, "test", "success");
      },
      "allow missing approved",
      "untrusted-source",
    ],
    [
      "the check failed on one of two runs",
      ({ story, head }) => {
        story.github.addWorkflowRun(head, { path: CI_WORKFLOW, check: { conclusion: "failure" } });
      },
      "allow failure approved",
      "ended with failure",
    ],
    // S-02
    [
      "the plan was changed on the trusted branch",
      ({ story }) => {
        story.repository.write({ [PLAN_PATH]: "# Other\n" });
        const commit = story.repository.commit("another plan");
        story.github.push("main", story.repository.path, commit, story.author, secondsAgo(4));
      },
      "deny success approved",
      "PLAN_DIGEST_CHANGED",
    ],
    [
      "the repository is paused",
      ({ story }) => {
        story.github.addIssue("Stop", ["conveyor:pause"]);
      },
      "deny success approved",
      "PAUSED",
    ],
  ];

  it.each(ATTACKS)("do not pass when %s", async (_what, act, signals, why) => {
    const delivery = passing;
    act(delivery);
    const judged = await judge(delivery);
    expect(judged.text).toContain(why);
    expect(judged.signals).toBe(signals);
  });

  it("do not pass on a workflow that the pull request itself changes", async () => {
    const judged = await judge(await deliver({ edit: { [CI_WORKFLOW]: "on: push # nothing runs\n" } }));
    expect(judged.signals).toBe("allow missing approved");
    expect(judged.text).toContain("untrusted-source");
  });

  it("judge the head that was asked about, and no other", async () => {
    const judged = await judge(passing, { head: "f".repeat(40) });
    expect(judged.judged).toMatch(/has the head .*, expected f{40}/);
    expect((await judge(passing, { repositoryId: 501 })).judged).toContain("another one has its name");
  });
});

/** Ways in which GitHub fails, for every request that is like a pattern. */
const FAILURES: readonly [what: string, fault: Omit<Fault, "when">][] = [
  ["404", { instead: reply(404, "{}") }],
  ["403", { instead: reply(403, '{"message":"Resource not accessible by integration"}') }],
  ["500", { instead: reply(500, "{}") }],
  ["what is not JSON", { instead: reply(200, "<html>") }],
  ["an empty answer", { instead: reply(200, "") }],
  ["null", { instead: reply(200, "null") }],
  [
    "an object where a list is due, and a list where an object is",
    {
      after: (response, { text }) => {
        response.writeHead(200, { "content-type": "application/json" }).end(text.startsWith("[") ? "{}" : "[]");
        return true;
      },
    },
  ],
  [
    "a page that is missing",
    {
      after: (response, { text }) => {
        const body = JSON.parse(text) as Record<string, unknown>;
        const cut = Array.isArray(body) ? { message: "gone" } : { ...body, total_count: 99 };
        response.writeHead(200, { "content-type": "application/json" }).end(JSON.stringify(cut));
        return true;
      },
    },
  ],
];

const QUESTIONS = [
  "/reviews",
  "/check-runs",
  "/actions/runs",
  "/jobs",
  "/permission",
  "/activity",
  "/git/ref",
  "/commits?",
];

describe("whatever GitHub answers, a gate that cannot be known stays closed", () => {
  it.each(QUESTIONS)("for %s", async (part) => {
    const delivery = passing;
    expect((await judge(delivery)).signals).toBe(OPEN);
    for (const [what, fault] of FAILURES) {
      // Only what is a counted list can lack a page without being another shape.
      if (what === "a page that is missing" && !/check-runs|actions\/runs|jobs/.test(part)) continue;
      delivery.story.github.faults.splice(0, 1, { when: ({ path }) => path.includes(part), ...fault });
      const { signals } = await judge(delivery);
      expect(`${what}: ${signals}`).not.toContain(OPEN);
    }
  });
});

function reply(status: number, body: string): NonNullable<Fault["instead"]> {
  return (response) => {
    response.writeHead(status, { "content-type": "application/json" }).end(body);
    return true;
  };
}

describe("what is read about a candidate that waits", () => {
  it("has the policy that the trusted branch held at a review, not the one that the run began with", async () => {
    const { story, pull } = passing;
    const { github, clock } = await connect(story.github, { requestMs: 2000 });
    const tip = story.github.bare.tip("main") ?? "";
    const file = await github.readFile(DEFAULT_CONFIG_PATH, tip);
    const text = file.ok ? new TextDecoder().decode(file.value) : "";
    const config = parseConfig(DEFAULT_CONFIG_PATH, text).config ?? defaultConfig();
    const began = { ...config, limits: { ...config.limits, "diff-lines": config.limits["diff-lines"] + 1 } };
    const asked = { kind: "manual_gate", pull: pull.number, risk: "medium", planPath: PLAN_PATH } as const;
    const where = { baseRef: "main", tip, repositoryId: 1, workflowRuns: [], sealingPulls: null };
    const read = await readApprovalFacts(github, clock, { ...asked, ...where, config: began });
    expect(read.ok && read.value.policies.map(({ sha256 }) => sha256)).toEqual([policyDigest(config)]);
  });
});
