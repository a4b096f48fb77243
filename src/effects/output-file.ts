import { closeSync, fchmodSync, openSync, writeSync } from "node:fs";
import { dirname } from "node:path";
import { makeFolderDurably } from "./durable-files.ts";
import type { Redactor } from "./redactor.ts";

/** How much of an output stream is kept. */
export interface OutputLimits {
  readonly headBytesMax: number;
  readonly tailBytesMax: number;
}

export const DEFAULT_OUTPUT_LIMITS: OutputLimits = { headBytesMax: 1024 * 1024, tailBytesMax: 1024 * 1024 };

/** A file that keeps the beginning and the end of a stream, and says how much lay in between. */
export interface OutputFile extends Disposable {
  /** Bytes that were written to it, kept or not. */
  readonly bytes: number;
  write(chunk: Buffer): void;
}

/**
 * Opens the file (mode 0600, its folder is made). The head is written as it comes, so that a person can follow it;
 * the tail is held in a ring of `tailBytesMax` and written when the file is disposed of. Writing is synchronous on
 * purpose: at most head and tail are ever written, and no queue can grow in memory. Secrets are taken out before a byte
 * is written; what is dropped is not looked at.
 */
export function openOutputFile(path: string, limits: OutputLimits, redactor: Redactor): OutputFile {
  makeFolderDurably(dirname(path));
  const descriptor = openSync(path, "w", 0o600);
  fchmodSync(descriptor, 0o600);
  // A secret that begins in what is left out must not show its end: so much more is looked at before the tail.
  const tail = makeRing(limits.tailBytesMax === 0 ? 0 : limits.tailBytesMax + redactor.spanBytesMax);
  const stream = redactor.stream();
  let bytes = 0;
  return {
    get bytes() {
      return bytes;
    },
    write(chunk) {
      const headRoom = Math.max(0, limits.headBytesMax - bytes);
      bytes += chunk.length;
      if (headRoom > 0) writeAll(descriptor, stream.push(chunk.subarray(0, headRoom)));
      if (chunk.length > headRoom) tail.push(chunk.subarray(headRoom));
    },
    [Symbol.dispose]() {
      try {
        const kept = tail.read();
        const leftOut = Math.max(0, bytes - limits.headBytesMax - limits.tailBytesMax);
        if (leftOut === 0) {
          writeAll(descriptor, stream.push(kept));
          writeAll(descriptor, stream.end());
        } else {
          writeAll(descriptor, stream.end());
          writeAll(descriptor, Buffer.from(`\n[... ${leftOut} bytes left out ...]\n`));
          writeAll(descriptor, redactTail(kept, limits.tailBytesMax, redactor));
        }
      } finally {
        closeSync(descriptor);
      }
    },
  };
}

/** The last bytes without secrets, also without the end of one that begins in what stands before them. */
function redactTail(kept: Buffer, bytesMax: number, redactor: Redactor): Uint8Array {
  const stream = redactor.stream();
  const before = kept.subarray(0, Math.max(0, kept.length - bytesMax));
  stream.push(before);
  const open = before.subarray(before.length - stream.held);
  const tail = Buffer.concat([stream.push(kept.subarray(before.length)), stream.end()]);
  // What was held back of the bytes before and was no secret is left out with them.
  return tail.subarray(0, open.length).equals(open) ? tail.subarray(open.length) : tail;
}

/** One `write` may take less than it was given. */
function writeAll(descriptor: number, bytes: Uint8Array): void {
  for (let offset = 0; offset < bytes.length;) offset += writeSync(descriptor, bytes, offset);
}

interface Ring {
  push(chunk: Buffer): void;
  /** The last bytes, oldest first. */
  read(): Buffer;
}

/** The last `size` bytes of what is pushed. Memory is taken only when something is pushed. */
function makeRing(size: number): Ring {
  let ring: Buffer | undefined;
  let pushed = 0;
  return {
    push(chunk) {
      if (size === 0) return;
      ring ??= Buffer.allocUnsafe(size);
      const rest = chunk.subarray(Math.max(0, chunk.length - size));
      const start = (pushed + chunk.length - rest.length) % size;
      const untilEnd = Math.min(rest.length, size - start);
      rest.copy(ring, start, 0, untilEnd);
      rest.copy(ring, 0, untilEnd);
      pushed += chunk.length;
    },
    read() {
      if (ring === undefined) return Buffer.alloc(0);
      if (pushed <= size) return ring.subarray(0, pushed);
      const start = pushed % size;
      return start === 0 ? ring : Buffer.concat([ring.subarray(start), ring.subarray(0, start)]);
    },
  };
}
