import { execFileSync } from "node:child_process";
import { mkdir } from "node:fs/promises";
import { createPreparer, type PrepareRepository } from "../../src/effects/prepare.ts";
import type { Worktree } from "../../src/ports/git.ts";
import type { Preparation, Preparer, PrepareRequest } from "../../src/ports/programs.ts";
import { type Bench, openBench, SYSTEM_PATH, TIER_1 } from "./bench.ts";

type Command = PrepareRequest["commands"][number];

/** A real repository with worktrees beside each other, and a preparer over it. */
export interface PrepareBench extends AsyncDisposable {
  readonly bench: Bench;
  readonly preparer: Preparer;
  readonly repository: PrepareRepository;
  readonly cacheFolder: string;
  git(...args: string[]): string;
  /** Commits what lies in the repository's folder and gives the commit. */
  commit(): string;
  openWorktree(name: string, commit: string): Worktree;
  prepare(
    worktree: Worktree,
    commit: string,
    script: string | readonly Command[],
    changes?: Partial<PrepareRequest>,
  ): Promise<Preparation>;
}

export function bashCommand(script: string): Command {
  return ["bash", "-c", script];
}

export async function openPrepareBench(): Promise<PrepareBench> {
  const bench = await openBench({ timing: { timeoutGraceMs: 200, cancelGraceMs: 200 } });
  const { processes } = bench;
  const root = bench.path("repository");
  const cacheFolder = bench.path("cache");
  await mkdir(root);
  const git = (...args: string[]) => gitIn(root, ...args);
  git("init", "-q");
  const repository = gitRepository(root);
  const preparer = createPreparer({ processes, repository, cacheFolder });
  return {
    bench,
    preparer,
    repository,
    cacheFolder,
    git,
    commit() {
      git("add", "-A");
      git("commit", "-q", "--allow-empty", "-m", "next");
      return git("rev-parse", "HEAD").trim();
    },
    openWorktree(name, commit) {
      const path = bench.path(`worktrees/${name}`);
      git("worktree", "add", "-q", "--detach", path, commit);
      return { name, path };
    },
    prepare: (worktree, commit, script, changes = {}) =>
      preparer.prepare({
        worktree,
        commit,
        commands: typeof script === "string" ? [bashCommand(script)] : script,
        inputs: ["lock"],
        env: { PATH: SYSTEM_PATH },
        timeoutMs: 20_000,
        outputBytesMax: 1_000_000,
        logPath: (index, stream) => bench.path(`logs/${worktree.name}-${index}.${stream}`),
        signal: new AbortController().signal,
        confinement: TIER_1,
        ...changes,
      }),
    [Symbol.asyncDispose]: () => bench[Symbol.asyncDispose](),
  };
}

const identity = ["-c", "user.name=t", "-c", "user.email=t@example.com", "-c", "commit.gpgsign=false"];

function gitIn(folder: string, ...args: string[]): string {
  return execFileSync("git", ["-C", folder, ...identity, ...args], {
    encoding: "utf8",
    stdio: ["ignore", "pipe", "pipe"],
  });
}

/** The four questions that a preparer asks, answered by git. */
function gitRepository(root: string): PrepareRepository {
  const ask = (...args: string[]) => {
    try {
      return gitIn(root, ...args);
    } catch {
      return undefined;
    }
  };
  const lines = (output: string) => output.split("\0").filter((line) => line !== "");
  return {
    listUntracked: async ({ path }) => lines(gitIn(path, "ls-files", "-z", "--others")),
    listTrackedChanges: async ({ path }, commit) => lines(gitIn(path, "diff", "--name-only", "-z", commit)),
    readFileAt: async (commit, path) => {
      const text = ask("cat-file", "blob", `${commit}:${path}`);
      return text === undefined ? undefined : Buffer.from(text);
    },
    readTreeOf: async (commit) => ask("rev-parse", `${commit}^{tree}`)?.trim(),
  };
}
