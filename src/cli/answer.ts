import { resolve } from "node:path";
import { buildProblemLine, type LocatedProblem } from "../domain/plan.ts";
import { EXIT } from "../domain/run-stop.ts";
import type { PackRequest } from "../compose/unpack.ts";
import { openWorkplace, type Workplace } from "../compose/workplace.ts";
import { world } from "../compose/world.ts";
import type { SavedRun } from "../domain/saved-run.ts";
import type { FoundRun } from "../invocation/open-saved-run.ts";
import type { Refused } from "../invocation/refused.ts";
import type { Io } from "./io.ts";

/** Says why nothing was started. Always exit 2. */
export function refuse(io: Io, code: string, message: string): number {
  io.note(`${io.style("red", code)} ${message}`);
  return EXIT.usage;
}

/** Prints all refusals and their located problems. Gives their exit code. */
export function printRefused(io: Io, { refusals, exitCode }: Refused): number {
  for (const refusal of refusals) {
    printProblems(io, refusal.problems);
    io.note(`${io.style("red", refusal.code)} ${refusal.message}`);
  }
  return exitCode;
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

/** How a command wants the run that it is about. */
interface RunRequest {
  /** Which run is meant when none is named; the latest, unless told. */
  readonly isMeant?: (run: SavedRun) => boolean;
  /** What a packed folder is opened for; to be read, unless told. */
  readonly use?: PackRequest["use"];
  /** The digest that a packed folder must have (`--pack-sha256`). */
  readonly packSha256?: string | undefined;
}

/**
 * Finds the run a command is about, in a run folder or a packed one, and reads it; says why there is none, or why it
 * cannot be believed.
 */
export async function requireRun(
  io: Io,
  name: string | undefined,
  { isMeant = () => true, use = { kind: "read" }, packSha256 }: RunRequest = {},
): Promise<FoundRun | number> {
  const workplace = await requireWorkplace(io);
  if (typeof workplace === "number") return workplace;
  const packed = name === undefined ? undefined : resolve(io.cwd, name);
  if (packed !== undefined && world.isPackedFolder(packed)) {
    return openPacked(io, workplace, { folder: packed, use, packSha256 });
  }
  const misplaced = use.kind === "go_on" && use.outputDir !== undefined ? "--output-dir" : "--pack-sha256";
  if (packSha256 !== undefined || misplaced === "--output-dir")
    return refuse(io, "USAGE", `${misplaced}: expected a packed folder as RUN, found ${name ?? "none"}`);
  if (name === undefined) {
    const latest = findLatest(workplace, isMeant);
    return latest === undefined
      ? refuse(io, "USAGE", "there is no run here yet; start one with conveyor run PLAN")
      : openRead(io, workplace, latest);
  }
  const folder = world.findRunFolder(workplace.places, io.cwd, name);
  if (folder === undefined) return refuse(io, "USAGE", `no such run: ${name}`);
  return openRead(io, workplace, { folder, read: world.readSavedRun(folder) });
}

async function openPacked(
  io: Io,
  workplace: Workplace,
  request: Omit<PackRequest, "judge">,
): Promise<FoundRun | number> {
  const { openPackedFolder } = await import("../invocation/open-packed-folder.ts");
  const opened = await openPackedFolder(workplace, request);
  if (!opened.ok) return printRefused(io, opened.error);
  const pack = opened.value;
  io.atEnd(async () => pack[Symbol.asyncDispose]());
  if (pack.wasHere)
    io.note(`${pack.found.run.state.runId} lies here already and goes on from the packed one: that is used`);
  return pack.found;
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

/** The latest run that is meant, or else the latest. Runs before it are not read: a checkout may have hundreds. */
function findLatest(workplace: Workplace, isMeant: (run: SavedRun) => boolean): ReadFolder | undefined {
  let newest: ReadFolder | undefined;
  for (const folder of world.listRunFolders(workplace.places).toReversed()) {
    const found = { folder, read: world.readSavedRun(folder) };
    newest ??= found;
    // A run that cannot be read is not passed over when it is the latest: that would hide it.
    if (!newest.read.ok) return newest;
    if (found.read.ok && isMeant(found.read.value)) return found;
  }
  return newest;
}
