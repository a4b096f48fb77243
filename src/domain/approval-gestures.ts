import type { ApprovalCase, GithubCase } from "./approval-case.ts";
import { listTimeline } from "./approval-facts.ts";
import { BUTTONS, readShown, type GivenGesture, type ShownCheck } from "./approval-gesture.ts";
import type { GithubCheckRun } from "./github-answers.ts";
import { parseInstant } from "./instants.ts";

/**
 * Lists every gesture of a pull request that means to approve or to reject, oldest first, whether it counts or not. A
 * label that the pull request was opened with and that no event of the timeline put there is none.
 */
export function listGestures({ policy, github }: ApprovalCase): GivenGesture[] {
  if (github === null) return [];
  const gestures = [
    ...listLabels(github, policy.approvals.high.label),
    ...listReviews(github),
    ...listButtons(github),
    ...listComments(github),
  ];
  return gestures.sort((one, other) => one.at - other.at || compare(keyOf(one), keyOf(other)));
}

const PLAIN = { decision: "approve", name: null, names: null, edited: false, state: null, deliveryGuid: null } as const;

function listLabels(github: GithubCase, wanted: string): GivenGesture[] {
  return listTimeline(github.facts).flatMap((event): GivenGesture[] => {
    if (event.event !== "labeled" || !isSameLabel(event.label.name, wanted)) return [];
    const at = parseInstant(event.created_at);
    const head = headAt(github, at);
    return [
      {
        ...PLAIN,
        kind: "given",
        source: "label",
        sourceId: String(event.id),
        actor: event.actor,
        viaApp: event.performed_via_github_app !== null,
        at,
        head,
        name: event.label.name,
        check: checkAt(github, head, at),
      },
    ];
  });
}

function listReviews(github: GithubCase): GivenGesture[] {
  const edits = github.facts.deliveries.flatMap((each) => (each.event === "pull_request_review" ? [each] : []));
  return github.standing
    .filter(({ state, dismissal }) => (dismissal?.was ?? state) === "APPROVED")
    .map(({ review, at, state }): GivenGesture => {
      const head = review.commit_id;
      return {
        ...PLAIN,
        kind: "given",
        source: "review",
        sourceId: String(review.id),
        actor: review.user,
        // GitHub does not say it of reviews.
        viaApp: false,
        at,
        head,
        edited: edits.some(({ payload }) => payload.review.id === review.id),
        state,
        check: checkAt(github, head, at) ?? firstCheck(github, head, at),
      };
    });
}

function listButtons({ facts }: GithubCase): GivenGesture[] {
  return facts.deliveries.flatMap((delivery): GivenGesture[] => {
    if (delivery.event !== "check_run") return [];
    const { requested_action: action, check_run: clicked, sender } = delivery.payload;
    const button = Object.hasOwn(BUTTONS, action.identifier) ? BUTTONS[action.identifier] : undefined;
    if (button === undefined) return [];
    const run = facts.check_runs.find((each) => each.id === clicked.id);
    return [
      {
        ...PLAIN,
        kind: "given",
        source: "button",
        sourceId: delivery.guid,
        decision: button.decision,
        actor: sender,
        viaApp: false,
        at: parseInstant(delivery.received_at),
        head: clicked.head_sha,
        name: action.identifier,
        deliveryGuid: delivery.guid,
        check: run === undefined ? null : buildCheck(run, clicked.external_id),
      },
    ];
  });
}

const COMMAND = /^\/conveyor (approve|reject)(?:[ \t]+(\S+))?[ \t]*$/;

function listComments(github: GithubCase): GivenGesture[] {
  return github.facts.comments.flatMap((comment): GivenGesture[] => {
    const [line = ""] = comment.body.split(/\r?\n/, 1);
    const command = COMMAND.exec(line);
    if (command === null) return [];
    const at = parseInstant(comment.created_at);
    const head = headAt(github, at);
    return [
      {
        ...PLAIN,
        kind: "given",
        source: "comment",
        sourceId: String(comment.id),
        decision: command[1] === "reject" ? "reject" : "approve",
        actor: comment.user,
        viaApp: comment.performed_via_github_app !== null,
        at,
        head,
        names: command[2] ?? null,
        edited: parseInstant(comment.updated_at) !== at,
        check: checkAt(github, head, at),
      },
    ];
  });
}

/** The head at a time, as the pushes say; a label and a comment name none. */
function headAt({ facts }: GithubCase, at: number): string | null {
  const before = facts.pushes.filter((push) => parseInstant(push.timestamp) <= at);
  const last = Math.max(...before.map((push) => parseInstant(push.timestamp)));
  const heads = new Set(before.filter((push) => parseInstant(push.timestamp) === last).map(({ after }) => after));
  const [head] = heads;
  // Of two pushes in one second nobody knows which was the last.
  return heads.size === 1 ? (head ?? null) : null;
}

/** The check of the App that somebody who looked at this head last saw. */
function checkAt(github: GithubCase, head: string | null, at: number): ShownCheck | null {
  const run = ownChecks(github, head).findLast((each) => each.at <= at)?.run;
  return run === undefined ? null : buildCheck(run, run.external_id);
}

/** Seconds after a review in which the App must have shown what it saw, to say which policy held at the review. */
const FIRST_CHECK_SECONDS_MAX = 600;

/** A review may come before the check, for it names its head itself. */
function firstCheck(github: GithubCase, head: string | null, at: number): ShownCheck | null {
  const [first] = ownChecks(github, head);
  return first !== undefined && first.at <= Math.min(at + FIRST_CHECK_SECONDS_MAX * 1000, github.asOf)
    ? buildCheck(first.run, first.run.external_id)
    : null;
}

/** Checks that the App itself completed on this head, oldest first. Others may bear its name. */
function ownChecks({ facts }: GithubCase, head: string | null): { run: GithubCheckRun; at: number }[] {
  const { installation } = facts;
  if (installation === null) return [];
  return facts.check_runs
    .flatMap((run) =>
      run.app?.id === installation.app_id &&
      run.head_sha === head &&
      run.status === "completed" &&
      run.completed_at !== null
        ? [{ run, at: parseInstant(run.completed_at) }]
        : [],
    )
    .sort((one, other) => one.at - other.at || one.run.id - other.run.id);
}

function buildCheck(run: GithubCheckRun, externalId: string | null): ShownCheck {
  return { run, externalId, shown: readShown(run) };
}

/** GitHub takes labels that differ in case alone for the same. */
export function isSameLabel(one: string, other: string): boolean {
  return one.toLowerCase() === other.toLowerCase();
}

function keyOf({ source, sourceId }: GivenGesture): string {
  return `${source} ${sourceId}`;
}

function compare(one: string, other: string): number {
  return one < other ? -1 : one > other ? 1 : 0;
}
