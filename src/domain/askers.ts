import { isMachine } from "./approval-authority.ts";
import type { ApprovalPolicy } from "./approval-policy.ts";
import type { GithubPermission } from "./github-answers.ts";

/** Somebody who started a workflow run, or started it again; the number where the event tells it. */
export interface Asker {
  readonly login: string;
  readonly id: number | null;
}

/** Who started a run: the sender of the event and, when somebody else started it again, that one as well. */
export function listAskers(
  sender: { readonly login: string; readonly id: number } | undefined,
  triggeringActor: string | undefined,
): Asker[] {
  const again = triggeringActor ?? "";
  const first = sender === undefined ? [] : [{ login: sender.login, id: sender.id }];
  return again.toLowerCase() === sender?.login.toLowerCase() ? first : [...first, { login: again, id: null }];
}

/**
 * Why somebody who started a run is no person who may ask for it; nothing when they are one. Accounts are compared by
 * number, for a login can have been taken over, and what an account may do is what GitHub answers now.
 */
export function judgeAsker(
  { login, id }: Asker,
  answer: GithubPermission | null,
  policy: Pick<ApprovalPolicy, "machine-users">,
): string | undefined {
  if (login === "") return "who started it again is unknown";
  const user = answer?.user ?? null;
  if (answer === null || user === null) return `${login} has no access to the repository`;
  if (user.login.toLowerCase() !== login.toLowerCase() || (id !== null && user.id !== id))
    return `${login} is another account now`;
  if (user.type !== "User") return `${login} is a ${user.type}, not a person`;
  if (isMachine(policy, user)) return `${login} is one of policy.machine-users`;
  return answer.permission === "write" || answer.permission === "admin" ? undefined : `${login} cannot write`;
}
