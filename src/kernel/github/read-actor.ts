import type { Actor, Starter } from "../../domain/actors.ts";
import { sayFailure } from "../../domain/github-failure.ts";
import type { Github } from "../../ports/github.ts";

/** Asks GitHub what somebody who started a workflow run may do now; what it does not say is `unknown`, with the reason. */
export async function readActor(github: Github, starter: Starter): Promise<Actor> {
  return { ...starter, permission: await readPermission(github, starter) };
}

async function readPermission(github: Github, { login, id, isBot }: Starter): Promise<Actor["permission"]> {
  // GitHub knows no permission of a bot, and a name that is none is not asked about.
  if (isBot || login === "") return { unknown: "nobody was asked" };
  const answer = await github.readPermission(login);
  if (answer.ok) {
    const { permission: level, user } = answer.value;
    return { level, ofId: user?.id ?? null, ofType: user?.type ?? "User" };
  }
  // Who has no access at all is nobody that the repository knows.
  return answer.error.kind === "not_found"
    ? { level: "none", ofId: id, ofType: "User" }
    : { unknown: sayFailure(answer.error) };
}
