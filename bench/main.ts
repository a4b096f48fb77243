import { type Figure, renderFigures } from "./figure.ts";
import { benchFiles, benchItems } from "./part-items.ts";
import { benchJournal } from "./part-journal.ts";
import { benchLint } from "./part-lint.ts";
import { benchStart } from "./part-start.ts";
import { Ground } from "./world.ts";

const PARTS: Readonly<Record<string, (ground: Ground) => Promise<Figure[]>>> = {
  start: benchStart,
  lint: benchLint,
  items: benchItems,
  journal: benchJournal,
  files: benchFiles,
};

process.exitCode = await main(process.argv.slice(2));

/** `npm run bench [-- PART…]`: prints one table of figures, each beside the bare work that was measured in the same run. */
async function main(asked: readonly string[]): Promise<number> {
  const unknown = asked.filter((name) => !Object.hasOwn(PARTS, name));
  if (unknown.length > 0) {
    console.error(`no such part: ${unknown.join(", ")}; there are ${Object.keys(PARTS).join(", ")}`);
    return 2;
  }
  using ground = new Ground();
  const figures: Figure[] = [];
  for (const [name, bench] of Object.entries(PARTS)) {
    if (asked.length > 0 && !asked.includes(name)) continue;
    console.error(`measuring: ${name}`);
    figures.push(...(await bench(ground)));
  }
  console.log(renderFigures(figures));
  return 0;
}
