import { FILE_START, type ReportProblem } from "./plan-problems.ts";

/** Largest plan file, in bytes. */
const PLAN_BYTES_MAX = 1024 * 1024;

/**
 * Decodes a plan file and splits it into lines, or undefined when it is too large to read at all. Bytes that are not
 * UTF-8 become U+FFFD after they were reported, so that the rest of the file is still checked.
 *
 * Codes: PLAN_TOO_LARGE, PLAN_NOT_UTF8, PLAN_NUL_BYTE.
 */
export function parsePlanLines(bytes: Uint8Array, report: ReportProblem): string[] | undefined {
  if (bytes.length > PLAN_BYTES_MAX) {
    report("PLAN_TOO_LARGE", FILE_START, {
      expected: `a plan of at most ${PLAN_BYTES_MAX} bytes`,
      found: `${bytes.length} bytes`,
      example: "split the work into several plans",
    });
    return undefined;
  }
  // The decoder also drops a byte order mark.
  const text = new TextDecoder("utf-8").decode(bytes);
  const lines = text.split(/\r\n|\r|\n/);
  if (text.includes("\uFFFD")) {
    reportInvalidBytes(bytes, report);
  }
  for (const [index, line] of lines.entries()) {
    const offset = line.indexOf("\0");
    if (offset !== -1) {
      report(
        "PLAN_NUL_BYTE",
        { line: index + 1, offset },
        {
          expected: "text",
          found: "a NUL byte",
          example: "save the file as UTF-8 text",
        },
      );
    }
  }
  return lines;
}

/** Reports the first invalid byte of each line. A U+FFFD that somebody really wrote is valid and passes. */
function reportInvalidBytes(bytes: Uint8Array, report: ReportProblem): void {
  const hasMark = bytes[0] === 0xef && bytes[1] === 0xbb && bytes[2] === 0xbf;
  let line = 1;
  let offset = 0;
  let reportedLine = 0;
  for (let index = hasMark ? 3 : 0; index < bytes.length;) {
    const byte = bytes[index] ?? 0;
    const length = sequenceLength(bytes, index);
    if (length === 0 && reportedLine !== line) {
      reportedLine = line;
      report(
        "PLAN_NOT_UTF8",
        { line, offset },
        {
          expected: "UTF-8",
          found: `the byte 0x${byte.toString(16).toUpperCase()}`,
          example: "save the file with the encoding UTF-8",
        },
      );
    }
    if (byte === 0x0a || (byte === 0x0d && bytes[index + 1] !== 0x0a)) {
      line += 1;
      offset = 0;
    } else {
      offset += length === 4 ? 2 : 1;
    }
    index += Math.max(length, 1);
  }
}

/** Bytes of the well-formed UTF-8 sequence at `index`, or 0 when none begins there (Unicode, table 3-7). */
function sequenceLength(bytes: Uint8Array, index: number): number {
  const first = bytes[index] ?? 0;
  const second = bytes[index + 1] ?? 0;
  const between = (low: number, high: number): boolean => second >= low && second <= high;
  const continues = (at: number): boolean => ((bytes[index + at] ?? 0) & 0xc0) === 0x80;
  if (first < 0x80) {
    return 1;
  }
  if (first >= 0xc2 && first <= 0xdf) {
    return continues(1) ? 2 : 0;
  }
  if (first >= 0xe0 && first <= 0xef) {
    const starts = between(first === 0xe0 ? 0xa0 : 0x80, first === 0xed ? 0x9f : 0xbf);
    return starts && continues(2) ? 3 : 0;
  }
  if (first >= 0xf0 && first <= 0xf4) {
    const starts = between(first === 0xf0 ? 0x90 : 0x80, first === 0xf4 ? 0x8f : 0xbf);
    return starts && continues(2) && continues(3) ? 4 : 0;
  }
  return 0;
}
