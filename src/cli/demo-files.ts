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
      "audits:",
      "  lanes:",
      `    - {name: careful, use: command, command: [${JSON.stringify(node)}, tools/auditor.mjs]}`,
      `    - {name: quick, use: command, command: [${JSON.stringify(node)}, tools/auditor.mjs]}`,
      `validation: {commands: [[${JSON.stringify(node)}, --test]]}`,
      "",
    ].join("\n"),
    "tools/executor.mjs": EXECUTOR,
    "tools/auditor.mjs": AUDITOR,
    [DEMO_PLAN]: buildPlan(node),
  };
}

/** Stands in for two auditors: the careful one wants exported functions to say what they do. */
const AUDITOR = `import { existsSync, readFileSync, writeFileSync } from "node:fs";

const env = process.env;
const source = existsSync("src/greet.js") ? readFileSync("src/greet.js", "utf8") : "";
const found = env.ORCH_LANE === "careful" && env.ORCH_ITEM_ID === "01" && !source.startsWith("/**");
const finding = {
  id: "1",
  title: "greet does not say what it does",
  severity: "medium",
  category: "documentation",
  confidence: "high",
  file_paths: ["src/greet.js"],
  evidence: [source.split("\\n")[0]],
  why_it_matters: "Whoever calls it has to read its body.",
  recommended_action: "Add a doc comment.",
  is_blocking: true,
};
writeFileSync(
  env.ORCH_RESULT_PATH,
  JSON.stringify({
    schema_version: "conveyor.audit_report.v1",
    lane: env.ORCH_LANE,
    item_id: env.ORCH_ITEM_ID,
    attempt: Number(env.ORCH_ATTEMPT),
    packet_sha256: env.ORCH_PACKET_SHA256,
    nonce: env.ORCH_NONCE,
    verdict: found ? "issues_found" : "pass",
    summary: found ? "One thing is missing." : "It does what the item asks for.",
    limitations: [],
    findings: found ? [finding] : [],
  }),
);
`;

/** Stands in for a coding agent: its first try at item 01 lacks something, which the fix round adds. */
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
  const body = 'export const greet = (name) => (name === undefined ? "hello" : \`hello, \${name}\`);\\n';
  writeFileSync("src/greet.js", stage === "fix" ? "/** Greets by name, or everybody. */\\n" + body : body);
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
    "manual_gate",
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
      "none",
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
      "signoff",
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
    "## Metadata",
    "",
    "- Plan-ID: greeting",
    "- Status: queued",
    "- Risk-Tier: low",
    "",
    "## 2. Items",
    "",
    line(columns),
    line(columns.map(() => "---")),
    ...rows.map(line),
    "",
  ].join("\n");
}
