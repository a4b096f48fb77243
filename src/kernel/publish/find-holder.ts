import type { TokenKind } from "../../domain/published.ts";
import type { GithubWrites } from "../../ports/github.ts";

/** The account of every job's own token. */
const ACTIONS_BOT = "github-actions[bot]";

/** Whose token it is that publishes. */
export interface TokenHolder {
  /** Login of its account; nothing when nobody could find out. */
  readonly self: string | undefined;
  readonly token: TokenKind;
}

/** Asks GitHub whose token publishes; where it does not say, that is said in the pull request. */
export async function findHolder(writes: Pick<GithubWrites, "readLogin">): Promise<TokenHolder> {
  const login = await writes.readLogin();
  if (!login.ok) return { self: undefined, token: "unknown" };
  return { self: login.value, token: login.value === ACTIONS_BOT ? "github_token" : "other" };
}
