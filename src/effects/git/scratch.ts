import { mkdirSync, mkdtempSync, writeFileSync } from "node:fs";
import { rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { buildPrivateContext, type GitContext } from "./git.ts";
import { buildConfig, SCRATCH_ATTRIBUTES } from "./layout.ts";
import type { ObjectFormat } from "./object-id.ts";

/** What a scratch git dir borrows from the run's private repository: where objects lie, nothing else. */
export interface ObjectStore {
  readonly objects: string;
  readonly format: ObjectFormat;
  readonly searchPath: string;
  /** The user's objects, which the alternates lead to: they may be looked up there without git. */
  readonly lent: string;
  /** Objects of another repository to read beside those and their alternates. */
  readonly borrowed?: string | undefined;
}

/** Where objects of a run may lie loose; its own first, of which there are more. */
export function looseIn({ objects, lent }: ObjectStore): readonly string[] {
  return [objects, lent];
}

/**
 * A git dir of our own for the length of one operation, over the objects of the private repository. A session can
 * write the private repository's configuration and attributes, so whatever reads files, trees or objects for us
 * reads none of them: not even a filter that was planted a moment ago can run.
 */
export interface Scratch extends AsyncDisposable {
  readonly folder: string;
  /** Path of an index that does not exist yet. */
  readonly indexFile: string;
  context(workTree?: string, indexFile?: string, env?: Readonly<Record<string, string>>): GitContext;
}

/**
 * Makes a scratch git dir in a private temporary folder; disposing removes it. Synchronous: six tiny files are made
 * sooner than six answers of the thread pool arrive, and every question to git begins with them.
 */
export async function openScratch(store: ObjectStore): Promise<Scratch> {
  const folder = mkdtempSync(join(tmpdir(), "conveyor-git-"));
  const gitDir = join(folder, "git");
  const indexFile = join(folder, "index");
  mkdirSync(join(gitDir, "info"), { recursive: true });
  mkdirSync(join(gitDir, "refs"));
  writeFileSync(join(gitDir, "HEAD"), "ref: refs/heads/none\n");
  writeFileSync(join(gitDir, "config"), buildConfig(store.format, false));
  writeFileSync(join(gitDir, "info", "attributes"), SCRATCH_ATTRIBUTES);
  return {
    folder,
    indexFile,
    context: (workTree, index = indexFile, env) =>
      buildPrivateContext({
        gitDir,
        workTree,
        env,
        indexFile: index,
        objectDirectory: store.objects,
        searchPath: store.searchPath,
        borrowed: store.borrowed,
        looseIn: looseIn(store),
      }),
    [Symbol.asyncDispose]: () => rm(folder, { recursive: true, force: true }),
  };
}

/** Acts in a scratch git dir that is gone afterwards. */
export async function withScratch<T>(store: ObjectStore, act: (scratch: Scratch) => Promise<T>): Promise<T> {
  await using scratch = await openScratch(store);
  return await act(scratch);
}
