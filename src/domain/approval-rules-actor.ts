import { isFresh, permissionOf, whyNotAuthorised, whyPowerless } from "./approval-authority.ts";
import { orderPushes } from "./approval-contributors.ts";
import { authorityOf } from "./approval-gesture.ts";
import { approvingRule, givenRule, rule, type ApprovalRule } from "./approval-rule.ts";
import { isMachine } from "./machine-users.ts";

/** What GitHub gives at most of a pull request's commits; of more we cannot know who made them. */
const COMMITS_MAX = 250;

/** Login that stands for accounts that are gone. */
const GHOST = "ghost";

/** Who it was, whether they may, and whether they had a hand in it. */
export const ACTOR_RULES: readonly ApprovalRule[] = [
  rule("identity-not-proven", (gesture, { policy }) => {
    const authority = authorityOf(gesture);
    return policy["require-github-identity"] && authority !== "github"
      ? `${authority} proves nobody's identity, and policy.require-github-identity is on`
      : undefined;
  }),
  givenRule("ghost", ({ actor }) =>
    actor === null || actor.login.toLowerCase() === GHOST ? "the account is gone" : undefined,
  ),
  givenRule("not-human", ({ actor }) =>
    actor !== null && actor.type !== "User" ? `${actor.login} is a ${actor.type}, not a person` : undefined,
  ),
  givenRule("machine-user", ({ actor }, { policy }) =>
    actor !== null && isMachine(policy, actor) ? `${actor.login} is one of policy.machine-users` : undefined,
  ),
  givenRule("acted-through-app", ({ viaApp }) => (viaApp ? "an app did it in the name of the person" : undefined)),
  givenRule("approver-not-authorised", ({ actor, decision }, asked) => {
    if (actor === null) return undefined;
    return decision === "approve" ? whyNotAuthorised(asked, actor) : whyPowerless(asked.facts, actor);
  }),
  approvingRule("approver-is-another-account", ({ actor }, { facts }) => {
    const answer = permissionOf(facts, actor)?.answer;
    return answer !== undefined && answer !== null && answer.user?.id !== actor?.id
      ? "the login belongs to another account now"
      : undefined;
  }),
  approvingRule("authority-stale", ({ actor }, asked) => {
    const found = permissionOf(asked.facts, actor);
    return found !== undefined && !isFresh(asked, found.answered_at)
      ? "what the approver may do was asked too long ago"
      : undefined;
  }),
  approvingRule("not-in-team", ({ actor }, asked) => {
    const { teams } = asked.needs;
    if (teams.length === 0 || actor === null) return undefined;
    const isMember = teams.some((team) => {
      const answers = asked.facts.memberships.filter(
        (each) => each.team === team && each.login.toLowerCase() === actor.login.toLowerCase(),
      );
      return (
        answers.length > 0 &&
        answers.every(({ answer, answered_at: at }) => answer?.state === "active" && isFresh(asked, at))
      );
    });
    return isMember ? undefined : `${actor.login} is in none of policy.reviews.teams (${teams.join(", ")})`;
  }),
  approvingRule("contributor", ({ actor }, { needs, contributors }) =>
    !needs.self && actor !== null && contributors.ids.has(actor.id)
      ? `${actor.login} had a hand in what is to be approved`
      : undefined,
  ),
  approvingRule("contributor-unknown", (_gesture, { risk, contributors }) =>
    risk === "high" && contributors.unknown.length > 0
      ? `somebody unknown had a hand in it: ${contributors.unknown.join("; ")}`
      : undefined,
  ),
  approvingRule("commits-unknown", (_gesture, { facts }) => {
    const { commits: count } = facts.pull_request;
    const known = new Set(facts.commits.map(({ sha }) => sha)).size;
    if (count > COMMITS_MAX) return `${count} commits; GitHub names at most ${COMMITS_MAX}`;
    return known === count ? undefined : `${known} of ${count} commits are known`;
  }),
  approvingRule("pushes-unknown", (_gesture, { facts, asOf }) =>
    orderPushes(facts, asOf) === undefined
      ? "the pushes do not lead from the branch's creation to its head"
      : undefined,
  ),
];
