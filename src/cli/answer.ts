import { buildProblemLine, type LocatedProblem } from "../domain/plan.ts";
import { EXIT } from "../domain/run-stop.ts";
import { openWorkplace, type Workplace, world } from "../compose.ts";
import type { SavedRun } from "../domain/saved-run.ts";
import type { Refusal } from "../kernel/load-inputs.ts";
import type { Io } from "./io.ts";

/** Says why nothing was started. Always exit 2. */
export function refuse(io: Io, code: string, message: string): number {
  io.note(`${io.style("red", code)} ${message}`);
  return EXIT.usage;
}

/** Prints all refusals and their located problems. Always exit 2. */
export function printRefusals(io: Io, refusals: readonly Refusal[]): number {
  for (const refusal of refusals) {
    printProblems(io, refusal.problems);
    io.note(`${io.style("red", refusal.code)} ${refusal.message}`);
  }
  return EXIT.usage;
}

/** Prints problems, one a line, on stderr. */
export function printProblems(io: Io, problems: readonly LocatedProblem[]): void {
  for (const problem of problems) io.note(buildProblemLine(problem));
}

/** The checkout that the command was called in, or the exit code of the refusal. */
export async function requireWorkplace(io: Io): Promise<Workplace | number> {
  const opened = await openWorkplace(io.cwd, io.env);
  if (opened.ok) return opened.value;
  const { kind, message } = opened.error;
  if (kind === "no_commit") {
    return refuse(
      io,
      "PLAN_NOT_COMMITTED",
      `${message}; commit the plan first: git add -A && git commit -m 'Add plan'`,
    );
  }
  return refuse(io, kind === "bare" || kind === "old_git" ? "REPOSITORY_UNSUPPORTED" : "USAGE", message);
}

/** A saved run that a command is about. */
export interface FoundRun {
  readonly workplace: Workplace;
  readonly runFolder: string;
  readonly run: SavedRun;
}

/** Finds the run a command is about and reads it; says why there is none, or why it cannot be believed. */
export async function requireRun(
  io: Io,
  name: string | undefined,
  choose: (runs: readonly SavedRun[]) => number = (runs) => runs.length - 1,
): Promise<FoundRun | number> {
  const workplace = await requireWorkplace(io);
  if (typeof workplace === "number") return workplace;
  if (name === undefined) {
    const latest = chooseLatest(workplace, choose);
    return latest === undefined
      ? refuse(io, "USAGE", "there is no run here yet; start one with conveyor run PLAN")
      : openRead(io, workplace, latest);
  }
  const folder = world.findRunFolder(workplace.places, io.cwd, name);
  if (folder === undefined) return refuse(io, "USAGE", `no such run: ${name}`);
  return openRead(io, workplace, { folder, read: world.readSavedRun(folder) });
}

interface ReadFolder {
  readonly folder: string;
  readonly read: ReturnType<typeof world.readSavedRun>;
}

function openRead(io: Io, workplace: Workplace, { folder, read }: ReadFolder): FoundRun | number {
  if (read.ok) return { workplace, runFolder: folder, run: read.value };
  io.note(`${io.style("red", read.error.code)} ${read.error.path}: ${read.error.message}`);
  return EXIT.failed;
}

function chooseLatest(workplace: Workplace, choose: (runs: readonly SavedRun[]) => number): ReadFolder | undefined {
  const folders = world
    .listRunFolders(workplace.places)
    .map((folder) => ({ folder, read: world.readSavedRun(folder) }));
  const newest = folders.at(-1);
  // A run that cannot be read is not passed over when it is the latest: that would hide it.
  if (newest?.read.ok === false) return newest;
  const readable = folders.flatMap(({ folder, read }) => (read.ok ? [{ folder, read }] : []));
  return readable[choose(readable.map(({ read }) => read.value))];
}
