import { createHash } from "node:crypto";
import { readdirSync } from "node:fs";
import { mkdir, open, rm, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { ARCHIVE_FILE, BUNDLE_FILE, LEFT_OUT_FILE, SUMS_FILE } from "../domain/artifact-names.ts";
import { judgeBundleHeader } from "../domain/bundle-header.ts";
import { sha256 } from "../domain/digest.ts";
import { listHandedObjects, mayBranchBe } from "../domain/handed-objects.ts";
import { parseJournal } from "../domain/journal-text.ts";
import { parseLeftOut } from "../domain/left-out.ts";
import {
  ARCHIVED_JOURNAL,
  JOURNAL_BYTES_MAX,
  judgeEntry,
  judgeSums,
  listArchived,
  packDigest,
  PACKED_BYTES_MAX,
  type ArchiveContent,
  type PackFault,
} from "../domain/packed-run.ts";
import { err, ok, type Result } from "../domain/result.ts";
import type { SavedRun } from "../domain/saved-run.ts";
import { makeBundledRepository, readBundleHeader } from "./git/bundle.ts";
import type { ObjectFormat } from "./git/object-id.ts";
import { digestPlainFile, readPlainBelow } from "./plain-files.ts";
import { REPOSITORY_FOLDER } from "./run-files.ts";
import { readSavedRun } from "./saved-run-files.ts";
import { readTar, TarFaultError, type TarEntry } from "./tar-files.ts";

/** A packed folder, and where it is unpacked to. */
export interface UnpackInput {
  readonly folder: string;
  /** A new folder, which becomes the run folder. Whoever made it removes it when this refuses. */
  readonly target: string;
  readonly packSha256: string | undefined;
  readonly user: {
    readonly gitCommonDir: string;
    readonly objectFormat: ObjectFormat;
    readRef(ref: string): Promise<string | undefined>;
  };
  readonly searchPath: string;
  /** Syncs every file to the disk: a run is gone on with there. */
  readonly durable: boolean;
}

/** A run as a packed folder tells it. */
export interface UnpackedFacts {
  readonly run: SavedRun;
  readonly packSha256: string;
  /** The reports that lie beside the archive, by name. */
  readonly reports: ReadonlyMap<string, Uint8Array>;
}

/**
 * Makes a run folder of a packed one: its digests are compared first, the archive is unpacked under limits and holds
 * nothing but what its journal names, and the private repository is made anew from the bundle and the objects of the
 * user's own. Reason codes: ARTIFACT_TAMPERED, JOURNAL_CORRUPT.
 */
export async function unpackRun(input: UnpackInput): Promise<Result<UnpackedFacts, PackFault>> {
  const { folder, target } = input;
  const packed = await readPackedFolder(input);
  if (!packed.ok) return packed;
  const unpacked = await unpackArchive(join(folder, ARCHIVE_FILE), target, input.durable);
  if (!unpacked.ok) return unpacked;
  const read = readSavedRun(target);
  if (!read.ok) return read;
  const run = read.value;
  const missing = await findMissing(target, run, unpacked.value);
  if (missing !== undefined) return err(missing);
  // Reports that an event names are files of the run folder; those of a run that was cut short are not.
  for (const [path, bytes] of run.state.sealed ? packed.value.reports : []) {
    await writeNew(join(target, path), bytes, input.durable);
  }
  const refused = await makeRepository(input, run);
  return refused === undefined ? ok({ run, ...packed.value }) : err(refused);
}

async function readPackedFolder({
  folder,
  packSha256,
}: UnpackInput): Promise<Result<Pick<UnpackedFacts, "packSha256" | "reports">, PackFault>> {
  const names = readdirSync(folder).sort();
  const sums = names.includes(SUMS_FILE) ? await readPlainBelow(folder, SUMS_FILE) : undefined;
  if (sums === undefined) return tampered(SUMS_FILE, "is missing, or no plain file");
  if (sums.length > (PACKED_BYTES_MAX[SUMS_FILE] ?? 0))
    return tampered(SUMS_FILE, "is larger than any list of digests");
  const judged = judgeSums({ sums, names, packSha256 });
  if (!judged.ok) return judged;
  const reports = new Map<string, Uint8Array>();
  for (const { path, sha256: expected } of judged.value) {
    const found = await digestPlainFile(join(folder, path), path);
    if (found === undefined) return tampered(path, "is no plain file");
    if (found.bytes > (PACKED_BYTES_MAX[path] ?? 0))
      return tampered(path, `has ${found.bytes} bytes: no run writes that`);
    if (found.sha256 !== expected) return tampered(path, `is not what ${SUMS_FILE} says`);
    if (path === ARCHIVE_FILE) continue;
    const bytes = await readPlainBelow(folder, path);
    if (bytes === undefined || sha256(bytes) !== expected) return tampered(path, `is not what ${SUMS_FILE} says`);
    reports.set(path, bytes);
  }
  return ok({ packSha256: packDigest(sums), reports });
}

/** Unpacks the archive and gives the names of what it held. */
async function unpackArchive(
  archive: string,
  target: string,
  durable: boolean,
): Promise<Result<ReadonlySet<string>, PackFault>> {
  const seen = new Set<string>();
  let content: ArchiveContent | undefined;
  const take = async (entry: TarEntry, bytes: AsyncIterable<Uint8Array>): Promise<void> => {
    if (content === undefined) {
      content = await takeJournal(entry, bytes, target, durable);
      seen.add(entry.name);
      return;
    }
    const judged = judgeEntry(entry, content, seen);
    if (!judged.ok) throw new UnpackError(entry.name, judged.error);
    seen.add(entry.name);
    const found = await writeEntry(join(target, entry.name), bytes, durable);
    const named = content.named.get(entry.name);
    if (named !== undefined && named.sha256 !== found)
      throw new UnpackError(entry.name, "is not what the journal names");
  };
  try {
    await readTar(archive, take);
    return content === undefined ? tampered(ARCHIVED_JOURNAL, "is missing") : ok(seen);
  } catch (fault) {
    if (fault instanceof UnpackError) return err(fault.fault);
    if (fault instanceof TarFaultError) return tampered(ARCHIVE_FILE, `is no archive: ${fault.message}`);
    throw fault;
  }
}

async function takeJournal(
  { name, type, bytes: size }: TarEntry,
  bytes: AsyncIterable<Uint8Array>,
  target: string,
  durable: boolean,
): Promise<ArchiveContent> {
  if (name !== ARCHIVED_JOURNAL || type !== "file")
    throw new UnpackError(name, `stands where ${ARCHIVED_JOURNAL} has to be, at the beginning of the archive`);
  if (size > JOURNAL_BYTES_MAX) throw new UnpackError(name, `has ${size} bytes: no run writes that`);
  const chunks: Uint8Array[] = [];
  for await (const chunk of bytes) chunks.push(chunk);
  const text = Buffer.concat(chunks);
  const journal = parseJournal(text);
  if (!journal.ok) {
    throw new UnpackError(name, `line ${journal.error.line}: ${journal.error.message}`, "JOURNAL_CORRUPT");
  }
  const listed = listArchived(journal.value.events);
  if (!listed.ok) throw new UnpackError(name, listed.error, "JOURNAL_CORRUPT");
  await writeNew(join(target, name), text, durable);
  return listed.value;
}

/** Writes an entry to a file that is not there yet and gives its digest. */
async function writeEntry(path: string, bytes: AsyncIterable<Uint8Array>, durable: boolean): Promise<string> {
  await mkdir(dirname(path), { recursive: true, mode: 0o700 });
  const hash = createHash("sha256");
  await using file = await open(path, "wx", 0o600);
  for await (const chunk of bytes) {
    hash.update(chunk);
    await file.writeFile(chunk);
  }
  if (durable) await file.sync();
  return hash.digest("hex");
}

async function writeNew(path: string, bytes: Uint8Array, durable: boolean): Promise<void> {
  await writeFile(path, bytes, { flag: "wx", mode: 0o600, flush: durable });
}

/** What the journal names and the archive does not hold, unless it says so itself. */
async function findMissing(
  target: string,
  run: SavedRun,
  unpacked: ReadonlySet<string>,
): Promise<PackFault | undefined> {
  const list = await readPlainBelow(target, LEFT_OUT_FILE);
  const leftOut = parseLeftOut(list?.toString("utf8"), run.state);
  if (!leftOut.ok) return faultOf(LEFT_OUT_FILE, leftOut.error);
  const listed = listArchived(run.journal.events);
  if (!listed.ok) return faultOf(ARCHIVED_JOURNAL, listed.error);
  for (const path of listed.value.named.keys()) {
    const isThere = unpacked.has(path);
    if (isThere === leftOut.value.has(path)) {
      return faultOf(path, isThere ? `is there although ${LEFT_OUT_FILE} lists it` : "is missing");
    }
  }
  return undefined;
}

async function makeRepository(input: UnpackInput, run: SavedRun): Promise<PackFault | undefined> {
  const { target, user, searchPath } = input;
  const bundle = join(target, BUNDLE_FILE);
  const format = user.objectFormat;
  const header = (await digestPlainFile(bundle, BUNDLE_FILE)) && (await readBundleHeader(bundle));
  if (header === undefined) return faultOf(BUNDLE_FILE, "is missing, or no git bundle");
  const branchRef = `refs/heads/${run.state.created.run_branch}`;
  const judged = judgeBundleHeader(header.text, {
    branchRef,
    format,
    expect: (branch) => (mayBranchBe(run.state, branch) ? listHandedObjects(run, branch) : undefined),
  });
  if (!judged.ok) return faultOf(BUNDLE_FILE, judged.error);
  for (const base of judged.value.bases) {
    if ((await user.readRef(base)) === base) continue;
    const message = `builds on commit ${base}, which this repository does not have: git fetch origin ${base}`;
    return { code: "USAGE", path: BUNDLE_FILE, message };
  }
  const made = await makeBundledRepository({
    gitDir: join(target, REPOSITORY_FOLDER),
    userGitCommonDir: user.gitCommonDir,
    format,
    searchPath,
    path: bundle,
    offset: header.bytes,
    objects: judged.value,
    branch: { ref: branchRef, oid: judged.value.branch },
  });
  if (!made.ok) return faultOf(BUNDLE_FILE, made.error);
  await rm(bundle);
  return undefined;
}

class UnpackError extends Error {
  readonly fault: PackFault;
  constructor(path: string, message: string, code: PackFault["code"] = "ARTIFACT_TAMPERED") {
    super(message);
    this.fault = { code, path, message };
  }
}

function faultOf(path: string, message: string): PackFault {
  return { code: "ARTIFACT_TAMPERED", path, message };
}

function tampered(path: string, message: string): Result<never, PackFault> {
  return err(faultOf(path, message));
}
