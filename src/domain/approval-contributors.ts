import type { ApprovalFacts } from "./approval-facts.ts";
import type { GithubCommit, GithubPush, GithubUser } from "./github-answers.ts";
import { parseInstant } from "./instants.ts";

/** Everybody who had a hand in what is to be approved. */
export interface Contributors {
  readonly ids: ReadonlySet<number>;
  /** Hands that belong to nobody GitHub knows, in words. */
  readonly unknown: readonly string[];
}

/**
 * Finds the contributors: the author of the pull request, author, committer and co-authors of each commit, whoever
 * pushed, and whoever started the run.
 */
export function findContributors(facts: ApprovalFacts, asOf: number): Contributors {
  const ids = new Set<number>();
  const unknown = new Set<string>();
  const add = (user: GithubUser, what: string): void => {
    if (user === null) unknown.add(what);
    else ids.add(user.id);
  };
  add(facts.pull_request.user, "the author of the pull request");
  for (const commit of [...facts.commits, ...facts.plan_commits]) {
    add(commit.author, `the author of ${commit.sha}`);
    add(commit.committer, `the committer of ${commit.sha}`);
    for (const { email, id } of listCoAuthors(commit, facts.identities)) {
      if (id === null) unknown.add(`the co-author ${email} of ${commit.sha}`);
      else ids.add(id);
    }
  }
  for (const push of facts.pushes) {
    if (parseInstant(push.timestamp) <= asOf) add(push.actor, `who pushed ${push.after}`);
  }
  for (const run of facts.workflow_runs) {
    add(run.actor, `who started workflow run ${run.id}`);
    add(run.triggering_actor, `who started workflow run ${run.id} again`);
  }
  return { ids, unknown: [...unknown].sort() };
}

/** Begin of a branch in GitHub's activity. */
const NOTHING = /^0+$/;

/**
 * Puts the pushes of the head branch into their order, by what each began and ended at; nothing when they do not lead
 * from its creation to the head: then a push is missing, and with it somebody who pushed.
 */
export function orderPushes(facts: ApprovalFacts, asOf: number): readonly GithubPush[] | undefined {
  const left = facts.pushes.filter((push) => parseInstant(push.timestamp) <= asOf);
  left.sort(
    (one, other) => parseInstant(one.timestamp) - parseInstant(other.timestamp) || compare(one.after, other.after),
  );
  const ordered: GithubPush[] = [];
  let at: string | undefined;
  while (left.length > 0) {
    const next = left.findIndex(({ before }) =>
      at === undefined || NOTHING.test(at) ? NOTHING.test(before) : before === at,
    );
    const push = left[next];
    if (push === undefined) return undefined;
    left.splice(next, 1);
    ordered.push(push);
    at = push.after;
  }
  return at === facts.pull_request.head.sha ? ordered : undefined;
}

function compare(one: string, other: string): number {
  return one < other ? -1 : one > other ? 1 : 0;
}

/** Who else a commit's message names; an id is null when GitHub knows nobody by that address. */
function listCoAuthors(
  { commit }: GithubCommit,
  identities: ApprovalFacts["identities"],
): { email: string; id: number | null }[] {
  return [...commit.message.matchAll(/^[ \t]*co-authored-by:(.*)$/gim)].map(([, who = ""]) => {
    const email = /<([^<>\s]+)>/.exec(who)?.[1] ?? who.trim();
    // GitHub makes this address of the account's number; a rename does not change it.
    const number = /^(\d{1,15})\+[^@]*@users\.noreply\.github\.com$/i.exec(email)?.[1];
    if (number !== undefined) return { email, id: Number(number) };
    const known = identities.filter((identity) => identity.email.toLowerCase() === email.toLowerCase());
    const [first] = known;
    // Two answers about one address are none.
    return { email, id: known.length === 1 ? (first?.user?.id ?? null) : null };
  });
}
