import { type Figure, renderFigures } from "./figure.ts";
import { benchAction } from "./part-action.ts";
import { benchFiles, benchItems, benchMany } from "./part-items.ts";
import { benchJournal } from "./part-journal.ts";
import { benchLint } from "./part-lint.ts";
import { benchStart } from "./part-start.ts";
import { Ground } from "./world.ts";

const PARTS: Readonly<Record<string, (ground: Ground) => Promise<Figure[]>>> = {
  start: benchStart,
  action: benchAction,
  lint: benchLint,
  items: benchItems,
  many: benchMany,
  journal: benchJournal,
  files: benchFiles,
};

process.exitCode = await main(process.argv.slice(2));

/**
 * `npm run bench [-- [--small] PART…]`: prints one table of figures, each beside the bare work that was measured in the
 * same run. `--small` says nothing of what anything costs: it shows in a minute or two that the parts work.
 */
async function main(args: readonly string[]): Promise<number> {
  const asked = args.filter((word) => word !== "--small");
  const unknown = asked.filter((name) => !Object.hasOwn(PARTS, name));
  if (unknown.length > 0) {
    console.error(`no such part: ${unknown.join(", ")}; there are ${Object.keys(PARTS).join(", ")}`);
    return 2;
  }
  using ground = new Ground(args.includes("--small"));
  const figures: Figure[] = [];
  let exitCode = 0;
  for (const [name, bench] of Object.entries(PARTS)) {
    if (asked.length > 0 && !asked.includes(name)) continue;
    console.error(`measuring: ${name}`);
    const start = performance.now();
    try {
      const measured = await bench(ground);
      // As they come, because the whole takes minutes; the table on stdout has them all.
      console.error(renderFigures(measured));
      figures.push(...measured);
    } catch (fault) {
      // What the other parts found is worth keeping.
      console.error(`${name} was not measured: ${fault instanceof Error ? fault.message : String(fault)}`);
      exitCode = 1;
    }
    console.error(`${name} took ${Math.round((performance.now() - start) / 1000)} s`);
  }
  console.log(renderFigures(figures));
  return exitCode;
}
