import type { Readable } from "node:stream";
import { setTimeout as sleep } from "node:timers/promises";
import type { ProcessEnding, ProcessReport } from "../domain/process-report.ts";
import type { ProcessRequest } from "../ports/programs.ts";
import type { LineSplitter } from "./output-lines.ts";
import type { OutputFile } from "./output-file.ts";
import type { ProcessEntry, ProcessTable } from "./process-list.ts";
import { realPathOf } from "./real-path.ts";
import { followTree, type ProcessTree } from "./process-tree.ts";

/** How long a program is waited for in each situation. */
export interface ProcessTiming {
  /** From TERM to KILL when its time is over. */
  readonly timeoutGraceMs: number;
  /** From TERM to KILL when it is cancelled or says too much. */
  readonly cancelGraceMs: number;
  /** What it started may still be ending when it has ended itself: the last process of a pipeline, for one. */
  readonly exitGraceMs: number;
  /** How often its tree is looked at while it runs. */
  readonly observeEveryMs: number;
}

export const DEFAULT_PROCESS_TIMING: ProcessTiming = {
  timeoutGraceMs: 10_000,
  cancelGraceMs: 2_000,
  exitGraceMs: 250,
  observeEveryMs: 1_000,
};

/** Survivors that a report names; all are killed. */
const SURVIVORS_MAX = 64;

const POLL_MS = 25;

/** Rounds of `POLL_MS` in which a killed program's end, and the last bytes of a stream, are waited for. */
const REAP_ROUNDS_MAX = 80;
const DRAIN_ROUNDS_MAX = 40;

/** The longest that one timer of Node can take; a longer one would fire at once. */
const TIMER_MS_MAX = 2_147_483_647;

/** One output stream of a program, the file that keeps it, and who follows its lines. */
export interface Stream {
  readonly readable: Readable;
  readonly file: OutputFile;
  readonly lines: LineSplitter | undefined;
}

/** A program that has just been started. */
export interface Supervised {
  /** The program's own ending, which is ours to read only when nothing of ours came first. */
  readonly exit: Promise<ProcessEnding>;
  readonly pid: number;
  /** `NAME=value` in its environment. */
  readonly marker: string;
  /** The markers of all programs that run beside it, its own among them, each with the process it was started as. */
  readonly markers: () => ReadonlyMap<string, ProcessEntry | undefined>;
  readonly streams: readonly Stream[];
  readonly request: ProcessRequest;
  readonly timing: ProcessTiming;
  readonly table: ProcessTable;
  /** True when the process itself only holds the program. */
  readonly isHolder: boolean;
}

/** Why the program is ended by us: an ending, or our own failure to keep its output. */
type StopReason = ProcessEnding | { readonly kind: "output_lost"; readonly error: unknown };

/** Follows a program until it and all it started are gone, and says for which one reason it ended. */
export async function supervise(started: Supervised): Promise<Pick<ProcessReport, "ending" | "survivors" | "stalls">> {
  const { request, timing, exit, isHolder } = started;
  const stop = makeStop();
  using stalls = watchSilence(request);
  const closed = collectOutput(started, stop, stalls);
  const folders = listOwnFolders(request);
  const tree = followTree(started.table, started.pid, started.marker, {
    folders,
    isHolder,
    others: started.markers,
  });
  const stopWatching = watch(started, tree, stop);
  try {
    const own = await Promise.race([exit, stop.promise.then(() => undefined)]);
    let survivors: ProcessReport["survivors"] = [];
    if (own !== undefined) {
      const isLeft = await waitWhile(() => tree.isAlive(), timing.exitGraceMs);
      // Who is gone at one look has nobody left who could start another; the next look would cost the same again.
      if (isLeft) survivors = await tree.killAll(SURVIVORS_MAX);
    } else {
      await terminate(tree, started, stop);
      await settled(exit, REAP_ROUNDS_MAX);
    }
    await drain(started.streams, closed);
    const ending = decideEnding(own, stop.reason(), request);
    if (ending.kind === "output_lost") throw ending.error;
    return { ending, survivors, stalls: stalls.count };
  } finally {
    stopWatching();
  }
}

/** Where a program is at home: its working folder, HOME and TMPDIR. */
function listOwnFolders({ cwd, env }: ProcessRequest): string[] {
  return [cwd, env["HOME"], env["TMPDIR"]].filter((folder) => folder !== undefined).map(realPathOf);
}

/**
 * One reason out of the program's own ending and ours. Once it has ended by itself neither time nor cancelling changes
 * that, but its last output, read only then, can still be too much: it must not matter which of the two came first.
 */
function decideEnding(
  own: ProcessEnding | undefined,
  stopped: StopReason | undefined,
  request: ProcessRequest,
): StopReason {
  if (own === undefined) return stopped ?? { kind: "timed_out", timeout_ms: request.timeoutMs };
  return stopped?.kind === "output_limit" || stopped?.kind === "output_lost" ? stopped : own;
}

/** Time, cancelling, and a look at the tree now and then; gives what ends all three. */
function watch({ request, timing }: Supervised, tree: ProcessTree, stop: Stop): () => void {
  const cancel = () => stop.because({ kind: "cancelled" });
  const endTimer = callAfter(request.timeoutMs, () => {
    stop.because({ kind: "timed_out", timeout_ms: request.timeoutMs });
  });
  const { processesMax } = request.confinement;
  const observation = setInterval(() => {
    if (tree.observe() > processesMax) stop.because({ kind: "process_limit", processes_max: processesMax });
  }, timing.observeEveryMs);
  request.signal.addEventListener("abort", cancel);
  return () => {
    endTimer();
    clearInterval(observation);
    request.signal.removeEventListener("abort", cancel);
  };
}

interface Stop {
  /** Resolves at the first reason. */
  readonly promise: Promise<void>;
  /** The first reason counts, the others are ignored. */
  because(reason: StopReason): void;
  reason(): StopReason | undefined;
}

function makeStop(): Stop {
  const { promise, resolve } = Promise.withResolvers<void>();
  let first: StopReason | undefined;
  return {
    promise,
    because(reason) {
      first ??= reason;
      resolve();
    },
    reason: () => first,
  };
}

/** TERM to the group, a grace for those who got it, KILL to everything. */
async function terminate(tree: ProcessTree, { timing, request }: Supervised, stop: Stop): Promise<void> {
  // Parents still lead to their children now; TERM will break many of those links.
  tree.observe();
  tree.signalGroup("SIGTERM");
  const graceMs = stop.reason()?.kind === "timed_out" ? timing.timeoutGraceMs : timing.cancelGraceMs;
  await waitWhile(() => tree.hasRelatives() && !request.signal.aborted, graceMs);
  // Whoever cancels has little time himself: the rest of a long grace is not theirs to wait for.
  if (request.signal.aborted) await waitWhile(() => tree.hasRelatives(), Math.min(graceMs, timing.cancelGraceMs));
  await tree.killAll(0);
}

interface Silence extends Disposable {
  /** Times that it was silent for long. */
  readonly count: number;
  broken(): void;
}

/** Tells of each time that nothing is said for long, once. */
function watchSilence({ stallMs, onStall }: ProcessRequest): Silence {
  let count = 0;
  const timer =
    stallMs === undefined || stallMs > TIMER_MS_MAX
      ? undefined
      : setTimeout(() => {
          count += 1;
          onStall?.();
        }, stallMs);
  return {
    get count() {
      return count;
    },
    // A timer that has fired begins again too.
    broken: () => void timer?.refresh(),
    [Symbol.dispose]: () => clearTimeout(timer),
  };
}

/** Reads both streams to their end; resolves when both are closed. */
function collectOutput({ streams, request }: Supervised, stop: Stop, silence: Silence): Promise<unknown> {
  let total = 0;
  return Promise.all(
    streams.map(({ readable, file, lines }) => {
      readable.on("data", (chunk: Buffer) => {
        total += chunk.length;
        silence.broken();
        if (total > request.outputBytesMax) {
          stop.because({ kind: "output_limit", output_bytes_max: request.outputBytesMax });
        }
        try {
          file.write(chunk);
        } catch (error) {
          stop.because({ kind: "output_lost", error });
        }
        lines?.push(chunk);
      });
      readable.on("error", () => readable.destroy());
      return new Promise<void>((resolve) => {
        readable.once("close", () => {
          lines?.end();
          resolve();
        });
      });
    }),
  );
}

/** Waits for the last bytes; a process that we cannot find may hold the other end for ever, and is not waited for. */
async function drain(streams: readonly Stream[], closed: Promise<unknown>): Promise<void> {
  await settled(closed, DRAIN_ROUNDS_MAX);
  for (const { readable } of streams) readable.destroy();
  await closed;
}

/** Waits for a promise for so many rounds of the event loop: bytes that are there are read even on a busy machine. */
async function settled(promise: Promise<unknown>, roundsMax: number): Promise<void> {
  let done = false;
  const finished = promise.then(() => {
    done = true;
  });
  for (let round = 0; round < roundsMax && !done; round += 1) await Promise.race([finished, sleep(POLL_MS)]);
}

/**
 * Asks again and again while the answer is yes, for at most `ms`, and gives the last answer. Node's timers run on the
 * monotonic clock.
 */
async function waitWhile(condition: () => boolean, ms: number): Promise<boolean> {
  let over = false;
  const end = callAfter(ms, () => {
    over = true;
  });
  let answer = condition();
  while (answer && !over) {
    await sleep(Math.min(POLL_MS, ms));
    answer = condition();
  }
  end();
  return answer;
}

/** A timer of any length; gives what ends it. */
function callAfter(ms: number, callback: () => void): () => void {
  let rest = ms;
  let timer: NodeJS.Timeout;
  const arm = () => {
    const step = Math.min(rest, TIMER_MS_MAX);
    rest -= step;
    timer = setTimeout(() => (rest > 0 ? arm() : callback()), step);
  };
  arm();
  return () => clearTimeout(timer);
}
