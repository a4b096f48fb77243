import { existsSync, lstatSync, readdirSync, readFileSync, rmSync, truncateSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { ROOT } from "../support/conveyor.ts";
import {
  countCalls,
  createRandom,
  expectGoesOn,
  forAll,
  isLong,
  LedgerRepository,
  readUndisturbedEnd,
  sample,
  CAMPAIGN_MS,
  wasKilled,
} from "../support/faults.ts";

const BOUNDARIES = "fsync,rename,link,truncate";
const LOSE_POWER = join(ROOT, "__tests__", "support", "lose-power.mjs");
const SEED = 20_261_120;

/** How much of what was not synced is gone: all of it, or each name and each file by a throw. */
const IMAGES = isLong ? (["all", "some", "some"] as const) : (["all", "some"] as const);

/** What survives for certain, as `lose-power.mjs` writes it. */
interface Durable {
  readonly folders: Readonly<Record<string, Readonly<Record<string, string>>>>;
  readonly contents: Readonly<Record<string, string>>;
}

const make = () => new LedgerRepository();

test(
  "a power cut takes what was not synced, in any mixture, and a run goes on to the end of an undisturbed one",
  { timeout: CAMPAIGN_MS },
  async () => {
    const { end } = await readUndisturbedEnd(make);
    const calls = await countCalls(make, BOUNDARIES);
    const cuts = calls.flatMap((kind, index) =>
      (kind === "fsync" ? (["before"] as const) : (["before", "after"] as const)).flatMap((when) =>
        IMAGES.map((image, number) => ({ at: index + 1, when, kind, image, number })),
      ),
    );
    const random = createRandom(SEED);
    const lost = { names: 0, contents: 0 };
    const cases = sample(cuts, 20);
    await forAll(cases, async ({ at, when, kind, image, number }) => {
      const name = `power cut ${when} boundary ${at} (${kind}), ${image} ${number} (seed ${SEED})`;
      const repository = make();
      const loss = join(repository.base, "loss.json");
      const killed = await repository.startFaulty({ at, when, calls: BOUNDARIES }, undefined, undefined, {
        preload: LOSE_POWER,
        env: { LOSS_ROOT: repository.path, LOSS_FILE: loss },
      }).ended;
      if (!wasKilled(repository, killed, at, calls.length, name)) return repository.remove();
      const durable = JSON.parse(readFileSync(loss, "utf8")) as Durable;
      loseUnsynced(repository.path, durable, () => image === "all" || random() < 0.5, random, lost);
      await expectGoesOn(repository, end, name);
      repository.remove();
    });
    console.log(`power cuts: ${cases.length}, names lost ${lost.names}, contents lost ${lost.contents}`);
    expect(lost.names).toBeGreaterThan(0);
    expect(lost.contents).toBeGreaterThan(0);
  },
);

/** Makes of the checkout's `.conveyor` what a disk may hold after the cut. The private repository is git's own affair. */
function loseUnsynced(
  checkout: string,
  durable: Durable,
  isLost: () => boolean,
  random: () => number,
  lost: { names: number; contents: number },
): void {
  const visit = (folder: string): void => {
    const safe = durable.folders[folder] ?? {};
    const names = folder === checkout ? [".conveyor"] : readdirSync(folder);
    for (const name of names) {
      const path = join(folder, name);
      if (name === "repo.git" || !existsSync(path)) continue;
      const key = keyOf(path);
      if (safe[name] !== key && isLost()) {
        lost.names += 1;
        rmSync(path, { recursive: true, force: true });
        // The name still leads to the file it led to before, when that was safe.
        const old = safe[name] === undefined ? undefined : durable.contents[safe[name]];
        if (old !== undefined) writeFileSync(path, Buffer.from(old, "base64"), { mode: 0o600 });
        continue;
      }
      if (key === "folder") visit(path);
      else loseContent(path, durable.contents[key] ?? "");
    }
    for (const [name, key] of Object.entries(safe)) {
      const old = durable.contents[key];
      if (folder !== checkout && old !== undefined && !existsSync(join(folder, name)) && isLost())
        writeFileSync(join(folder, name), Buffer.from(old, "base64"), { mode: 0o600 });
    }
  };
  const loseContent = (path: string, base64: string): void => {
    const safe = Buffer.from(base64, "base64");
    const bytes = readFileSync(path);
    if (bytes.equals(safe) || !isLost()) return;
    lost.contents += 1;
    // The length may have reached the disk and the bytes not: then there are zeros.
    if (random() < 0.5 && bytes.length > safe.length)
      writeFileSync(path, Buffer.concat([safe, Buffer.alloc(bytes.length - safe.length)]));
    else if (bytes.subarray(0, safe.length).equals(safe)) truncateSync(path, safe.length);
    else writeFileSync(path, safe);
  };
  visit(checkout);
}

/** As `lose-power.mjs` names it. */
function keyOf(path: string): string {
  const stats = lstatSync(path, { bigint: true });
  return stats.isDirectory() ? "folder" : `${stats.ino}-${stats.birthtimeNs}`;
}
