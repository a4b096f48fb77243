import { describe, expect, it } from "vitest";
import { parsePayload } from "../../src/domain/executor-outcome.ts";
import { parseJsonBytes } from "../../src/domain/json-bytes.ts";

const parse = (text: string) => parseJsonBytes(new TextEncoder().encode(text));

describe("JSON that a program wrote", () => {
  it.each([
    '{"a": 1, "b": {"a": 2}, "c": [{"a": 3}, {"a": 4}]}',
    '{"a": "a\\": \\"a", "b": ["a", "a"], "c\\\\": {"": "", "x": ""}}',
    '["{\\"a\\":1,\\"a\\":2}"]',
    '"a"',
    "[]",
  ])("is what it says: %s", (text) => {
    expect(parse(text)).toEqual({ ok: true, value: JSON.parse(text) });
  });

  it.each([
    ['{"verdict": "issues_found", "verdict": "pass"}', "verdict"],
    ['{"a": [{"b": true, "c": {}, "b" \n : false}]}', "b"],
    ['{"verdict": 1, "verd\\u0069ct": 2}', "verdict"],
    ['{"": 1, "": 2}', ""],
    ['{"a\\"": 1, "a\\u0022": 2}', 'a"'],
    ['{"__proto__": 1, "__proto__": 2}', "__proto__"],
  ])("is refused when a key stands twice: %s", (text, key) => {
    expect(parse(text)).toEqual({ ok: false, error: `expected each key once, found "${key}" twice` });
  });

  it.each(["", "{", "{} {}", "{'a': 1}"])("is refused when it is no JSON: %j", (text) => {
    expect(parse(text)).toEqual({ ok: false, error: "expected one JSON object in UTF-8" });
  });

  it("may be nested deeply, and is refused when it is not UTF-8", () => {
    expect(parse(`${"[".repeat(100_000)}${"]".repeat(100_000)}`).ok).toBe(true);
    expect(parse(JSON.stringify({ text: '\\"\n'.repeat(300_000), long: "x".repeat(1_000_000) })).ok).toBe(true);
    expect(parseJsonBytes(new Uint8Array([0x22, 0xff, 0x22])).ok).toBe(false);
  });

  it("is the same for a payload: one with two statuses cannot be read", () => {
    const payload = new TextEncoder().encode('{"status": "blocked", "status": "completed"}');
    expect(parsePayload(payload)).toEqual({
      kind: "malformed",
      message: 'expected each key once, found "status" twice',
    });
  });
});
