import type { ApprovalFacts } from "../../src/domain/approval-facts.ts";
import { policyDigest } from "../../src/domain/config.ts";
import type { REVOKING_EVENTS } from "../../src/domain/github-answers.ts";
import {
  ask,
  askCall,
  at,
  buildFacts,
  GESTURES,
  type Given,
  HEAD,
  OLD,
  OTHER,
  type Question,
  seal,
  show,
  user,
  ZERO,
} from "./approval-fixtures.ts";

/** The dimensions of the generated table; the first value of each is the one that admits. */
export const DIMENSIONS = {
  actor: [
    "maintain",
    "admin",
    "write",
    "triage",
    "read",
    "none",
    "author",
    "committer",
    "coAuthor",
    "bot",
    "app-on-behalf",
    "ghost",
    "machine",
  ],
  gesture: ["label", "review", "button", "comment"],
  sha: ["current", "old", "unknown"],
  plan: ["same", "changed"],
  policy: ["same", "changed"],
  pull: ["same-repo", "fork", "deleted fork", "draft", "closed"],
  time: ["after", "before check shown", "expired"],
} as const;
type Dimensions = typeof DIMENSIONS;
export type Row = { readonly [D in keyof Dimensions]: Dimensions[D][number] };

export const PLAIN_ROW: Row = {
  actor: "maintain",
  gesture: "label",
  sha: "current",
  plan: "same",
  policy: "same",
  pull: "same-repo",
  time: "after",
};

/** One row for each pair of values of two dimensions; the others admit. */
export function listPairs(): Row[] {
  const names = Object.keys(DIMENSIONS) as (keyof Dimensions)[];
  return names.flatMap((one, index) =>
    names
      .slice(index + 1)
      .flatMap((other) =>
        DIMENSIONS[one].flatMap((left) =>
          DIMENSIONS[other].map((right) => ({ ...PLAIN_ROW, [one]: left, [other]: right })),
        ),
      ),
  );
}

/** Every combination. */
export function listProduct(): Row[] {
  return (Object.keys(DIMENSIONS) as (keyof Dimensions)[]).reduce<Row[]>(
    (rows, name) => rows.flatMap((row) => DIMENSIONS[name].map((value) => ({ ...row, [name]: value }))),
    [PLAIN_ROW],
  );
}

/** Which rows make a record for a plan of high risk: written from the table of docs/approvals.md, not from the code. */
export function isAdmitted({ actor, gesture, sha, plan, policy, pull, time }: Row): boolean {
  const inTime = time === "after" || (time === "before check shown" && (gesture === "review" || gesture === "button"));
  return (
    ["maintain", "admin"].includes(actor) &&
    sha === "current" &&
    plan === "same" &&
    policy === "same" &&
    pull === "same-repo" &&
    inTime
  );
}

/** The facts of a row. A review and a button cannot say that an app acted; the app is then the actor itself. */
export function buildRow(row: Row): ApprovalFacts {
  const facts = buildFacts();
  const { pull_request: pull } = facts;
  const shown = {
    time: row.time === "before check shown" ? "12:04:55" : "12:01:00",
    plan: row.plan === "changed" ? OTHER : undefined,
    policy: row.policy === "changed" ? OTHER : undefined,
  };
  const said = Object.fromEntries(Object.entries(shown).filter(([, value]) => value !== undefined));
  facts.check_runs = [];
  show(facts, said);
  if (row.sha === "old") {
    show(facts, { ...said, head: OLD });
    facts.pushes = [
      { before: ZERO, after: OLD, actor: user("pusher"), timestamp: at("12:00:00") },
      { before: OLD, after: HEAD, actor: user("pusher"), timestamp: at("12:06:00") },
    ];
  }
  // Nobody knows what the head was: the push came after all, or the review or the click names none that we know.
  if (row.sha === "unknown")
    facts.pushes = [{ before: ZERO, after: HEAD, actor: user("pusher"), timestamp: at("12:06:00") }];
  GESTURES[row.gesture](facts, givenOf(row));
  if (row.pull === "fork") pull.head.repo = { id: 501 };
  if (row.pull === "deleted fork") pull.head.repo = null;
  if (row.pull === "draft") pull.draft = true;
  if (row.pull === "closed") {
    pull.state = "closed";
    facts.timeline.push({ event: "closed", actor: user("author"), created_at: at("12:06:00") });
  }
  if (row.time === "expired") later(facts, "2026-03-28T12:05:00Z");
  return facts;
}

function givenOf({ actor, gesture, sha, time }: Row): Given {
  const through = gesture === "label" || gesture === "comment";
  const by =
    actor === "ghost"
      ? null
      : actor === "app-on-behalf"
        ? through
          ? user("maintain")
          : { id: 901, login: "some-app[bot]", type: "Bot" }
        : user(actor);
  return {
    by,
    viaApp: actor === "app-on-behalf",
    // Before the check: four seconds after its end is too early for a label, and really before it for the others.
    time: time === "before check shown" && !through ? "12:04:00" : "12:05:00",
    head: sha === "current" ? HEAD : sha === "old" ? OLD : gesture === "button" ? "f".repeat(40) : null,
  };
}

/** The same question, asked later. */
function later(facts: ApprovalFacts, time: string): void {
  facts.asked_at = time;
  for (const each of facts.permissions) each.answered_at = time;
  for (const each of facts.memberships) each.answered_at = time;
}

type Hand = readonly [what: string, build: () => ApprovalFacts, words: readonly string[]];

const APPROVED = ["approved"];

/** A plan of high risk with one label by the maintainer, and what is different about it. */
const labelled =
  (edit: (facts: ApprovalFacts) => void = () => {}, start: Parameters<typeof buildFacts>[0] = {}) =>
  (): ApprovalFacts => {
    const facts = buildFacts(start);
    GESTURES.label(facts);
    edit(facts);
    return facts;
  };
/** The same with a review, whatever it is asked for. */
const reviewed =
  (edit: (facts: ApprovalFacts) => void = () => {}, start: Parameters<typeof buildFacts>[0] = { risk: "medium" }) =>
  (): ApprovalFacts => {
    const facts = buildFacts(start);
    GESTURES.review(facts);
    edit(facts);
    return facts;
  };
/** Nobody installed the App; the policy was the same all the time. */
function withoutApp(facts: ApprovalFacts): void {
  facts.installation = null;
  facts.check_runs = [];
  facts.policies = [{ at: at("12:05:00"), sha256: policyDigest(facts.config) }];
}
/** Nothing but what the row does itself. */
const from =
  (edit: (facts: ApprovalFacts) => void, start: Parameters<typeof buildFacts>[0] = {}) =>
  (): ApprovalFacts => {
    const facts = buildFacts(start);
    edit(facts);
    return facts;
  };

function first<T>(list: readonly T[]): T {
  const [one] = list;
  if (one === undefined) throw new Error("there is none");
  return one;
}
const commitOf = (facts: ApprovalFacts) => first(facts.commits);
const checkOf = (facts: ApprovalFacts) => first(facts.check_runs);
const reviewOf = (facts: ApprovalFacts, index = 0) => {
  const review = facts.reviews[index];
  if (review === undefined) throw new Error("no such review");
  return review;
};
function dismiss(facts: ApprovalFacts, by: Parameters<typeof user>[0], time: string, was: string, index = 0): void {
  const review = reviewOf(facts, index);
  review.state = "DISMISSED";
  facts.timeline.push({
    event: "review_dismissed",
    actor: user(by),
    created_at: at(time),
    dismissed_review: { review_id: review.id, state: was },
    performed_via_github_app: null,
  });
}
function requestChanges(facts: ApprovalFacts, by: Parameters<typeof user>[0], head = HEAD, time = "12:04:00"): void {
  GESTURES.review(facts, { by: user(by), head, time });
  reviewOf(facts, facts.reviews.length - 1).state = "CHANGES_REQUESTED";
}
const answerOf = (facts: ApprovalFacts, login: string) => {
  const found = facts.permissions.find((each) => each.login === login);
  if (found === undefined) throw new Error(`nobody asked about ${login}`);
  return found;
};
const event = (name: (typeof REVOKING_EVENTS)[number], time: string) => ({
  event: name,
  actor: user("author"),
  created_at: at(time),
});
const unlabeled = (time: string) => ({
  event: "unlabeled" as const,
  id: 999,
  actor: user("read"),
  created_at: at(time),
  label: { name: "conveyor:approve-high" },
  performed_via_github_app: null,
});
const member = (facts: ApprovalFacts, state: string): void => {
  facts.memberships.push({ team: "owners", login: "maintain", answered_at: at("12:09:58"), answer: { state } });
};
const HIGH = (high: object) => ({ policy: { approvals: { high } } });
const SELF = { risk: "medium" as const, policy: { approvals: { medium: { self: true } } } };
const REVOKE = { policy: { "on-base-move": "revoke" } };
const TEAMS = { kind: "delivery" as const, policy: { reviews: { teams: ["owners"] } } };
const GATE = { kind: "manual_gate" as const };
const DELIVERY = { kind: "delivery" as const };

/** The rows that a hand wrote: what happened, and the words of all rules that refuse. */
export const HAND_ROWS: readonly Hand[] = [
  // Who.
  ["a maintainer's label on a plan of high risk", labelled(), APPROVED],
  ["nobody approved", from(() => {}), ["too-few-approvals"]],
  ["a plan of low risk, and nobody approved", from(() => {}, { risk: "low" }), ["not_needed"]],
  [
    "somebody who may write, where medium risk may be approved by them",
    from((f) => GESTURES.review(f, { by: user("write") }), { risk: "medium" }),
    APPROVED,
  ],
  [
    "somebody who may write, where high risk may not",
    from((f) => GESTURES.review(f, { by: user("write") })),
    ["approver-not-authorised"],
  ],
  [
    "a custom role that the policy does not name",
    from((f) => GESTURES.label(f, { by: user("custom") })),
    ["approver-not-authorised"],
  ],
  [
    "a custom role that the policy names",
    from((f) => GESTURES.label(f, { by: user("custom") }), HIGH({ roles: ["release-captain"] })),
    APPROVED,
  ],
  [
    "a role that the policy names and that cannot write",
    from((f) => GESTURES.label(f, { by: user("triage") }), HIGH({ roles: ["triage"] })),
    ["approver-not-authorised"],
  ],
  [
    "the approver was made a reader since",
    labelled((f) => {
      answerOf(f, "maintain").answer = { permission: "read", role_name: "read", user: user("maintain") };
    }),
    ["approver-not-authorised"],
  ],
  [
    "nobody asked what the approver may do",
    labelled((f) => {
      f.permissions = f.permissions.filter(({ login }) => login !== "maintain");
    }),
    ["approver-not-authorised"],
  ],
  [
    "the login is another account's now",
    labelled((f) => {
      answerOf(f, "maintain").answer = {
        permission: "write",
        role_name: "maintain",
        user: { ...user("maintain"), id: 77 },
      };
    }),
    ["approver-is-another-account"],
  ],
  [
    "the answer about the approver is 61 seconds old",
    labelled((f) => {
      f.triggered_at = at("12:08:00");
      answerOf(f, "maintain").answered_at = at("12:08:59");
    }),
    ["authority-stale"],
  ],
  [
    "the answer about the approver is older than what made us ask",
    labelled((f) => {
      answerOf(f, "maintain").answered_at = at("12:09:54");
    }),
    ["authority-stale"],
  ],
  [
    "an account with the login ghost",
    labelled((f) => {
      f.timeline = [];
      GESTURES.label(f, { by: { id: 10_137, login: "ghost", type: "User" } });
      f.permissions.push({
        login: "ghost",
        answered_at: at("12:09:58"),
        answer: { permission: "write", role_name: "maintain", user: { id: 10_137, login: "ghost", type: "User" } },
      });
    }),
    ["ghost"],
  ],
  ["a bot that may write", from((f) => GESTURES.label(f, { by: user("bot") })), ["not-human"]],
  ["an app in a person's name", from((f) => GESTURES.label(f, { viaApp: true })), ["acted-through-app"]],
  ["a machine user, by login in other case", from((f) => GESTURES.label(f, { by: user("machine") })), ["machine-user"]],
  [
    "a machine user, by number after a rename",
    labelled(() => {}, { policy: { "machine-users": [2] } }),
    ["machine-user"],
  ],
  ["the author of the pull request", from((f) => GESTURES.label(f, { by: user("author") })), ["contributor"]],
  ["whoever pushed", from((f) => GESTURES.button(f, { by: user("pusher") })), ["contributor"]],
  [
    "a co-author whose address GitHub knows",
    labelled((f) => {
      commitOf(f).commit.message = "x\n\nCO-AUTHORED-BY: M <m@example.com>";
      f.identities = [{ email: "M@example.com", user: user("maintain") }];
    }),
    ["contributor"],
  ],
  [
    "somebody who touched the blueprint",
    labelled((f) => {
      f.plan_commits = [
        {
          sha: OLD,
          commit: { message: "", author: null, committer: null },
          author: user("maintain"),
          committer: user("author"),
        },
      ];
    }),
    ["contributor"],
  ],
  [
    "whoever started the run",
    reviewed((f) => {
      f.workflow_runs = [{ id: 1, actor: user("author"), triggering_actor: user("maintain") }];
    }, DELIVERY),
    ["contributor"],
  ],
  [
    "the author, where medium risk may be approved by oneself",
    from((f) => GESTURES.review(f, { by: user("author") }), SELF),
    APPROVED,
  ],
  [
    "a commit of nobody, at high risk",
    labelled((f) => {
      commitOf(f).author = null;
    }),
    ["contributor-unknown"],
  ],
  [
    "a co-author whom GitHub does not know, at high risk",
    labelled((f) => {
      commitOf(f).commit.message = "x\n\nCo-authored-by: X <x@example.com>";
    }),
    ["contributor-unknown"],
  ],
  [
    "a commit of nobody, at medium risk",
    reviewed((f) => {
      commitOf(f).author = null;
    }),
    APPROVED,
  ],
  [
    "251 commits",
    labelled((f) => {
      f.pull_request.commits = 251;
      const commit = commitOf(f);
      f.commits = Array.from({ length: 251 }, (_, index) => ({ ...commit, sha: index.toString(16).padStart(40, "0") }));
    }),
    ["commits-unknown"],
  ],
  [
    "a commit that was not listed",
    labelled((f) => {
      f.pull_request.commits = 2;
    }),
    ["commits-unknown"],
  ],
  [
    "the first push is missing",
    reviewed((f) => {
      f.pushes = [{ before: OLD, after: HEAD, actor: user("pusher"), timestamp: at("12:00:00") }];
    }),
    ["pushes-unknown"],
  ],
  ["a reviewer in the team that the policy names", reviewed((f) => member(f, "active"), TEAMS), APPROVED],
  ["a reviewer whose membership is pending", reviewed((f) => member(f, "pending"), TEAMS), ["not-in-team"]],

  // What it was about.
  ["a button on a plan of high risk", from((f) => GESTURES.button(f)), APPROVED],
  [
    "a button that approves medium risk, on high",
    from((f) => GESTURES.button(f, { id: "approve_medium" })),
    ["other-risk"],
  ],
  ["the label of high risk, on a plan of medium risk", labelled(() => {}, { risk: "medium" }), ["other-risk"]],
  ["a button for gates, on a plan", from((f) => GESTURES.button(f, { id: "approve_gate" })), ["gesture-not-for-this"]],
  ["a label, on a delivery", labelled(() => {}, DELIVERY), ["gesture-not-for-this"]],
  ["a comment, on a delivery", from((f) => GESTURES.comment(f), DELIVERY), ["gesture-not-for-this"]],
  [
    "a review of an older head",
    reviewed((f) => {
      show(f, { head: OLD });
      reviewOf(f).commit_id = OLD;
    }),
    ["other-head"],
  ],
  [
    "a review, and no check was ever shown",
    reviewed((f) => {
      f.check_runs = [];
    }),
    ["check-not-shown"],
  ],
  [
    "a review ten minutes before the first check",
    from((f) => {
      f.check_runs = [];
      show(f, { time: "12:10:00" });
      GESTURES.review(f, { time: "12:00:00" });
    }),
    APPROVED,
  ],
  [
    "a review longer than that before the first check",
    from((f) => {
      f.check_runs = [];
      show(f, { time: "12:10:00" });
      GESTURES.review(f, { time: "11:59:59" });
    }),
    ["check-not-shown"],
  ],
  [
    "a review, and the first check after the merge",
    reviewed((f) => {
      f.check_runs = [];
      show(f, { time: "12:07:00" });
      seal(f);
    }),
    ["check-not-shown"],
  ],
  ["a review before the first check", from((f) => GESTURES.review(f, { time: "12:00:30" })), APPROVED],
  [
    "a label, and another app's check of our name",
    labelled((f) => {
      f.check_runs = [];
      show(f, { app: 15_368 });
    }),
    ["check-not-shown"],
  ],
  [
    "a button on another app's check",
    from((f) => {
      f.check_runs = [];
      show(f, { app: 15_368 });
      GESTURES.button(f);
    }),
    ["check-not-ours"],
  ],
  [
    "the check's identity is not that of what it says",
    labelled((f) => {
      checkOf(f).external_id = `v1:${OTHER}`;
    }),
    ["check-not-bound"],
  ],
  [
    "the check says nothing that can be read",
    labelled((f) => {
      checkOf(f).output.text = null;
    }),
    ["check-not-bound"],
  ],
  [
    "the check that was clicked said something else then",
    from((f) => {
      GESTURES.button(f);
      for (const each of f.deliveries)
        if (each.event === "check_run") each.payload.check_run.external_id = `v1:${OTHER}`;
    }),
    ["check-not-bound"],
  ],
  [
    "the App had shown another plan",
    labelled((f) => {
      f.check_runs = [];
      show(f, { plan: OTHER });
    }),
    ["plan-digest-changed"],
  ],
  [
    "the App had shown another policy",
    labelled((f) => {
      f.check_runs = [];
      show(f, { policy: OTHER });
    }),
    ["policy-digest-changed"],
  ],
  [
    "the policy changed after the review",
    reviewed((f) => {
      f.check_runs = [];
      show(f, { policy: OTHER });
      show(f, { time: "12:07:00" });
    }),
    ["policy-digest-changed"],
  ],
  [
    "the App had shown a lower risk",
    labelled((f) => {
      f.check_runs = [];
      show(f, { risk: "low" });
    }),
    ["other-risk-shown"],
  ],
  ["a label nine seconds after the check", from((f) => GESTURES.label(f, { time: "12:01:09" })), ["seen-too-late"]],
  ["a label ten seconds after the check", from((f) => GESTURES.label(f, { time: "12:01:10" })), APPROVED],
  [
    "a push away and back to the same head after the label",
    labelled((f) => {
      f.pushes.push(
        { before: HEAD, after: OLD, actor: user("pusher"), timestamp: at("12:06:00") },
        { before: OLD, after: HEAD, actor: user("pusher"), timestamp: at("12:07:00") },
      );
    }),
    ["pushed-meanwhile"],
  ],
  [
    "a push back to the same head nine seconds before the label",
    labelled((f) => {
      f.pushes.push(
        { before: HEAD, after: OLD, actor: user("pusher"), timestamp: at("12:04:00") },
        { before: OLD, after: HEAD, actor: user("pusher"), timestamp: at("12:04:51") },
      );
    }),
    ["pushed-meanwhile"],
  ],
  ["a comment with the digest, at high risk", from((f) => GESTURES.comment(f)), APPROVED],
  [
    "a comment without the digest, at high risk",
    from((f) => GESTURES.comment(f, { body: "/conveyor approve" })),
    ["digest-not-named"],
  ],
  [
    "a comment with a part of the digest",
    from((f) => GESTURES.comment(f, { body: `/conveyor approve ${checkOf(f).external_id?.slice(3, 15) ?? ""}` })),
    ["digest-not-named"],
  ],
  [
    "a comment without a digest, at medium risk",
    from((f) => GESTURES.comment(f, { body: "/conveyor approve\nthank you" }), { risk: "medium" }),
    APPROVED,
  ],
  [
    "the command in the second line",
    from((f) => GESTURES.comment(f, { body: "well\n/conveyor approve" }), { risk: "medium" }),
    ["too-few-approvals"],
  ],
  [
    "a comment that was edited",
    from((f) => {
      GESTURES.comment(f);
      for (const each of f.comments) each.updated_at = at("12:05:01");
    }),
    ["edited"],
  ],
  [
    "a review that was edited",
    reviewed((f) => {
      f.deliveries.push({
        guid: "e",
        received_at: at("12:06:00"),
        event: "pull_request_review",
        payload: { action: "edited", review: { id: reviewOf(f).id } },
      });
    }),
    ["edited"],
  ],

  // Whether it stands.
  [
    "a pull request that was closed and not merged",
    labelled((f) => {
      f.pull_request.state = "closed";
    }),
    ["pull-request-closed"],
  ],
  [
    "a draft",
    labelled((f) => {
      f.pull_request.draft = true;
    }),
    ["draft"],
  ],
  [
    "a review on a pull request from a fork",
    reviewed((f) => {
      f.pull_request.head.repo = { id: 501 };
    }),
    ["fork"],
  ],
  [
    "a pull request into another branch",
    labelled((f) => {
      f.pull_request.base.ref = "next";
    }),
    ["other-base"],
  ],
  [
    "the merge base moved, which the policy keeps",
    labelled((f) => {
      f.compare = { merge_base_commit: { sha: OLD } };
    }),
    APPROVED,
  ],
  [
    "the merge base moved, which the policy does not keep",
    labelled((f) => {
      f.compare = { merge_base_commit: { sha: OLD } };
    }, REVOKE),
    ["base-moved"],
  ],
  [
    "nobody knows the merge base, which the policy asks for",
    labelled((f) => {
      f.compare = null;
    }, REVOKE),
    ["base-moved"],
  ],
  [
    "the label was taken away",
    labelled((f) => {
      f.timeline.push(unlabeled("12:06:00"));
    }),
    ["label-removed"],
  ],
  [
    "the label is not there, and no event says why",
    labelled((f) => {
      f.pull_request.labels = [];
    }),
    ["label-removed"],
  ],
  [
    "the label was there from the beginning, and nobody is known to have put it there",
    from((f) => {
      f.pull_request.labels = [{ name: "conveyor:approve-high" }];
    }),
    ["too-few-approvals"],
  ],
  [
    "another label was renamed to this one",
    labelled((f) => {
      f.deliveries.push({
        guid: "l",
        received_at: at("12:06:00"),
        event: "label",
        payload: { action: "edited", label: { name: "conveyor:approve-high" }, changes: { name: { from: "nice" } } },
      });
    }),
    ["label-redefined"],
  ],
  [
    "it became a draft and came back",
    labelled((f) => {
      f.timeline.push(event("convert_to_draft", "12:05:00"));
    }),
    ["revoked"],
  ],
  [
    "it was closed and opened again",
    labelled((f) => {
      f.timeline.push(event("closed", "12:06:00"), event("reopened", "12:06:30"));
    }),
    ["revoked"],
  ],
  [
    "its base was changed and changed back",
    labelled((f) => {
      f.timeline.push(event("base_ref_changed", "12:06:00"));
    }),
    ["revoked"],
  ],
  [
    "GitHub changed its base, because the old one was merged and deleted",
    labelled((f) => {
      f.timeline.push(event("automatic_base_change_succeeded", "12:06:00"));
    }),
    ["revoked"],
  ],
  [
    "changes requested, and an app dismissed them in the name of somebody with authority",
    reviewed((f) => {
      requestChanges(f, "second");
      dismiss(f, "admin", "12:06:00", "changes_requested", 1);
      Object.assign(f.timeline.at(-1) ?? {}, { performed_via_github_app: { id: 901 } });
    }),
    ["changes-requested"],
  ],
  // Our clock is behind GitHub's: what takes back counts all the same.
  [
    "a review that was dismissed after now",
    reviewed((f) => dismiss(f, "admin", "12:10:30", "approved")),
    ["review-dismissed"],
  ],
  [
    "changes that were requested after now",
    reviewed((f) => requestChanges(f, "admin", HEAD, "12:10:30")),
    ["changes-requested"],
  ],
  [
    "a label that was taken away after now",
    labelled((f) => {
      f.timeline.push(unlabeled("12:10:30"));
    }),
    ["label-removed"],
  ],
  [
    "somebody pushed the same head once more after now",
    labelled((f) => {
      f.pushes.push(
        { before: HEAD, after: OLD, actor: user("maintain"), timestamp: at("12:10:30") },
        { before: OLD, after: HEAD, actor: user("maintain"), timestamp: at("12:10:31") },
      );
    }),
    ["contributor", "pushed-meanwhile"],
  ],
  [
    "it had been a draft before",
    labelled((f) => {
      f.timeline.push(event("convert_to_draft", "12:04:59"));
    }),
    APPROVED,
  ],
  [
    "the repository was transferred",
    labelled((f) => {
      f.deliveries.push({
        guid: "t",
        received_at: at("12:06:00"),
        event: "repository",
        payload: { action: "transferred" },
      });
    }),
    ["repository-transferred"],
  ],
  ["a review that was dismissed", reviewed((f) => dismiss(f, "author", "12:06:00", "approved")), ["review-dismissed"]],
  [
    "an approval, and a later one by the same person that was dismissed",
    reviewed((f) => {
      GESTURES.review(f, { time: "12:06:00" });
      dismiss(f, "author", "12:07:00", "approved", 1);
    }),
    ["review-dismissed", "review-superseded"],
  ],
  [
    "an approval, and a comment by the same person",
    reviewed((f) => {
      GESTURES.review(f, { time: "12:06:00" });
      reviewOf(f, 1).state = "COMMENTED";
    }),
    APPROVED,
  ],
  [
    "somebody else requested changes of an older head",
    reviewed((f) => requestChanges(f, "second", OLD)),
    ["changes-requested"],
  ],
  ["a reader requested changes", reviewed((f) => requestChanges(f, "read")), APPROVED],
  [
    "somebody of whom nothing is known requested changes",
    reviewed((f) => {
      requestChanges(f, "second");
      f.permissions = f.permissions.filter(({ login }) => login !== "second");
    }),
    ["changes-requested"],
  ],
  [
    "changes were requested, and the same person approved",
    from((f) => {
      requestChanges(f, "maintain");
      GESTURES.review(f);
    }),
    APPROVED,
  ],
  [
    "changes were requested, and a maintainer dismissed that",
    reviewed((f) => {
      requestChanges(f, "second");
      dismiss(f, "admin", "12:06:00", "changes_requested", 1);
    }),
    APPROVED,
  ],
  [
    "changes were requested, and the author dismissed that",
    reviewed((f) => {
      requestChanges(f, "second");
      dismiss(f, "author", "12:06:00", "changes_requested", 1);
    }),
    ["changes-requested"],
  ],
  [
    "a review was dismissed, and nobody knows what it had said",
    reviewed((f) => {
      requestChanges(f, "second");
      reviewOf(f, 1).state = "DISMISSED";
    }),
    ["changes-requested"],
  ],
  ["a label 72 hours ago", labelled((f) => later(f, "2026-03-28T12:05:00Z")), ["expired"]],
  ["a label a second less than 72 hours ago", labelled((f) => later(f, "2026-03-28T12:04:59Z")), APPROVED],
  [
    "a label an hour ago, which the policy gives no longer",
    labelled((f) => later(f, "2026-03-25T13:05:00Z"), HIGH({ "expires-hours": 1 })),
    ["expired"],
  ],
  [
    "a label in the future",
    labelled((f) => {
      f.timeline = [];
      GESTURES.label(f, { time: "12:10:01" });
    }),
    ["given-too-late"],
  ],
  [
    "facts that were fetched before what made us ask",
    labelled((f) => {
      f.fetched_at = at("12:09:54");
    }),
    ["facts-stale"],
  ],
  [
    "the App is suspended",
    labelled((f) => {
      f.installation = { app_id: f.installation?.app_id ?? 0, suspended_at: at("12:09:00") };
    }),
    ["app-suspended"],
  ],

  // Where there is no App, reviews alone say what they are about.
  ["without the App a review counts", reviewed(withoutApp), APPROVED],
  ["without the App a review counts at high risk too", reviewed(withoutApp, { risk: "high" }), APPROVED],
  ["without the App a label does not", labelled(withoutApp), ["check-not-shown"]],
  [
    "without the App, when nobody knows the policy of that time",
    reviewed((f) => {
      withoutApp(f);
      f.policies = [];
    }),
    ["policy-digest-changed"],
  ],
  [
    "without the App, when the policy was another at that time",
    reviewed((f) => {
      withoutApp(f);
      f.policies = [{ at: at("12:05:00"), sha256: OTHER }];
    }),
    ["policy-digest-changed"],
  ],
  [
    "without the App, when what it showed is still there",
    reviewed((f) => {
      const shown = f.check_runs;
      withoutApp(f);
      f.check_runs = shown;
      f.policies = [];
    }),
    ["policy-digest-changed"],
  ],

  // The merge seals a plan.
  ["a plan that was merged with its label", labelled((f) => seal(f)), APPROVED],
  [
    "merged, and then all was taken back",
    labelled((f) => {
      seal(f);
      f.timeline.push(unlabeled("12:07:00"), event("base_ref_changed", "12:07:00"));
      f.pull_request.labels = [];
      f.pushes.push({ before: HEAD, after: ZERO, actor: user("maintain"), timestamp: at("12:07:00") });
    }),
    APPROVED,
  ],
  [
    "merged, and the review dismissed afterwards",
    reviewed((f) => {
      seal(f);
      dismiss(f, "author", "12:07:00", "approved");
    }),
    APPROVED,
  ],
  [
    "merged, and changes requested afterwards",
    labelled((f) => {
      seal(f);
      requestChanges(f, "second", HEAD, "12:07:00");
    }),
    APPROVED,
  ],
  ["labelled after the merge", labelled((f) => seal(f, "12:04:59")), ["given-too-late"]],
  [
    "another plan stands on the trust ref",
    labelled((f) => {
      seal(f);
      f.plan.sha256_at_tip = OTHER;
    }),
    ["plan-changed-on-trust-ref"],
  ],
  [
    "the plan came by a direct push",
    labelled((f) => {
      seal(f);
      f.sealing_pulls = [];
    }),
    ["not-sealed-by-this"],
  ],
  [
    "the plan came by two pull requests",
    labelled((f) => {
      seal(f);
      f.sealing_pulls = [
        ...(f.sealing_pulls ?? []),
        ...(f.sealing_pulls ?? []).map((pull) => ({ ...pull, number: 43 })),
      ];
    }),
    ["not-sealed-by-this"],
  ],
  [
    "the plan came by another pull request",
    labelled((f) => {
      seal(f);
      f.sealing_pulls = (f.sealing_pulls ?? []).map((pull) => ({ ...pull, number: 43 }));
    }),
    ["not-sealed-by-this"],
  ],
  [
    "72 hours after the label, and less after the merge",
    labelled((f) => {
      seal(f, "12:09:00");
      later(f, "2026-03-28T12:08:59Z");
    }),
    APPROVED,
  ],
  [
    "72 hours after the merge",
    labelled((f) => {
      seal(f, "12:09:00");
      later(f, "2026-03-28T12:09:00Z");
    }),
    ["expired"],
  ],
  [
    "the label had expired when it was merged",
    labelled(
      (f) => {
        f.timeline = [];
        GESTURES.label(f, { time: "12:02:00" });
        seal(f);
      },
      HIGH({ "expires-hours": 0.05 }),
    ),
    ["expired"],
  ],
  [
    "merged, and the approver lost the permission",
    labelled((f) => {
      seal(f);
      answerOf(f, "maintain").answer = null;
    }),
    ["approver-not-authorised"],
  ],

  // At the edge of each limit, and between two of a kind.
  [
    "a label at the second of the merge",
    labelled((f) => {
      f.timeline = [];
      GESTURES.label(f, { time: "12:06:00" });
      seal(f);
    }),
    APPROVED,
  ],
  [
    "the label was taken away at the second of the merge",
    labelled((f) => {
      seal(f);
      f.timeline.push(unlabeled("12:06:00"));
    }),
    ["label-removed"],
  ],
  [
    "closed and opened again before the merge",
    labelled((f) => {
      f.timeline.push(event("closed", "12:05:30"), event("reopened", "12:05:40"));
      seal(f);
    }),
    ["revoked"],
  ],
  [
    "a push at the second of the check, ten seconds before the label",
    from((f) => {
      f.check_runs = [];
      show(f, { time: "12:00:00" });
      GESTURES.label(f, { time: "12:00:10" });
    }),
    APPROVED,
  ],
  [
    "facts as old as what made us ask",
    labelled((f) => {
      f.fetched_at = f.triggered_at;
    }),
    APPROVED,
  ],
  [
    "an answer about the approver as old as what made us ask",
    labelled((f) => {
      answerOf(f, "maintain").answered_at = f.triggered_at;
    }),
    APPROVED,
  ],
  [
    "an answer about the approver that is 60 seconds old",
    labelled((f) => {
      f.triggered_at = at("12:08:00");
      answerOf(f, "maintain").answered_at = at("12:09:00");
    }),
    APPROVED,
  ],
  [
    "250 commits",
    labelled((f) => {
      f.pull_request.commits = 250;
      const commit = commitOf(f);
      f.commits = Array.from({ length: 250 }, (_, index) => ({ ...commit, sha: index.toString(16).padStart(40, "0") }));
    }),
    APPROVED,
  ],
  ["one of two machine users", labelled(() => {}, { policy: { "machine-users": ["other", 2] } }), ["machine-user"]],
  [
    "a reviewer in one of two teams",
    reviewed((f) => member(f, "active"), { kind: "delivery", policy: { reviews: { teams: ["others", "owners"] } } }),
    APPROVED,
  ],
  [
    "a reviewer in another team",
    reviewed((f) => member(f, "active"), { kind: "delivery", policy: { reviews: { teams: ["others"] } } }),
    ["not-in-team"],
  ],
  [
    "two answers about a team that contradict",
    reviewed((f) => {
      member(f, "active");
      member(f, "pending");
    }, TEAMS),
    ["not-in-team"],
  ],
  [
    "an answer about a team that is too old",
    reviewed((f) => {
      member(f, "active");
      for (const each of f.memberships) each.answered_at = at("12:09:54");
    }, TEAMS),
    ["not-in-team"],
  ],
  [
    "the label was deleted",
    labelled((f) => {
      f.deliveries.push({
        guid: "l",
        received_at: at("12:06:00"),
        event: "label",
        payload: { action: "deleted", label: { name: "Conveyor:Approve-High" } },
      });
    }),
    ["label-redefined"],
  ],
  [
    "another label was edited",
    labelled((f) => {
      f.deliveries.push({
        guid: "l",
        received_at: at("12:06:00"),
        event: "label",
        payload: { action: "edited", label: { name: "nice" }, changes: {} },
      });
    }),
    APPROVED,
  ],
  [
    "a review that was not sent yet",
    reviewed((f) => {
      Object.assign(reviewOf(f), { state: "PENDING", submitted_at: null });
    }),
    ["too-few-approvals"],
  ],
  [
    "an approval and a request for changes by one person in one second",
    from(
      (f) => {
        GESTURES.review(f);
        requestChanges(f, "maintain", HEAD, "12:05:00");
      },
      { risk: "medium" },
    ),
    ["changes-requested", "review-superseded"],
  ],
  [
    "a request for changes and an approval by one person in one second",
    from(
      (f) => {
        requestChanges(f, "maintain", HEAD, "12:05:00");
        GESTURES.review(f);
      },
      { risk: "medium" },
    ),
    APPROVED,
  ],

  // Several people.
  [
    "two labels by one person, where two people are needed",
    labelled((f) => GESTURES.label(f, { time: "12:06:00" }), HIGH({ count: 2 })),
    ["too-few-approvals"],
  ],
  [
    "two people, where two are needed",
    labelled((f) => GESTURES.button(f, { by: user("second") }), HIGH({ count: 2 })),
    APPROVED,
  ],
  [
    "a label without a second person's review",
    labelled(() => {}, HIGH({ "second-person-review": true })),
    ["second-person-review-missing"],
  ],
  [
    "a label and a review by the same person",
    labelled((f) => GESTURES.review(f), HIGH({ "second-person-review": true })),
    ["second-person-review-missing"],
  ],
  [
    "a label and a review by another person",
    labelled((f) => GESTURES.review(f, { by: user("second") }), HIGH({ "second-person-review": true })),
    APPROVED,
  ],

  // The other two kinds.
  ["a review of the delivered head", reviewed(() => {}, DELIVERY), APPROVED],
  [
    "one review, where a delivery needs two",
    reviewed(() => {}, { ...DELIVERY, policy: { reviews: { count: 2 } } }),
    ["too-few-approvals"],
  ],
  ["a review of the waiting candidate, in a draft", reviewed(() => {}, GATE), APPROVED],
  [
    "a gate, and the pull request was made a draft",
    reviewed((f) => {
      f.timeline.push(event("convert_to_draft", "12:06:00"));
    }, GATE),
    APPROVED,
  ],
  [
    "a gate of a run that was merged",
    reviewed((f) => {
      seal(f);
    }, GATE),
    ["pull-request-closed"],
  ],
  [
    "a gate rejected by a button",
    reviewed((f) => GESTURES.button(f, { by: user("second"), id: "reject_gate" }), GATE),
    ["rejected"],
  ],
  ["a gate rejected by a comment", from((f) => GESTURES.comment(f, { body: "/conveyor reject" }), GATE), ["rejected"]],
  [
    "a gate rejected by a reader",
    reviewed((f) => GESTURES.button(f, { by: user("read"), id: "reject_gate" }), GATE),
    APPROVED,
  ],
  [
    "a gate rejected by somebody of whom nothing is known",
    reviewed((f) => {
      GESTURES.button(f, { by: user("second"), id: "reject_gate" });
      f.permissions = f.permissions.filter(({ login }) => login !== "second");
    }, GATE),
    ["rejected"],
  ],
  [
    "changes were requested, and a machine with a maintainer's role dismissed that",
    reviewed((f) => {
      requestChanges(f, "second");
      dismiss(f, "machine", "12:06:00", "changes_requested", 1);
    }),
    ["changes-requested"],
  ],
  [
    "a gate rejected for an older candidate",
    reviewed((f) => GESTURES.button(f, { head: OLD, id: "reject_gate" }), GATE),
    APPROVED,
  ],
];

const ENVIRONMENT = (tier: "medium" | "high") => ({ kind: "environment", tier }) as const;
const LOCAL = (decision: "approve" | "reject") => ({ kind: "local", by: "Ada", decision }) as const;
const IDENTITY = { "require-github-identity": true };

/** What names nobody whom GitHub knows, and nobody asked GitHub. */
export const CALL_ROWS: readonly (readonly [what: string, build: () => Question, words: readonly string[]])[] = [
  ["the environment approves medium risk", () => askCall("plan", "medium", {}, ENVIRONMENT("medium")), APPROVED],
  ["the environment approves high risk", () => askCall("plan", "high", {}, ENVIRONMENT("high")), APPROVED],
  ["the environment approves another risk", () => askCall("plan", "high", {}, ENVIRONMENT("medium")), ["other-risk"]],
  [
    "the environment, where an identity is required",
    () => askCall("plan", "medium", IDENTITY, ENVIRONMENT("medium")),
    ["identity-not-proven"],
  ],
  [
    "the environment is one voice",
    () => askCall("plan", "high", HIGH({ count: 2 }).policy, ENVIRONMENT("high"), ENVIRONMENT("high")),
    ["too-few-approvals"],
  ],
  [
    "the environment is nobody's review",
    () => askCall("plan", "high", HIGH({ "second-person-review": true }).policy, ENVIRONMENT("high")),
    ["second-person-review-missing"],
  ],
  ["somebody at a keyboard opens a gate", () => askCall("manual_gate", "high", {}, LOCAL("approve")), APPROVED],
  ["somebody at a keyboard rejects a gate", () => askCall("manual_gate", "high", {}, LOCAL("reject")), ["rejected"]],
  [
    "somebody at a keyboard, where an identity is required",
    () => askCall("manual_gate", "low", IDENTITY, LOCAL("approve")),
    ["identity-not-proven"],
  ],
  [
    "a gesture on GitHub, and none of its facts",
    () => ({ asked: askCall("plan", "high", {}).asked, gestures: ask(labelled()()).gestures.slice(0, 1) }),
    ["nobody asked"],
  ],
];
