import { chmodSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import type { Figure } from "./figure.ts";
import { measureExpecting, type Medians, sideBySide } from "./measure.ts";
import { CLI, type Ground, makeWorld, NODE, PLAN, type World } from "./world.ts";

const BARE_ITEMS = fileURLToPath(new URL("bare-items.mjs", import.meta.url));
/** A run whose gates nobody has answered ends blocked, with all of its items passed. */
const BLOCKED = 3;

/** A repository of 50,000 files, its objects, and three checkouts of it for each side. */
const FILES_DISK_BYTES = 6 * 2 ** 30;

interface Compared {
  readonly bare: Medians;
  readonly product: Medians;
}

const SIZES = [
  { items: 1, roundsMax: 3, wall: [96, 160], cpu: [90, 170] },
  { items: 5, roundsMax: 2, wall: undefined, cpu: undefined },
  { items: 20, roundsMax: 2, wall: [820, 1400], cpu: undefined },
] as const;

/** Runs of 1, 5 and 20 instant items in a repository of 50 files, and what each further item costs. */
export async function benchItems(ground: Ground): Promise<Figure[]> {
  const figures: Figure[] = [];
  const by = new Map<number, Compared>();
  const sizes = ground.isSmall ? SIZES.slice(0, 2) : SIZES;
  for (const { items, roundsMax, wall, cpu } of sizes) {
    const compared = await compareRuns(ground, { items, files: 50, roundsMax });
    by.set(items, compared);
    const name = `${items} item${items === 1 ? "" : "s"}, 50 files`;
    figures.push(...buildFigures(name, compared, { wall, cpu }));
    if (items === 20) figures.push(peakOf(items, compared));
  }
  const margin = marginOf(by, 1, ground.size(20, 5));
  const product = (await countGit(ground, 3)) - (await countGit(ground, 2));
  return [
    ...figures,
    ...buildFigures("each further item, 50 files", margin, { wall: [40, 60], cpu: [40, 70] }),
    { name: "git processes of a further item", unit: "processes", bare: 9, product, aim: 12, aimBare: undefined },
  ];
}

/** A run of 200 items beside one of 20: whether an item costs the same, however many came before. */
export async function benchMany(ground: Ground): Promise<Figure[]> {
  const by = new Map<number, Compared>();
  const [fewItems, manyItems] = [ground.size(20, 2), ground.size(200, 4)];
  for (const items of [fewItems, manyItems])
    by.set(items, await compareRuns(ground, { items, files: 50, roundsMax: 1 }));
  const all = by.get(manyItems);
  if (all === undefined) throw new Error("the run of many items was not measured");
  const [few, margin] = [by.get(fewItems), marginOf(by, fewItems, manyItems)];
  // Processor time: the disk and the others on a machine are slower at one time than at another.
  const growthOf = (side: keyof Compared): number => (margin[side].cpuMs * fewItems) / (few?.[side].cpuMs ?? 1) - 1;
  return [
    ...buildFigures(`${manyItems} items, 50 files`, all, { wall: ground.only([9100, 14_000]), cpu: undefined }),
    peakOf(manyItems, all),
    {
      name: `an item among ${manyItems} beside one among ${fewItems}, processor, more than bare`,
      unit: "%",
      bare: undefined,
      product: (growthOf("product") - growthOf("bare")) * 100,
      aim: ground.only(10),
      aimBare: undefined,
    },
  ];
}

/** One item in repositories of 50, 5,000 and 50,000 files. */
export async function benchFiles(ground: Ground): Promise<Figure[]> {
  ground.requireDisk(ground.size(FILES_DISK_BYTES, 0));
  const sizes = [
    { files: 50, roundsMax: 3, wall: [96, 160] },
    { files: 5000, roundsMax: 2, wall: [310, 400] },
    { files: 50_000, roundsMax: 1, wall: [2900, 3500] },
  ] as const;
  const figures: Figure[] = [];
  for (const { files, roundsMax, wall } of ground.isSmall ? [{ files: 200, roundsMax: 1, wall: undefined }] : sizes) {
    const compared = await compareRuns(ground, { items: 1, files, roundsMax });
    figures.push(...buildFigures(`1 item, ${files} files`, compared, { wall, cpu: undefined }));
  }
  return figures;
}

/** A run that is finished but for its gates, for parts that read it. */
export async function makeRun(ground: Ground, items: number): Promise<World> {
  const finished = ground.finished.get(items);
  if (finished !== undefined) return finished;
  const world = makeWorld(ground, { items, files: 50 });
  await runConveyor(world);
  return world;
}

async function compareRuns(
  ground: Ground,
  { items, files, roundsMax }: { items: number; files: number; roundsMax: number },
): Promise<Compared> {
  const world = makeWorld(ground, { items, files });
  const compared = await sideBySide(
    { roundsMax, budgetMs: 60_000 },
    () =>
      measureExpecting(0, {
        command: [NODE, BARE_ITEMS, world.path, ground.make("bare"), ...world.itemIds],
        cwd: world.path,
      }),
    () => runConveyor(world),
  );
  if (roundsMax === 1) ground.finished.set(items, world);
  return compared;
}

function runConveyor(world: World, env: Readonly<Record<string, string>> = {}) {
  const command = [NODE, CLI, "run", PLAN, "--quiet"] as const;
  return measureExpecting(BLOCKED, { command, cwd: world.path, env: { ...world.env, ...env } });
}

/** What one more item costs, from a run of few and a run of many. */
function marginOf(by: ReadonlyMap<number, Compared>, few: number, many: number): Compared {
  const [less, more] = [by.get(few), by.get(many)];
  if (less === undefined || more === undefined) throw new Error(`expected runs of ${few} and ${many} items`);
  const margin = (side: keyof Compared): Medians => ({
    wallMs: (more[side].wallMs - less[side].wallMs) / (many - few),
    cpuMs: (more[side].cpuMs - less[side].cpuMs) / (many - few),
    peakMiB: more[side].peakMiB,
  });
  return { bare: margin("bare"), product: margin("product") };
}

type Aim = readonly [bare: number, aim: number] | undefined;

function buildFigures(name: string, { bare, product }: Compared, aims: { wall: Aim; cpu: Aim }): Figure[] {
  const aimOf = (aim: Aim) => ({ aimBare: aim?.[0], aim: aim?.[1] });
  return [
    { name, unit: "ms", bare: bare.wallMs, product: product.wallMs, ...aimOf(aims.wall) },
    { name: `${name}, processor`, unit: "CPU-ms", bare: bare.cpuMs, product: product.cpuMs, ...aimOf(aims.cpu) },
  ];
}

function peakOf(items: number, { product }: Compared): Figure {
  const aim = items === 20 ? 90 : 115;
  const name = `peak memory, ${items} items`;
  return { name, unit: "MiB", bare: undefined, product: product.peakMiB, aim, aimBare: undefined };
}

/** How many git processes a run starts, counted by a git that stands before the real one on `PATH`. */
async function countGit(ground: Ground, items: number): Promise<number> {
  const world = makeWorld(ground, { items, files: 50 });
  const folder = ground.make("counting-git");
  const [log, shim] = [join(folder, "log"), join(folder, "git")];
  const path = process.env["PATH"] ?? "";
  writeFileSync(shim, `#!/bin/sh\necho "$$" >> '${log}'\nPATH='${path}' exec git "$@"\n`);
  chmodSync(shim, 0o755);
  await runConveyor(world, { PATH: `${folder}:${path}` });
  return readFileSync(log, "utf8").trim().split("\n").length;
}
