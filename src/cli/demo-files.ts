/** The demo's repository: a tiny package, a plan with two items, and a scripted executor that errs once. */
export const DEMO_PLAN = "docs/exec-plans/active/greeting.md";

/** Builds the files of the demo; `node` is the program that runs the scripts. */
export function buildDemoFiles(node: string): Record<string, string> {
  return {
    "README.md": "# A small package\n\nIt greets.\n",
    "package.json": `${JSON.stringify({ name: "greeting", version: "1.0.0", type: "module", private: true }, null, 2)}\n`,
    "src/greet.js": 'export const greet = () => "hello";\n',
    ".github/conveyor.yml": [
      "version: 1",
      `executor: {use: command, command: [${JSON.stringify(node)}, tools/executor.mjs]}`,
      `validation: {commands: [[${JSON.stringify(node)}, --test]]}`,
      "",
    ].join("\n"),
    "tools/executor.mjs": EXECUTOR,
    [DEMO_PLAN]: buildPlan(node),
  };
}

/** Stands in for a coding agent: its first try at item 01 has a fault, which the fix round mends. */
const EXECUTOR = `import { mkdirSync, readFileSync, writeFileSync } from "node:fs";

const { ORCH_ITEM_ID: item, ORCH_STAGE: stage, ORCH_FINDINGS_PATH: findings } = process.env;
const test = \`import assert from "node:assert/strict";
import { test } from "node:test";
import { greet } from "../src/greet.js";

test("greets by name", () => assert.equal(greet("Ada"), "hello, Ada"));
test("greets without a name", () => assert.equal(greet(), "hello"));
\`;

if (item === "01") {
  mkdirSync("test", { recursive: true });
  writeFileSync("test/greet.test.js", test);
  if (stage === "fix") console.log("mending:", readFileSync(findings, "utf8"));
  writeFileSync(
    "src/greet.js",
    stage === "fix"
      ? 'export const greet = (name) => (name === undefined ? "hello" : \`hello, \${name}\`);\\n'
      : "export const greet = (name) => \`hello, \${name}\`;\\n",
  );
} else {
  mkdirSync("docs", { recursive: true });
  writeFileSync("docs/greeting.md", "# Greeting\\n\\n\`greet(name)\` greets by name, \`greet()\` greets everybody.\\n");
}
`;

function buildPlan(node: string): string {
  const quoted = `'${node.replaceAll("'", "'\\''")}'`;
  const columns = [
    "step_id",
    "phase",
    "action",
    "why_now",
    "owner_type",
    "prerequisites",
    "repo_surfaces",
    "deliverable",
    "exit_criteria",
    "allowed_write_roots",
    "requires_red_green",
    "required_verification_commands",
  ];
  const rows = [
    [
      "01",
      "build",
      "Greet by name",
      "Users have names",
      "executor",
      "none",
      "src/greet.js",
      "src/greet.js; test/greet.test.js",
      "greet takes a name and still works without one",
      "src; test",
      "no",
      `\`${quoted} --test\``,
    ],
    [
      "02",
      "document",
      "Describe the greeting",
      "The change is visible to users",
      "executor",
      "01",
      "README.md",
      "docs/greeting.md",
      "the document names both ways to call it",
      "docs/greeting.md",
      "no",
      "`grep -q 'greet()' docs/greeting.md`",
    ],
  ];
  const line = (cells: string[]): string => `| ${cells.join(" | ")} |`;
  return [
    "# Greeting by name",
    "",
    "## 1. Context",
    "",
    "The package greets the world. It shall greet people.",
    "",
    "## 2. Items",
    "",
    line(columns),
    line(columns.map(() => "---")),
    ...rows.map(line),
    "",
  ].join("\n");
}
