import { array, assert, constantFrom, nat, property, string } from "fast-check";
import { expect, test } from "vitest";
import { buildAutomaton } from "../../src/domain/automaton.ts";
import { joinBytes } from "../../src/domain/join-bytes.ts";
import { REDACTED, redactBytes, redactStream, redactText, redactValue } from "../../src/domain/redaction.ts";
import { encodeSecret } from "../../src/domain/secret-encodings.ts";

const encode = (text: string): Uint8Array => new TextEncoder().encode(text);
const decode = (bytes: Uint8Array): string => new TextDecoder().decode(bytes);
const knowing = (...values: string[]) => buildAutomaton(values.flatMap(encodeSecret));

const PREFIX_MIN = 8;
const isSpace = (char: string): boolean => " \n\r\t\0".includes(char);

/** The same by brute force: every pattern at every place of the text without white space, and a beginning at its end. */
function redactNaively(patterns: readonly string[], text: string): string {
  const at = [...text].flatMap((char, index) => (isSpace(char) ? [] : [index]));
  const bare = at.map((index) => text[index]).join("");
  const hidden = new Set<number>();
  const starts = new Map<number, number>();
  const hide = (from: number, to: number): void => {
    const [start, end] = [at[from] ?? 0, to === bare.length + 1 ? text.length : (at[to - 1] ?? 0) + 1];
    starts.set(start, Math.max(starts.get(start) ?? 0, end));
    for (let index = start; index < end; index += 1) hidden.add(index);
  };
  for (const pattern of patterns) {
    if (pattern.length < PREFIX_MIN) continue;
    for (let from = bare.indexOf(pattern); from !== -1; from = bare.indexOf(pattern, from + 1)) {
      hide(from, from + pattern.length);
    }
  }
  const open = Math.max(
    0,
    ...patterns
      .filter(({ length }) => length >= PREFIX_MIN)
      .flatMap((pattern) => [...pattern].map((_char, index) => pattern.slice(0, index + 1)))
      .filter((beginning) => bare.endsWith(beginning))
      .map(({ length }) => length),
  );
  if (open >= PREFIX_MIN) hide(bare.length - open, bare.length + 1);
  let redacted = "";
  let until = 0;
  for (let index = 0; index < text.length; index += 1) {
    if (!hidden.has(index)) redacted += text[index];
    else if (index >= until) redacted += REDACTED;
    if (starts.has(index)) {
      // Spans that overlap are one; one that only begins where another ends is its own.
      if (index < until || index >= until) until = Math.max(until, starts.get(index) ?? 0);
    }
  }
  return redacted;
}

// Few letters, so that beginnings, overlaps and repetitions are common.
const word = string({ unit: constantFrom("a", "b"), minLength: 1, maxLength: 14 });
const text = string({ unit: constantFrom("a", "b", "a", "b", "c", "\n", " "), maxLength: 120 });

test("the stream says what brute force says, wherever it is cut", () => {
  assert(
    property(
      array(word, { minLength: 1, maxLength: 5 }),
      text,
      array(nat(120), { maxLength: 6 }),
      (patterns, said, cuts) => {
        const expected = redactNaively(patterns, said);
        const stream = redactStream(buildAutomaton(patterns));
        const places = [0, ...cuts.map((cut) => Math.min(cut, said.length)).sort((a, b) => a - b), said.length];
        const pieces = places.map((start, index) => encode(said.slice(start, places[index + 1] ?? start)));
        const redacted = decode(joinBytes([...pieces.map((piece) => stream.push(piece)), stream.end()]));
        expect(redacted).toBe(expected);
      },
    ),
    { numRuns: 3000 },
  );
});

test("escapes make no difference to where a stream is cut", () => {
  const unit = constantFrom("a", "b", "n", "\\", "\n", '"');
  assert(
    property(array(word, { minLength: 1 }), string({ unit, maxLength: 80 }), nat(80), (patterns, said, cut) => {
      const automaton = buildAutomaton(patterns);
      const whole = decode(redactBytes(automaton, encode(said)).bytes);
      const stream = redactStream(automaton);
      const parts = [encode(said.slice(0, cut)), encode(said.slice(cut))].map((part) => stream.push(part));
      expect(decode(joinBytes([...parts, stream.end()]))).toBe(whole);
    }),
    { numRuns: 2000 },
  );
});

test("neither do codes and colours, nor what only begins like them", () => {
  const unit = constantFrom("a", "b", "%", "6", "1", "2", "\u001b", "[", ";", "m");
  const patterned = string({ unit: constantFrom("a", "b", "6", "1", "%", "["), minLength: 8, maxLength: 10 });
  assert(
    property(array(patterned, { minLength: 1 }), string({ unit, maxLength: 60 }), nat(80), (patterns, around, cut) => {
      const automaton = buildAutomaton(patterns);
      const [first = ""] = patterns;
      const code = Buffer.from(first).toString("hex").replaceAll(/../g, "%$&");
      for (const form of [code, `${first.slice(0, 3)}\u001b[1;2m${first.slice(3)}`]) {
        const said = `${around}${form}${around}`;
        const whole = decode(redactBytes(automaton, encode(said)).bytes);
        const stream = redactStream(automaton);
        const parts = [encode(said.slice(0, cut)), encode(said.slice(cut))].map((part) => stream.push(part));
        expect(decode(joinBytes([...parts, stream.end()]))).toBe(whole);
        expect(whole).toContain(REDACTED);
      }
    }),
    { numRuns: 2000 },
  );
});

test("text without a secret is the very same text", () => {
  const bytes = encode("nothing to see\nhere");
  expect(redactBytes(knowing("s3cr3t-value"), bytes).bytes).toBe(bytes);
  const value = { a: ["b", 1, null, true] };
  expect(redactValue(knowing("s3cr3t-value"), value).value).toBe(value);
});

const SECRET = 'S3cret/Va+lue?"with~all\\of&it ü-0123456789';
const base64 = (value: string): string => Buffer.from(value).toString("base64");
const FORMS: readonly (readonly [string, string])[] = [
  ["as it is", SECRET],
  ["backwards", Array.from(SECRET).reverse().join("")],
  ["base64", base64(SECRET)],
  ["base64 behind one byte", base64(`x${SECRET}y`)],
  ["base64 behind two bytes", base64(`xy${SECRET}z`)],
  ["base64 in a longer text", base64(`KEY="${SECRET}"\nOTHER=1\n`)],
  ["base64url", Buffer.from(SECRET).toString("base64url")],
  ["base64 in lines of 16", base64(`key: ${SECRET}`).replaceAll(/.{16}/g, "$&\n")],
  ["hexadecimal", Buffer.from(SECRET).toString("hex")],
  ["hexadecimal, large", Buffer.from(SECRET).toString("hex").toUpperCase()],
  ["hexadecimal, spaced", Buffer.from(SECRET).toString("hex").replaceAll(/../g, "$& ")],
  ["URL-encoded", encodeURIComponent(SECRET)],
  ["URL-encoded, small", encodeURIComponent(SECRET).replaceAll(/%../g, (code) => code.toLowerCase())],
  ["URL-encoded, every byte", Buffer.from(SECRET).toString("hex").replaceAll(/../g, "%$&")],
  [
    "URL-encoded, every third byte",
    [...Buffer.from(SECRET)]
      .map((byte, at) => (at % 3 === 0 || byte > 0x7f ? `%${byte.toString(16)}` : String.fromCharCode(byte)))
      .join(""),
  ],
  ["in colours", `\u001b[1;31m${SECRET.slice(0, 5)}\u001b[0m${SECRET.slice(5, 11)}\u001b[m${SECRET.slice(11)}`],
  ["as a form", new URLSearchParams({ q: SECRET }).toString()],
  ["JSON", JSON.stringify({ key: SECRET })],
  ["JSON in JSON", JSON.stringify(JSON.stringify({ key: SECRET }))],
  ["JSON with escaped slashes", JSON.stringify(SECRET).replaceAll("/", "\\/")],
  ["JSON in ASCII", JSON.stringify(SECRET).replaceAll("ü", "\\u00fc")],
  ["over two lines", `${SECRET.slice(0, 11)}\n${SECRET.slice(11)}`],
  ["over two lines in JSON", JSON.stringify(`${SECRET.slice(0, 11)}\n${SECRET.slice(11)}`)],
  ["over two lines in JSON in JSON", JSON.stringify(JSON.stringify(`${SECRET.slice(0, 11)}\n${SECRET.slice(11)}`))],
  ["UTF-16", Buffer.from(`x${SECRET.replace("ü", "")}`, "utf16le").toString("latin1")],
];

test.each(FORMS)("a secret is found %s", (name, form) => {
  const automaton = name === "UTF-16" ? knowing(SECRET.replace("ü", "")) : knowing(SECRET);
  const { text: told, count } = redactText(automaton, `before ${form} after`);
  expect(count).toBe(1);
  expect(told.startsWith("before ")).toBe(true);
  expect(told.endsWith(" after")).toBe(true);
  // What is left is at most what stands around it in the same form.
  const rest = told.replace(REDACTED, "").replaceAll(/\s/g, "");
  for (let at = 0; at + 8 <= form.length; at += 1) {
    const piece = form.slice(at, at + 8);
    if (piece.includes("KEY") || !SECRET.includes(piece)) continue;
    expect(rest).not.toContain(piece);
  }
});

test("a text that ends within a secret does not show its beginning, one that only resembles it stays", () => {
  expect(redactText(knowing("0123456789abcdef"), "token 0123456789").text).toBe(`token ${REDACTED}`);
  expect(redactText(knowing("0123456789abcdef"), "token 0123456").text).toBe("token 0123456");
  expect(redactText(knowing("0123456789abcdef"), "0123456789abcdeX").text).toBe("0123456789abcdeX");
});

test("names of members and texts at any depth are redacted, counted, and nothing else changes", () => {
  const secret = "hunter2-hunter2";
  const { value, count } = redactValue(knowing(secret), { [secret]: [{ deep: `is ${secret}` }], n: 5, none: null });
  expect(value).toEqual({ [REDACTED]: [{ deep: `is ${REDACTED}` }], n: 5, none: null });
  expect(count).toBe(2);
});

test("a megabyte of beginnings takes no longer than a megabyte of anything", () => {
  const automaton = knowing(`${"a".repeat(400)}b`);
  const stream = redactStream(automaton);
  const bytes = encode("a".repeat(1024 * 1024));
  stream.push(bytes);
  // Held back is what may still be a secret, and no more.
  expect(stream.end().length).toBeLessThan(3300);
});
