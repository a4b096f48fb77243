import type { z } from "zod";
import { parseJsonBytes } from "./json-bytes.ts";
import { err, ok, type Result } from "./result.ts";
import { quoteText } from "./visible-text.ts";

/** The largest report of an auditor or a triage program that is read, in bytes. */
export const REPORT_BYTES_MAX = 1_048_576;

/**
 * Parses a report that a program wrote about facts it was given: size, UTF-8, JSON, shape, and then every value that it
 * had to repeat, exactly. Keys that the shape does not know are dropped. `undefined` bytes mean that it wrote none.
 * The error says what was expected; it never tells a repeated value that was not found, because a nonce is one.
 */
export function parseProgramReport<T extends Record<string, unknown>>(
  bytes: Uint8Array | undefined,
  schema: z.ZodType<T>,
  expected: Readonly<Partial<T>>,
): Result<T, string> {
  if (bytes === undefined) return err("expected a report, found none");
  if (bytes.length > REPORT_BYTES_MAX) {
    return err(`expected at most ${REPORT_BYTES_MAX} bytes, found ${bytes.length}`);
  }
  const json = parseJsonBytes(bytes);
  if (!json.ok) return json;
  const parsed = schema.safeParse(json.value);
  if (!parsed.success) {
    const issue = parsed.error.issues[0];
    return err(`${issue?.path.join(".") ?? ""}: ${issue?.message ?? "not as the schema says"}`);
  }
  const other = Object.keys(expected).find((key) => parsed.data[key] !== expected[key]);
  if (other === undefined) return ok(parsed.data);
  return err(`${other}: expected the value that was given, found ${quoteText(String(parsed.data[other]))}`);
}
