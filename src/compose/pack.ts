import type { FileDigest } from "../domain/journal.ts";
import type { PackFault } from "../domain/packed-run.ts";
import type { Result } from "../domain/result.ts";
import type { SavedRun } from "../domain/saved-run.ts";
import { storeOf } from "../effects/git/run-repository.ts";
import { packRun, type PackedFacts } from "../effects/pack-run.ts";
import type { Redactor } from "../effects/redactor.ts";
import { findRunFolders } from "../effects/run-places.ts";
import type { OpenRun } from "./open-run.ts";
import { repositoryOptions, type Workplace } from "./workplace.ts";

/** Writes what a run hands on into a new folder. Its lock is held, and it was re-verified. */
export async function packOpenRun(
  workplace: Workplace,
  open: Pick<OpenRun, "runFolder" | "ports">,
  input: {
    readonly run: SavedRun;
    /** What was left out of the packed folder that the run came from. */
    readonly leftOutBefore: ReadonlyMap<string, FileDigest>;
    readonly reports: readonly { readonly path: string; readonly text: string }[];
    readonly target: string;
    readonly bytesMax: number;
    readonly redactor: Redactor;
  },
): Promise<Result<PackedFacts, PackFault>> {
  const { run } = input;
  const store = storeOf(
    repositoryOptions(workplace, findRunFolders(workplace.places, open.runFolder, run.state.runId)),
  );
  const branch = await open.ports.repository.readRef(`refs/heads/${run.state.created.run_branch}`);
  return packRun({ ...input, runFolder: open.runFolder, store, branch });
}
