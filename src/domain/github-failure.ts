/** Why nothing is known of what GitHub was asked. */
export interface GithubFailure {
  /**
   * `not_found`: 404 or 410, which GitHub also answers to whoever may not know. `unauthorised`, `forbidden`: the token.
   * `conflict`: 409 or 422, what was asked for contradicts what is there. `unavailable`: no answer, a server's fault or a
   * rate limit, still after all retries. `malformed`: an answer that cannot be read, or is not whole.
   */
  readonly kind: "not_found" | "unauthorised" | "forbidden" | "conflict" | "unavailable" | "malformed";
  /** Null when there was no answer at all. */
  readonly status: number | null;
  /** The request, as `GET /repos/{owner}/{repo}/pulls/7`. */
  readonly request: string;
  readonly message: string;
}

/** A failure in one line, for a person. */
export function sayFailure({ request, message }: GithubFailure): string {
  return `${request}: ${message}`;
}
