import { randomBytes } from "node:crypto";
import { existsSync, readFileSync } from "node:fs";
import { mkdtemp, readFile, realpath, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import type { ProcessReport } from "../../src/domain/process-report.ts";
import { createProcesses, type ProcessesInput, type ProcessRunner } from "../../src/effects/process.ts";
import type { Clock, Randomness } from "../../src/ports.ts";
import type { ProcessRequest } from "../../src/ports/programs.ts";

const realClock: Clock = {
  now: () => new Date().toISOString(),
  monotonicMs: () => performance.now(),
  sleep: async (ms) => sleep(ms),
};
const realRandomness: Randomness = { hex: (bytes) => randomBytes(bytes).toString("hex") };

export const SYSTEM_PATH = "/usr/local/bin:/usr/bin:/bin";

/** What a program is let do where nothing holds it. */
export const TIER_1: ProcessRequest["confinement"] = {
  tier: 1,
  writable: [],
  readable: [],
  network: [],
  keys: [],
  fileBytesMax: 2_147_483_648,
  processesMax: 100_000,
};

/** A temporary folder and a runner for real programs in it. Whatever its programs note as a pid is ended with it. */
export interface Bench extends AsyncDisposable {
  readonly folder: string;
  readonly processes: ProcessRunner;
  path(name: string): string;
  run(command: ProcessRequest["command"], changes?: Partial<ProcessRequest>): Promise<ProcessReport>;
  bash(script: string, changes?: Partial<ProcessRequest>): Promise<ProcessReport>;
  stdout(): Promise<string>;
  stderr(): Promise<string>;
  /** Pid that a program wrote into the file of that name. */
  pid(name: string): number;
}

export async function openBench(input: Partial<ProcessesInput> = {}): Promise<Bench> {
  const folder = await realpath(await mkdtemp(join(tmpdir(), "conveyor-effects-")));
  const processes = createProcesses({ clock: realClock, randomness: realRandomness, ...input });
  const path = (name: string) => join(folder, name);
  const pids = new Set<number>();
  const run: Bench["run"] = (command, changes = {}) =>
    processes.run({
      command,
      cwd: folder,
      env: { PATH: SYSTEM_PATH, LC_ALL: "C" },
      timeoutMs: 20_000,
      outputBytesMax: 1_000_000_000,
      stdoutPath: path("logs/stdout"),
      stderrPath: path("logs/stderr"),
      signal: new AbortController().signal,
      confinement: TIER_1,
      ...changes,
    });
  return {
    folder,
    processes,
    path,
    run,
    bash: (script, changes) => run(["bash", "--noprofile", "--norc", "-c", script], changes),
    stdout: () => readFile(path("logs/stdout"), "utf8"),
    stderr: () => readFile(path("logs/stderr"), "utf8"),
    pid(name) {
      const pid = Number(readFileSync(path(name), "utf8"));
      if (!Number.isInteger(pid) || pid < 2) throw new Error(`no pid in ${name}`);
      pids.add(pid);
      return pid;
    },
    async [Symbol.asyncDispose]() {
      for (const pid of pids) if (isAlive(pid)) process.kill(pid, "SIGKILL");
      await rm(folder, { recursive: true, force: true });
    },
  };
}

/** Whether a process runs; one that has ended and waits for its parent does not. */
export function isAlive(pid: number): boolean {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, "latin1");
    return !/^[ZX]/.test(stat.slice(stat.lastIndexOf(")") + 2));
  } catch {
    return false;
  }
}

export async function waitUntil(condition: () => boolean, ms: number): Promise<boolean> {
  for (const end = performance.now() + ms; performance.now() < end; await sleep(20)) if (condition()) return true;
  return condition();
}

export function waitForFile(path: string, ms = 10_000): Promise<boolean> {
  return waitUntil(() => existsSync(path) && readFileSync(path).length > 0, ms);
}
