import { describe, expect, it } from "vitest";
import { buildProblemLine } from "../../src/domain/plan.ts";
import type { PlanInput } from "../../src/domain/parse-plan.ts";
import { PLAN_PROBLEM_CODES } from "../../src/domain/plan-problem-codes.ts";
import { PROBLEMS_MAX } from "../../src/domain/plan-problems.ts";
import { parseText, placesOf, readFixture, takeMarks } from "./plan-fixtures.ts";
import { FORM_CASES } from "./plan-form-cases.ts";

type Edit = readonly [from: string | RegExp, to: string];

/** Edits of the plan `base.md`; the marks `‸` in the new text say where the codes are expected, in order. */
interface Case {
  readonly name: string;
  readonly edits: readonly Edit[];
  readonly codes: readonly string[];
  /** Problems of what is missing altogether, at 1:1. */
  readonly missing?: readonly string[];
  readonly input?: Partial<PlanInput>;
}

const base = readFixture("base.md");
const ROW_1 =
  "| 01 | build | Add ring | Needed | developer | none | src/app.ts | src/ring.ts | Ring works | src | no | node --test |";
const DELIMITER = "|---|---|---|---|---|---|---|---|---|---|---|---|";

/** Puts a section `Metadata` before the item table. */
function metadata(text: string): Edit[] {
  return [["## 2. Items", `## Metadata\n\n${text}\n\n## 2. Items`]];
}

const CASES: readonly Case[] = [
  // The file.
  { name: "a NUL byte", edits: [["Sessions are", "Sess‸\0ions\0 are"]], codes: ["PLAN_NUL_BYTE"] },
  {
    name: "NUL bytes in two lines, one after a wide character",
    edits: [
      ["Sessions are", "𝒮 ‸\0are"],
      ["All about", "‸\0All"],
    ],
    codes: ["PLAN_NUL_BYTE", "PLAN_NUL_BYTE"],
  },
  {
    name: "no letter for an id",
    edits: [["# Rotate keys", "# 鍵"]],
    codes: [],
    missing: ["PLAN_ID_IMPOSSIBLE"],
    input: { path: "計画/鍵.md" },
  },
  // Sections and the table.
  { name: "no section 2", edits: [["## 2. Items", "## Items"]], codes: [], missing: ["PLAN_SECTION_MISSING"] },
  { name: "a section 2.1", edits: [["## 2. Items", "## 2.1 Items"]], codes: [], missing: ["PLAN_SECTION_MISSING"] },
  {
    name: "a section 2 as code",
    edits: [["## 2. Items", "    ## 2. Items"]],
    codes: [],
    missing: ["PLAN_SECTION_MISSING"],
  },
  {
    name: "a section 2 after a tab",
    edits: [["## 2. Items", "\t## 2. Items"]],
    codes: [],
    missing: ["PLAN_SECTION_MISSING"],
  },
  {
    name: "a section 2 without a space",
    edits: [["## 2. Items", "##2. Items"]],
    codes: [],
    missing: ["PLAN_SECTION_MISSING"],
  },
  {
    name: "a section 2 of level 3",
    edits: [["## 2. Items", "### 2. Items"]],
    codes: [],
    missing: ["PLAN_SECTION_MISSING"],
  },
  {
    name: "a section 2 in a fence",
    edits: [["## 2. Items", "   ````x\n```\n## 2. Items"]],
    codes: [],
    missing: ["PLAN_SECTION_MISSING"],
  },
  {
    name: "a section 2 in a fence of tildes",
    edits: [["## 2. Items", "~~~\n```\n~~~ x\n## 2. Items"]],
    codes: [],
    missing: ["PLAN_SECTION_MISSING"],
  },
  {
    name: "a section 2 in a comment",
    edits: [["## 2. Items", "<!--\n## 2. Items\n-->"]],
    codes: [],
    missing: ["PLAN_SECTION_MISSING"],
  },
  { name: "code in backticks is no fence", edits: [["Sessions are", "```a``` b `c`\nSessions are"]], codes: [] },
  { name: "a comment in one line", edits: [["Sessions are", "<!-- a -->\nSessions are"]], codes: [] },
  {
    name: "a second section 2 and a second section 3",
    edits: [
      ["## 3. Phases", "‸## 2 More\n\n## 3. Phases"],
      [/$/, "\n‸  ## 3. Phases ##\n"],
    ],
    codes: ["PLAN_SECTION_DUPLICATE", "PLAN_SECTION_DUPLICATE"],
  },
  { name: "no table", edits: [["| step_id |", "| id |"]], codes: [], missing: ["PLAN_TABLE_MISSING"] },
  {
    name: "a table in another section",
    edits: [["| step_id |", "\n## Other\n\n| step_id |"]],
    codes: [],
    missing: ["PLAN_TABLE_MISSING"],
  },
  {
    name: "a table ended by an H1",
    edits: [["| step_id |", "\n# Other\n\n| step_id |"]],
    codes: [],
    missing: ["PLAN_TABLE_MISSING"],
  },
  {
    name: "a table in a fence",
    edits: [["| step_id |", "```\n| step_id |"]],
    codes: [],
    missing: ["PLAN_TABLE_MISSING"],
  },
  { name: "a table as code", edits: [["| step_id |", "    | step_id |"]], codes: [], missing: ["PLAN_TABLE_MISSING"] },
  {
    name: "no delimiter row",
    edits: [
      [`${DELIMITER}\n`, ""],
      [ROW_1, `‸${ROW_1}`],
    ],
    codes: ["PLAN_TABLE_DELIMITER"],
  },
  { name: "a short delimiter row", edits: [[DELIMITER, "  ‸|---|---|"]], codes: ["PLAN_TABLE_DELIMITER"] },
  {
    name: "a delimiter row with text",
    edits: [[DELIMITER, DELIMITER.replace("|---", "‸|-x-")]],
    codes: ["PLAN_TABLE_DELIMITER"],
  },
  {
    name: "a second item table",
    edits: [["## 3. Phases", "‸| step_id | phase |\n|---|---|\n| 09 | x |\n\n## 3. Phases"]],
    codes: ["PLAN_TABLE_EXTRA"],
  },
  {
    name: "a blank line in the table",
    edits: [
      ["| 02 |", "\n‸| 02 |"],
      ["| 03 | docs | Tell people | Needed | writer | 02", "| 03 | docs | Tell people | Needed | writer | 01"],
    ],
    codes: ["PLAN_ROW_DETACHED"],
  },
  { name: "a comment in the table", edits: [["| 03 |", "<!-- x -->\n ‸| 03 |"]], codes: ["PLAN_ROW_DETACHED"] },
  { name: "a quote after the table", edits: [["## 3. Phases", "> A | quote\n\n## 3. Phases"]], codes: [] },
  {
    name: "another table after the table",
    edits: [["## 3. Phases", "\n| a | b |\n|---|:-:|\n| c | d |\n\n## 3. Phases"]],
    codes: [],
  },
  { name: "a fence after the table", edits: [["## 3. Phases", "```\n| a |\n```\n## 3. Phases"]], codes: [] },
  { name: "an ended table", edits: [[/\n\n## 3/, "\n## 3"]], codes: [] },
  // Rows and columns.
  { name: "too few cells", edits: [["| 01 | build |", "  ‸| 01 |"]], codes: ["PLAN_CELL_COUNT"] },
  { name: "too many cells", edits: [[ROW_1, `${ROW_1} ‸more | cells |`]], codes: ["PLAN_CELL_COUNT"] },
  {
    name: "an unescaped pipe",
    edits: [
      ["Ring works |", "Ring | works |"],
      [ROW_1.slice(-20), "| no | ‸node --test |"],
    ],
    codes: ["PLAN_CELL_COUNT"],
  },
  {
    name: "a pair of backslashes before a pipe",
    edits: [
      ["Ring works |", "Ring \\\\| works |"],
      [ROW_1.slice(-20), "| no | ‸node --test |"],
    ],
    codes: ["PLAN_CELL_COUNT"],
  },
  {
    name: "a pipe after a lone backtick",
    edits: [
      ["Ring works |", "R` ing | works |"],
      [ROW_1.slice(-20), "| no | ‸node --test |"],
    ],
    codes: ["PLAN_CELL_COUNT"],
  },
  { name: "a list right after the table", edits: [["\n\n## 3", "\n‸- a list\n\n## 3"]], codes: ["PLAN_CELL_COUNT"] },
  {
    name: "an unknown column",
    edits: [
      ["requires_red_green | required", "requires_red_green | ‸mood | required"],
      [DELIMITER, `${DELIMITER}---|`],
      [/\| no \|/g, "| no | x |"],
    ],
    codes: ["PLAN_COLUMN_UNKNOWN"],
  },
  {
    name: "a column without a name",
    edits: [
      ["requires_red_green | required", "requires_red_green | ‸ | required"],
      [DELIMITER, `${DELIMITER}---|`],
      [/\| no \|/g, "| no | x |"],
    ],
    codes: ["PLAN_COLUMN_UNKNOWN"],
  },
  {
    name: "a duplicate column",
    edits: [["required_verification_commands", "‸Phase"]],
    codes: ["PLAN_COLUMN_DUPLICATE"],
  },
  {
    name: "missing columns",
    edits: [["| phase | action |", "| ‸p | ‸a |"]],
    codes: ["PLAN_COLUMN_UNKNOWN", "PLAN_COLUMN_UNKNOWN"],
    missing: ["PLAN_COLUMN_MISSING", "PLAN_COLUMN_MISSING"],
  },
  ...["change_profile", "execution_mode", "host_commands"].map((column) => ({
    name: `a value in ${column}`,
    edits: [
      ["required_verification_commands", column],
      [/\| no \| node --test \|/, "| no | ‸none |"],
      [/\| no \| node --test \|/, "| no | |"],
    ] as Edit[],
    codes: ["PLAN_COLUMN_RESERVED"],
  })),
  {
    name: "no rows",
    edits: [
      [/\n\| 01[^]*\n\n## 3/, "\n\n## 3"],
      ["### Build", ""],
    ],
    codes: [],
    missing: ["PLAN_ITEMS_MISSING"],
  },
  // Ids.
  { name: "an empty id", edits: [["| 03 |", "| ‸|"]], codes: ["PLAN_STEP_ID_SHAPE"] },
  ...["0 3", "-03", ".a", "`03`", "03/4", "__proto__", "None", "ä", "a".repeat(81)].map((id) => ({
    name: `the id ${id}`,
    edits: [["| 03 |", `| ‸${id} |`]] as Edit[],
    codes: ["PLAN_STEP_ID_SHAPE"],
  })),
  { name: "an id of 80 characters", edits: [["| 03 |", `| ${"a".repeat(80)} |`]], codes: [] },
  {
    name: "equal ids without the shape of one",
    edits: [
      ["| 03 |", "| ‸.x |"],
      ["| 02 |", "| ‸.x |"],
      ["| writer | 02 |", "| writer | 01 |"],
    ],
    codes: ["PLAN_STEP_ID_SHAPE", "PLAN_STEP_ID_SHAPE"],
  },
  { name: "a row without outer pipes", edits: [[ROW_1, ROW_1.slice(2, -2)]], codes: [] },
  {
    name: "a range over rows in another order",
    edits: [
      ["| 01 | build", "| 02 | build"],
      ["| 02 | build | Use", "| 01 | build | Use"],
      ["| developer | 01 | src/ring.ts", "| developer | none | src/app.ts"],
      ["| writer | 02 |", "| writer | 01-02 |"],
    ],
    codes: [],
  },
  {
    name: "a path that two items deliver",
    edits: [
      ["| developer | 01 | src/ring.ts | src/use.ts", "| developer | none | src/app.ts | src/ring.ts"],
      ["| writer | 02 | docs", "| writer | 02 | src/ring.ts"],
    ],
    codes: [],
  },
  {
    name: "equal ids",
    edits: [
      ["| 03 |", "| ‸02 |"],
      ["| writer | 02 |", "| writer | 01 |"],
    ],
    codes: ["PLAN_STEP_ID_DUPLICATE"],
  },
  {
    name: "ids that differ in case",
    edits: [
      ["| 03 |", "| a |"],
      ["## 3", ""],
      [/(\| a .*\n)/, "$1$1"],
      [/\n\| a (.*\n)$/m, "\n| ‸A $1"],
    ],
    codes: ["PLAN_STEP_ID_DUPLICATE"],
  },
  { name: "a zero-width space in an id", edits: [["| 03 |", "| 0‸\u200B3 |"]], codes: ["PLAN_INVISIBLE_CHARACTER"] },
  { name: "a byte order mark before an id", edits: [["| 03 |", "| ‸\uFEFF03 |"]], codes: ["PLAN_INVISIBLE_CHARACTER"] },
  // Texts and values.
  ...[
    ["| 01 | build |", "| 01 | ‸|"],
    ["| Add ring |", "| ‸ |"],
    ["| Needed |", "| ‸ |"],
    ["| developer |", "|‸|"],
    ["| Ring works |", "| ‸ |"],
  ].map(([from = "", to = ""]) => ({
    name: `an empty cell instead of ${from}`,
    edits: [[from, to]] as Edit[],
    codes: ["PLAN_CELL_EMPTY"],
  })),
  { name: "no deliverable", edits: [["| docs/keys.md |", "| ‸none |"]], codes: ["PLAN_CELL_EMPTY"] },
  { name: "no write root", edits: [["| docs | no |", "| ‸; ; | no |"]], codes: ["PLAN_CELL_EMPTY"] },
  { name: "an unknown boolean", edits: [["| no |", "| ‸maybe |"]], codes: ["PLAN_VALUE_UNKNOWN"] },
  { name: "an empty boolean", edits: [["| no |", "| ‸ |"]], codes: ["PLAN_VALUE_UNKNOWN"] },
  {
    name: "an unknown gate",
    edits: [
      ["required_verification_commands", "manual_gate"],
      ["no | node --test", "no | approval"],
      ["no | node --test", "no | ‸vote"],
    ],
    codes: ["PLAN_VALUE_UNKNOWN"],
  },
  {
    name: "an unknown check",
    edits: [
      ["required_verification_commands", "external_check"],
      ["no | node --test", "no | none"],
      ["no | node --test", "no | ‸yes"],
    ],
    codes: ["PLAN_VALUE_UNKNOWN"],
  },
  // Prerequisites.
  {
    name: "an unknown prerequisite",
    edits: [["| writer | 02 |", "| writer | 02, ‸9 |"]],
    codes: ["PLAN_PREREQUISITE_UNKNOWN"],
  },
  {
    name: "an unknown id in a range",
    edits: [["| writer | 02 |", "| writer | ‸00-02 |"]],
    codes: ["PLAN_PREREQUISITE_UNKNOWN"],
  },
  {
    name: "a range over more than there is",
    edits: [["| writer | 02 |", "| writer | ‸‸01-99 |"]],
    codes: ["PLAN_PREREQUISITE_UNKNOWN", "PLAN_PREREQUISITE_SELF"],
  },
  {
    name: "a huge range",
    edits: [
      ["| 03 |", "| a |"],
      ["| writer | 02 |", "| writer | ‸000000000000000-999999999999999 |"],
    ],
    codes: ["PLAN_PREREQUISITE_UNKNOWN"],
  },
  {
    name: "a range of other width",
    edits: [
      ["| 03 |", "| a |"],
      ["| writer | 02 |", "| writer | ‸1-2 |"],
    ],
    codes: ["PLAN_PREREQUISITE_UNKNOWN"],
  },
  { name: "a reversed range", edits: [["| writer | 02 |", "| writer | ‸02-01 |"]], codes: ["PLAN_PREREQUISITE_RANGE"] },
  {
    name: "a range of two widths",
    edits: [["| writer | 02 |", "| writer | ‸1-02 |"]],
    codes: ["PLAN_PREREQUISITE_RANGE"],
  },
  {
    name: "itself as prerequisite",
    edits: [["| writer | 02 |", "| writer | 01, ‸03 |"]],
    codes: ["PLAN_PREREQUISITE_SELF"],
  },
  { name: "itself in a range", edits: [["| writer | 02 |", "| writer | ‸01-03 |"]], codes: ["PLAN_PREREQUISITE_SELF"] },
  { name: "a circle", edits: [["| developer | none |", "| developer | ‸03 |"]], codes: ["PLAN_PREREQUISITE_CYCLE"] },
  { name: "an empty cell", edits: [["| developer | none |", "| developer | |"]], codes: [] },
  // Paths.
  ...[
    "/etc",
    "a/../b",
    "..",
    "https://example.org/a",
    "a\\b",
    "C:/a",
    "~/a",
    "a//b",
    "a/./b",
    "a`b`",
    "x".repeat(513),
  ].map((path) => ({
    name: `the path ${path.slice(0, 30)}`,
    edits: [["| src/use.ts |", `| src/use.ts; ‸${path} |`]] as Edit[],
    codes: ["PLAN_PATH_SHAPE"],
  })),
  ...[
    ["src/app.ts |", "repo_surfaces"],
    ["src | no", "allowed_write_roots"],
  ].map(([cell = "", column]) => ({
    name: `a bad path in ${column}`,
    edits: [[`| ${cell}`, `| ‸../a; ${cell}`]] as Edit[],
    codes: ["PLAN_PATH_SHAPE"],
  })),
  ...["consult_paths", "required_verification_artifacts"].map((column) => ({
    name: `a bad path in ${column}`,
    edits: [
      ["required_verification_commands", column],
      [/no \| node --test/g, "no | README.md"],
      ["no | README.md", "no | README.md; ‸/etc"],
    ] as Edit[],
    codes: ["PLAN_PATH_SHAPE"],
  })),
  { name: "a wildcard", edits: [["| src | no", "| src; `‸lib/**` | no"]], codes: ["PLAN_PATH_WILDCARD"] },
  {
    name: "an untracked surface",
    edits: [["| src/app.ts |", "| src/app.ts; `‸src/app`; src |"]],
    codes: ["PLAN_PATH_UNTRACKED"],
  },
  {
    name: "an untracked consult path",
    edits: [
      ["required_verification_commands", "consult_paths"],
      ["no | node --test", "no | ‸x"],
      ["no | node --test", "no | src/ring.ts"],
    ],
    codes: ["PLAN_PATH_UNTRACKED"],
  },
  {
    name: "a deliverable of the item itself",
    edits: [["| src/app.ts |", "| ‸src/ring.ts |"]],
    codes: ["PLAN_PATH_UNTRACKED"],
  },
  {
    name: "a deliverable of no prerequisite",
    edits: [["| developer | 01 | src/ring.ts |", "| developer | none | ‸src/ring.ts |"]],
    codes: ["PLAN_PATH_UNTRACKED"],
  },
  {
    name: "a deliverable of a prerequisite's prerequisite, and the folder above it",
    edits: [
      ["| 02 | docs | docs", "| 02 | src/ring.ts; new | docs"],
      ["| src/ring.ts | Ring", "| src/ring.ts; new/a/b.ts | Ring"],
    ],
    codes: [],
  },
  {
    name: "a file in a delivered folder",
    edits: [
      ["| src/ring.ts | Ring", "| src/ring.ts; new | Ring"],
      ["| 01 | src/ring.ts", "| 01 | ‸new/a.ts"],
    ],
    codes: ["PLAN_PATH_UNTRACKED"],
  },
  { name: "the whole repository as surface", edits: [["| src/app.ts |", "| . |"]], codes: [] },
  ...[
    ".git",
    "sub/.GIT/hooks",
    ".git.",
    "git~1",
    ".git::$INDEX_ALLOCATION",
    ".Conveyor/x",
    ".codex",
    ".claude/settings.json",
    ".mcp.json",
    "a/.MCP.json",
    "plans",
    "Plans/x.md",
    "docs/plans/active/a.md",
  ].map((root) => ({
    name: `the write root ${root}`,
    edits: [["| src | no", `| src; \`‸${root}\` | no`]] as Edit[],
    codes: ["PLAN_WRITE_ROOT_FORBIDDEN"],
    input: { forbiddenRoots: ["plans", "./docs/plans/"] },
  })),
  {
    name: "write roots beside and above the forbidden ones",
    edits: [["| src | no", "| .; docs; plans-old; .github; .gitignore | no"]],
    codes: [],
    input: { forbiddenRoots: ["plans", "docs/plans/"] },
  },
  // Commands.
  {
    name: "an unclosed double quote",
    edits: [["| node --test |", '| node --test; echo ‸"a; b |']],
    codes: ["PLAN_QUOTE_UNCLOSED"],
  },
  { name: "an unclosed single quote", edits: [["| node --test |", "| echo it‸'s |"]], codes: ["PLAN_QUOTE_UNCLOSED"] },
  { name: "an unclosed backtick", edits: [["| node --test |", "| a; ‸``node` |"]], codes: ["PLAN_QUOTE_UNCLOSED"] },
  {
    name: "an unclosed quote in backticks",
    edits: [["| node --test |", "| `echo ‸'a` |"]],
    codes: ["PLAN_QUOTE_UNCLOSED"],
  },
  {
    name: "an unclosed backtick in a path",
    edits: [["| src/app.ts |", "| ‸`src/app.ts; README.md |"]],
    codes: ["PLAN_QUOTE_UNCLOSED"],
  },
  {
    name: "an unclosed quote in suggested commands",
    edits: [
      ["required_verification_commands", "suggested_verification_commands"],
      ["| node --test |", '| ‸" |'],
    ],
    codes: ["PLAN_QUOTE_UNCLOSED"],
  },
  {
    name: "escaped quotes and an apostrophe in a path",
    edits: [
      ["| node --test |", '| echo \\\' "a\\";" \\` |'],
      ["| src/use.ts |", "| src/it's.ts |"],
    ],
    codes: [],
  },
  {
    name: "a bidi control in a command",
    edits: [["| node --test |", "| `node ‸\u202E--test` |"]],
    codes: ["PLAN_INVISIBLE_CHARACTER"],
  },
  { name: "a tab in a command", edits: [["| node --test |", "| node\t--test |"]], codes: [] },
  {
    name: "a bell in a command",
    edits: [["| node --test |", "| a; node ‸\u0007 |"]],
    codes: ["PLAN_INVISIBLE_CHARACTER"],
  },
  {
    name: "a zero-width joiner in a path",
    edits: [["| src/use.ts |", "| a;src/‸\u200Duse.ts |"]],
    codes: ["PLAN_INVISIBLE_CHARACTER"],
  },
  { name: "a tab in a path", edits: [["| src/use.ts |", "| src/‸\tuse.ts |"]], codes: ["PLAN_INVISIBLE_CHARACTER"] },
  { name: "bidi controls in a text", edits: [["Add ring", "Add \u202Ering"]], codes: [] },
  {
    name: "red/green without a command",
    edits: [["| docs | no | |", "| docs | yes | ‸|"]],
    codes: ["PLAN_RED_GREEN_COMMAND"],
  },
  {
    name: "red/green without a column for commands",
    edits: [
      ["required_verification_commands", "notes"],
      ["| no |", "| ‸TRUE |"],
    ],
    codes: ["PLAN_RED_GREEN_COMMAND"],
  },
  {
    name: "red/green with a broken command",
    edits: [["| no | node --test |", "| 1 | ‸' |"]],
    codes: ["PLAN_QUOTE_UNCLOSED"],
  },
  // Metadata.
  {
    name: "good metadata and a value over three lines",
    edits: metadata("- Risk-Tier: low\n* OWNER: me\n  and you\nand others\n\n  - nested\n- Plan-ID: `a-1`"),
    codes: [],
  },
  {
    name: "what is no bullet with a key",
    edits: metadata(
      "‸Some text.\n\n‸- no key\n‸- **Owner**: me\n‸- Risk\u200B-Tier: low\n‸### A heading\n‸1. Owner: me\n    ‸- Owner: me",
    ),
    codes: Array.from({ length: 7 }, () => "PLAN_METADATA_LINE"),
  },
  {
    name: "a key within another bullet",
    edits: metadata("- Owner: me\n    ‸- Risk-Tier: high\n- ‸Ownr: me\n‸Risk tier: high"),
    codes: ["PLAN_METADATA_LINE", "PLAN_METADATA_KEY_UNKNOWN", "PLAN_METADATA_LINE"],
  },
  {
    name: "a key that nobody reads",
    edits: metadata("- ‸Validations: npm test\n  - npm run e2e\n- ‸validations: x"),
    codes: ["PLAN_METADATA_KEY_UNKNOWN", "PLAN_METADATA_KEY_UNKNOWN"],
  },
  {
    name: "commands in bullets of their own, each with the key, beside a root outside of the targets",
    edits: [
      ...metadata("- Validation: npm test\n- validation: x\n- Implementation-Targets: src"),
      ["| docs | no |", "| ‸docs | no |"],
    ],
    codes: ["PLAN_WRITE_ROOT_OUTSIDE"],
  },
  {
    name: "a key that stands twice, spelled otherwise",
    edits: metadata("- Risk-Tier: low\n- ‸risk_TIER: low"),
    codes: ["PLAN_METADATA_DUPLICATE"],
  },
  {
    name: "two sections of metadata",
    edits: metadata("- Risk-Tier: low\n\n‸## 7. METADATA\n- Risk-Tier: high"),
    codes: ["PLAN_METADATA_DUPLICATE"],
  },
  ...[
    "Plan-ID: Rotate keys",
    `Plan-ID: ${"a".repeat(81)}`,
    "Status: done",
    "Priority: p4",
    "Owner:",
    "Acceptance-Criteria: TBD",
    "Acceptance-Criteria: {{CRITERIA}}",
    "Acceptance-Criteria: <what has to be true>",
    "Dependencies: a,,b",
    "Dependencies: None of them",
    "Spec-Targets: docs/a.md, ../b.md",
    "Spec-Targets: docs/*.md",
    "Done-Evidence: ` `",
    "Autonomy-Allowed: yes",
    "Security-Approval: soon",
    "Tags: ,",
    "Promoted:",
  ].map((bullet): Case => ({
    name: `the value of ${bullet}`,
    edits: metadata(`- ‸${bullet}`),
    codes: ["PLAN_METADATA_VALUE"],
  })),
  {
    name: "a dependency on itself",
    edits: metadata("- Plan-ID: keys\n- ‸Dependencies: ring, keys"),
    codes: ["PLAN_METADATA_VALUE"],
  },
  ...["Risk-Tier:", "Risk-Tier: hihg", "Risk-Tier: low <!-- x -->", "Risk-Tier: low\nor so"].map((bullet): Case => ({
    name: `the risk of ${bullet}`,
    edits: metadata(`- ‸${bullet}`),
    codes: ["PLAN_METADATA_RISK_UNREADABLE"],
  })),
  {
    name: "a plan id where no title gives one",
    edits: [["# Rotate keys", "# 鍵\n\n## Metadata\n\n- Plan-ID: keys"]],
    codes: [],
    input: { path: "計画/鍵.md" },
  },
  // Phases.
  { name: "a phase of no item", edits: [["### Build", "‸### Builder"]], codes: ["PLAN_PHASE_UNMATCHED"] },
  { name: "a phase that only begins alike", edits: [["### Build", "‸### Build.2 x"]], codes: ["PLAN_PHASE_UNMATCHED"] },
];

describe("parsePlan", () => {
  it.each(CASES)("locates $name", ({ edits, codes, missing = [], input }) => {
    const edited = edits.reduce((text, [from, to]) => {
      expect(typeof from === "string" ? text.includes(from) : from.test(text)).toBe(true);
      return text.replace(from, to);
    }, base);
    const { text, places } = takeMarks(edited);
    const parsed = parseText(text, input);
    expect(places).toHaveLength(codes.length);
    const expected = [
      ...missing.map((code) => `1:1 ${code}`),
      ...codes.map((code, index) => `${places[index]} ${code}`),
    ];
    expect(placesOf(parsed)).toEqual(expected);
    const isError = parsed.problems.some(({ severity }) => severity === "error");
    expect(parsed.plan === undefined).toBe(isError);
    for (const { message } of parsed.problems) {
      expect(message).toMatch(/^expected .+; found .+; for example .+/);
    }
  });
});

describe("what cannot be written as an edit", () => {
  const parseBytes = (bytes: Uint8Array) => placesOf(parseText("", { bytes }));

  it("is a file of more than 1 MiB, which is not read", () => {
    const bytes = new TextEncoder().encode(base.padEnd(1024 * 1024, " "));
    expect(parseBytes(bytes)).toEqual([]);
    expect(parseBytes(concat(bytes, 0x20))).toEqual(["1:1 PLAN_TOO_LARGE"]);
  });

  it.each([
    ["a lone continuation byte", [0x80]],
    ["four continuation bytes", [0x80, 0x80, 0x80, 0x80]],
    ["a first byte that is too large", [0xf5, 0x80, 0x80, 0x80]],
    ["Latin-1", [0xe4, 0x20]],
    ["an overlong slash", [0xc0, 0xaf]],
    ["an overlong sequence of three bytes", [0xe0, 0x9f, 0x80]],
    ["a surrogate", [0xed, 0xa0, 0x80]],
    ["an overlong sequence of four bytes", [0xf0, 0x8f, 0x80, 0x80]],
    ["a code point that is too large", [0xf4, 0x90, 0x80, 0x80]],
    ["a byte that UTF-8 never has", [0xff]],
    ["a cut sequence of two bytes", [0xc3]],
    ["a cut sequence of three bytes", [0xe2, 0x82]],
    ["a cut sequence of four bytes", [0xf0, 0x9f, 0x98]],
  ])("is %s", (_, invalid) => {
    const mark = concat(new Uint8Array(), 0xef, 0xbb, 0xbf);
    const before = concat(mark, ...new TextEncoder().encode(`${base}\r\n\rü€𝒮\uFFFD`));
    const lines = base.split("\n").length + 2;
    expect(parseBytes(before)).toEqual([]);
    expect(parseBytes(concat(before, ...invalid, 0x20, 0xff, 0x0a, 0x20, 0xff))).toEqual([
      `${lines}:5 PLAN_NOT_UTF8`,
      `${lines + 1}:2 PLAN_NOT_UTF8`,
    ]);
  });

  it("is a plan of more than 500 items", () => {
    const row = (index: number) => `${ROW_1.replace("01", `a${index}`)}\n`;
    const rows = Array.from({ length: 496 }, (_, index) => row(index)).join("");
    const text = base.replace("| 03 |", `${rows}| 03 |`);
    expect(placesOf(parseText(text.replace("| 03 |", `${row(496)}| 03 |`)))).toEqual([]);
    const tooMany = text.replace("| 03 |", `${row(496)}${row(497)}${row(498)}| 03 |`);
    expect(placesOf(parseText(tooMany))).toEqual(["511:1 PLAN_TOO_MANY_ITEMS"]);
  });

  it("is a plan with more problems than anybody reads", () => {
    const parsed = parseText(base.replace("| step_id |", `| step_id |${" x |".repeat(PROBLEMS_MAX + 7)}`));
    expect(parsed.problems).toHaveLength(PROBLEMS_MAX + 1);
    expect(placesOf(parsed)).toContain("1:1 PLAN_TOO_MANY_PROBLEMS");
    expect(parsed.problems[0]?.message).toContain("found 11 more than are shown");
    expect(parsed.plan).toBeUndefined();
  });
});

describe("many problems", () => {
  it("are reported together, in the order of the file", () => {
    const parsed = parseText(readFixture("many-problems.md"), { path: "many.md", forbiddenRoots: ["docs/plans"] });
    expect(parsed.plan).toBeUndefined();
    expect(parsed.problems.map(buildProblemLine)).toMatchInlineSnapshot(`
      [
        "many.md:1:1 PLAN_COLUMN_MISSING expected a column \`requires_red_green\`; found none in the table at line 3; for example \`| step_id | … | requires_red_green |\`",
        "many.md:3:151 PLAN_COLUMN_UNKNOWN warning: expected a known column; found "mood", which is not read; for example \`notes\`",
        "many.md:5:16 PLAN_CELL_EMPTY expected a text in \`action\`; found an empty cell; for example \`Both keys verify\`",
        "many.md:5:39 PLAN_PREREQUISITE_CYCLE expected prerequisites without a circle; found "01" waits for "02" waits for "01"; for example take "02" out of the prerequisites of "01"",
        "many.md:5:57 PLAN_PATH_SHAPE expected a path inside the repository, relative to its root and with \`/\`; found \`..\` in "../ring.ts"; for example \`src/session/key.ts\`",
        "many.md:5:88 PLAN_WRITE_ROOT_FORBIDDEN expected a write root outside of ".git"; found ".git/hooks"; for example \`src/session\`",
        "many.md:5:101 PLAN_VALUE_UNKNOWN expected one of none, signoff, approval, operator_confirmation, security_review, presenter_review, custom; found "signed"; for example \`custom\`",
        "many.md:6:52 PLAN_PREREQUISITE_UNKNOWN expected the \`step_id\` of another row, a range of them, or \`none\`; found "09", which no row has; for example \`01, 03-05\`",
        "many.md:6:73 PLAN_QUOTE_UNCLOSED expected a closing \` in the same cell; found none; for example \`src/app.ts\`; \`README.md\`",
        "many.md:6:114 PLAN_WRITE_ROOT_FORBIDDEN expected a write root outside of "docs/plans"; found "Docs/Plans/a.md"; for example \`src/session\`",
        "many.md:7:110 PLAN_CELL_COUNT expected 12 cells as in the header; found 13; for example write a pipe inside of a cell as \`\\|\`, and a blank line after the table",
        "many.md:9:1 PLAN_SECTION_DUPLICATE expected one section with the number 2; found a second one, "2. Items again"; for example join the two sections under one heading",
      ]
    `);
  });

  it("hide what steers a terminal, and cut what is long", () => {
    const id = `\u001B[31m${"x".repeat(100)}`;
    const { problems } = parseText(base.replace("| writer | 02 |", `| writer | ${id} |`));
    expect(problems[0]?.message).toContain(`found "\\u{1B}[31m${"x".repeat(55)}…", which no row has`);
  });

  it("name a circle along its way, and cut a long one", () => {
    const { problems } = parseText(base.replace("| developer | none |", "| developer | 03 |"));
    expect(problems[0]?.message).toContain('found "01" waits for "03" waits for "02" waits for "01";');
    const rows = Array.from(
      { length: 20 },
      (_, index) => `${ROW_1.replace("01", `a${index}`).replace("none", `a${(index + 1) % 20}`)}\n`,
    );
    const long = parseText(base.replace("| 03 |", `${rows.join("")}| 03 |`));
    expect(long.problems.map(({ message }) => message)).toEqual([expect.stringContaining('"a10" and so on, 10 more;')]);
  });
});

describe("the codes", () => {
  it("are all located by a test above", () => {
    const elsewhere = ["PLAN_TOO_LARGE", "PLAN_NOT_UTF8", "PLAN_TOO_MANY_ITEMS", "PLAN_TOO_MANY_PROBLEMS"];
    // What `plans lint` alone says is located by its own tests.
    const lint = ["PLAN_QUEUE_KEY_MISSING", "PLAN_QUEUE_STATUS", "PLAN_ID_DUPLICATE", "PLAN_UNREADABLE"];
    const located = [...CASES, ...FORM_CASES].flatMap(({ codes, missing = [] }) => [...codes, ...missing]);
    expect([...new Set([...located, ...elsewhere, ...lint])].toSorted()).toEqual(
      Object.keys(PLAN_PROBLEM_CODES).toSorted(),
    );
  });

  it("are warnings where the plan can be run all the same", () => {
    const warnings = Object.entries(PLAN_PROBLEM_CODES).filter(([, { severity }]) => severity === "warning");
    expect(warnings.map(([code]) => code)).toEqual([
      "PLAN_TABLE_EXTRA",
      "PLAN_COLUMN_UNKNOWN",
      "PLAN_METADATA_KEY_UNKNOWN",
      "PLAN_METADATA_RISK_UNREADABLE",
      "PLAN_TARGETS_MISSING",
      "PLAN_QUEUE_KEY_MISSING",
      "PLAN_QUEUE_STATUS",
      "PLAN_ID_DUPLICATE",
      "PLAN_PHASE_UNMATCHED",
    ]);
  });
});

function concat(bytes: Uint8Array, ...more: number[]): Uint8Array {
  const joined = new Uint8Array(bytes.length + more.length);
  joined.set(bytes);
  joined.set(more, bytes.length);
  return joined;
}
