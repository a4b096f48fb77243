import { stripVTControlCharacters } from "node:util";
import type { Redactor } from "./redactor.ts";

/** Bytes of one line that are shown; the rest of a longer line is dropped. */
const LINE_BYTES_MAX = 4096;

const LINE_FEED = 0x0a;

/** Cuts a stream of bytes into lines that are fit for a person's terminal. */
export interface LineSplitter {
  push(chunk: Buffer): void;
  /** The stream has ended: what has no line feed yet is a line too. */
  end(): void;
}

/** So much of a secret may be shown before the rest of it comes; every line that ends with less is told at once. */
const OPEN_BYTES_MIN = 4;

/**
 * Calls `onLine` for each line of one stream, without secrets: also those that are wrapped, for which the lines that they
 * begin in are held back until it is known. They are taken out before anybody shortens a line: of a secret that is cut off
 * its beginning could not be told.
 */
export function followLines(onLine: (line: string) => void, redactor: Redactor): LineSplitter {
  const stream = redactor.stream(OPEN_BYTES_MIN);
  let pending = "";
  const tell = (bytes: Uint8Array) => {
    const lines = `${pending}${new TextDecoder().decode(bytes)}`.split("\n");
    pending = lines.pop() ?? "";
    // Once more alone: what a line ends within, cut off by the bound on its length, is no secret of the stream.
    for (const line of lines) onLine(redactor.text(line));
  };
  const lines = splitLines((line) => tell(stream.push(new TextEncoder().encode(`${line}\n`))));
  return {
    push: (chunk) => lines.push(chunk),
    end() {
      lines.end();
      tell(stream.end());
      if (pending !== "") tell(new TextEncoder().encode("\n"));
    },
  };
}

/** Following is for people and decides nothing: a follower that fails is not called again. */
export function neverThrowing(onLine: ((line: string) => void) | undefined): ((line: string) => void) | undefined {
  if (onLine === undefined) return undefined;
  let broken = false;
  return (line) => {
    if (broken) return;
    try {
      onLine(line);
    } catch {
      broken = true;
    }
  };
}

/** Calls `onLine` for each line, without ANSI sequences and control characters, at most `LINE_BYTES_MAX` bytes long. */
function splitLines(onLine: (line: string) => void): LineSplitter {
  const pending = Buffer.alloc(LINE_BYTES_MAX);
  let length = 0;
  let open = false;
  const take = (bytes: Buffer) => {
    if (bytes.length > 0) open = true;
    length += bytes.copy(pending, length);
  };
  const finish = () => {
    const line = cleanLine(pending.toString("utf8", 0, length));
    length = 0;
    open = false;
    onLine(line);
  };
  return {
    push(chunk) {
      let start = 0;
      for (let at = chunk.indexOf(LINE_FEED); at !== -1; at = chunk.indexOf(LINE_FEED, start)) {
        take(chunk.subarray(start, at));
        finish();
        start = at + 1;
      }
      take(chunk.subarray(start));
    },
    end() {
      if (open) finish();
    },
  };
}

/** Control characters but the tab, line separators, and marks that turn the direction of text around. */
const unprintable = /[\u0000-\u0008\u000a-\u001f\u007f-\u009f\u2028\u2029\u202a-\u202e\u2066-\u2069]/gu;

function cleanLine(line: string): string {
  return stripVTControlCharacters(line).replace(unprintable, "");
}
