import { spawn } from "node:child_process";
import { readFileSync } from "node:fs";

/** What one process and everything it waited for took. */
export interface Cost {
  readonly wallMs: number;
  /** User and system time of the process and of every descendant that was waited for, in steps of 10 ms. */
  readonly cpuMs: number;
  /** Highest resident size of the process itself, seen from outside while it ran. */
  readonly peakMiB: number;
  readonly exitCode: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

export interface Invocation {
  readonly command: readonly [string, ...string[]];
  readonly cwd: string;
  readonly env?: Readonly<Record<string, string>>;
}

/** No measured process may take longer: a benchmark that hangs says nothing. */
const TIMEOUT_MS = 900_000;
/** How often the size of a process is looked at. */
const LOOK_MS = 20;
/** Linux counts the time of processes in hundredths of a second, whatever the machine's own clock. */
const TICK_MS = 10;

/** Runs a process to its end and says what it cost. */
export async function measure({ command: [file, ...args], cwd, env = {} }: Invocation): Promise<Cost> {
  const cpuBefore = readChildrenMs();
  const start = performance.now();
  const child = spawn(file, args, { cwd, env: { ...process.env, ...env }, stdio: ["ignore", "pipe", "pipe"] });
  let [stdout, stderr, peakMiB] = ["", "", 0];
  child.stdout.on("data", (chunk: Buffer) => (stdout += chunk.toString("utf8")));
  child.stderr.on("data", (chunk: Buffer) => (stderr += chunk.toString("utf8")));
  const looking = setInterval(() => {
    peakMiB = Math.max(peakMiB, readPeakMiB(child.pid));
  }, LOOK_MS);
  const timer = setTimeout(() => child.kill("SIGKILL"), TIMEOUT_MS);
  try {
    const exitCode = await new Promise<number | null>((resolve, reject) => {
      child.once("error", reject);
      child.once("close", resolve);
    });
    const wallMs = performance.now() - start;
    return { wallMs, cpuMs: readChildrenMs() - cpuBefore, peakMiB, exitCode, stdout, stderr };
  } finally {
    clearInterval(looking);
    clearTimeout(timer);
  }
}

/** The same, and a failure when it ends with another code than expected: a run that stopped early would look fast. */
export async function measureExpecting(exitCode: number, invocation: Invocation): Promise<Cost> {
  const cost = await measure(invocation);
  if (cost.exitCode === exitCode) return cost;
  const words = invocation.command.join(" ");
  throw new Error(`${words}\nexpected exit code ${exitCode}, found ${cost.exitCode}\n${cost.stdout}${cost.stderr}`);
}

/** Time of all children of this process that have ended and been waited for, and of theirs. */
function readChildrenMs(): number {
  const stat = readFileSync("/proc/self/stat", "latin1");
  const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
  return (Number(fields[13]) + Number(fields[14])) * TICK_MS;
}

function readPeakMiB(pid: number | undefined): number {
  try {
    const kib = /^VmHWM:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, "latin1"))?.[1];
    return Number(kib ?? 0) / 1024;
  } catch {
    return 0;
  }
}

/** The middle value, which one slow moment of a shared machine does not move. */
export function median(values: readonly number[]): number {
  const sorted = values.toSorted((left, right) => left - right);
  const middle = Math.floor(sorted.length / 2);
  const [low, high] = [sorted[sorted.length % 2 === 0 ? middle - 1 : middle], sorted[middle]];
  if (low === undefined || high === undefined) throw new Error("nothing was measured");
  return (low + high) / 2;
}

/** Medians of several runs of the same thing. */
export interface Medians {
  readonly wallMs: number;
  readonly cpuMs: number;
  readonly peakMiB: number;
}

export function summarize(costs: readonly Cost[]): Medians {
  return {
    wallMs: median(costs.map((cost) => cost.wallMs)),
    cpuMs: costs.reduce((sum, cost) => sum + cost.cpuMs, 0) / Math.max(1, costs.length),
    peakMiB: Math.max(...costs.map((cost) => cost.peakMiB)),
  };
}

/**
 * Measures two things in turn, so that a machine that others use is equally slow for both: at most `roundsMax` times,
 * and no new round once `budgetMs` are over.
 */
export async function sideBySide(
  limits: { readonly roundsMax: number; readonly budgetMs: number },
  bare: (round: number) => Promise<Cost>,
  product: (round: number) => Promise<Cost>,
): Promise<{ bare: Medians; product: Medians }> {
  const end = performance.now() + limits.budgetMs;
  const [bares, products]: [Cost[], Cost[]] = [[], []];
  for (let round = 0; round < limits.roundsMax && (round === 0 || performance.now() < end); round += 1) {
    bares.push(await bare(round));
    products.push(await product(round));
  }
  return { bare: summarize(bares), product: summarize(products) };
}
