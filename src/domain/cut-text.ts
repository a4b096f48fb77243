const encoder = new TextEncoder();

/** Length of a text in bytes of UTF-8. */
export function utf8Length(text: string): number {
  return encoder.encode(text).length;
}

/**
 * Cuts a text to at most `charactersMax` UTF-16 units, never through a character, and says how much is missing. For
 * texts of programs that stand among others: the whole of it is in a file.
 */
export function cutText(text: string, charactersMax: number): string {
  if (text.length <= charactersMax) return text;
  const isSplit = isHighSurrogate(text.charCodeAt(charactersMax - 1));
  const kept = text.slice(0, isSplit ? charactersMax - 1 : charactersMax);
  return `${kept}… [${text.length - kept.length} more characters]`;
}

function isHighSurrogate(code: number): boolean {
  return code >= 0xd800 && code <= 0xdbff;
}

/** The ends of a file; of a short one `head` is all of it and `tail` is empty. */
export interface FileEnds {
  /** Size of the whole file. */
  readonly bytes: number;
  readonly head: Uint8Array;
  readonly tail: Uint8Array;
}

/** The first and the last part of a text in UTF-8, and how many bytes are left out between them. */
export interface CutText {
  readonly head: string;
  /** Empty when nothing is left out, and when only the beginning was asked for. */
  readonly tail: string;
  readonly leftOut: number;
}

/** Reads the ends of a file as UTF-8. A character that the cut went through is left out, never broken. */
export function decodeEnds({ bytes, head, tail }: FileEnds): CutText {
  const leftOut = bytes - head.length - tail.length;
  const first = tail.findIndex((byte) => (byte & 0xc0) !== 0x80);
  // Of the rest of one character alone nothing is left.
  const from = first === -1 ? tail.length : first;
  return {
    // As a stream, the decoder waits for the rest of a character that is not whole, and drops it here.
    head: new TextDecoder().decode(head, { stream: leftOut > 0 }),
    tail: new TextDecoder().decode(leftOut > 0 ? tail.subarray(from) : tail),
    leftOut,
  };
}
