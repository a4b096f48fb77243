import { ok } from "../../domain/result.ts";
import type { Github, GithubAnswer } from "../../ports/github.ts";

/** Whether a commit is the tip or one of its ancestors; one that GitHub does not find is none. */
export async function isContained(
  github: Pick<Github, "compare">,
  commit: string,
  tip: string,
): Promise<GithubAnswer<boolean>> {
  const compared = await github.compare(commit, tip);
  if (!compared.ok) return compared.error.kind === "not_found" ? ok(false) : compared;
  return ok(compared.value.status === "ahead" || compared.value.status === "identical");
}
