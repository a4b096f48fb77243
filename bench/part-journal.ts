import { createHash } from "node:crypto";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import type { Figure } from "./figure.ts";
import { measureExpecting, sideBySide } from "./measure.ts";
import { makeRun } from "./part-items.ts";
import { CLI, type Ground, NODE } from "./world.ts";

/** Starting Node, and reading and hashing 200 items, where the aims were set. */
const BARE_MS = 20 + 33;

/** `verify`, `resume` and `audit` of a run of 200 items, beside reading and hashing all files of its folder. */
export async function benchJournal(ground: Ground): Promise<Figure[]> {
  const items = ground.size(200, 4);
  const { path: cwd, env } = await makeRun(ground, items);
  const aimed = ground.only(300);
  const commands = [
    { name: `verify, ${items} items`, args: ["verify"], exitCode: 0, aim: aimed },
    { name: `audit of all runs, ${items} items`, args: ["audit"], exitCode: 0, aim: undefined },
    { name: `resume of a run at its gates, ${items} items`, args: ["resume", "--quiet"], exitCode: 3, aim: aimed },
  ];
  const figures: Figure[] = [];
  for (const { name, args, exitCode, aim } of commands) {
    const { bare, product } = await sideBySide(
      { roundsMax: 3, budgetMs: 20_000 },
      () => measureExpecting(0, { command: [NODE, import.meta.filename, join(cwd, ".conveyor", "runs")], cwd }),
      () => measureExpecting(exitCode, { command: [NODE, CLI, ...args], cwd, env }),
    );
    const aimBare = aim === undefined ? undefined : BARE_MS;
    figures.push(
      { name, unit: "ms", bare: bare.wallMs, product: product.wallMs, aim, aimBare },
      {
        name: `${name}, processor`,
        unit: "CPU-ms",
        bare: bare.cpuMs,
        product: product.cpuMs,
        aim,
        aimBare,
      },
    );
  }
  return figures;
}

/** The bare work, when this file is started itself: every file below a folder is read and hashed. */
if (import.meta.main) {
  for (const entry of readdirSync(process.argv[2] ?? ".", { withFileTypes: true, recursive: true })) {
    if (entry.isFile())
      createHash("sha256")
        .update(readFileSync(join(entry.parentPath, entry.name)))
        .digest("hex");
  }
}
