import type { Automaton } from "./automaton.ts";

/** Bytes from one offset up to another. */
export interface Span {
  readonly start: number;
  readonly end: number;
}

/** Reads bytes in pieces and keeps where secrets stand. */
export interface SecretReader {
  /** Secrets in order, those that overlap as one. */
  readonly spans: readonly Span[];
  /** Reads the next bytes; `start` is the offset of the first. */
  read(bytes: Uint8Array, start: number): void;
  add(start: number, end: number): void;
  /** Offset of a secret that has begun, with more than so many bytes, and may still end; else Infinity. */
  openFrom(bytesMin: number): number;
  /** Forgets what ends before an offset. */
  forget(until: number): void;
}

/** One way to read the bytes: where it stands in the automaton, and where the bytes lie that led there. */
interface Reading {
  state: number;
  /** Offsets of the last bytes that counted, in a ring. */
  readonly offsets: Float64Array;
  counted: number;
}

export const BACKSLASH = 0x5c;
export const PERCENT = 0x25;
export const ESCAPE = 0x1b;
const BRACKET = 0x5b;
const SIMPLE = Uint8Array.from({ length: 256 }, (_unused, byte) =>
  Number(![BACKSLASH, PERCENT, ESCAPE].includes(byte)),
);

/** Bytes of the colour of a terminal that are waited for: `ESC [ 1 ; 38 ; 5 ; 196 m` and its like. */
const COLOUR_BYTES_MAX = 24;

/**
 * Reads bytes as they are and, where a secret has begun and an escape follows, with escapes of line breaks and quotes
 * taken back: a secret that was wrapped into lines stands so in a string in JSON, and so does the output of programs
 * that an agent reports. Where `%` follows, bytes that are encoded as in a URL are read as what they stand for too,
 * whichever of them are. White space and NUL never count (`Automaton.ignores`), nor do the colours of a terminal, which
 * whoever shows a text leaves out.
 */
export function openReader(automaton: Automaton): SecretReader {
  const plain = newReading(automaton);
  const spare = newReading(automaton);
  const spareDecoded = newReading(automaton);
  let unescaped: Reading | undefined;
  let decoded: Reading | undefined;
  let inEscape = false;
  /** True while there is one way to read what comes. */
  let isSimple = true;
  /** `%` and what followed it, until that is two digits or something else; empty outside of such. */
  let code: number[] = [];
  let codeAt = 0;
  /** The same of what may be a colour. */
  let colour: number[] = [];
  let colourAt = 0;
  let spans: Span[] = [];

  const add = (start: number, end: number): void => {
    let from = start;
    let to = end;
    for (let last = spans.at(-1); last !== undefined && last.end > from; last = spans.at(-1)) {
      from = Math.min(from, last.start);
      to = Math.max(to, last.end);
      spans.pop();
    }
    spans.push({ start: from, end: to });
  };
  const step = (reading: Reading, byte: number, offset: number, end = offset + 1): void => {
    if (automaton.ignores(byte)) return;
    reading.state = automaton.next(reading.state, byte);
    if (reading.state === 0) return;
    reading.offsets[reading.counted % reading.offsets.length] = offset;
    reading.counted += 1;
    const length = automaton.matched(reading.state);
    if (length > 0) add(offsetBack(reading, length), end);
  };
  const stepDecoded = (reading: Reading, byte: number, offset: number): void => {
    if (code.length > 0) {
      if (digitOf(byte) !== undefined) {
        code.push(byte);
        if (code.length < 3) return;
        step(reading, 16 * (digitOf(code[1] ?? 0) ?? 0) + (digitOf(byte) ?? 0), codeAt, offset + 1);
        code = [];
        return;
      }
      // It was no code: the bytes are what they are.
      const [bytes, start] = [code, codeAt];
      code = [];
      for (const [index, each] of bytes.entries()) step(reading, each, start + index);
    }
    if (byte !== PERCENT) return step(reading, byte, offset);
    code = [byte];
    codeAt = offset;
  };
  const readByte = (byte: number, offset: number): void => {
    if (byte === PERCENT) decoded ??= copyReading(automaton, plain, spareDecoded);
    if (decoded !== undefined) stepDecoded(decoded, byte, offset);
    if (byte === BACKSLASH) {
      // Where no secret has begun both ways of reading see the same from here on.
      if (plain.state !== 0) unescaped ??= copyReading(automaton, plain, spare);
      inEscape = true;
      step(plain, byte, offset);
    } else {
      if (unescaped !== undefined && !(inEscape && standsForBreak(byte))) step(unescaped, byte, offset);
      inEscape = false;
      step(plain, byte, offset);
      if (unescaped?.state === plain.state) unescaped = undefined;
    }
    if (code.length === 0 && decoded?.state === plain.state) decoded = undefined;
  };
  /** True while a byte belongs to what may be a colour; what turns out to be none is read as it is. */
  const isColour = (byte: number, offset: number): boolean => {
    if (colour.length === 0) {
      if (byte !== ESCAPE) return false;
      [colour, colourAt] = [[byte], offset];
      return true;
    }
    const isPart = colour.length === 1 ? byte === BRACKET : isParameter(byte);
    if (isPart && colour.length < COLOUR_BYTES_MAX) {
      colour.push(byte);
      return true;
    }
    const [bytes, start] = [colour, colourAt];
    colour = [];
    if (byte === LETTER_M && bytes.length > 1) return true;
    for (const [index, each] of bytes.entries()) readByte(each, start + index);
    return byte === ESCAPE ? isColour(byte, offset) : false;
  };

  return {
    get spans() {
      return spans;
    },
    add,
    read(bytes, start) {
      for (let index = 0; index < bytes.length; index += 1) {
        const byte = bytes[index] ?? 0;
        // Nearly every byte: there is one way to read it.
        if (isSimple && SIMPLE[byte] === 1) step(plain, byte, start + index);
        else if (!isColour(byte, start + index)) readByte(byte, start + index);
        if (SIMPLE[byte] === 0 || !isSimple)
          isSimple = unescaped === undefined && decoded === undefined && colour.length === 0;
      }
    },
    openFrom(bytesMin) {
      const open = [plain, unescaped, decoded].filter((reading) => reading !== undefined);
      return Math.min(
        // A code that has begun may be the first byte of a secret, and so may what turns out to be no colour.
        code.length > 0 && bytesMin === 0 ? codeAt : Infinity,
        colour.length > 0 && bytesMin === 0 ? colourAt : Infinity,
        ...open.map((reading) => {
          const depth = automaton.depth(reading.state);
          return depth > 0 && depth >= bytesMin ? offsetBack(reading, depth) : Infinity;
        }),
      );
    },
    forget(until) {
      spans = spans.filter(({ end }) => end > until);
    },
  };
}

const LETTER_M = 0x6d;

/** Digits, and what stands between them. */
function isParameter(byte: number): boolean {
  return (byte >= 0x30 && byte <= 0x39) || byte === 0x3a || byte === 0x3b;
}

/** The value of a hexadecimal digit. */
function digitOf(byte: number): number | undefined {
  if (byte >= 0x30 && byte <= 0x39) return byte - 0x30;
  const small = byte | 0x20;
  return small >= 0x61 && small <= 0x66 ? small - 0x57 : undefined;
}

/** `\n`, `\r` and `\t` stand for white space. */
function standsForBreak(byte: number): boolean {
  return byte === 0x6e || byte === 0x72 || byte === 0x74;
}

function newReading(automaton: Automaton): Reading {
  return { state: 0, offsets: new Float64Array(automaton.longest), counted: 0 };
}

/** Copies as much of a reading as its state speaks of. */
function copyReading(automaton: Automaton, { state, offsets, counted }: Reading, into: Reading): Reading {
  into.state = state;
  into.counted = counted;
  for (let at = counted - automaton.depth(state); at < counted; at += 1) {
    into.offsets[at % offsets.length] = offsets[at % offsets.length] ?? 0;
  }
  return into;
}

/** Offset of the byte that counted `back` bytes ago. */
function offsetBack({ offsets, counted }: Reading, back: number): number {
  return offsets[(counted - back) % offsets.length] ?? 0;
}
