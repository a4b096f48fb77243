import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { FRONT_MATTER_KEYS } from "../../src/domain/front-matter-schema.ts";
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

/** The first Markdown that the document shows after this text. */
function shownAfter(heading: string): string {
  expect(docs).toContain(heading);
  return /```markdown\n([^]*?)\n```/.exec(docs.slice(docs.indexOf(heading)))?.[1] ?? "";
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
    const shown = shownAfter("## Metadata\n\nA section");
    const example = shownAfter("## The item table");
    const parsed = parseText(example.replace("## 2.", `${shown}\n## 2.`));
    expect(parsed.problems).toEqual([]);
    expect(parsed.plan?.metadata).toMatchObject({ risk_tier: "high", tags: ["security", "sessions"] });
  });

  it("lists exactly the keys of front matter, of the plan and of its items, and which are needed", () => {
    const keys = (header: string) => rowsUnder(header).map(([key]) => key?.replaceAll("`", ""));
    expect(keys("| key of the plan | holds |")).toEqual(FRONT_MATTER_KEYS.plan);
    expect(keys("| key of an item | needed | is the column |")).toEqual(FRONT_MATTER_KEYS.item);
    const needed = rowsUnder("| key of an item | needed | is the column |").filter((row) => row[1] === "yes");
    expect(needed.map(([key]) => key?.replaceAll("`", ""))).toEqual([
      "id",
      "title",
      "deliverables",
      "exit-criteria",
      "write-roots",
    ]);
  });

  it("shows front matter and a plan of one item that parse", () => {
    const front = parseText(shownAfter("## Front matter"));
    expect(front.problems).toEqual([]);
    expect(front.plan?.items.map(({ item_id: id, manual_gate: gate }) => [id, gate])).toEqual([
      ["01", "none"],
      ["02", "security_review"],
    ]);
    expect(front.plan?.item_sections).toHaveLength(1);
    const single = parseText(shownAfter("## One item"));
    expect([single.problems, single.form.items]).toEqual([[], "single"]);
    expect(single.plan?.items[0]?.exit_criteria).toContain("(2) The option `--bye` of the command line");
  });

  it("shows an item table that parses", () => {
    const example = shownAfter("## The item table");
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

describe("the examples of the other forms", () => {
  const trackedFiles = new Set(["README.md", "src/main.js"]);

  it("front-matter.md has two items, each with its own text", () => {
    const { plan, problems, form } = parseText(read("examples/plans/front-matter.md"), { trackedFiles });
    expect(problems).toEqual([]);
    expect(form).toEqual({ metadata: "front_matter", items: "front_matter" });
    expect(plan?.items.map(({ item_id: id, change_profile: profile }) => [id, profile])).toEqual([
      ["01", "behavioral_code"],
      ["02", "docs_only"],
    ]);
    expect(plan?.item_sections.map(({ item_id: id }) => id)).toEqual(["01", "02"]);
  });

  it("one-item.md is one item with the boxes of its checklist", () => {
    const { plan, problems, form } = parseText(read("examples/plans/one-item.md"), { trackedFiles });
    expect(problems).toEqual([]);
    expect(form).toEqual({ metadata: "section", items: "single" });
    expect(plan?.items[0]).toMatchObject({
      write_roots: ["src"],
      required_commands: ["node --test", "node src/main.js --bye | grep -q Goodbye"],
    });
    expect(plan?.items[0]?.exit_criteria).toContain("Must land: (1) The function and its test; (2)");
  });
});
