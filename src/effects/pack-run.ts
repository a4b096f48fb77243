import { createReadStream } from "node:fs";
import { mkdir, rename, rm, stat, writeFile } from "node:fs/promises";
import { basename, dirname, join, resolve } from "node:path";
import { ARCHIVE_FILE, BUNDLE_FILE, LEFT_OUT_FILE, SUMS_FILE } from "../domain/artifact-names.ts";
import { sha256 } from "../domain/digest.ts";
import { listHandedObjects, mayBranchBe, type HandedObjects } from "../domain/handed-objects.ts";
import type { FileDigest } from "../domain/journal.ts";
import { chooseLeftOut, type LeftOut } from "../domain/left-out.ts";
import { listArchived, packDigest, refuseSecrets, type PackFault, type SecretLook } from "../domain/packed-run.ts";
import { err, ok, type Result } from "../domain/result.ts";
import type { SavedRun } from "../domain/saved-run.ts";
import { renderSums } from "../domain/sums.ts";
import { readHanded, writeBundle } from "./git/bundle.ts";
import { removeTree } from "./git/remove-tree.ts";
import type { ObjectStore } from "./git/scratch.ts";
import { createOutgoing, listAdded, type Outgoing } from "./outgoing.ts";
import { digestPlainFile, readPlainBelow } from "./plain-files.ts";
import type { Redactor } from "./redactor.ts";
import { CHECKPOINT_FILE, JOURNAL_FILE } from "./run-files.ts";
import { isBelow, realPathOf } from "./real-path.ts";
import { isOccupied } from "./saved-run-files.ts";
import { writeTar, type TarFile } from "./tar-files.ts";

/** What a run was handed on as. */
export interface PackedFacts {
  /** SHA-256 of the list of digests: it stands for all of it. */
  readonly packSha256: string;
  /** Every file of the folder. */
  readonly files: readonly FileDigest[];
  readonly leftOut: readonly FileDigest[];
  /** Places that look like a secret, though no variable has it. */
  readonly looks: readonly SecretLook[];
}

/** A run to hand on. Its lock is held, and it was re-verified. */
export interface PackInput {
  readonly run: SavedRun;
  readonly runFolder: string;
  readonly store: ObjectStore;
  /** The commit that the run branch of the private repository names. */
  readonly branch: string | undefined;
  /** What was left out of the packed folder that the run came from. */
  readonly leftOutBefore: ReadonlyMap<string, FileDigest>;
  readonly reports: readonly { readonly path: string; readonly text: string }[];
  /** The folder to make: it must be new or empty. */
  readonly target: string;
  readonly bytesMax: number;
  /** Knows the secrets of whoever packs, who need not be who ran it. */
  readonly redactor: Redactor;
}

/**
 * Writes what a run hands on into a new folder: whole, or not at all. Reads the run folder and changes nothing in it;
 * links are not followed. Reason codes: ARTIFACT_TAMPERED, when a file is not what the journal names; SECRET_IN_DIFF, when
 * anything has the value of a secret variable in it.
 */
export async function packRun(input: PackInput): Promise<Result<PackedFacts, PackFault>> {
  const { runFolder, run, store, branch } = input;
  const target = resolve(input.target);
  if (await isOccupied(target)) return refuse("USAGE", target, "expected a new or empty folder, found something there");
  if (isBelow(realPathOf(runFolder), realPathOf(target)))
    return refuse("USAGE", target, "lies in the run folder, where every file has to be named by an event");
  if (!mayBranchBe(run.state, branch)) return refuse("GIT_TAMPERED", "repo.git", "is not where the journal says");
  const named = listArchived(run.journal.events);
  if (!named.ok) return refuse("JOURNAL_CORRUPT", JOURNAL_FILE, named.error);
  const staging = join(dirname(target), `.${basename(target)}.packing`);
  await removeTree(staging);
  await mkdir(staging, { recursive: true, mode: 0o700 });
  try {
    const objects = listHandedObjects(run, branch);
    const committed = await judgeCommitted(store, objects, input.redactor);
    if (!committed.ok) return committed;
    const outgoing = createOutgoing(input.redactor, committed.value);
    await writeBundle(store, objects, join(staging, BUNDLE_FILE));
    const chosen = await chooseFiles(input, [...named.value.named.values()], join(staging, BUNDLE_FILE));
    if (!chosen.ok) return chosen;
    const fault = await writeArchive(input, staging, chosen.value, outgoing);
    if (fault !== undefined) return err(fault);
    await rm(join(staging, BUNDLE_FILE));
    const facts = await writeLooseFiles(input, staging, outgoing);
    if (!facts.ok) return facts;
    await rename(staging, target);
    return ok({ ...facts.value, leftOut: chosen.value.leftOut, looks: outgoing.looks });
  } finally {
    await removeTree(staging);
  }
}

interface Chosen {
  readonly kept: readonly FileDigest[];
  readonly leftOut: readonly FileDigest[];
}

/** What an entry costs besides its bytes, rounded up: two headers and a long name. */
const ENTRY_BYTES = 4096;

async function chooseFiles(
  { run, runFolder, reports, bytesMax, leftOutBefore }: PackInput,
  named: readonly FileDigest[],
  bundle: string,
): Promise<Result<Chosen, PackFault>> {
  const there = named.filter(({ path }) => !leftOutBefore.has(path));
  const sizes = await Promise.all(
    [bundle, join(runFolder, JOURNAL_FILE), join(runFolder, CHECKPOINT_FILE)].map(
      async (path) => (await stat(path).catch(() => undefined))?.size ?? 0,
    ),
  );
  // A list of what is left out is far smaller than any log that it stands for.
  const fixed = [...sizes, ...reports.map(({ text }) => Buffer.byteLength(text))];
  const used = fixed.reduce((sum, bytes) => sum + bytes + ENTRY_BYTES, named.length * 256);
  const chosen = chooseLeftOut(there, bytesMax - used, ({ bytes }) => bytes + ENTRY_BYTES);
  if (!chosen.ok) {
    const least = chosen.error + used;
    return refuse(
      "USAGE",
      run.state.runId,
      `expected at least ${least} bytes to hand it on, found --max-bytes ${bytesMax}`,
    );
  }
  const leftOut = [...chosen.value, ...leftOutBefore.values()].toSorted((a, b) => (a.path < b.path ? -1 : 1));
  const without = new Set(leftOut.map(({ path }) => path));
  return ok({ kept: there.filter(({ path }) => !without.has(path)), leftOut });
}

async function writeArchive(
  { run, runFolder, bytesMax }: PackInput,
  staging: string,
  { kept, leftOut }: Chosen,
  outgoing: Outgoing,
): Promise<PackFault | undefined> {
  let fault: PackFault | undefined;
  const judged = async (path: string, bytes: Buffer): Promise<TarFile> => {
    const names = await outgoing.judge(path, bytes);
    if (names.length > 0) throw new PackFaultError(refuseSecrets(path, names));
    return asFile(path, bytes);
  };
  const read = async (path: string): Promise<Buffer> => {
    const bytes = await readPlainBelow(runFolder, path);
    if (bytes !== undefined) return bytes;
    throw new PackFaultError({ code: "ARTIFACT_TAMPERED", path, message: "is missing, or no plain file" });
  };
  const list: LeftOut = {
    schema_version: "conveyor.left_out.v1",
    run_id: run.state.runId,
    max_bytes: bytesMax,
    files: [...leftOut],
  };
  async function* files(): AsyncGenerator<TarFile> {
    // First, because it says which others there may be.
    yield await judged(JOURNAL_FILE, await read(JOURNAL_FILE));
    const checkpoint = await readPlainBelow(runFolder, CHECKPOINT_FILE);
    if (checkpoint !== undefined) yield await judged(CHECKPOINT_FILE, checkpoint);
    if (leftOut.length > 0) yield await judged(LEFT_OUT_FILE, Buffer.from(`${JSON.stringify(list, null, 2)}\n`));
    for (const file of kept.toSorted((left, right) => (left.path < right.path ? -1 : 1))) {
      const bytes = await read(file.path);
      if (sha256(bytes) !== file.sha256) {
        throw new PackFaultError({
          code: "ARTIFACT_TAMPERED",
          path: file.path,
          message: "is not what the journal names",
        });
      }
      yield await judged(file.path, bytes);
    }
    const bundle = join(staging, BUNDLE_FILE);
    const { size } = await stat(bundle);
    yield { path: BUNDLE_FILE, bytes: size, content: () => createReadStream(bundle) };
  }
  try {
    await writeTar(join(staging, ARCHIVE_FILE), files());
  } catch (thrown) {
    if (!(thrown instanceof PackFaultError)) throw thrown;
    fault = thrown.fault;
  }
  return fault;
}

/**
 * Judges what the bundle carries: texts of commits, and names and lines that are new since the run began. What stood
 * there before is nobody's secret: gives the variables whose values did.
 */
async function judgeCommitted(
  store: ObjectStore,
  objects: HandedObjects,
  redactor: Redactor,
): Promise<Result<ReadonlySet<string>, PackFault>> {
  const { texts, patch } = await readHanded(store, objects);
  const names = new Set([...redactor.names(texts), ...listAdded(patch, redactor)]);
  return names.size === 0 ? ok(new Set(redactor.names(patch))) : err(refuseSecrets(BUNDLE_FILE, [...names].sort()));
}

async function writeLooseFiles(
  { reports }: PackInput,
  staging: string,
  outgoing: Outgoing,
): Promise<Result<Omit<PackedFacts, "leftOut" | "looks">, PackFault>> {
  const files: FileDigest[] = [];
  for (const { path, text } of reports) {
    const names = await outgoing.judge(path, Buffer.from(text));
    if (names.length > 0) return err(refuseSecrets(path, names));
    await writeFile(join(staging, path), text, { flag: "wx" });
    files.push({ path, sha256: sha256(text), bytes: Buffer.byteLength(text) });
  }
  const archive = await digestPlainFile(join(staging, ARCHIVE_FILE), ARCHIVE_FILE);
  if (archive === undefined) throw new Error(`${ARCHIVE_FILE} is gone`);
  const all = [...files, archive].toSorted((left, right) => (left.path < right.path ? -1 : 1));
  const sums = renderSums(all);
  await writeFile(join(staging, SUMS_FILE), sums, { flag: "wx" });
  return ok({ packSha256: packDigest(sums), files: all });
}

class PackFaultError extends Error {
  readonly fault: PackFault;
  constructor(fault: PackFault) {
    super(fault.message);
    this.fault = fault;
  }
}

function asFile(path: string, bytes: Buffer): TarFile {
  return {
    path,
    bytes: bytes.length,
    async *content() {
      if (bytes.length > 0) yield bytes;
    },
  };
}

function refuse(code: PackFault["code"], path: string, message: string): Result<never, PackFault> {
  return err({ code, path, message });
}
