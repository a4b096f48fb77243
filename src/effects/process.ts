import { spawn } from "node:child_process";
import type { ProcessEnding, ProcessReport } from "../domain/process-report.ts";
import type { Clock, Randomness } from "../ports.ts";
import type { ProcessRequest, Processes } from "../ports/programs.ts";
import { findProgram } from "./find-program.ts";
import { followLines, neverThrowing } from "./output-lines.ts";
import { DEFAULT_OUTPUT_LIMITS, openOutputFile, type OutputFile, type OutputLimits } from "./output-file.ts";
import { buildGuard, type ParentDeath, probeParentDeath, SETPRIV_PATHS } from "./parent-death.ts";
import type { ProcessEntry, ProcessTable } from "./process-list.ts";
import { BLIND_REDACTOR, type Redactor } from "./redactor.ts";
import { hostTable } from "./process-tree.ts";
import { openTier1 } from "./sandbox/tier1.ts";
import type { Bubblewrap } from "./sandbox/bubblewrap.ts";
import type { Launch } from "./sandbox/launch.ts";
import { type Stream, supervise, DEFAULT_PROCESS_TIMING, type ProcessTiming } from "./process-supervision.ts";

/** What `createProcesses` needs; everything optional is for tests. */
export interface ProcessesInput {
  readonly clock: Clock;
  readonly randomness: Randomness;
  readonly timing?: Partial<ProcessTiming> | undefined;
  readonly outputLimits?: OutputLimits | undefined;
  readonly setprivPaths?: readonly string[] | undefined;
  readonly processTable?: ProcessTable | undefined;
  /** Takes secrets out of what is kept and told of output; without one nothing is known to be secret. */
  readonly redactor?: Redactor | undefined;
  /** Starts programs in tier 3; without it none can be. */
  readonly bubblewrap?: Bubblewrap | undefined;
  /** Where prlimit is; without it sizes are not limited. */
  readonly prlimit?: string | undefined;
}

/** Runs programs, and says how far their life is bound to ours. */
export interface ProcessRunner extends Processes {
  /** Found out once. `advisory` belongs into the report of a run: a killed orchestrator may leave programs behind. */
  probeParentDeath(): Promise<ParentDeath>;
}

/** In the environment of every program, with a value of its own, so that all it started can be found by it. */
const MARKER_NAME = "CONVEYOR_PROCESS_MARKER";
const MARKER_BYTES = 16;
const FAMILY_BYTES = 8;

const PROBE_TIMEOUT_MS = 5_000;

/** How much of stderr is looked at for a failure of setpriv. */
const FAILURE_BYTES_MAX = 1024;

/**
 * Runs programs one way (`ProcessRequest`): no shell, nothing inherited, stdin closed, a session and group of their
 * own. Every report has exactly one ending, and both output files exist then. Throws when an output file cannot be
 * written; the program has been ended by then.
 */
export function createProcesses(input: ProcessesInput): ProcessRunner {
  let probe: Promise<ParentDeath> | undefined;
  const probeOnce = () => (probe ??= probeParentDeath(input.setprivPaths ?? SETPRIV_PATHS, succeeds));
  const family = `${process.pid}-${input.randomness.hex(FAMILY_BYTES)}`;
  let isGuarded = false;
  const markers: StartInput["markers"] = new Map();
  return {
    probeParentDeath: probeOnce,
    async run(request) {
      const { clock, redactor = BLIND_REDACTOR } = input;
      const startedAt = clock.now();
      const startMs = clock.monotonicMs();
      const outputLimits = input.outputLimits ?? DEFAULT_OUTPUT_LIMITS;
      if (!isGuarded) startGuard(`${MARKER_NAME}=${family}-`);
      isGuarded = true;
      using stdout = openOutputFile(request.stdoutPath, outputLimits, redactor);
      using stderr = openOutputFile(request.stderrPath, outputLimits, redactor);
      const { ending, survivors, network, stalls } = await start(input, request, {
        stdout,
        stderr,
        family,
        markers,
        parentDeath: await probeOnce(),
      });
      return {
        ending,
        startedAt,
        durationMs: clock.monotonicMs() - startMs,
        survivors,
        network,
        stalls: stalls ?? 0,
        stdoutBytes: stdout.bytes,
        stderrBytes: stderr.bytes,
      };
    },
  };
}

/** Loaded when the first program is started: commands that only read start sooner without it. */
const loadExeca = () => import("execa");

interface StartInput {
  readonly stdout: OutputFile;
  readonly stderr: OutputFile;
  readonly parentDeath: ParentDeath;
  /** Begins the markers of all programs of this runner. */
  readonly family: string;
  /** Of the programs that are followed now, each with the process it was started as. */
  readonly markers: Map<string, ProcessEntry | undefined>;
}

type Outcome = Pick<ProcessReport, "ending" | "survivors" | "network" | "stalls">;

async function start(input: ProcessesInput, request: ProcessRequest, files: StartInput): Promise<Outcome> {
  const [name] = request.command;
  const found = await findProgram(name, request.cwd, request.env["PATH"] ?? "");
  if (request.signal.aborted) return withoutSurvivors({ kind: "cancelled" });
  if (!found.ok) return spawnFailed(found.error);

  await using launch = await openLaunch(input, request, found.value, files.parentDeath);
  const outcome = await follow(input, request, files, launch);
  return { ...outcome, network: launch.network() };
}

async function openLaunch(
  input: ProcessesInput,
  request: ProcessRequest,
  file: string,
  parentDeath: ParentDeath,
): Promise<Launch> {
  const args = request.command.slice(1);
  if (request.confinement.tier === 1) {
    const { fileBytesMax } = request.confinement;
    return openTier1({ parentDeath, prlimit: input.prlimit, fileBytesMax }, file, args);
  }
  if (input.bubblewrap === undefined) throw new Error("tier 3 was asked for where there is no bubblewrap");
  return input.bubblewrap.open(request, file, args);
}

async function follow(
  input: ProcessesInput,
  request: ProcessRequest,
  files: StartInput,
  launch: Launch,
): Promise<Omit<Outcome, "network">> {
  const [name] = request.command;
  const markerValue = `${files.family}-${input.randomness.hex(MARKER_BYTES)}`;
  const { execa } = await loadExeca();
  let child;
  try {
    child = execa(launch.file, launch.args, {
      cwd: request.cwd,
      env: { ...request.env, ...launch.env, [MARKER_NAME]: markerValue },
      extendEnv: false,
      shell: false,
      detached: true,
      cleanup: false,
      // A file ends where it ends: no program of ours can wait for somebody to type.
      stdin: request.stdinPath === undefined ? "ignore" : { file: request.stdinPath },
      stdout: "pipe",
      stderr: "pipe",
      buffer: false,
      encoding: "buffer",
      reject: false,
    });
  } catch (error) {
    // An argument or variable that no program can get, such as one with NUL.
    return spawnFailed(`cannot start ${name}: ${error instanceof Error ? error.message : String(error)}`);
  }
  if (child.pid === undefined)
    return spawnFailed(`cannot start ${name}: ${(await child).originalMessage ?? "unknown"}`);
  const exit = new Promise<ProcessEnding>((resolve) => {
    child.nodeChildProcess.once("exit", (code: number | null, signal: string | null) => {
      resolve(signal === null ? { kind: "exited", exit_code: code ?? 0 } : { kind: "signalled", signal });
    });
  });
  const onLine = neverThrowing(request.onLine);
  const lines = () => onLine && followLines(onLine, input.redactor ?? BLIND_REDACTOR);
  const streams: readonly Stream[] = [
    { readable: child.stdout, file: files.stdout, lines: lines() },
    { readable: child.stderr, file: files.stderr, lines: lines() },
  ];
  const stderrHead = keepHead(child.stderr);
  const marker = `${MARKER_NAME}=${markerValue}`;
  const table = input.processTable ?? hostTable;
  files.markers.set(marker, table.find(child.pid));
  const outcome = await supervise({
    exit,
    pid: child.pid,
    marker,
    markers: () => files.markers,
    streams,
    request,
    timing: { ...DEFAULT_PROCESS_TIMING, ...input.timing },
    table,
    isHolder: launch.isHolder,
  }).finally(() => files.markers.delete(marker));
  if (outcome.ending.kind !== "exited") return outcome;
  const failure = launch.readFailure(outcome.ending.exit_code, stderrHead());
  return failure === undefined ? outcome : spawnFailed(`cannot start ${name}: ${failure}`);
}

/** Starts what ends our programs and their children when we are killed. Once: it lives as long as this process. */
function startGuard(marker: string): void {
  if (process.platform !== "linux") return;
  const [file, args] = buildGuard(marker);
  const guard = spawn(file, args, {
    cwd: "/",
    env: { PATH: "/usr/bin:/bin" },
    detached: true,
    stdio: ["pipe", "ignore", "ignore"],
  });
  // Without a shell there is no guard, which leaves the parent-death signal.
  guard.on("error", () => undefined);
  guard.stdin.on("error", () => undefined);
  guard.unref();
  if ("unref" in guard.stdin && typeof guard.stdin.unref === "function") guard.stdin.unref();
}

async function succeeds(file: string, args: readonly string[]): Promise<boolean> {
  const options = { extendEnv: false, env: { LC_ALL: "C" }, stdio: "ignore", reject: false } as const;
  const { execa } = await loadExeca();
  const { failed } = await execa(file, args, { ...options, timeout: PROBE_TIMEOUT_MS });
  return !failed;
}

function withoutSurvivors(ending: ProcessEnding): Outcome {
  return { ending, survivors: [], network: [] };
}

function spawnFailed(message: string): Outcome {
  return withoutSurvivors({ kind: "spawn_failed", message });
}

/** Listens for the first bytes of a stream. */
function keepHead(readable: NodeJS.ReadableStream): () => string {
  let head = Buffer.alloc(0);
  readable.on("data", (chunk: Buffer) => {
    if (head.length < FAILURE_BYTES_MAX) head = Buffer.concat([head, chunk.subarray(0, FAILURE_BYTES_MAX)]);
  });
  return () => head.toString("utf8");
}
