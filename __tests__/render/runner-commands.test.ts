import { expect, test } from "vitest";
import { tameRunnerCommands } from "../../src/render/runner-commands.ts";

test.each([
  ["::error::x\n", "\\u{3A}:error::x\n"],
  ["a\n \t::add-path::x\n", "a\n \t\\u{3A}:add-path::x\n"],
  ["a\r::add-path::x\n", "a\r\\u{3A}:add-path::x\n"],
  ["\u001b[2m    ::x::\u001b[22m\n", "\u001b[2m    \\u{3A}:x::\u001b[22m\n"],
  ["\u0085\u00a0::x::\n", "\u0085\u00a0\\u{3A}:x::\n"],
  ["a ##[add-path]x\n", "a #\\u{23}[add-path]x\n"],
  ["src/a.ts: a::b and c ::d\n", "src/a.ts: a::b and c ::d\n"],
  ["## [link]\n:::\n", "## [link]\n\\u{3A}::\n"],
])("%j", (text, expected) => {
  expect(tameRunnerCommands(text)).toBe(expected);
});

test("a JSON document says the same afterwards", () => {
  const value = { "##[a]": ["::b", "##[c]", "\n::d"] };
  const tamed = tameRunnerCommands(`${JSON.stringify(value, null, 2)}\n`);
  expect(tamed).not.toContain("##[");
  expect(JSON.parse(tamed)).toEqual(value);
});
