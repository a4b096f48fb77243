import { lstatSync, statSync } from "node:fs";
import { join } from "node:path";
import { isLocked, readFolderNames, showName } from "../folder-names.ts";
import { runGit } from "./git.ts";
import { alternatesOf, listObjectStores } from "./lent-stores.ts";
import { withScratch, type ObjectStore } from "./scratch.ts";

/**
 * Packs of the stores that a run borrows from: the person's, who may fetch and collect while it runs. Git reads packs before
 * everything else and hashes nothing that it finds there. One that is younger than the run's private repository is
 * therefore verified, object by object, before anything is built on what git says; older ones are what the run began with.
 */
export class LentPacks {
  readonly #store: ObjectStore;
  readonly #gitDir: string;
  readonly #proven = new Set<string>();

  constructor(store: ObjectStore, gitDir: string) {
    this.#store = store;
    this.#gitDir = gitDir;
  }

  /** What lies in those stores and may lie, in words. */
  async findLies(): Promise<string[]> {
    const since = lstatSync(this.#gitDir).birthtimeMs;
    const found: string[] = [];
    for (const store of listObjectStores(this.#store.lent)) {
      if (readTime(alternatesOf(store)) >= since)
        found.push(`${alternatesOf(store)} changed while the run was under way`);
      found.push(...(await this.#findIn(join(store, "pack"), since)));
    }
    return found;
  }

  async #findIn(folder: string, since: number): Promise<string[]> {
    const names = listNames(folder);
    if (names === undefined) return [`${folder} cannot be listed`];
    const found = names.odd.map((name) => `${folder}/${showName(name)} has a name that is no text`);
    for (const name of names.files.filter((file) => file.endsWith(".idx"))) {
      const pack = join(folder, name.replace(/\.idx$/, ".pack"));
      const isYoung = Math.max(readTime(join(folder, name)), readTime(pack)) >= since;
      if (isYoung && !(await this.#isSound(pack, join(folder, name)))) found.push(`${pack} is not what its index says`);
    }
    return found;
  }

  async #isSound(pack: string, index: string): Promise<boolean> {
    const identity = [pack, index].map(identify).join("\n");
    if (this.#proven.has(identity)) return true;
    const args = ["--verify", pack];
    const { code } = await withScratch(this.#store, (scratch) =>
      runGit(scratch.context(), "index-pack", args, { accept: [0, 1, 128] }),
    );
    if (code === 0) this.#proven.add(identity);
    return code === 0;
  }
}

/** Names in a folder; none where there is no folder, and nothing where it cannot be listed. */
function listNames(folder: string): Pick<ReturnType<typeof readFolderNames>, "files" | "odd"> | undefined {
  try {
    return isLocked(lstatSync(folder)) ? undefined : readFolderNames(folder);
  } catch (fault) {
    return (fault as NodeJS.ErrnoException).code === "ENOENT" ? { files: [], odd: [] } : undefined;
  }
}

/** When a file, or what a link leads to, changed last, in milliseconds as the kernel noted it; never, when there is none. */
function readTime(path: string): number {
  const stats = [lstatSync(path, { throwIfNoEntry: false }), statSync(path, { throwIfNoEntry: false })];
  return Math.max(...stats.map((stat) => stat?.ctimeMs ?? -Infinity));
}

function identify(path: string): string {
  const stat = statSync(path, { throwIfNoEntry: false });
  return stat === undefined ? path : `${path} ${stat.dev} ${stat.ino} ${stat.size} ${stat.ctimeMs}`;
}
