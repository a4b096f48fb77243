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
  if (answer.ok) return { level: answer.value.permission, ofId: answer.value.user?.id ?? null };
  return answer.error.kind === "not_found" ? { level: "none", ofId: id } : { unknown: sayFailure(answer.error) };
}
