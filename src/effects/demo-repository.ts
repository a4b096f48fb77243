import { chmod, mkdir, mkdtemp, readdir, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { err, ok, type Result } from "../domain/result.ts";
import { makeFolders } from "./make-folders.ts";
import { buildPrivateContext, runGit } from "./git/git.ts";

/** A repository made for the demo. */
export interface DemoRepository {
  readonly path: string;
  remove(): Promise<void>;
}

/** Makes a repository with one commit of `files` on `main`, in `keep` or in a new temporary folder. */
export async function makeDemoRepository(
  files: Readonly<Record<string, string>>,
  input: { keep: string | undefined; searchPath: string },
): Promise<Result<DemoRepository, string>> {
  const path = input.keep ?? (await mkdtemp(join(tmpdir(), "conveyor-demo-")));
  makeFolders(path);
  if ((await readdir(path)).length > 0) return err(`expected a new or empty folder, found files in ${path}`);
  for (const [name, text] of Object.entries(files)) {
    await mkdir(dirname(join(path, name)), { recursive: true });
    await writeFile(join(path, name), text);
    if (text.startsWith("#!")) await chmod(join(path, name), 0o755);
  }
  const gitDir = join(path, ".git");
  const identity = {
    GIT_AUTHOR_NAME: "Plan Conveyor demo",
    GIT_AUTHOR_EMAIL: "demo@noreply.invalid",
    GIT_COMMITTER_NAME: "Plan Conveyor demo",
    GIT_COMMITTER_EMAIL: "demo@noreply.invalid",
  };
  const context = buildPrivateContext({ gitDir, workTree: path, searchPath: input.searchPath, env: identity });
  const git = async (verb: Parameters<typeof runGit>[1], ...args: string[]): Promise<string> =>
    (await runGit(context, verb, args)).stdout.toString("utf8").trim();
  await git("init", "--quiet", "--template=", "--initial-branch=main");
  await git("add", "--all", "--", ".");
  const commit = await git("commit-tree", await git("write-tree"), "-m", "A small repository with a plan");
  await git("update-ref", "refs/heads/main", commit);
  return ok({ path, remove: () => rm(path, { recursive: true, force: true }) });
}
