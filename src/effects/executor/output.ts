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

/** A whole number from 0; what is missing or something else is 0. */
export function countOf(value: unknown): number {
  return typeof value === "number" && Number.isSafeInteger(value) && value > 0 ? value : 0;
}

/** What an agent says, on one line, short, and without characters that cannot be seen. */
export function tell(value: unknown): string {
  const text = typeof value === "string" ? value : "";
  const line = text.replace(/[\p{C}\s]+/gu, " ").trim();
  return line.length > DETAIL_LENGTH_MAX ? `${line.slice(0, DETAIL_LENGTH_MAX).toWellFormed()}…` : line;
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
