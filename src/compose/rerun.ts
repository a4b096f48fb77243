import type { PackFault } from "../domain/packed-run.ts";
import type { Result } from "../domain/result.ts";
import type { SavedRun } from "../domain/saved-run.ts";
import { makeCacheRoot } from "../effects/cache-root.ts";
import { copyRunRepository } from "../effects/copy-run-repository.ts";
import { openRunRepository } from "../effects/git/run-repository.ts";
import { killLeftovers } from "../effects/leftover-processes.ts";
import { hostTable } from "../effects/process-tree.ts";
import { createRunFiles } from "../effects/run-files.ts";
import { findRunFolders } from "../effects/run-places.ts";
import { removeRunCache } from "../effects/saved-run-files.ts";
import type { Ports } from "../ports.ts";
import type { RunWiring } from "./open-run.ts";
import { assemblePrograms } from "./programs.ts";
import { repositoryOptions, type Workplace } from "./workplace.ts";

/** A place to run checks of a saved run again in, with a repository of its own. Disposing leaves nothing of it behind. */
export interface OpenRerun extends AsyncDisposable {
  readonly ports: Omit<
    Ports,
    "journal" | "user" | "agents" | "clock" | "randomness" | "github" | "delivery" | "secrets"
  >;
}

/**
 * Opens a place to run checks of a saved run again in: nothing of the run folder is changed, and what is checked out
 * there is what a bundle of the run carries. Reason codes: GIT_TAMPERED, ARTIFACT_TAMPERED.
 */
export async function openRerun(
  workplace: Workplace,
  wiring: Pick<RunWiring, "interrupt" | "progress" | "redactor">,
  { run, runFolder }: { readonly run: SavedRun; readonly runFolder: string },
): Promise<Result<OpenRerun, PackFault>> {
  const cacheRoot = makeCacheRoot({ path: workplace.places.cacheRoot, isShared: workplace.places.cacheIsShared });
  if (!cacheRoot.ok) return { ok: false, error: { code: "USAGE", path: "cache", message: cacheRoot.error.message } };
  const { runId } = run.state;
  const from = repositoryOptions(workplace, findRunFolders(workplace.places, runFolder, runId));
  const copied = await copyRunRepository({ ...from, run });
  if (!copied.ok) return copied;
  const { folder } = copied.value;
  const folders = findRunFolders(workplace.places, folder, runId);
  const repository = await openRunRepository(repositoryOptions(workplace, folders));
  if (repository === undefined) throw new Error(`${folders.gitDir} was just made and is gone`);
  const programs = assemblePrograms(workplace, wiring, { runFolder: folder, folders, repository });
  return {
    ok: true,
    value: {
      ports: {
        ...programs,
        interrupt: wiring.interrupt,
        progress: wiring.progress,
        files: createRunFiles(folder, wiring.redactor),
        repository,
      },
      async [Symbol.asyncDispose]() {
        await killLeftovers(hostTable, folders.homes);
        await removeRunCache(folders.cache);
        await copied.value[Symbol.asyncDispose]();
      },
    },
  };
}
