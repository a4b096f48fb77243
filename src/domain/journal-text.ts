import { canonicalJson, sha256, type Json } from "./digest.ts";
import { journalEventSchema, type JournalEvent } from "./journal.ts";
import { err, ok, type Result } from "./result.ts";

/** `prev` of the first event. */
export const JOURNAL_START = "0".repeat(64);

/** Builds an event's line, without its newline. */
export function buildEventLine(event: JournalEvent): string {
  return canonicalJson(event as unknown as Json);
}

/** Why a journal is not one: the line (from 1) and what is wrong with it. */
export interface JournalFault {
  readonly line: number;
  readonly message: string;
}

/** A journal that was read: its events, the digest of its last line, and what of it was torn. */
export interface ReadJournal {
  readonly events: readonly JournalEvent[];
  readonly head: string;
  /** Bytes of the valid part; what follows is a last line without newline. */
  readonly validBytes: number;
  readonly tornBytes: number;
}

/**
 * Reads a journal: every line valid UTF-8, a valid event, the next number, chained to the line before, never with a
 * lower fence. A last line without newline is torn, not a fault; anything else wrong is `JOURNAL_CORRUPT`.
 */
export function parseJournal(bytes: Uint8Array): Result<ReadJournal, JournalFault> {
  const validBytes = bytes.lastIndexOf(0x0a) + 1;
  const events: JournalEvent[] = [];
  let prev = JOURNAL_START;
  for (let start = 0; start < validBytes;) {
    const end = bytes.indexOf(0x0a, start);
    const index = events.length;
    const fault = (message: string) => err({ line: index + 1, message });
    const line = decodeLine(bytes.subarray(start, end));
    if (line === undefined) return fault("expected UTF-8");
    start = end + 1;
    const event = parseEventLine(line);
    if (!event.ok) return fault(event.error);
    const before = events.at(-1);
    if (event.value.seq !== index + 1) return fault(`expected seq ${index + 1}, found ${event.value.seq}`);
    if (event.value.prev !== prev) return fault("prev is not the SHA-256 of the line before");
    if (before !== undefined && event.value.fence < before.fence) return fault("fence is lower than the line before");
    if (before !== undefined && (event.value.run_id !== before.run_id || event.value.plan_id !== before.plan_id))
      return fault("run_id and plan_id must be those of the line before");
    if ((index === 0) !== (event.value.type === "run_created"))
      return fault("expected run_created first, and only there");
    events.push(event.value);
    prev = sha256(line);
  }
  return ok({ events, head: prev, validBytes, tornBytes: bytes.length - validBytes });
}

function decodeLine(bytes: Uint8Array): string | undefined {
  try {
    return new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch {
    return undefined;
  }
}

/** Reads one line of a journal: a valid event in canonical form. */
export function parseEventLine(line: string): Result<JournalEvent, string> {
  let value: unknown;
  try {
    value = JSON.parse(line);
  } catch {
    return err("expected one JSON object");
  }
  const parsed = journalEventSchema.safeParse(value);
  if (!parsed.success) {
    const issue = parsed.error.issues[0];
    return err(`not a valid event: ${issue?.path.join(".") ?? ""} ${issue?.message ?? ""}`.trim());
  }
  const event = parsed.data as unknown as JournalEvent;
  // Canonical form has one spelling: a line that says the same in other bytes was not written by us.
  return buildEventLine(event) === line ? ok(event) : err("expected canonical JSON");
}
