import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { stringify } from "yaml";
import { frontMatterSchema, FRONT_MATTER_KEYS, KEY_EXAMPLES } from "../../src/domain/front-matter-schema.ts";
import { MANUAL_GATES, planSchema } from "../../src/domain/plan.ts";
import { parseText, placesOf } from "./plan-fixtures.ts";
import { withItem } from "./plan-form-cases.ts";

const FULL = `---
# yaml-language-server: $schema=../schemas/plan.schema.json
plan-id: rotate-session-keys
status: queued
priority: high
owner: '@platform'
acceptance-criteria: >-
  Sessions signed with the old key
  stay valid.
dependencies: [audit-log]
spec-targets: [./docs/a.md]
risk: medium
autonomy-allowed: guarded
security-approval: approved
implementation-targets: [src, docs]
validation: [npm test, npm run lint]
tags: [sessions, sessions]
promoted: 2026-03-01
phase: build
why: Keys leak
items:
  - id: '01'
    title: Key ring
    exit-criteria: |
      Both keys verify,
      the newer signs.
    write-roots: [src/session/]
    deliverables: [./src/session/ring.ts]
    verify: [npm test -- session, "echo a; b"]
    suggest: [npm run bench]
    red-green: true
    surfaces: [src/app.ts]
    consult: [README.md]
    artifacts: [src/session/ring.ts, src/session/index.ts]
    notes: |
      One.
      Two.
  - {id: '02', title: x, exit-criteria: y, write-roots: [src], deliverables: [src/two.ts], after: ['01']}
  - id: '03'
    title: Runbook
    phase: docs
    why: Nights are short
    owner: writer
    exit-criteria: It says how
    after: ['01-02']
    surfaces: [src/session/ring.ts]
    write-roots: [docs]
    deliverables: [docs/keys.md]
    gate: {type: security_review, reason: Key handling changed, evidence: [signed review, minutes]}
    external: {evidence: human_supplied_evidence_required, dependencies: [the auditor]}
    allow-no-change: true
---
# Rotate session keys

For everybody.

\`\`\`
## 01 Not a heading
\`\`\`

## 01 Key ring

For the first.

### Details

More for the first.

### \`03\`: inside

For the third.

## Risks

For everybody again.

### 02. Two

For the second.

### Not about an item

For all.
`;

describe("front matter with everything", () => {
  const { plan, problems, form } = parseText(FULL);

  it("is read without a problem", () => {
    expect(problems).toEqual([]);
    expect(form).toEqual({ metadata: "front_matter", items: "front_matter" });
    expect(planSchema.parse(plan)).toEqual(plan);
  });

  it("says of the plan what a section would say", () => {
    expect(plan?.plan_id).toBe("rotate-session-keys");
    expect(plan?.title).toBe("Rotate session keys");
    expect(plan?.metadata).toEqual({
      plan_id: "rotate-session-keys",
      status: "queued",
      priority: "p1",
      owner: "@platform",
      acceptance_criteria: "Sessions signed with the old key stay valid.",
      dependencies: ["audit-log"],
      spec_targets: ["docs/a.md"],
      done_evidence: "pending",
      risk_tier: "medium",
      autonomy_allowed: "guarded",
      security_approval: "approved",
      tags: ["sessions"],
      promoted: "2026-03-01",
      implementation_targets: ["src", "docs"],
      validation: ["npm test", "npm run lint"],
    });
  });

  it("gives items with the defaults of all forms, and the plan's own", () => {
    expect(plan?.items[0]).toEqual({
      item_id: "01",
      phase: "build",
      action: "Key ring",
      why_now: "Keys leak",
      owner_type: "@platform",
      prerequisites: [],
      repo_surfaces: ["src/app.ts"],
      deliverables: ["src/session/ring.ts"],
      exit_criteria: "Both keys verify, the newer signs.",
      write_roots: ["src/session"],
      requires_red_green: true,
      manual_gate: "none",
      manual_gate_reason: "Both keys verify, the newer signs.",
      manual_gate_evidence: "decision record",
      external_check: "none",
      external_dependencies: "",
      consult_paths: ["README.md"],
      required_commands: ["npm test -- session", "echo a; b"],
      suggested_commands: ["npm run bench"],
      required_artifacts: ["src/session/ring.ts", "src/session/index.ts"],
      notes: "One.\nTwo.",
      allow_no_change: false,
      change_profile: "behavioral_code",
      line: 22,
    });
    expect(plan?.items[2]).toMatchObject({
      phase: "docs",
      why_now: "Nights are short",
      owner_type: "writer",
      prerequisites: ["01", "02"],
      manual_gate: "security_review",
      manual_gate_reason: "Key handling changed",
      manual_gate_evidence: "signed review; minutes",
      external_check: "human_supplied_evidence_required",
      external_dependencies: "the auditor",
      required_artifacts: ["docs/keys.md"],
      change_profile: "docs_only",
      allow_no_change: true,
    });
  });

  it("sends text along with the item that its heading names, and the rest to everybody", () => {
    expect(plan?.item_sections).toEqual([
      { item_id: "01", title: "01 Key ring", text: "For the first.\n\n### Details\n\nMore for the first." },
      { item_id: "03", title: "`03`: inside", text: "For the third." },
      { item_id: "02", title: "02. Two", text: "For the second." },
    ]);
    expect(plan?.shared_sections).toEqual([
      { title: "Rotate session keys", text: "For everybody.\n\n```\n## 01 Not a heading\n```" },
      { title: "Risks", text: "For everybody again." },
      { title: "Not about an item", text: "For all." },
    ]);
    expect(plan?.phase_sections).toEqual([]);
  });

  it.each([
    ["CRLF", (text: string) => text.replaceAll("\n", "\r\n")],
    ["CR alone", (text: string) => text.replaceAll("\n", "\r")],
    ["a byte order mark", (text: string) => `\uFEFF${text}`],
  ])("is the same plan with %s", (_, change) => {
    const changed = parseText(change(FULL));
    expect(changed.problems).toEqual([]);
    expect(changed.plan).toEqual(plan);
  });
});

describe("the schema", () => {
  it("has an example for each key, and each is good", () => {
    const keys = new Set(Object.values(FRONT_MATTER_KEYS).flat());
    expect(Object.keys(KEY_EXAMPLES).toSorted()).toEqual([...keys].toSorted());
    for (const key of FRONT_MATTER_KEYS.plan.filter((name) => name !== "items")) {
      expect(
        placesOf(
          parseText(
            withItem("", key === "plan-id" || key === "implementation-targets" ? "" : `${KEY_EXAMPLES[key]}\n`),
          ),
        ),
      ).toEqual([]);
    }
    expect(frontMatterSchema.safeParse({}).success).toBe(true);
  });
});

describe("hostile front matter", () => {
  it("leaves objects as they are", () => {
    parseText(withItem("    ? __proto__\n    : {polluted: yes}\n", "constructor: {prototype: {polluted: 1}}\n"));
    expect(Object.prototype).not.toHaveProperty("polluted");
    expect({}).not.toHaveProperty("polluted");
  });

  it("may have 500 items and no more", () => {
    const items = (count: number) =>
      Array.from(
        { length: count },
        (_, index) => `  - {id: 'a${index}', title: a, exit-criteria: b, write-roots: [src], deliverables: [c]}\n`,
      ).join("");
    expect(placesOf(parseText(`---\nitems:\n${items(500)}---\n`))).toEqual([]);
    expect(placesOf(parseText(`---\nitems:\n${items(503)}---\n`))).toEqual(["503:5 PLAN_TOO_MANY_ITEMS"]);
  });

  it("expands no bomb of aliases", () => {
    const levels = ["b", "c", "d", "e", "f", "g"].map(
      (name, index) => `${name}: &${name} [${Array(7).fill(`*${"abcdefg"[index]}`).join(", ")}]`,
    );
    expect(placesOf(parseText(`---\na: &a [${Array(7).fill("x").join(", ")}]\n${levels.join("\n")}\n---\n`))).toEqual([
      "1:1 PLAN_FRONT_MATTER_YAML",
    ]);
  });
});

const word = fc.stringMatching(/^[A-Za-z][A-Za-z0-9 ',.:#&*!?@%-]{0,20}[a-z]$/).filter((text) => !text.includes("  "));
const path = fc.stringMatching(/^[a-z]{1,8}(\/[a-z0-9_]{1,8}){0,3}(\.(md|ts))?$/).filter((text) => text !== "none");
const command = fc.stringMatching(/^[a-z]{1,6}( [a-z0-9:=-]{1,8}){0,3}$/).filter((text) => text !== "none");
const items = fc.array(
  fc.record({
    phase: word,
    action: word,
    why_now: word,
    owner_type: word,
    after: fc.array(fc.nat(), { maxLength: 3 }),
    deliverable: fc.array(path, { minLength: 1, maxLength: 3 }),
    exit_criteria: word,
    roots: fc.array(path, { minLength: 1, maxLength: 3 }),
    redGreen: fc.boolean(),
    gate: fc.constantFrom(...MANUAL_GATES),
    reason: fc.option(word, { nil: undefined }),
    evidence: fc.option(word, { nil: undefined }),
    external: fc.boolean(),
    dependencies: fc.option(word, { nil: undefined }),
    commands: fc.array(command, { minLength: 1, maxLength: 3 }),
    suggested: fc.array(command, { maxLength: 2 }),
    artifacts: fc.array(path, { maxLength: 2 }),
    notes: fc.option(word, { nil: undefined }),
  }),
  { minLength: 1, maxLength: 6 },
);

it("an item table and front matter that say the same give the same items", () => {
  fc.assert(
    fc.property(items, (rows) => {
      const ids = rows.map((_, index) => String(index + 1).padStart(2, "0"));
      const after = (index: number): string[] =>
        index === 0 ? [] : [...new Set(rows[index]?.after.map((number) => ids[number % index] ?? ""))];
      const columns =
        "step_id phase action why_now owner_type prerequisites repo_surfaces deliverable exit_criteria allowed_write_roots requires_red_green manual_gate manual_gate_reason manual_gate_evidence external_check external_dependencies required_verification_commands suggested_verification_commands required_verification_artifacts notes".split(
          " ",
        );
      const table = rows.map((row, index) =>
        [
          ids[index],
          row.phase,
          row.action,
          row.why_now,
          row.owner_type,
          after(index).join(", ") || "none",
          "none",
          row.deliverable.join("; "),
          row.exit_criteria,
          row.roots.map((root) => `\`${root}\``).join(";"),
          row.redGreen ? "yes" : "no",
          row.gate,
          row.reason ?? "",
          row.evidence ?? "",
          row.external ? "human_supplied_evidence_required" : "none",
          row.dependencies ?? "",
          row.commands.join("; "),
          row.suggested.join("; "),
          row.artifacts.join("; "),
          row.notes ?? "",
        ].join(" | "),
      );
      const tableText = [
        "# Keys",
        "",
        "## 2. Items",
        "",
        `| ${columns.join(" | ")} |`,
        `|${"---|".repeat(columns.length)}`,
        ...table.map((cells) => `| ${cells} |`),
        "",
      ].join("\n");
      const yaml = stringify({
        items: rows.map((row, index) => ({
          id: ids[index],
          title: row.action,
          phase: row.phase,
          why: row.why_now,
          owner: row.owner_type,
          after: after(index),
          deliverables: row.deliverable,
          "exit-criteria": row.exit_criteria,
          "write-roots": row.roots,
          "red-green": row.redGreen,
          verify: row.commands,
          suggest: row.suggested,
          artifacts: row.artifacts,
          notes: row.notes,
          gate: {
            type: row.gate,
            reason: row.reason,
            evidence: row.evidence === undefined ? undefined : [row.evidence],
          },
          external: {
            evidence: row.external ? "human_supplied_evidence_required" : "none",
            dependencies: row.dependencies === undefined ? undefined : [row.dependencies],
          },
        })),
      });
      const fromTable = parseText(tableText);
      const fromYaml = parseText(`---\n${yaml}---\n# Keys\n`);
      expect(fromTable.problems).toEqual([]);
      expect(fromYaml.problems).toEqual([]);
      const withoutLine = (parsed: typeof fromTable) => parsed.plan?.items.map((item) => ({ ...item, line: 0 }));
      expect(withoutLine(fromYaml)).toEqual(withoutLine(fromTable));
    }),
    { numRuns: 200 },
  );
});
