import { describe, expect, it } from "vitest";
import { parseText, placesOf, takeMarks } from "./plan-fixtures.ts";
import { FORM_CASES, withItem } from "./plan-form-cases.ts";

describe("a plan without an item table", () => {
  it.each(FORM_CASES)("locates $name", ({ text: marked, codes, missing = [], input }) => {
    const { text, places } = takeMarks(marked);
    const parsed = parseText(text, input);
    const at = places.length === 1 ? codes.map(() => places[0]) : places;
    expect(at.length).toBe(codes.length);
    expect(placesOf(parsed).toSorted()).toEqual(
      [...missing.map((code) => `1:1 ${code}`), ...codes.map((code, index) => `${at[index]} ${code}`)].toSorted(),
    );
    expect(parsed.plan === undefined).toBe(parsed.problems.some(({ severity }) => severity === "error"));
    for (const { message } of parsed.problems) expect(message).toMatch(/^expected .+; found .+; for example .+/);
  });
});

describe("a word that nobody knows", () => {
  it.each([
    ["", "planid", "plan-id"],
    ["", "Risk-Tier", "risk"],
    ["", "acceptance_criteria", "acceptance-criteria"],
    ["", "stauts", "status"],
    ["    ", "writeRoots", "write-roots"],
    ["    ", "step_id", "id"],
    ["    ", "required_verification_commands", "verify"],
    ["    ", "deliverable", "deliverables"],
  ])("%j%s was meant to be %s", (indent, written, meant) => {
    const text = indent === "" ? withItem("", `${written}: a\n`) : withItem(`${indent}${written}: a\n`);
    expect(parseText(text).problems.map(({ message }) => message)).toEqual([
      expect.stringContaining(`\`${meant}\`: did you mean that?`),
    ]);
  });

  it.each(["xyzzy", "x".repeat(500), "1"])("%s is like no other", (written) => {
    const [problem] = parseText(withItem("", `${written}: a\n`)).problems;
    expect(problem?.message).not.toContain("did you mean");
  });
});
