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

/** Where a reader of a journal stands: after its last good line. */
export interface JournalPlace {
  readonly seq: number;
  /** SHA-256 of the line before. */
  readonly prev: string;
  readonly last: JournalEvent | undefined;
}

/** Where every reader begins. */
export const BEFORE_JOURNAL: JournalPlace = { seq: 0, prev: JOURNAL_START, last: undefined };

/**
 * Reads the next line of a journal, given without its newline: valid UTF-8, a valid event, the next number, chained to
 * the line before, never with a lower fence. Needs nothing but the line before, so that a journal of any length can be
 * read in bounded memory.
 */
export function followJournal(
  place: JournalPlace,
  bytes: Uint8Array,
): Result<JournalPlace & { readonly last: JournalEvent }, string> {
  const line = decodeLine(bytes);
  if (line === undefined) return err("expected UTF-8");
  const parsed = parseEventLine(line);
  if (!parsed.ok) return parsed;
  const event = parsed.value;
  const { last: before, prev } = place;
  if (event.seq !== place.seq + 1) return err(`expected seq ${place.seq + 1}, found ${event.seq}`);
  if (event.prev !== prev) return err("prev is not the SHA-256 of the line before");
  if (before !== undefined && event.fence < before.fence) return err("fence is lower than the line before");
  if (before !== undefined && (event.run_id !== before.run_id || event.plan_id !== before.plan_id))
    return err("run_id and plan_id must be those of the line before");
  if ((before === undefined) !== (event.type === "run_created"))
    return err("expected run_created first, and only there");
  return ok({ seq: event.seq, prev: sha256(line), last: event });
}

/**
 * Reads a journal: every line as `followJournal` says. A last line without newline is torn, not a fault; anything else
 * wrong is `JOURNAL_CORRUPT`.
 */
export function parseJournal(bytes: Uint8Array): Result<ReadJournal, JournalFault> {
  const validBytes = bytes.lastIndexOf(0x0a) + 1;
  const events: JournalEvent[] = [];
  let place = BEFORE_JOURNAL;
  for (let start = 0; start < validBytes;) {
    const end = bytes.indexOf(0x0a, start);
    const followed = followJournal(place, bytes.subarray(start, end));
    if (!followed.ok) return err({ line: events.length + 1, message: followed.error });
    start = end + 1;
    place = followed.value;
    events.push(followed.value.last);
  }
  return ok({ events, head: place.prev, validBytes, tornBytes: bytes.length - validBytes });
}

const decoder = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

function decodeLine(bytes: Uint8Array): string | undefined {
  try {
    return decoder.decode(bytes);
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
