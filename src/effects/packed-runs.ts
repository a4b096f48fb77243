import { existsSync, mkdtempSync } from "node:fs";
import { mkdir, readFile, rename } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import type { PackFault } from "../domain/packed-run.ts";
import { err, ok, type Result } from "../domain/result.ts";
import type { SavedRun } from "../domain/saved-run.ts";
import type { Randomness } from "../ports.ts";
import { makeFolderDurably, syncFolder } from "./durable-files.ts";
import { removeTree } from "./git/remove-tree.ts";
import { JOURNAL_FILE } from "./run-files.ts";
import { makeRunsFolder, type RunPlaces } from "./run-places.ts";
import { isOccupied } from "./saved-run-files.ts";
import { unpackRun, type UnpackedFacts, type UnpackInput } from "./unpack-run.ts";

/** A packed run in a run folder of its own. Disposing removes the folder when it was made for reading alone. */
export interface OpenedPack extends AsyncDisposable {
  readonly runFolder: string;
  readonly run: SavedRun;
  readonly packSha256: string;
  /** True when the run lay here already and knows all that the packed one does: that one is gone on with. */
  readonly wasHere: boolean;
}

/** Says what is wrong with an unpacked run, before anybody uses it. */
export type JudgePack = (facts: UnpackedFacts, runFolder: string) => Promise<PackFault | undefined>;

type Source = Omit<UnpackInput, "target" | "durable">;

/** Unpacks a packed run into a temporary folder, to read it there. Nothing is left behind when it is refused. */
export async function openPackToRead(source: Source, judge: JudgePack): Promise<Result<OpenedPack, PackFault>> {
  const folder = mkdtempSync(join(tmpdir(), "conveyor-pack-"));
  const runFolder = join(folder, "run");
  const remove = (): Promise<void> => removeTree(folder);
  let isKept = false;
  try {
    const unpacked = await unpackInto({ ...source, target: runFolder, durable: false }, judge);
    if (!unpacked.ok) return unpacked;
    const { run, packSha256 } = unpacked.value;
    isKept = true;
    return ok({ runFolder, run, packSha256, wasHere: false, [Symbol.asyncDispose]: remove });
  } finally {
    if (!isKept) await remove();
  }
}

/** What the name of a folder begins with that a packed run is being unpacked to. */
export const UNPACKING = ".unpacking-";

/**
 * Unpacks a packed run to go on with it: into `outputDir`, or among the runs of the checkout under its id. It appears
 * there whole or not at all. A run of that id that lies there already is gone on with when its journal begins with the
 * packed one's, and is never replaced.
 */
export async function openPackToGoOn(
  source: Source,
  judge: JudgePack,
  { places, outputDir, randomness }: { places: RunPlaces; outputDir: string | undefined; randomness: Randomness },
): Promise<Result<OpenedPack, PackFault>> {
  if (outputDir === undefined) makeRunsFolder(places);
  const parent = outputDir === undefined ? places.runsFolder : dirname(outputDir);
  makeFolderDurably(parent);
  const staging = join(parent, `${UNPACKING}${randomness.hex(8)}`);
  try {
    const unpacked = await unpackInto({ ...source, target: staging, durable: true }, judge);
    if (!unpacked.ok) return unpacked;
    const { run, packSha256 } = unpacked.value;
    const runFolder = outputDir ?? join(parent, run.state.runId);
    const opened = { runFolder, run, packSha256, [Symbol.asyncDispose]: async () => undefined };
    if (!(await isOccupied(runFolder))) {
      await rename(staging, runFolder);
      syncFolder(parent);
      return ok({ ...opened, wasHere: false });
    }
    const knows = await startsWith(join(runFolder, JOURNAL_FILE), join(staging, JOURNAL_FILE));
    if (knows) return ok({ ...opened, wasHere: true });
    const message = `lies here already, and its journal does not go on from the packed one: move it away, or unpack elsewhere with --output-dir`;
    return err({ code: "USAGE", path: runFolder, message });
  } finally {
    await removeTree(staging);
  }
}

async function unpackInto(input: UnpackInput, judge: JudgePack): Promise<Result<UnpackedFacts, PackFault>> {
  await mkdir(input.target, { mode: 0o700 });
  const unpacked = await unpackRun(input);
  const fault = unpacked.ok ? await judge(unpacked.value, input.target) : undefined;
  return fault === undefined ? unpacked : err(fault);
}

async function startsWith(longer: string, shorter: string): Promise<boolean> {
  if (!existsSync(longer)) return false;
  const [whole, start] = await Promise.all([readFile(longer), readFile(shorter)]);
  return whole.subarray(0, start.length).equals(start);
}
