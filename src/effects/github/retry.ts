/** What an answer says about trying again. */
export interface AnswerFacts {
  /** Null when there was no answer. */
  readonly status: number | null;
  readonly retryAfter: string | undefined;
  readonly rateLimitRemaining: string | undefined;
  /** Seconds since 1970 at which the limit begins anew. */
  readonly rateLimitReset: string | undefined;
  /** What `x-accepted-github-permissions` says that the token lacks. */
  readonly neededPermissions: string | undefined;
  /** What the body said. */
  readonly message: string;
}

export interface RetryFacts {
  /** How often it was tried, at least 1. */
  readonly tries: number;
  /** True when doing it twice is the same as doing it once. */
  readonly idempotent: boolean;
  /** Milliseconds since 1970. */
  readonly now: number;
  /** From 0 up to 1. */
  readonly jitter: number;
  /** Milliseconds that are left of what the whole may take. */
  readonly leftMs: number;
}

/** How often something is tried at most. */
const TRIES_MAX = 6;
const DELAY_MS = 500;
const DELAY_MS_MAX = 30_000;
/** GitHub asks for at least a minute after a secondary limit that names no time. */
const SECONDARY_MS_MIN = 60_000;

/** True when GitHub refused for the rate of requests: then it did nothing, and anything may be tried again. */
export function isRateLimited({ status, rateLimitRemaining, retryAfter, message }: AnswerFacts): boolean {
  if (status === 429) return true;
  return (
    status === 403 && (rateLimitRemaining === "0" || retryAfter !== undefined || /rate limit|abuse/i.test(message))
  );
}

/**
 * Decides how long to wait before trying again, in milliseconds; nothing when there is no point in it. What may have
 * been done although no answer came is tried again only when that does no harm. A wait that GitHub asks for and that
 * outlasts the deadline is not begun.
 */
export function decideRetry(answer: AnswerFacts, facts: RetryFacts): number | undefined {
  if (facts.tries >= TRIES_MAX) return undefined;
  const delay = isRateLimited(answer)
    ? limitedDelay(answer, facts)
    : isTransient(answer) && facts.idempotent
      ? backoff(answer, facts)
      : undefined;
  return delay === undefined || delay > facts.leftMs ? undefined : delay;
}

/** No answer, or a fault that is the server's and may be over soon. */
function isTransient({ status }: AnswerFacts): boolean {
  return status === null || status === 408 || status >= 500;
}

/** Doubles, up to half a minute; between half of it and all, so that those who failed together do not come together. */
function backoff({ retryAfter }: AnswerFacts, { tries, jitter }: RetryFacts): number {
  const delay = Math.min(DELAY_MS * 2 ** (tries - 1), DELAY_MS_MAX);
  // A server that is down for maintenance may say for how long.
  return Math.round(delay / 2 + (delay / 2) * jitter) + (readSeconds(retryAfter) ?? 0) * 1000;
}

function limitedDelay({ retryAfter, rateLimitRemaining, rateLimitReset }: AnswerFacts, facts: RetryFacts): number {
  const spread = Math.round(1000 * facts.jitter);
  const after = readSeconds(retryAfter);
  if (after !== undefined) return after * 1000 + spread;
  const reset = rateLimitRemaining === "0" ? readSeconds(rateLimitReset) : undefined;
  if (reset !== undefined) return Math.max(reset * 1000 - facts.now, 1000) + spread;
  return SECONDARY_MS_MIN * 2 ** Math.min(facts.tries - 1, 3) + spread;
}

/** Whole seconds; a date, or anything else, is none. */
function readSeconds(text: string | undefined): number | undefined {
  return text !== undefined && /^\d{1,12}$/.test(text) ? Number(text) : undefined;
}
