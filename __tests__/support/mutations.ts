import * as fc from "fast-check";
import { isLong } from "./faults.ts";

/** How many cases of each kind: a twentieth in every CI run, all in `npm run test:long`. */
export const FUZZ_RUNS = isLong ? 20_000 : 1_000;

/** The same cases every time; a failing one is printed whole by fast-check. */
export const FUZZ = { seed: 20_261_120, numRuns: FUZZ_RUNS, endOnFailure: true } as const;

/** Pieces that have a meaning somewhere, or that no reader expects. */
const TOKENS = [
  ..."|`;#-:*\"'{}[]<>&!%@\\,\t \n\r\0".split(""),
  "\uFEFF",
  "\u202E",
  "\u2066",
  "\u200B",
  "\u0430",
  "\uD800",
  "\u0301".repeat(50),
  "```",
  "~~~",
  "<!--",
  "-->",
  "---\n",
  "...\n",
  "## 2. Items\n",
  "## Metadata\n- Status: queued\n",
  "| step_id |\n|---|\n",
  "| 01 |",
  "01-99999999999",
  "03-01",
  "none",
  "../..",
  "/etc/passwd",
  ".git",
  "__proto__",
  "constructor",
  "prototype: {polluted: true}\n",
  '"__proto__": {"polluted": true},',
  "&a [*a]",
  "*missing",
  "!!js/function 'x'",
  "<<: *a",
  "? [",
  "{".repeat(40),
  "[".repeat(200),
  "null",
  "true",
  "1e999",
  "-0",
  "9".repeat(400),
  "\\u0000",
  "\\ud800",
  "x".repeat(5_000),
];

type Mutation = (text: string) => string;

const place = fc.double({ min: 0, max: 1, noNaN: true });
const at = (text: string, where: number): number => Math.floor(where * (text.length + 1));

/** A change to the lines of a text, which are put together again. */
function inLines(change: (lines: string[], index: number) => string[]): fc.Arbitrary<Mutation> {
  return place.map((where) => (text) => {
    const lines = text.split("\n");
    return change(lines, Math.min(lines.length - 1, Math.floor(where * lines.length))).join("\n");
  });
}

const mutation: fc.Arbitrary<Mutation> = fc.oneof(
  fc.tuple(place, fc.constantFrom(...TOKENS)).map(([where, token]): Mutation => (text) => {
    const index = at(text, where);
    return text.slice(0, index) + token + text.slice(index);
  }),
  fc.tuple(place, place).map(([one, other]): Mutation => (text) => {
    const [from = 0, to = 0] = [at(text, one), at(text, other)].sort((left, right) => left - right);
    return text.slice(0, from) + text.slice(Math.min(to, from + 200));
  }),
  fc.tuple(place, place, fc.integer({ min: 2, max: 30 })).map(([one, other, times]): Mutation => (text) => {
    const [from = 0, to = 0] = [at(text, one), at(text, other)].sort((left, right) => left - right);
    return text.slice(0, from) + text.slice(from, Math.min(to, from + 500)).repeat(times) + text.slice(from);
  }),
  fc.tuple(place, fc.string({ unit: "binary", maxLength: 20 })).map(([where, noise]): Mutation => (text) => {
    const index = at(text, where);
    return text.slice(0, index) + noise + text.slice(index + noise.length);
  }),
  place.map(
    (where): Mutation =>
      (text) =>
        text.slice(0, at(text, where)),
  ),
  inLines((lines, index) => lines.toSpliced(index, 1)),
  inLines((lines, index) => lines.toSpliced(index, 0, lines[index] ?? "")),
  inLines((lines, index) => lines.toSpliced(index, 1, `  ${lines[index] ?? ""}`)),
  inLines((lines, index) => lines.toSpliced(index, 1, (lines[index] ?? "").replace(/[:|]/, ""))),
  inLines((lines, index) => [...lines.slice(index), ...lines.slice(0, index)]),
);

/** One of the texts with one to six changes, as the bytes of a file. */
export function mutated(texts: readonly string[]): fc.Arbitrary<Buffer> {
  return fc
    .tuple(fc.constantFrom(...texts), fc.array(mutation, { minLength: 1, maxLength: 6 }))
    .map(([text, mutations]) => Buffer.from(mutations.reduce((before, change) => change(before), text)));
}

/** What hostile files of any kind begin with; `filler` is a line of the kind that is tested. */
export function hostileFiles(valid: string, filler: string): Readonly<Record<string, Buffer>> {
  const text = (value: string): Buffer => Buffer.from(value);
  return {
    "an empty file": text(""),
    "a byte order mark alone": text("\uFEFF"),
    "a byte order mark before": text(`\uFEFF${valid}`),
    "NUL bytes": Buffer.concat([text(valid.slice(0, 20)), Buffer.alloc(4096), text(valid.slice(20))]),
    "no UTF-8": Buffer.concat([Buffer.from([0xff, 0xfe, 0xc0, 0x80]), text(valid)]),
    "UTF-16": Buffer.from(valid, "utf16le"),
    "carriage returns alone": text(valid.replaceAll("\n", "\r")),
    "a line of ten megabytes": text(`${valid}\n${filler}${"x".repeat(10 * 1024 * 1024)}\n`),
    "a million lines": text(`${valid}\n${`${filler}\n`.repeat(1_000_000)}`),
    "letters that change direction": text(valid.replaceAll(" ", " \u202E")),
    "letters that look alike": text(valid.replaceAll("a", "\u0430").replaceAll("e", "\u0435")),
    "a fence that never ends": text(`\`\`\`\n${valid}`),
    __proto__name: text(`__proto__: {polluted: true}\n${valid}`),
  };
}

/** Bytes of memory that one reading may take, and its time. */
export const FUZZ_MILLISECONDS_MAX = 1_000;
export const FUZZ_MEMORY_BYTES_MAX = 256 * 1024 * 1024;
