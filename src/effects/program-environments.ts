import { constants } from "node:fs";
import { mkdir, open, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import type { Environments } from "../ports/programs.ts";
import { buildProgramEnv } from "./environment.ts";
import { removeTree } from "./git/remove-tree.ts";
import type { Redactor } from "./redactor.ts";

/** Where homes and scratch folders of a run lie, and what the orchestrator's environment was at the start. */
export interface EnvironmentPlaces {
  readonly folder: string;
  readonly orchestratorEnv: Readonly<Record<string, string | undefined>>;
  /** Checkout, run folder, worktrees: no `PATH` entry may lie in one of them. */
  readonly forbiddenPathRoots: readonly string[];
  readonly redactor: Redactor;
}

/** Makes environments, homes and scratch folders; each name is one program's own and starts empty. */
export function createEnvironments(places: EnvironmentPlaces): Environments {
  return {
    async build(name, passNames, extra) {
      const home = join(places.folder, "homes", name);
      const tmpdir = join(places.folder, "tmp", name);
      for (const folder of [home, tmpdir]) {
        await removeTree(folder);
        await mkdir(folder, { recursive: true, mode: 0o700 });
      }
      const { orchestratorEnv, forbiddenPathRoots } = places;
      const { env } = await buildProgramEnv({ orchestratorEnv, passNames, home, tmpdir, forbiddenPathRoots, extra });
      return { ...env };
    },
    async openScratch(name) {
      const path = join(places.folder, "scratch", name);
      await removeTree(path);
      await mkdir(path, { recursive: true, mode: 0o700 });
      return {
        path,
        async write(file, bytes) {
          const target = join(path, file);
          await mkdir(dirname(target), { recursive: true, mode: 0o700 });
          await writeFile(target, bytes, { flag: "wx", mode: 0o600 });
          return target;
        },
        async read(file, bytesMax) {
          const bytes = await readBounded(join(path, file), bytesMax);
          // Before anybody parses it: what is kept of it and what the journal says of it must be the same.
          return bytes === undefined ? undefined : places.redactor.json(bytes);
        },
      };
    },
  };
}

/** Bytes of a regular file, at most one more than allowed; never through a symlink, never from a pipe that would block. */
async function readBounded(path: string, bytesMax: number): Promise<Uint8Array | undefined> {
  let file;
  try {
    file = await open(path, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK);
  } catch (fault) {
    if ((fault as NodeJS.ErrnoException).code === "ENOENT") return undefined;
    // A link or something else that is no file was put there: that is a payload nobody can read, not an absent one.
    return new Uint8Array([0xff]);
  }
  try {
    const stat = await file.stat();
    if (!stat.isFile()) return new Uint8Array([0xff]);
    // As much as there is: a buffer for all that is allowed would be most of the memory of a run.
    const length = Math.min(stat.size, bytesMax + 1);
    const { bytesRead, buffer } = await file.read(Buffer.alloc(length), 0, length, 0);
    return buffer.subarray(0, bytesRead);
  } finally {
    await file.close();
  }
}
