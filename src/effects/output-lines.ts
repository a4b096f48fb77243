import { stripVTControlCharacters } from "node:util";

/** Bytes of one line that are shown; the rest of a longer line is dropped. */
const LINE_BYTES_MAX = 4096;

const LINE_FEED = 0x0a;

/** Cuts a stream of bytes into lines that are fit for a person's terminal. */
export interface LineSplitter {
  push(chunk: Buffer): void;
  /** The stream has ended: what has no line feed yet is a line too. */
  end(): void;
}

/** Calls `onLine` for each line, without ANSI sequences and control characters, at most `LINE_BYTES_MAX` bytes long. */
export function splitLines(onLine: (line: string) => void): LineSplitter {
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
