import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { METADATA_KEYS } from "../../src/domain/metadata-bullets.ts";
import { MANUAL_GATES } from "../../src/domain/plan.ts";
import { OPTIONAL_COLUMNS, REQUIRED_COLUMNS, RESERVED_COLUMNS } from "../../src/domain/plan-columns.ts";
import { orderItems } from "../../src/domain/plan-order.ts";
import { PLAN_PROBLEM_CODES } from "../../src/domain/plan-problem-codes.ts";
import { parseText } from "./plan-fixtures.ts";

const read = (path: string) => readFileSync(new URL(`../../${path}`, import.meta.url), "utf8");
const docs = read("docs/plan-format.md");

/** The body of the table with this header. */
function rowsUnder(header: string): string[][] {
  const after = docs.slice(docs.indexOf(header)).split("\n");
  const end = after.indexOf("");
  return after.slice(2, end === -1 ? undefined : end).map((line) => line.split(/ ?\| ?/).slice(1, -1));
}

describe("docs/plan-format.md", () => {
  it("lists exactly the codes, with what they mean", () => {
    const codes = Object.entries(PLAN_PROBLEM_CODES).map(([code, { severity, means }]) => [
      `\`${code}\``,
      severity,
      means,
    ]);
    expect(rowsUnder("| code | severity | means |")).toEqual(codes);
  });

  it("lists exactly the columns", () => {
    const expected = [
      ...REQUIRED_COLUMNS.map((name) => [`\`${name}\``, "yes"]),
      ...OPTIONAL_COLUMNS.map((name) => [`\`${name}\``, "no"]),
    ];
    expect(rowsUnder("| column | needed | holds |").map((row) => row.slice(0, 2))).toEqual(expected);
    expect(docs).toContain(
      RESERVED_COLUMNS.map((name) => `\`${name}\``)
        .join(", ")
        .replace(/, (?=[^,]*$)/, " and "),
    );
    expect(docs).toContain(
      MANUAL_GATES.map((name) => `\`${name}\``)
        .join(", ")
        .replace(/, (?=[^,]*$)/, " or "),
    );
  });

  it("lists exactly the keys of the metadata, and shows some that parse", () => {
    expect(rowsUnder("| key | holds | when absent |").map(([key]) => key)).toEqual(
      METADATA_KEYS.map((key) => `\`${key}\``),
    );
    const shown = /```markdown\n(## Metadata[^]*?)```/.exec(docs)?.[1] ?? "";
    const example = /```markdown\n([^]*?)```/.exec(docs)?.[1] ?? "";
    const parsed = parseText(example.replace("## 2.", `${shown}\n## 2.`));
    expect(parsed.problems).toEqual([]);
    expect(parsed.plan?.metadata).toMatchObject({ risk_tier: "high", tags: ["security", "sessions"] });
  });

  it("shows a plan that parses", () => {
    const example = /```markdown\n([^]*?)```/.exec(docs)?.[1] ?? "";
    const parsed = parseText(example);
    expect(parsed.problems).toEqual([]);
    expect(parsed.plan?.items.map(({ change_profile }) => change_profile)).toEqual(["mixed", "docs_only"]);
  });
});

describe("examples/plans/three-items.md", () => {
  it("parses without a problem", () => {
    const text = read("examples/plans/three-items.md");
    const { plan, problems } = parseText(text, { trackedFiles: new Set(["README.md", "src/main.js"]) });
    expect(problems).toEqual([]);
    expect(plan?.plan_id).toBe("greet-people-by-name");
    expect(
      orderItems(plan?.items ?? []).map((item) => [item.item_id, item.write_roots, item.required_commands]),
    ).toEqual([
      ["01", ["src"], ["node --test src/greet.test.js"]],
      ["02", ["src"], ["node --test", 'node src/main.js --name Ada | grep -q "Hello, Ada!"']],
      ["03", ["docs"], ["node -e \"require('node:fs').accessSync('docs/usage.md')\""]],
    ]);
    expect(plan?.phase_sections.map(({ phase }) => phase)).toEqual(["build", "document"]);
  });
});
