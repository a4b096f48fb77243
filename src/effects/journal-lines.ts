import { createReadStream, lstatSync } from "node:fs";
import { join } from "node:path";
import { JOURNAL_FILE } from "./run-files.ts";

/** Longest line that is kept in memory; no event of ours comes near. */
const LINE_BYTES_MAX = 64 * 1024 * 1024;

/** A piece of a journal. `torn`: bytes after the last newline. `too_long`: nothing after it is read. */
export type JournalPiece =
  | { readonly kind: "line"; readonly bytes: Uint8Array }
  | { readonly kind: "torn"; readonly bytes: number }
  | { readonly kind: "too_long"; readonly bytesMax: number }
  | { readonly kind: "missing" };

/** Reads the journal of a run folder line by line, whatever its length: never more of it is in memory than one line and one chunk. */
export async function* readJournalLines(runFolder: string): AsyncGenerator<JournalPiece> {
  const path = join(runFolder, JOURNAL_FILE);
  if (lstatSync(path, { throwIfNoEntry: false })?.isFile() !== true) {
    yield { kind: "missing" };
    return;
  }
  let parts: Buffer[] = [];
  let length = 0;
  for await (const chunk of createReadStream(path) as AsyncIterable<Buffer>) {
    let start = 0;
    for (let end = chunk.indexOf(0x0a); end >= 0; end = chunk.indexOf(0x0a, start)) {
      yield { kind: "line", bytes: Buffer.concat([...parts, chunk.subarray(start, end)]) };
      parts = [];
      length = 0;
      start = end + 1;
    }
    parts.push(chunk.subarray(start));
    length += chunk.length - start;
    if (length > LINE_BYTES_MAX) {
      yield { kind: "too_long", bytesMax: LINE_BYTES_MAX };
      return;
    }
  }
  if (length > 0) yield { kind: "torn", bytes: length };
}
