import { digestOf, type Json, sha256 } from "../domain/digest.ts";
import type { RunRepository } from "../ports/git.ts";
import type { Preparation, Preparer, PrepareRequest, Processes } from "../ports/programs.ts";
import { expandPaths, fingerprint } from "./file-copies.ts";
import { openPrepareCache, type PrepareCache } from "./prepare-cache.ts";

/** What a preparer reads of the repository. */
export type PrepareRepository = Pick<
  RunRepository,
  "listUntracked" | "listTrackedChanges" | "readFileAt" | "readTreeOf"
>;

/** What `createPreparer` needs. */
export interface PreparerInput {
  readonly processes: Processes;
  readonly repository: PrepareRepository;
  /** Absolute path; belongs to this preparer alone. */
  readonly cacheFolder: string;
}

/**
 * Prepares worktrees that have just been opened: runs the commands, one after the other, all within `timeoutMs`, or
 * hands out a copy of what they added when this preparer ran them before for the same commands and inputs.
 * `failed` (`PREPARE_FAILED`): a command ended otherwise than with 0, or a tracked file differs from the commit.
 */
export function createPreparer({ processes, repository, cacheFolder }: PreparerInput): Preparer {
  const cache = openPrepareCache(cacheFolder);
  const turns = new Map<string, Promise<unknown>>();
  return {
    async prepare(request) {
      if (request.commands.length === 0) return emptyPreparation("nothing_to_do", digestOf({ commands: [] }));
      const key = await digestRequest(repository, request);
      // Two worktrees that need the same result do not build it twice: the second waits and gets the copy.
      const turn = (turns.get(key) ?? Promise.resolve()).then(() =>
        prepareOnce({ processes, repository, cache }, request, key),
      );
      turns.set(
        key,
        turn.catch(() => undefined),
      );
      return turn;
    },
    async digestPrepared(worktree, preparedPaths) {
      // A folder that was listed and is gone differs by its own name.
      const files = (await expandPaths(worktree.path, preparedPaths).catch(() => undefined)) ?? preparedPaths;
      return digestOf(await fingerprint(worktree.path, files));
    },
  };
}

interface Parts {
  readonly processes: Processes;
  readonly repository: PrepareRepository;
  readonly cache: PrepareCache;
}

async function prepareOnce(parts: Parts, request: PrepareRequest, key: string): Promise<Preparation> {
  const { repository, cache } = parts;
  const { worktree, commit } = request;
  const before = new Set(await repository.listUntracked(worktree));
  // Somebody worked here already: what is found afterwards cannot be told from theirs, so it may reach nobody else.
  const isPristine = before.size === 0 && (await repository.listTrackedChanges(worktree, commit)).length === 0;
  if (isPristine) {
    const preparedPaths = await cache.handOut(key, worktree.path);
    if (preparedPaths !== undefined) return { ...emptyPreparation("cached", key), preparedPaths };
  }
  const executions = await runCommands(parts.processes, request);
  const trackedChanges = await repository.listTrackedChanges(worktree, commit);
  const preparedPaths = (await repository.listUntracked(worktree)).filter((path) => !before.has(path));
  const failed = trackedChanges.length > 0 || !executions.every(({ report }) => hasSucceeded(report));
  // A process that had to be killed may have been writing.
  const isSettled = executions.every(({ report }) => report.survivors.length === 0);
  if (!failed && isPristine && isSettled) await cache.store(key, worktree.path, preparedPaths);
  return { status: failed ? "failed" : "ran", key, executions, preparedPaths, trackedChanges };
}

/** The digest of commands and inputs as they are in the commit's tree; without inputs of commands and tree. */
async function digestRequest(repository: PrepareRepository, request: PrepareRequest): Promise<string> {
  const { commands, commit } = request;
  if (request.inputs.length === 0) {
    const tree = await repository.readTreeOf(commit);
    if (tree === undefined) throw new Error(`prepare: the run's repository has no commit ${commit}`);
    return digestOf({ commands, tree });
  }
  const inputs: Json[] = [];
  for (const path of [...new Set(request.inputs)].sort()) {
    const bytes = await repository.readFileAt(commit, path);
    inputs.push([path, bytes === undefined ? null : sha256(bytes)]);
  }
  return digestOf({ commands, inputs });
}

/** In order, until one fails. */
async function runCommands(processes: Processes, request: PrepareRequest): Promise<Preparation["executions"]> {
  const executions: Preparation["executions"][number][] = [];
  let remainingMs = request.timeoutMs;
  for (const [index, command] of request.commands.entries()) {
    const report = await processes.run({
      command,
      cwd: request.worktree.path,
      env: request.env,
      confinement: request.confinement,
      timeoutMs: Math.max(1, remainingMs),
      outputBytesMax: request.outputBytesMax,
      stdoutPath: request.logPath(index, "stdout"),
      stderrPath: request.logPath(index, "stderr"),
      signal: request.signal,
    });
    executions.push({ command, report });
    if (!hasSucceeded(report)) break;
    remainingMs -= report.durationMs;
  }
  return executions;
}

function hasSucceeded(report: Preparation["executions"][number]["report"]): boolean {
  return report.ending.kind === "exited" && report.ending.exit_code === 0;
}

function emptyPreparation(status: Preparation["status"], key: string): Preparation {
  return { status, key, executions: [], preparedPaths: [], trackedChanges: [] };
}
