import { describe, expect, test } from "vitest";
import { PLAN_PATH } from "../support/conveyor.ts";
import { APPROVED, AttackedRepository, expectAttackRefused, ONE_ROUND, refusedByScope } from "../support/attacks.ts";
import { isLong } from "../support/faults.ts";

/** One path for each entry of the built-in floor and of the configuration, and what it looks like to a lazy check. */
const PROTECTED: readonly string[] = [
  ".github/workflows/x.yml",
  ".github/actions/x/action.yml",
  ".github/conveyor.yml",
  ".github/dependabot.yml",
  "CODEOWNERS",
  "docs/CODEOWNERS",
  "docs/codeowners.",
  "action.yml",
  "action.yaml",
  ".gitattributes",
  "src/.gitattributes",
  "src/deep/.GITATTRIBUTES",
  ".gitmodules",
  ".npmrc",
  "packages/a/.npmrc",
  ".husky/pre-commit",
  ".HUSKY/_/husky.sh",
  ".githooks/post-checkout",
  "src/hooks/pre-push",
  "tools/Hooks/Post-Commit",
  "AGENTS.md",
  "src/AGENTS.override.md",
  "src/agents.md",
  "CLAUDE.md",
  "src/Claude.local.md",
  ".claude/settings.json",
  "src/.claude/commands/x.md",
  ".codex/config.toml",
  ".mcp.json",
  "src/.MCP.json",
  ".cursor/rules/x.mdc",
  ".gemini/settings.json",
  ".conveyor/runs/x",
  PLAN_PATH,
  "docs/exec-plans/active/next.md",
  "docs/exec-plans/completed/done.md",
  "docs/exec-plans/evidence-index/x.md",
  "docs/future/idea.md",
  "deploy/prod/main.tf",
  "DEPLOY/prod/other.tf",
];

const touch = (path: string): string => `mkdir -p "$(dirname '${path}')"; echo "# evil" >> '${path}'`;
const REFUSED = refusedByScope("PROTECTED_PATH_CHANGED");

describe("S-04: workflows, owners, configuration, instructions of agents", () => {
  const repository = new AttackedRepository({
    rows: [{ step_id: "01", allowed_write_roots: "." }],
    configLines: [ONE_ROUND, "policy: {protected-paths: ['deploy/**']}"],
    files: { ".github/workflows/ci.yml": "on: push\n", "src/a.txt": "a\n" },
  });
  const attack = (script: string, codes: readonly string[]) =>
    expectAttackRefused(repository, script, codes, { env: APPROVED });

  test("all of them in one session: each is named", async () => {
    const { violations } = await attack(PROTECTED.map(touch).join("\n"), [...REFUSED, "PATH_UNSAFE"]);
    const named = violations.filter(([code]) => code === "PROTECTED_PATH_CHANGED").map(([, path]) => path);
    expect(named.toSorted()).toEqual(PROTECTED.toSorted());
  });

  test.each([
    ["a workflow added", touch(".github/workflows/x.yml"), ".github/workflows/x.yml"],
    ["a workflow changed", touch(".github/workflows/ci.yml"), ".github/workflows/ci.yml"],
    ["a workflow deleted", "rm .github/workflows/ci.yml", ".github/workflows/ci.yml"],
    ["a workflow that comes by a rename", "mv src/a.txt .github/workflows/a.yml", ".github/workflows/a.yml"],
    ["a workflow that goes by a rename", "mv .github/workflows/ci.yml src/ci.yml", ".github/workflows/ci.yml"],
    ["only its mode", "chmod +x .github/workflows/ci.yml", ".github/workflows/ci.yml"],
    [
      "a write through a linked folder",
      `ln -s ../.github out/gh; ${touch("out/gh/workflows/x.yml")}`,
      ".github/workflows/x.yml",
    ],
    ["the folder swapped for a link", "mv .github out/gh; ln -s out/gh .github", ".github"],
  ])("%s", async (_what, script, path) => {
    const { violations } = await attack(script, REFUSED);
    expect(violations).toContainEqual(["PROTECTED_PATH_CHANGED", path]);
  });

  test("in another case", async () => {
    const { violations } = await attack(touch(".GitHub/Workflows/x.yml"), [...REFUSED, "PATH_UNSAFE"]);
    expect(violations).toContainEqual(["PROTECTED_PATH_CHANGED", ".GitHub/Workflows/x.yml"]);
  });

  test.each(isLong ? PROTECTED : [])("alone: %s", async (path) => {
    const attacked = await repository.untouched(() =>
      repository.attack(`mkdir out; ${touch(path)}`, { env: APPROVED }),
    );
    expect(attacked.code).toBe(1);
    expect(attacked.violations).toContainEqual(["PROTECTED_PATH_CHANGED", path]);
  });
});
