import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { SandboxPlaces } from "./view.ts";

/** Places for trying a sandbox without a run: a repository of nothing, and a cache that goes again. */
export async function makeTrialPlaces(
  root: string | undefined,
  orchestratorEnv: SandboxPlaces["orchestratorEnv"],
): Promise<AsyncDisposable & { readonly places: SandboxPlaces }> {
  const folder = await mkdtemp(join(tmpdir(), "conveyor-trial-"));
  const gitDir = join(folder, "repo.git");
  await mkdir(join(gitDir, "refs", "heads"), { recursive: true });
  await mkdir(join(gitDir, "objects"));
  await writeFile(join(gitDir, "config"), "");
  const own = { runFolder: folder, cache: join(folder, "cache"), gitDir, userGitCommonDir: gitDir };
  return {
    places: { root: root ?? folder, ...own, orchestratorEnv },
    [Symbol.asyncDispose]: () => rm(folder, { recursive: true, force: true }),
  };
}
