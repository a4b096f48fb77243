import { closeSync, fchmodSync, openSync, writeSync } from "node:fs";
import { dirname } from "node:path";
import { makeFolderDurably } from "./durable-files.ts";

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
 * purpose: at most head and tail are ever written, and no queue can grow in memory.
 */
export function openOutputFile(path: string, limits: OutputLimits): OutputFile {
  makeFolderDurably(dirname(path));
  const descriptor = openSync(path, "w", 0o600);
  fchmodSync(descriptor, 0o600);
  const tail = makeRing(limits.tailBytesMax);
  let bytes = 0;
  return {
    get bytes() {
      return bytes;
    },
    write(chunk) {
      const headRoom = Math.max(0, limits.headBytesMax - bytes);
      bytes += chunk.length;
      if (headRoom > 0) writeAll(descriptor, chunk.subarray(0, headRoom));
      if (chunk.length > headRoom) tail.push(chunk.subarray(headRoom));
    },
    [Symbol.dispose]() {
      try {
        const kept = tail.read();
        const leftOut = Math.max(0, bytes - limits.headBytesMax - limits.tailBytesMax);
        if (leftOut > 0) writeAll(descriptor, Buffer.from(`\n[... ${leftOut} bytes left out ...]\n`));
        for (const part of kept) writeAll(descriptor, part);
      } finally {
        closeSync(descriptor);
      }
    },
  };
}

/** One `write` may take less than it was given. */
function writeAll(descriptor: number, bytes: Buffer): void {
  for (let offset = 0; offset < bytes.length;) offset += writeSync(descriptor, bytes, offset);
}

interface Ring {
  push(chunk: Buffer): void;
  /** The last bytes, oldest first, in at most two parts. */
  read(): readonly Buffer[];
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
      if (ring === undefined) return [];
      if (pushed <= size) return [ring.subarray(0, pushed)];
      const start = pushed % size;
      return [ring.subarray(start), ring.subarray(0, start)];
    },
  };
}
