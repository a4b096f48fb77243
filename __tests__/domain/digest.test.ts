import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { canonicalJson, digestOf, sha256, type Json } from "../../src/domain/digest.ts";
import { buildRunId, encodeName, isRunId, runBranch } from "../../src/domain/ids.ts";
import { stageKey, STAGES } from "../../src/domain/stages.ts";

/** The same value with the keys of every object in the opposite order. */
function turned(value: unknown): Json {
  if (Array.isArray(value)) return value.map(turned);
  if (typeof value !== "object" || value === null) return value as Json;
  return Object.fromEntries(
    Object.entries(value)
      .toReversed()
      .map(([key, member]) => [key, turned(member)]),
  );
}

describe("canonicalJson", () => {
  // Samples of RFC 8785: 3.2.2 (numbers, strings, literals), 3.2.3 (sorting), and its table of numbers.
  it.each([
    [
      {
        numbers: [Number("333333333.33333329"), 1e30, 4.5, 2e-3, 0.000000000000000000000000001],
        string: "\u20ac$\u000F\u000aA'\u0042\u0022\u005c\\\"/",
        literals: [null, true, false],
      },
      '{"literals":[null,true,false],"numbers":[333333333.3333333,1e+30,4.5,0.002,1e-27],"string":"€$\\u000f\\nA\'B\\"\\\\\\\\\\"/"}',
    ],
    [
      {
        "\u20ac": "Euro Sign",
        "\r": "Carriage Return",
        "\ufb33": "Hebrew Letter Dalet With Dagesh",
        "1": "One",
        "\ud83d\ude00": "Emoji: Grinning Face",
        "\u0080": "Control",
        "\u00f6": "Latin Small Letter O With Diaeresis",
      },
      '{"\\r":"Carriage Return","1":"One","\u0080":"Control","ö":"Latin Small Letter O With Diaeresis","€":"Euro Sign","😀":"Emoji: Grinning Face","\ufb33":"Hebrew Letter Dalet With Dagesh"}',
    ],
    [[0, -0, 5e-324, -5e-324, 9007199254740992, 1e21, 1e23, 295147905179352830000, 333333333.3333332], undefined],
    [{ b: undefined, a: [] }, '{"a":[]}'],
    [{}, "{}"],
    ["\ud800", '"\\ud800"'],
  ] as readonly (readonly [Json, string | undefined])[])("of %j", (value, text) => {
    expect(canonicalJson(value)).toBe(
      text ?? "[0,0,5e-324,-5e-324,9007199254740992,1e+21,1e+23,295147905179352830000,333333333.3333332]",
    );
  });

  it("does not depend on the order of keys, keeps the value, and is its own canonical form", () => {
    fc.assert(
      fc.property(fc.jsonValue(), (value) => {
        const text = canonicalJson(value);
        expect(canonicalJson(turned(value))).toBe(text);
        expect(digestOf(turned(value))).toBe(sha256(text));
        expect(canonicalJson(JSON.parse(text) as Json)).toBe(text);
        expect(JSON.parse(text)).toEqual(JSON.parse(JSON.stringify(value)));
      }),
      { seed: 2, numRuns: 500 },
    );
  });

  it("tells different values apart", () => {
    expect(canonicalJson([["a"], "b"])).not.toBe(canonicalJson(["a", ["b"]]));
    expect(canonicalJson({ a: null })).not.toBe(canonicalJson({}));
    expect(canonicalJson("1")).not.toBe(canonicalJson(1));
  });
});

it("sha256 is of the bytes, and of a text's UTF-8 bytes", () => {
  expect(sha256("")).toBe("e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
  expect(sha256("ü")).toBe(sha256(new Uint8Array([0xc3, 0xbc])));
});

describe("ids", () => {
  it("a run id says when the run began", () => {
    const id = buildRunId("2026-03-25T12:00:00.123Z", "deadbeef99");
    expect(id).toBe("RUN_20260325T120000Z_deadbeef");
    expect(isRunId(id)).toBe(true);
    expect(runBranch("plan", id)).toBe("conveyor/plan/RUN_20260325T120000Z_deadbeef");
  });

  it.each([
    "",
    "RUN_20260325T120000Z_DEADBEEF",
    "RUN_20260325T120000Z_deadbee",
    "RUN_20260325T120000Z_deadbeef0",
    "RUN_20260325T120000Z_deadbeef\n",
    " RUN_20260325T120000Z_deadbeef",
    "../RUN_20260325T120000Z_deadbeef",
    "RUN_2026-03-25T120000Z_deadbeef",
  ])("%j is none", (text) => {
    expect(isRunId(text)).toBe(false);
  });

  it.each([
    ["api.2", "api%2E2"],
    ["a:b", "a%3Ab"],
    ["A_z-9", "A_z-9"],
    ["..", "%2E%2E"],
    ["%2E", "%252E"],
    ["ü/\n", "%C3%BC%2F%0A"],
    ["", ""],
  ])("the folder of item %j is %j", (id, name) => {
    expect(encodeName(id)).toBe(name);
  });

  it("two ids never share a folder, and a folder's name is one name", () => {
    fc.assert(
      fc.property(fc.string({ unit: "grapheme" }), (id) => {
        const name = encodeName(id);
        expect(name).toMatch(/^[A-Za-z0-9_%-]*$/);
        expect(decodeURIComponent(name)).toBe(id);
      }),
      { seed: 3 },
    );
  });

  it("each stage has its key", () => {
    expect(STAGES.map(stageKey)).toEqual([
      "stage:Planning",
      "stage:PolicyIngestion",
      "stage:Execution",
      "stage:Validation",
      "stage:Closure",
    ]);
  });
});
