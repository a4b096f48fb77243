import type { ApprovalFacts } from "./approval-facts.ts";
import type { GivenCase } from "./approval-rule.ts";
import type { GithubUser } from "./github-answers.ts";
import { parseInstant } from "./instants.ts";
import { isMachine } from "./machine-users.ts";

type Permission = ApprovalFacts["permissions"][number];

/** Permissions that can change the repository; custom roles are among them by what they permit. */
const MAY_WRITE: ReadonlySet<string> = new Set(["write", "admin"]);

/** What GitHub answers about an account's permission; nothing when nobody asked, or two answers contradict. */
export function permissionOf(facts: ApprovalFacts, user: GithubUser): Permission | undefined {
  if (user === null) return undefined;
  const answers = facts.permissions.filter(({ login }) => login.toLowerCase() === user.login.toLowerCase());
  return answers.length === 1 ? answers[0] : undefined;
}

/** Why somebody has no authority to approve. Unknown is none; `author_association` is not asked, it is unreliable. */
export function whyNotAuthorised({ facts, needs }: GivenCase, user: GithubUser): string | undefined {
  const found = permissionOf(facts, user);
  if (found === undefined) return "what the approver may do is unknown";
  const { answer } = found;
  if (answer === null) return "the approver has no access to the repository";
  if (!MAY_WRITE.has(answer.permission)) return `the approver's permission is ${answer.permission}, not write or admin`;
  return needs.roles.includes(answer.role_name)
    ? undefined
    : `the approver's role is ${answer.role_name}; expected ${needs.roles.join(", ")}`;
}

/**
 * Why somebody's word against it does not count: they certainly cannot write. Whoever might, does; an account that is
 * gone cannot.
 */
export function whyPowerless(facts: ApprovalFacts, user: GithubUser): string | undefined {
  if (user === null) return "the account is gone";
  const answer = permissionOf(facts, user)?.answer;
  if (answer === null) return `${user.login} has no access to the repository`;
  return answer !== undefined && answer.user?.id === user.id && !MAY_WRITE.has(answer.permission)
    ? `${user.login} cannot write`
    : undefined;
}

/** True when a person, with authority that was asked about just now, and no machine, did something for themselves. */
export function isPersonInCharge(asked: GivenCase, user: GithubUser): boolean {
  const found = permissionOf(asked.facts, user);
  return (
    user !== null &&
    found !== undefined &&
    user.type === "User" &&
    found.answer?.user?.id === user.id &&
    isFresh(asked, found.answered_at) &&
    !isMachine(asked.policy, user) &&
    whyNotAuthorised(asked, user) === undefined
  );
}

/** Seconds that an answer about somebody's permission or team holds. */
const ANSWER_SECONDS_MAX = 60;

/** True when an answer is younger than what made us ask, and than the time that it may be kept. */
export function isFresh({ facts, now }: GivenCase, answeredAt: string): boolean {
  const at = parseInstant(answeredAt);
  return at >= parseInstant(facts.triggered_at) && now - at <= ANSWER_SECONDS_MAX * 1000;
}
