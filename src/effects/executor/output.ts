/** The longest text of an agent that a fact keeps, in characters. */
const DETAIL_LENGTH_MAX = 300;

/** Every line of kept output that is a JSON object; what is left out of the middle, or cut by it, is no line of its own. */
export function readObjects(stdout: Uint8Array): Record<string, unknown>[] {
  return new TextDecoder()
    .decode(stdout)
    .split("\n")
    .flatMap((line) => {
      if (!line.startsWith("{")) return [];
      try {
        const value: unknown = JSON.parse(line);
        return isObject(value) ? [value] : [];
      } catch {
        return [];
      }
    });
}

/** The value as an object; an empty one when it is none. */
export function objectOf(value: unknown): Record<string, unknown> {
  return isObject(value) ? value : {};
}

/** More than any session can use. What a program says beyond it would make sums that no journal can hold. */
const COUNT_MAX = 1e12;

/** A whole number from 0; what is missing or something else is 0, and what is beyond belief the most there can be. */
export function countOf(value: unknown): number {
  if (typeof value !== "number" || !(value > 0)) return 0;
  return value >= COUNT_MAX ? COUNT_MAX : Number.isInteger(value) ? value : 0;
}

/** Whether a number of tokens was said at all: what is missing or no count is unknown, and not nothing. */
export function isCount(value: unknown): boolean {
  return typeof value === "number" && value >= 0 && (value >= COUNT_MAX || Number.isInteger(value));
}

/** What an agent says, on one line, short, and without characters that cannot be seen. */
export function tell(value: unknown): string {
  const text = typeof value === "string" ? value : "";
  const line = text.replace(/[\p{C}\s]+/gu, " ").trim();
  return line.length > DETAIL_LENGTH_MAX ? `${line.slice(0, DETAIL_LENGTH_MAX).toWellFormed()}…` : line;
}

/** What services and agents say when asking again later may help. */
const TRANSIENT =
  /\b(408|425|429|5\d\d)\b|overload|rate.?limit|too many requests|high demand|temporarily|unavailable|stream disconnected|error sending request|connection (error|refused|reset|closed|lost)|timed? ?out|ECONN|ENOTFOUND|EAI_AGAIN|fetch failed/i;

/** What waiting does not mend, though services answer it with 429. */
const SPENT = /insufficient.?quota|quota exceeded|exceeded your current quota|billing|credit balance|spend.?limit/i;

/** Whether an error of a service is one that passes: then the session failed as `unavailable`. */
export function isTransient(detail: string): boolean {
  return TRANSIENT.test(detail) && !SPENT.test(detail);
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
