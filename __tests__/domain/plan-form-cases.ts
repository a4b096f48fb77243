import type { PlanInput } from "../../src/domain/parse-plan.ts";

/** A plan without an item table; the marks `‸` say where the codes are expected, in the order of the file. */
export interface FormCase {
  readonly name: string;
  readonly text: string;
  readonly codes: readonly string[];
  /** Problems of what is missing altogether, at 1:1. */
  readonly missing?: readonly string[];
  readonly input?: Partial<PlanInput>;
}

/** Front matter with one good item, and more lines in it. */
export function withItem(more: string, head = ""): string {
  return `---\nplan-id: keys\n${head}items:
  - id: '01'
    title: Add ring
    exit-criteria: Ring works
    write-roots: [src]
    deliverables: [src/ring.ts]
${more}---\n# Keys\n`;
}

const item = (name: string, more: string, codes: readonly string[], head?: string): FormCase => ({
  name,
  text: withItem(more, head),
  codes,
});
const front = (name: string, yaml: string, codes: readonly string[], more: Partial<FormCase> = {}): FormCase => ({
  name,
  text: `---\n${yaml}\n---\n# Keys\n`,
  codes,
  ...more,
});
const section = (name: string, bullets: string, codes: readonly string[], missing?: readonly string[]): FormCase => ({
  name,
  text: `# Keys\n\n## Metadata\n\n${bullets}\n`,
  codes,
  ...(missing === undefined ? {} : { missing }),
});

const TABLE = `| step_id | phase | action | why_now | owner_type | prerequisites | repo_surfaces | deliverable | exit_criteria | allowed_write_roots | requires_red_green |
|---|---|---|---|---|---|---|---|---|---|---|
| 01 | build | Add ring | Needed | developer | none | none | src/ring.ts | Ring works | ‸src | no |`;

export const FORM_CASES: readonly FormCase[] = [
  // The front matter as a whole.
  item("a good item", "", []),
  {
    name: "front matter that is never closed",
    text: "‸---\nplan-id: a\n# Keys\n",
    codes: ["PLAN_FRONT_MATTER_UNCLOSED"],
    missing: ["PLAN_SECTION_MISSING"],
  },
  {
    name: "blanks behind the marks and a byte order mark",
    text: `\uFEFF${withItem("").replaceAll("---\n", "--- \t\n")}`,
    codes: [],
  },
  {
    name: "a rule that is not in line 1",
    text: "# Keys\n\n---\nplan-id: a\n---\n\n## Metadata\n- Implementation-Targets: src\n",
    codes: [],
  },
  front("a list", "‸- a", ["PLAN_FRONT_MATTER_VALUE"], { missing: ["PLAN_TARGETS_MISSING"] }),
  front("a text", "‸a", ["PLAN_FRONT_MATTER_VALUE"], { missing: ["PLAN_TARGETS_MISSING"] }),
  front("no YAML", "owner: [a\n‸status: queued", ["PLAN_FRONT_MATTER_YAML"]),
  front("a key twice", "owner: a\n‸owner: b", ["PLAN_FRONT_MATTER_YAML"]),
  item("a key of an item twice", "    ‸title: x\n", ["PLAN_FRONT_MATTER_YAML"]),
  front("a tag", "owner: ‸!!js/function a", ["PLAN_FRONT_MATTER_YAML"]),
  front("an alias of nothing", "owner: ‸*a", ["PLAN_FRONT_MATTER_YAML"]),
  front("51 aliases", `tags: [&a x, ${Array(51).fill("*a").join(", ")}]`, [], { missing: ["PLAN_FRONT_MATTER_YAML"] }),
  front("33 brackets", `tags: ${"[".repeat(31)}‸[[x]]${"]".repeat(31)}`, ["PLAN_FRONT_MATTER_YAML"]),
  front(
    "33 maps",
    Array.from({ length: 33 }, (_, depth) => `${" ".repeat(depth)}${depth === 32 ? "‸" : ""}a:`).join("\n"),
    ["PLAN_FRONT_MATTER_YAML"],
  ),
  front("lists in one line", `${"- ".repeat(32)}‸- x`, ["PLAN_FRONT_MATTER_YAML"]),
  front("two documents", "owner: a\n... \n‸b: c", ["PLAN_FRONT_MATTER_YAML"]),
  // Keys.
  front("an unknown key", "‸planid: a\nowner: a", ["PLAN_FRONT_MATTER_KEY_UNKNOWN"], {
    missing: ["PLAN_TARGETS_MISSING"],
  }),
  front(
    "a key with a meaning in JavaScript",
    "‸__proto__: {items: 1}\n‸constructor: a",
    ["PLAN_FRONT_MATTER_KEY_UNKNOWN", "PLAN_FRONT_MATTER_KEY_UNKNOWN"],
    { missing: ["PLAN_TARGETS_MISSING"] },
  ),
  item("the same in an item and in its gate", "    ‸__proto__: {id: a}\n    gate: {type: none, ‸__proto__: a}\n", [
    "PLAN_FRONT_MATTER_KEY_UNKNOWN",
    "PLAN_FRONT_MATTER_KEY_UNKNOWN",
  ]),
  item("a merge key", "    ‸<<: {notes: a}\n", ["PLAN_FRONT_MATTER_KEY_UNKNOWN"]),
  item(
    "an unknown key of an item, a gate and an external",
    "    ‸step_id: a\n    gate: {type: none, ‸why: a}\n    external: {evidence: none, ‸x: a}\n",
    ["PLAN_FRONT_MATTER_KEY_UNKNOWN", "PLAN_FRONT_MATTER_KEY_UNKNOWN", "PLAN_FRONT_MATTER_KEY_UNKNOWN"],
  ),
  front("an item with nothing", "items:\n  - ‸{}", Array<string>(5).fill("PLAN_FRONT_MATTER_KEY_MISSING")),
  item("a gate without a type", "    gate: ‸{reason: a}\n", ["PLAN_FRONT_MATTER_KEY_MISSING"]),
  item("an external without evidence", "    external: ‸{dependencies: [a]}\n", ["PLAN_FRONT_MATTER_KEY_MISSING"]),
  // Values.
  ...[
    "plan-id: Rotate keys",
    `plan-id: ${"a".repeat(81)}`,
    "plan-id: 2026",
    "status: done",
    "status: Queued",
    "priority: p4",
    "owner: ' '",
    "owner:",
    "owner: [a]",
    "acceptance-criteria: TBD",
    "acceptance-criteria: '{{CRITERIA}}'",
    "dependencies: key-ring",
    "spec-targets: docs/a.md",
    "risk: hihg",
    "autonomy-allowed: yes",
    "security-approval: soon",
    "validation: []",
    "implementation-targets: []",
    "phase: 1",
  ].map((line): FormCase => {
    const colon = line.indexOf(": ");
    const marked = colon === -1 ? line.replace(":", ":‸") : `${line.slice(0, colon + 2)}‸${line.slice(colon + 2)}`;
    return {
      name: `the value of ${line}`,
      text: withItem("", `${marked}\n`).replace(line.startsWith("plan-id") ? "plan-id: keys\n" : "\0", ""),
      codes: ["PLAN_FRONT_MATTER_VALUE"],
    };
  }),
  item("a dependency on itself", "", ["PLAN_FRONT_MATTER_VALUE"], "dependencies: [ring, ‸keys]\n"),
  item("a dependency that is no id", "", ["PLAN_FRONT_MATTER_VALUE"], "dependencies: [ring, ‸Key Ring]\n"),
  item(
    "values of another kind",
    "    red-green: ‸yes\n    allow-no-change: ‸'true'\n    verify: ‸npm test\n    notes: ‸5\n    gate: ‸signoff\n    after: [‸1]\n",
    Array<string>(6).fill("PLAN_FRONT_MATTER_VALUE"),
  ),
  item("a gate and an external of no known type", "    gate: {type: ‸signed}\n    external: {evidence: ‸maybe}\n", [
    "PLAN_FRONT_MATTER_VALUE",
    "PLAN_FRONT_MATTER_VALUE",
  ]),
  front("no items", "items: ‸[]", ["PLAN_ITEMS_MISSING"]),
  front("items that are none", "items: ‸none", ["PLAN_FRONT_MATTER_VALUE"]),
  { name: "an id that is a number", text: withItem("").replace("'01'", "‸01"), codes: ["PLAN_FRONT_MATTER_VALUE"] },
  // Items, by the checks that all forms share.
  {
    name: "an id with a space",
    text: withItem("").replace("'01'", "‸a b"),
    codes: ["PLAN_FRONT_MATTER_VALUE", "PLAN_STEP_ID_SHAPE"],
  },
  { name: "the id none", text: withItem("").replace("'01'", "‸None"), codes: ["PLAN_STEP_ID_SHAPE"] },
  item(
    "two ids that differ in case",
    "  - {id: A, title: x, exit-criteria: x, write-roots: [src], deliverables: [a]}\n  - {id: ‸a, title: x, exit-criteria: x, write-roots: [src], deliverables: [a]}\n",
    ["PLAN_STEP_ID_DUPLICATE"],
  ),
  item("an unknown prerequisite", "    after: ['‸02']\n".replace("'‸", "‸'"), ["PLAN_PREREQUISITE_UNKNOWN"]),
  item("an item after itself", "    after: [‸'01']\n", ["PLAN_PREREQUISITE_SELF"]),
  item("a range that runs backwards", "    after: [‸03-01]\n", ["PLAN_PREREQUISITE_RANGE"]),
  item(
    "a circle",
    "    after: ‸['02']\n  - {id: '02', title: x, exit-criteria: x, write-roots: [src], deliverables: [a], after: ['01']}\n",
    ["PLAN_PREREQUISITE_CYCLE"],
  ),
  item("bad paths", "    surfaces: [‸../a, README.md]\n    consult: [‸/etc/x, ‸src/*.ts]\n    artifacts: [‸a\\b]\n", [
    "PLAN_PATH_SHAPE",
    "PLAN_PATH_SHAPE",
    "PLAN_PATH_WILDCARD",
    "PLAN_PATH_SHAPE",
  ]),
  item("a path that is not there", "    surfaces: [src/app.ts, ‸src/none.ts]\n", ["PLAN_PATH_UNTRACKED"]),
  {
    name: "a forbidden write root",
    text: withItem("").replace("[src]", "[src, ‸.git/hooks, ‸plans]"),
    codes: ["PLAN_WRITE_ROOT_FORBIDDEN", "PLAN_WRITE_ROOT_FORBIDDEN"],
    input: { forbiddenRoots: ["plans"] },
  },
  item("a bidi control in a command", "    verify: [‸node \u202E--test]\n", ["PLAN_INVISIBLE_CHARACTER"]),
  item("a command of two lines", "    verify:\n      - |\n        a\n        b\n".replace("- |", "- ‸|"), [
    "PLAN_INVISIBLE_CHARACTER",
  ]),
  item("a zero-width joiner in a path", "    consult: [‸src/\u200Dapp.ts]\n", ["PLAN_INVISIBLE_CHARACTER"]),
  item("red/green without a command", "    red-green: ‸true\n", ["PLAN_RED_GREEN_COMMAND"]),
  {
    name: "a root outside of the targets",
    text: withItem("", "implementation-targets: [docs, src/a]\n").replace("[src]", "[‸src]"),
    codes: ["PLAN_WRITE_ROOT_OUTSIDE"],
  },
  item("a root inside of the targets", "", [], "implementation-targets: [docs, .]\n"),
  // Two of a kind.
  { name: "metadata twice", text: `${withItem("")}\n‸## Metadata\n- Owner: me\n`, codes: ["PLAN_METADATA_TWICE"] },
  {
    name: "items twice",
    text: `${withItem("")}\n## 2. Items\n\n${TABLE.replace("‸", "").replace("| step_id", "‸| step_id")}\n`,
    codes: ["PLAN_ITEMS_TWICE"],
  },
  {
    name: "metadata above, items in a table",
    text: `---\nowner: me\n---\n# Keys\n\n## 2. Items\n\n${TABLE.replace("‸", "")}\n`,
    codes: [],
  },
  {
    name: "targets above, a wider root in a table",
    text: `---\nimplementation-targets: [docs]\n---\n# Keys\n\n## 2. Items\n\n${TABLE}\n`,
    codes: ["PLAN_WRITE_ROOT_OUTSIDE"],
  },
  {
    name: "front matter that is no YAML, and a table with a fault",
    text: `---\na: ‸*b\n---\n# Keys\n\n## 2. Items\n\n${TABLE.replace("‸src", "‸.git")}\n`,
    codes: ["PLAN_FRONT_MATTER_YAML", "PLAN_WRITE_ROOT_FORBIDDEN"],
  },
  // A plan that is one item.
  section("targets and commands", "- Implementation-Targets: `src/`, docs/a.md\n- Validation: `a ;; b` ;; c", []),
  section("no targets", "- Owner: me", [], ["PLAN_TARGETS_MISSING"]),
  front("no targets, in front matter", "owner: me", [], { missing: ["PLAN_TARGETS_MISSING"] }),
  section(
    "targets that are none",
    "- ‸Implementation-Targets: src,,docs",
    ["PLAN_METADATA_VALUE"],
    ["PLAN_TARGETS_MISSING"],
  ),
  section("targets outside of the repository", "- ‸Implementation-Targets: ../a, src", ["PLAN_PATH_SHAPE"]),
  section("targets with a wildcard", "- ‸Implementation-Targets: src/**, docs", ["PLAN_PATH_WILDCARD"]),
  section("targets that no item may write", "- Implementation-Targets: .git", [], ["PLAN_WRITE_ROOT_FORBIDDEN"]),
  section("no command", "- Implementation-Targets: src\n- ‸Validation:", ["PLAN_METADATA_VALUE"]),
  section("a command that is none", "- Implementation-Targets: src\n- ‸Validation: none", ["PLAN_METADATA_VALUE"]),
  section("a command that hides something", "- Implementation-Targets: src\n- ‸Validation: a\u202Eb", [
    "PLAN_INVISIBLE_CHARACTER",
  ]),
  {
    name: "another table in section 2",
    text: "# Keys\n\n## Metadata\n- Owner: me\n\n## 2. Items\n\n| id | what |\n|---|---|\n| 01 | x |\n",
    codes: [],
    missing: ["PLAN_TABLE_MISSING"],
  },
  {
    name: "an item table under no number",
    text: `# Keys\n\n## Metadata\n- Owner: me\n\n## Items\n\n${TABLE.replace("‸", "")}\n`,
    codes: [],
    missing: ["PLAN_SECTION_MISSING"],
  },
  {
    name: "numbered sections without a table",
    text: "# Keys\n\n## Metadata\n- Implementation-Targets: src\n\n## 1. Goal\n\n## 2. Steps\n\nText.\n\n## 2. Steps\n",
    codes: [],
  },
];
