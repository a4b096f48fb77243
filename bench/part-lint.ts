import type { Figure } from "./figure.ts";
import { measureExpecting, sideBySide } from "./measure.ts";
import { buildPlan, CLI, type Ground, NODE, runGit, writeFiles } from "./world.ts";

const FOLDERS = 20;

/** `plans lint` over 10,000 plans of three items, beside reading them. */
export async function benchLint(ground: Ground): Promise<Figure[]> {
  const plans = ground.size(10_000, 100);
  const cwd = ground.make("plans");
  const files: Record<string, string> = { "README.md": "# Plans\n" };
  for (let index = 0; index < plans; index += 1) {
    const path = `docs/exec-plans/active/part-${index % FOLDERS}/plan-${index}.md`;
    files[path] = buildPlan(["001", "002", "003"], `Plan ${index}`);
  }
  writeFiles(cwd, files);
  runGit(cwd, ["init", "--quiet", "--initial-branch=main"]);
  runGit(cwd, ["add", "--all"]);
  runGit(cwd, ["commit", "--quiet", "--message=Plans"]);
  const { bare, product } = await sideBySide(
    { roundsMax: 3, budgetMs: 30_000 },
    () => measureExpecting(0, { command: [NODE, "--eval", READ, cwd], cwd }),
    () => measureExpecting(0, { command: [NODE, CLI, "plans", "lint"], cwd }),
  );
  const name = `plans lint, ${plans.toLocaleString("en")} plans`;
  const aims = { aim: ground.only(1500), aimBare: ground.only(150) };
  return [
    { name, unit: "ms", bare: bare.wallMs, product: product.wallMs, ...aims },
    {
      name: `${name}, processor`,
      unit: "CPU-ms",
      bare: bare.cpuMs,
      product: product.cpuMs,
      ...aims,
    },
  ];
}

const READ = `const { readdirSync, readFileSync } = require("node:fs");
for (const entry of readdirSync(process.argv[1], { withFileTypes: true, recursive: true }))
  if (entry.isFile() && entry.name.endsWith(".md")) readFileSync(entry.parentPath + "/" + entry.name);`;
