import { join, resolve as resolvePath } from "node:path";
import { world } from "../../compose/world.ts";
import { encodeName } from "../../domain/ids.ts";
import { waitsForEvidence } from "../../domain/item-gate.ts";
import { EXIT } from "../../domain/run-stop.ts";
import type { SavedRun } from "../../domain/saved-run.ts";
import { showText } from "../../domain/visible-text.ts";
import { goOn, type ResumeAnswer } from "../../invocation/go-on.ts";
import type { InvocationOptions } from "../../invocation/settings.ts";
import type { EvidenceByItem } from "../../kernel/resume-run.ts";
import { printRefused, refuse, requireRun } from "../answer.ts";
import { findCheckpointCopy } from "../checkpoint-copy.ts";
import type { Format, Io } from "../io.ts";
import { openGithub } from "../github-access.ts";
import { takeGateDecision } from "../../invocation/take-gate-decision.ts";
import { follow } from "../open-run.ts";
import { printFinished, printOutcome } from "../outcome.ts";

interface ResumeOptions extends InvocationOptions {
  readonly newAttempt?: string;
  readonly evidenceDir?: string;
  readonly quiet?: boolean;
  readonly format: Format;
  readonly outputDir?: string;
  readonly packSha256?: string;
}

/** `conveyor resume [RUN]`: go on from the journal, of a run folder or of a packed one. */
export async function resume(io: Io, name: string | undefined, options: ResumeOptions): Promise<number> {
  const { outputDir, packSha256 } = options;
  const asked = await requireRun(io, name, {
    isMeant: isNotDone,
    use: { kind: "go_on", outputDir: outputDir === undefined ? undefined : resolvePath(io.cwd, outputDir) },
    packSha256,
  });
  if (typeof asked === "number") return asked;
  const access = await openGithub(io, asked.workplace, options);
  if (!access.ok) return refuse(io, "USAGE", access.error);
  const follower = { ...follow(io, options.quiet ?? false), interrupt: io.interrupt };
  const decided = await takeGateDecision(follower, asked, access.value);
  if (!decided.ok) return printRefused(io, decided.error);
  const found = decided.value;
  const evidence = readEvidence(io, found.run, options.evidenceDir);
  if (typeof evidence === "number") return evidence;
  const copy = findCheckpointCopy(io, options.checkpointPath);
  if (!copy.ok) return refuse(io, "USAGE", copy.error);
  const ended = await goOn(io, follower, found, {
    ...options,
    newAttempt: options.newAttempt,
    evidence,
    checkpointCopy: copy.value,
    access: access.value,
  });
  if (!ended.ok) return printRefused(io, ended.error);
  return "kind" in ended.value
    ? printAnswer(io, found.runFolder, ended.value, options.format)
    : printFinished(io, ended.value, options.format);
}

/** Says why there is nothing to go on with; who reads JSON is told how the run stands, unless the call was wrong. */
function printAnswer(
  io: Io,
  runFolder: string,
  { run, code, message, exitCode }: ResumeAnswer,
  format: Format,
): number {
  io.note(`${code === undefined ? "" : `${code} `}${message}`);
  if (format === "json" && exitCode !== EXIT.usage) printOutcome(io, runFolder, run.state, exitCode);
  return exitCode;
}

/**
 * The evidence of each item that waits for some: `DIR/<item>/` when it is there, else all of DIR for the one item that
 * waits. Several waiting, nothing in it, or something in it that is no plain file, is exit 2: nothing is left out in
 * silence.
 */
function readEvidence(io: Io, run: SavedRun, folder: string | undefined): EvidenceByItem | number {
  if (folder === undefined) return new Map();
  const waiting = run.state.items.filter(waitsForEvidence).map((item) => item.itemId);
  if (waiting.length === 0) return refuse(io, "USAGE", "--evidence-dir: no item waits for evidence");
  const root = resolvePath(io.cwd, folder);
  const own = waiting
    .map((id) => ({ id, path: join(root, encodeName(id)) }))
    .filter(({ path }) => world.listFolder(path) !== undefined);
  const [only] = waiting;
  if (own.length === 0 && (only === undefined || waiting.length > 1)) {
    return refuse(
      io,
      "USAGE",
      `--evidence-dir: several items wait; make a folder for each in ${folder}: ${waiting.join(", ")}`,
    );
  }
  const evidence = new Map<string, readonly { name: string; bytes: Uint8Array }[]>();
  for (const { id, path } of own.length > 0 || only === undefined ? own : [{ id: only, path: root }]) {
    const names = world.listFolder(path) ?? [];
    if (names.length === 0) return refuse(io, "USAGE", `--evidence-dir: expected files in ${path}, found none`);
    const files: { name: string; bytes: Uint8Array }[] = [];
    for (const name of names) {
      const read = world.readEvidence(join(path, name));
      if (!read.ok) {
        const what = `${showText(name)} ${read.error}`;
        return refuse(io, "USAGE", `--evidence-dir: expected plain files with content alone in ${path}: ${what}`);
      }
      files.push({ name, bytes: read.value });
    }
    evidence.set(id, files);
  }
  return evidence;
}

function isNotDone(run: SavedRun): boolean {
  return run.state.stop?.terminalState !== "done";
}
