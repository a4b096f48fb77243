import { LEFT_OUT_FILE } from "../domain/artifact-names.ts";
import { sha256 } from "../domain/digest.ts";
import type { FileDigest } from "../domain/journal.ts";
import { parseLeftOut } from "../domain/left-out.ts";
import type { Result } from "../domain/result.ts";
import type { RunState } from "../domain/run.ts";
import type { Ports } from "../ports.ts";
import { isReportFile } from "./report-files.ts";
import type { RunContext } from "./run-context.ts";

/** Thrown when a file of the run folder is not what the journal names. Ends the stage: ARTIFACT_TAMPERED. */
export class FileTamperedError extends Error {
  constructor(path: string) {
    super(`${path} is not what the journal names`);
    this.name = "FileTamperedError";
  }
}

/**
 * Bytes of a file of the run folder, as they were when an event named it. The programs of a run can write to its
 * folder: what one is told must not be what another made of it.
 */
export async function readNamed({ ports, recorder }: RunContext, path: string): Promise<Uint8Array> {
  const named = recorder.state.files.get(path);
  if (named === undefined) throw new Error(`no event names ${path}`);
  const bytes = await ports.files.read(path);
  if (bytes === undefined || sha256(bytes) !== named.sha256) throw new FileTamperedError(path);
  return bytes;
}

/** The first file that is not what the journal names, and what is wrong with it; nothing when all are, or known to be left out. */
export async function findTamperedFile(
  state: RunState,
  files: Pick<Ports["files"], "digestSaved" | "read">,
): Promise<{ readonly path: string; readonly message: string } | undefined> {
  const leftOut = await readLeftOut(state, files);
  if (!leftOut.ok) return { path: LEFT_OUT_FILE, message: leftOut.error };
  for (const file of state.files.values()) {
    // Reports are written again at every stop; between two stops the old ones may stand, or be half replaced.
    if (isReportFile(file.path)) continue;
    const found = await files.digestSaved(file.path);
    if (found?.sha256 === file.sha256 || (found === undefined && leftOut.value.has(file.path))) continue;
    return { path: file.path, message: found === undefined ? "is missing" : "is not what the journal names" };
  }
  return undefined;
}

/** What a packed run came without; nothing when it is whole, and an error when its list cannot be believed. */
export async function readLeftOut(
  state: RunState,
  files: { read(path: string): Promise<Uint8Array | undefined> },
): Promise<Result<ReadonlyMap<string, FileDigest>, string>> {
  const bytes = await files.read(LEFT_OUT_FILE);
  return parseLeftOut(bytes === undefined ? undefined : new TextDecoder().decode(bytes), state);
}
