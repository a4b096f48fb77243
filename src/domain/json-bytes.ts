import { err, ok, type Result } from "./result.ts";
import { quoteText } from "./visible-text.ts";

/**
 * Parses JSON in UTF-8 that a program wrote. A key that stands twice in one object is refused: readers disagree on
 * which of the two counts, so that a text with both `pass` and `issues_found` would say either.
 */
export function parseJsonBytes(bytes: Uint8Array): Result<unknown, string> {
  try {
    const text = new TextDecoder("utf-8", { fatal: true }).decode(bytes);
    const value: unknown = JSON.parse(text);
    const twice = findRepeatedKey(text);
    return twice === undefined ? ok(value) : err(`expected each key once, found ${quoteText(twice)} twice`);
  } catch {
    return err("expected one JSON object in UTF-8");
  }
}

/** What a JSON text is made of, as far as its keys are concerned: a string (with the colon that makes it a key), or a bracket. */
const PARTS = /"((?:[^"\\]+|\\.)*)"(\s*:)?|[{}[\]]/g;

/** The first key that an object has twice, in a text that is JSON. Without recursion: a text may be nested deeply. */
function findRepeatedKey(text: string): string | undefined {
  const open: Set<string>[] = [];
  for (const [part, string, colon] of text.matchAll(PARTS)) {
    if (part === "{" || part === "[") open.push(new Set());
    else if (part === "}" || part === "]") open.pop();
    else if (colon !== undefined) {
      // The same key may be written with escapes the other time.
      const key = JSON.parse(`"${string}"`) as string;
      if (open.at(-1)?.has(key) === true) return key;
      open.at(-1)?.add(key);
    }
  }
  return undefined;
}
