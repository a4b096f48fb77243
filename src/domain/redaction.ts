import type { Automaton } from "./automaton.ts";
import { joinBytes } from "./join-bytes.ts";
import { BACKSLASH, ESCAPE, openReader, PERCENT, type Span } from "./secret-reader.ts";

/** What stands in place of a secret. */
export const REDACTED = "[redacted]";
const MARK = new TextEncoder().encode(REDACTED);

/** A text that ends within a secret loses what it has of it, from this many bytes on. */
const PREFIX_MIN = 8;

/** Bytes that are read before anybody asks whether something was found. */
const PIECE_BYTES = 65_536;

/** Takes secrets out of a stream of bytes. What could still become a secret is held back until that is known. */
export interface RedactionStream {
  /** The bytes that are settled now. */
  push(chunk: Uint8Array): Uint8Array;
  /** The rest. A secret that has begun and does not end is taken out too. */
  end(): Uint8Array;
  /** Secrets that were taken out so far. */
  readonly count: number;
  /** Bytes that are held back. */
  readonly held: number;
}

/**
 * Opens a stream: bytes that have been settled are never looked at again, so that its time is linear in its length. A
 * secret that has begun with fewer than `openMin` bytes is not waited for; when it goes on it loses the rest.
 */
export function redactStream(automaton: Automaton, openMin = 0): RedactionStream {
  const reader = openReader(automaton);
  let held: Uint8Array = new Uint8Array(0);
  /** Offset in the stream of the first byte that is held. */
  let base = 0;
  let count = 0;
  let marked: Span | undefined;

  const release = (until: number): Uint8Array => {
    const parts: Uint8Array[] = [];
    let at = base;
    const copy = (to: number): void => {
      if (to > at) parts.push(held.subarray(at - base, to - base));
      at = Math.max(at, to);
    };
    for (const span of reader.spans) {
      if (span.start >= until) break;
      // A span that was begun in an earlier piece has its mark, however far it has grown since.
      if (marked === undefined || span.start >= marked.end) {
        copy(span.start);
        parts.push(MARK);
        count += 1;
      }
      marked = span;
      at = Math.max(at, Math.min(span.end, until));
    }
    copy(until);
    reader.forget(until);
    held = held.subarray(until - base);
    base = until;
    return joinBytes(parts);
  };

  return {
    get count() {
      return count;
    },
    get held() {
      return held.length;
    },
    push(chunk) {
      if (automaton.longest === 0) return chunk;
      const start = base + held.length;
      held = held.length === 0 ? chunk : joinBytes([held, chunk]);
      reader.read(chunk, start);
      return release(Math.min(reader.openFrom(openMin), start + chunk.length));
    },
    end() {
      const end = base + held.length;
      const open = reader.openFrom(PREFIX_MIN);
      if (open < end) reader.add(open, end);
      return release(end);
    },
  };
}

/** Bytes without secrets, and how many there were; the very same bytes when there were none. */
export function redactBytes(automaton: Automaton, bytes: Uint8Array): { bytes: Uint8Array; count: number } {
  if (automaton.longest === 0) return { bytes, count: 0 };
  const stream = redactStream(automaton);
  const parts = [stream.push(bytes), stream.end()];
  return stream.count === 0 ? { bytes, count: 0 } : { bytes: joinBytes(parts), count: stream.count };
}

/** The same of a text. */
export function redactText(automaton: Automaton, text: string): { text: string; count: number } {
  if (automaton.longest === 0 || text.length < PREFIX_MIN || isInnocent(automaton, text)) return { text, count: 0 };
  const { bytes, count } = redactBytes(automaton, new TextEncoder().encode(text));
  return count === 0 ? { text, count } : { text: new TextDecoder().decode(bytes), count };
}

/** True when a text is plain and no secret is begun in it, which is nearly every one: seen without copying anything. */
function isInnocent(automaton: Automaton, text: string): boolean {
  let state = 0;
  for (let index = 0; index < text.length; index += 1) {
    const unit = text.charCodeAt(index);
    if (unit >= 0x80 || unit === BACKSLASH || unit === PERCENT || unit === ESCAPE) return false;
    if (automaton.ignores(unit)) continue;
    state = automaton.next(state, unit);
    if (automaton.depth(state) >= PREFIX_MIN) return false;
  }
  return true;
}

/** The same of every text in a value that JSON could hold, names of members included. */
export function redactValue<T>(automaton: Automaton, value: T): { value: T; count: number } {
  if (automaton.longest === 0) return { value, count: 0 };
  let count = 0;
  const walk = (part: unknown): unknown => {
    if (typeof part === "string") {
      const redacted = redactText(automaton, part);
      count += redacted.count;
      return redacted.text;
    }
    if (Array.isArray(part)) return part.map(walk);
    if (typeof part !== "object" || part === null) return part;
    return Object.fromEntries(Object.entries(part).map(([name, member]) => [walk(name), walk(member)]));
  };
  const redacted = walk(value) as T;
  return count === 0 ? { value, count } : { value: redacted, count };
}

/** Whether a whole secret stands in bytes. */
export function hasSecret(automaton: Automaton, bytes: Uint8Array): boolean {
  if (automaton.longest === 0) return false;
  const reader = openReader(automaton);
  // In pieces: what is found at the beginning needs no further look.
  for (let at = 0; at < bytes.length && reader.spans.length === 0; at += PIECE_BYTES) {
    reader.read(bytes.subarray(at, at + PIECE_BYTES), at);
  }
  return reader.spans.length > 0;
}

/** Where whole secrets stand in a text, as offsets of characters. */
export function findSecrets(automaton: Automaton, text: string): Span[] {
  if (automaton.longest === 0) return [];
  const bytes = new TextEncoder().encode(text);
  const reader = openReader(automaton);
  reader.read(bytes, 0);
  const lengthOf = (end: number): number => new TextDecoder().decode(bytes.subarray(0, end)).length;
  return reader.spans.map(({ start, end }) => ({ start: lengthOf(start), end: lengthOf(end) }));
}
