import { mkdtempSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { BUNDLE_FILE } from "../domain/artifact-names.ts";
import { listHandedObjects, mayBranchBe } from "../domain/handed-objects.ts";
import type { PackFault } from "../domain/packed-run.ts";
import { err, ok, type Result } from "../domain/result.ts";
import type { SavedRun } from "../domain/saved-run.ts";
import { makeBundledRepository, readBundleHeader, writeBundle } from "./git/bundle.ts";
import { removeTree } from "./git/remove-tree.ts";
import { inspectRunRepository, storeOf, type RunRepositoryOptions } from "./git/run-repository.ts";
import { REPOSITORY_FOLDER } from "./run-files.ts";

/** A temporary folder with a private repository like that of a run. Disposing removes it. */
interface CopiedRepository extends AsyncDisposable {
  readonly folder: string;
}

/**
 * Copies the private repository of a run by way of a bundle: what is worked with there is what would be handed on. The
 * one of the run is read alone. Reason codes: GIT_TAMPERED, ARTIFACT_TAMPERED.
 */
export async function copyRunRepository(
  options: RunRepositoryOptions & { readonly run: SavedRun },
): Promise<Result<CopiedRepository, PackFault>> {
  const { run, userGitCommonDir, objectFormat: format, searchPath = "" } = options;
  const ref = `refs/heads/${run.state.created.run_branch}`;
  const oid = await inspectRunRepository(options).readRef(ref);
  if (!mayBranchBe(run.state, oid)) {
    return err({ code: "GIT_TAMPERED", path: `repo.git ${ref}`, message: `names ${oid ?? "nothing"}` });
  }
  const folder = mkdtempSync(join(tmpdir(), "conveyor-rerun-"));
  try {
    const objects = listHandedObjects(run, oid);
    const path = join(folder, BUNDLE_FILE);
    await writeBundle(storeOf(options, join(userGitCommonDir, "objects")), objects, path);
    const offset = (await readBundleHeader(path))?.bytes ?? 0;
    const gitDir = join(folder, REPOSITORY_FOLDER);
    const target = { gitDir, userGitCommonDir, format, searchPath };
    const made = await makeBundledRepository({ ...target, path, offset, objects, branch: { ref, oid } });
    if (made.ok) return ok({ folder, [Symbol.asyncDispose]: () => removeTree(folder) });
    await removeTree(folder);
    return err({ code: "ARTIFACT_TAMPERED", path: BUNDLE_FILE, message: made.error });
  } catch (fault) {
    await removeTree(folder);
    throw fault;
  }
}
