import { createHash } from "node:crypto";
import {
  closeSync,
  constants,
  fstatSync,
  lstatSync,
  openSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { basename, dirname, join } from "node:path";
import type { TamperFinding } from "../domain/candidate.ts";
import type { RunRepository, TamperSnapshot } from "../ports/git.ts";

/** Files through which a step speaks to its runner: what a program writes there, later steps would obey. */
const COMMAND_FILES = ["GITHUB_ENV", "GITHUB_PATH", "GITHUB_OUTPUT", "GITHUB_STATE", "GITHUB_STEP_SUMMARY"] as const;
const COMMAND_FOLDER = "_runner_file_commands";

/** The runner itself takes no more of any of them. */
const FILE_BYTES_MAX = 2 * 1024 * 1024;

/** Bytes of each file by its path; a word in place of what is no readable file of bearable size. */
type Notes = ReadonlyMap<string, Uint8Array | "odd">;

/**
 * Has the comparisons around a program also cover what it could reach of a runner of GitHub Actions: the command files,
 * which are put back as they were, and our own code, whose change is only told. Elsewhere nothing is added.
 */
export function watchRunner(
  repository: RunRepository,
  env: Readonly<Record<string, string | undefined>>,
  ownFolder: string = import.meta.dirname,
): RunRepository {
  if (env["GITHUB_ACTIONS"] !== "true") return repository;
  const folders = listCommandFolders(env);
  const named = COMMAND_FILES.flatMap((name) => env[name] ?? []);
  const note = (): Notes => new Map(listFiles(folders, named).map((path) => [path, readNote(path)]));
  const code = digestFolder(ownFolder);
  const taken = new WeakMap<TamperSnapshot, Notes>();
  return {
    ...repository,
    async snapshot(worktree) {
      const snapshot = await repository.snapshot(worktree);
      taken.set(snapshot, note());
      return snapshot;
    },
    async compareSnapshot(before, worktree) {
      const findings = await repository.compareSnapshot(before, worktree);
      const files = restore(taken.get(before) ?? new Map(), note());
      const changed = digestFolder(ownFolder) === code ? [] : [ownCodeChanged(ownFolder)];
      return [...findings, ...files, ...changed];
    },
  };
}

function ownCodeChanged(folder: string): TamperFinding {
  return { kind: "action-files", detail: `${basename(folder)}: files of Plan Conveyor itself changed` };
}

function listCommandFolders(env: Readonly<Record<string, string | undefined>>): string[] {
  const temp = env["RUNNER_TEMP"];
  const around = COMMAND_FILES.flatMap((name) => env[name] ?? []).map((path) => dirname(path));
  const own = around.filter((folder) => basename(folder) === COMMAND_FOLDER);
  return [...new Set([...own, ...(temp === undefined ? [] : [join(temp, COMMAND_FOLDER)])])];
}

function listFiles(folders: readonly string[], named: readonly string[]): string[] {
  const inside = folders.flatMap((folder) => {
    try {
      return readdirSync(folder).map((name) => join(folder, name));
    } catch {
      return [];
    }
  });
  return [...new Set([...inside, ...named.filter((path) => lstatSync(path, { throwIfNoEntry: false }) !== undefined)])];
}

function readNote(path: string): Uint8Array | "odd" {
  let file: number;
  try {
    file = openSync(path, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK);
  } catch {
    return "odd";
  }
  try {
    const stats = fstatSync(file);
    return stats.isFile() && stats.size <= FILE_BYTES_MAX ? readFileSync(file) : "odd";
  } finally {
    closeSync(file);
  }
}

/** Says what differs from before, and makes every file what it was; what was not there is removed. */
function restore(before: Notes, now: Notes): TamperFinding[] {
  const findings: TamperFinding[] = [];
  for (const path of new Set([...before.keys(), ...now.keys()])) {
    const [old, current] = [before.get(path), now.get(path)];
    if (isSame(old, current)) continue;
    const verb = old === undefined ? "added" : current === undefined ? "removed" : "changed";
    findings.push({ kind: "runner-files", detail: `${basename(path)} ${verb}` });
    if (old === "odd") continue;
    // Never through a link that was put there: it is removed, and the file is made anew.
    rmSync(path, { recursive: true, force: true });
    if (old !== undefined) writeFileSync(path, old, { flag: "wx" });
  }
  return findings;
}

function isSame(left: Uint8Array | "odd" | undefined, right: Uint8Array | "odd" | undefined): boolean {
  if (left === undefined || right === undefined || left === "odd" || right === "odd") return left === right;
  return Buffer.compare(left, right) === 0;
}

/** One digest of the names and bytes of all files of a folder of ours. */
function digestFolder(folder: string): string {
  const hash = createHash("sha256");
  for (const name of readdirSync(folder).sort()) {
    const path = join(folder, name);
    const isFile = lstatSync(path, { throwIfNoEntry: false })?.isFile() === true;
    hash.update(`${name}\0${isFile ? "file" : "odd"}\0`);
    if (isFile) hash.update(readFileSync(path));
  }
  return hash.digest("hex");
}
