import {
  ARCHIVE_FILE,
  BUNDLE_FILE,
  LEFT_OUT_FILE,
  REPORT_HTML,
  REPORT_JSON,
  REPORT_MARKDOWN,
  SUMS_FILE,
} from "./artifact-names.ts";
import { sha256 } from "./digest.ts";
import type { FileDigest, JournalEvent } from "./journal.ts";
import { foldersAbove, pathProblem } from "./paths.ts";
import { err, ok, type Result } from "./result.ts";
import type { SavedRunFault } from "./saved-run.ts";
import { parseSums, type FileSum } from "./sums.ts";

/** Why a packed folder is refused, with the file that shows it. `USAGE`: nothing is wrong with it, but it cannot be used here. */
export interface PackFault {
  readonly code: SavedRunFault["code"] | "USAGE" | "SECRET_IN_DIFF";
  readonly path: string;
  readonly message: string;
}

/** A place in what is handed on that a rule of the secret scan takes for a secret. What it is stands nowhere. */
export interface SecretLook {
  readonly path: string;
  readonly rule: string;
  readonly line: number;
}

/** What keeps a file from being handed on: values of secret variables stand in it, or in its name. */
export function refuseSecrets(path: string, names: readonly string[]): PackFault {
  const values = names.length === 1 ? `the value of ${names[0]}` : `the values of ${names.join(", ")}`;
  const message = `has ${values} in it or in its name, and what the journal names cannot be changed; nothing was written`;
  return { code: "SECRET_IN_DIFF", path, message };
}

/** Files beside the archive; each is a report. */
const LOOSE_FILES: readonly string[] = [REPORT_HTML, REPORT_JSON, REPORT_MARKDOWN];

/** How large each file of a packed folder may be, in bytes. */
export const PACKED_BYTES_MAX: Readonly<Record<string, number>> = {
  [SUMS_FILE]: 4096,
  [ARCHIVE_FILE]: 8 * 1024 * 1024 * 1024,
  ...Object.fromEntries(LOOSE_FILES.map((name) => [name, 256 * 1024 * 1024])),
};

/** The most that a run hands on, in bytes, unless told otherwise. */
export const HANDED_BYTES_MAX = 500 * 1024 * 1024;

/** The one digest that stands for a whole packed folder: of its list of digests. */
export function packDigest(sums: Uint8Array | string): string {
  return sha256(sums);
}

/**
 * Judges the list of a packed folder against what lies in it: every file is listed and every listed file is there, none
 * is foreign, and when the caller says which packed folder it expects, it is that one. Gives the digests to compare.
 */
export function judgeSums(input: {
  readonly sums: Uint8Array;
  /** Names of all that lies in the folder. */
  readonly names: readonly string[];
  /** The digest that somebody vouches for, for example an output of the job that made the folder. */
  readonly packSha256: string | undefined;
}): Result<readonly FileSum[], PackFault> {
  const tampered = (path: string, message: string): Result<never, PackFault> =>
    err({ code: "ARTIFACT_TAMPERED", path, message });
  const found = packDigest(input.sums);
  if (input.packSha256 !== undefined && found !== input.packSha256)
    return tampered(SUMS_FILE, `expected SHA-256 ${input.packSha256}, found ${found}: it is another packed folder`);
  const parsed = parseSums(new TextDecoder().decode(input.sums));
  if (!parsed.ok) return tampered(SUMS_FILE, parsed.error);
  const listed = parsed.value.map(({ path }) => path);
  const foreign = [...input.names, ...listed].find((name) => PACKED_BYTES_MAX[name] === undefined);
  if (foreign !== undefined) return tampered(foreign, "is no file of a packed run");
  const unlisted = input.names.find((name) => name !== SUMS_FILE && !listed.includes(name));
  if (unlisted !== undefined) return tampered(unlisted, `is not listed in ${SUMS_FILE}`);
  const missing = [ARCHIVE_FILE, REPORT_JSON, ...listed].find((name) => !input.names.includes(name));
  return missing === undefined ? parsed : tampered(missing, "is missing");
}

/** What an archive may hold: the journal first, then what it names, and four files that it does not. */
export interface ArchiveContent {
  /** Files of the run folder that have to be there, each with its digest. */
  readonly named: ReadonlyMap<string, FileDigest>;
}

/** Files of an archive that no event names, and how large each may be. */
const UNNAMED_BYTES_MAX: Readonly<Record<string, number>> = {
  [BUNDLE_FILE]: 8 * 1024 * 1024 * 1024,
  [LEFT_OUT_FILE]: 64 * 1024 * 1024,
  "orchestrator_checkpoint.json": 256 * 1024 * 1024,
};

/** The archive's first file: it says which others there may be. */
export const ARCHIVED_JOURNAL = "run-events.jsonl";
export const JOURNAL_BYTES_MAX = 1024 * 1024 * 1024;

/** What belongs to a run folder and is never carried elsewhere, and what no event names. */
const RESERVED =
  /^(repo\.git|supervision|lock\.[^/]*|run-events\.jsonl|run\.bundle|left-out\.json|orchestrator_checkpoint\.json)(\/|$)/;

/**
 * Lists the files that an archive may hold from the events of its journal: what they name, reports aside. Whoever wrote
 * the journal chose those names, so each has to be a plain path of the run folder, and none the folder of another.
 */
export function listArchived(events: readonly JournalEvent[]): Result<ArchiveContent, string> {
  const named = new Map<string, FileDigest>();
  for (const event of events) {
    if (event.type === "report_written" || !("files" in event.details)) continue;
    for (const file of event.details.files ?? []) named.set(file.path, file);
  }
  for (const path of named.keys()) {
    const problem =
      pathProblem(path) ?? (path === "." || RESERVED.test(path) ? "no file that a run hands on" : undefined);
    if (problem !== undefined) return err(`names a file with ${problem}: ${path}`);
    const folder = foldersAbove(path).find((above) => named.has(above));
    if (folder !== undefined) return err(`names ${folder} as a file and as a folder`);
  }
  return ok({ named });
}

/**
 * Judges one entry of an archive by its header, before a byte of its content is read. `seen` holds the names that came
 * before it. Gives how many bytes it may have, or what is wrong with it.
 */
export function judgeEntry(
  entry: { readonly name: string; readonly type: string | null; readonly bytes: number },
  content: ArchiveContent,
  seen: ReadonlySet<string>,
): Result<number, string> {
  const { name, type, bytes } = entry;
  if (type !== "file") return err(`is a ${type ?? "thing of an unknown kind"}, and no plain file`);
  const problem = pathProblem(name);
  if (problem !== undefined) return err(`has a name with ${problem}`);
  if (seen.has(name)) return err("is there twice");
  const named = content.named.get(name);
  if (named !== undefined) {
    return bytes === named.bytes ? ok(bytes) : err(`has ${bytes} bytes, the journal says ${named.bytes}`);
  }
  const bytesMax = UNNAMED_BYTES_MAX[name];
  if (bytesMax === undefined) return err("is named by no event of the journal");
  return bytes <= bytesMax ? ok(bytes) : err(`has ${bytes} bytes, more than ${bytesMax}`);
}
