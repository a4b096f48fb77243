import type { ApprovalPolicy } from "./approval-policy.ts";
import type { GithubUser } from "./github-answers.ts";

/** True for an account that the policy calls a machine's, by login or by number. */
export function isMachine(
  policy: Pick<ApprovalPolicy, "machine-users">,
  user: Pick<NonNullable<GithubUser>, "id" | "login">,
): boolean {
  return policy["machine-users"].some((one) =>
    typeof one === "number" ? one === user.id : one.toLowerCase() === user.login.toLowerCase(),
  );
}
