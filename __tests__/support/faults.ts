import { expect } from "vitest";
import { existsSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import { GATES_OPEN, PLAN_PATH, ROOT, TestRepository, type Ended, type RepositoryInput } from "./conveyor.ts";

const KILL_AT = join(ROOT, "__tests__", "support", "kill-at.mjs");

/** Invocations that a run may need until it stops for good; every kill of a test is followed by at most so many. */
const RESUMES_MAX = 6;

const LEDGER_LINE = 'printf "%s %s %s\\n" "$ORCH_ITEM_ID" "$ORCH_ATTEMPT" "$ORCH_SESSION" >> "$LEDGER"\n';

/** True in the long run (`npm run test:long`), where a sample becomes everything. */
export const isLong = process.env["CONVEYOR_LONG"] === "1";

/** How long one campaign may take, in milliseconds: it is its cases that are bounded, and the machine may be slow. */
export const CAMPAIGN_MS = isLong ? 4 * 60 * 60 * 1000 : 10 * 60 * 1000;

/** What a fault does, in the words of `kill-at.mjs`. */
interface Fault {
  readonly at?: number;
  readonly when?: string;
  readonly calls?: string;
  readonly log?: string;
}

/** A repository whose executor notes in a ledger, outside of every run, that it was started. */
export class LedgerRepository extends TestRepository {
  readonly ledger = join(this.base, "ledger");
  /** There once a fault met its call. */
  readonly proof = join(this.base, "struck");

  constructor(input: RepositoryInput = {}) {
    super({
      ...input,
      executor:
        LEDGER_LINE + (input.executor ?? 'mkdir -p out && echo "$ORCH_ITEM_ID done" > "out/$ORCH_ITEM_ID.txt"\n'),
    });
  }

  /** Arguments of `run` and, without the plan, of `resume`. */
  options(extra: readonly string[] = GATES_OPEN): string[] {
    return ["--format", "json", "--executor-env", `LEDGER=${this.ledger}`, ...extra];
  }

  /** Starts the run from its beginning, with a fault. */
  startFaulty(
    fault: Fault,
    command: readonly string[] = ["run", PLAN_PATH],
    extra?: readonly string[],
    also?: { preload: string; env: Readonly<Record<string, string>> },
  ) {
    return this.startFaultyAs(fault, [...command, ...this.options(extra)], also);
  }

  /** Starts any command with a fault, with nothing added to it. */
  startFaultyAs(
    fault: Fault,
    args: readonly string[],
    also?: { preload: string; env: Readonly<Record<string, string>> },
  ) {
    // A copy of a repository in which a fault was met has its proof too.
    rmSync(this.proof, { force: true });
    const preloads = [...(also === undefined ? [] : [also.preload]), KILL_AT];
    return this.start(args, {
      nodeArgs: preloads.flatMap((preload) => ["--import", preload]),
      env: { ...buildFaultEnv(fault), FAULT_PROOF: this.proof, ...also?.env },
    });
  }

  /** Executors that were started: item, attempt and session, one a line. */
  sessions(): string[] {
    return existsSync(this.ledger) ? readFileSync(this.ledger, "utf8").split("\n").filter(Boolean) : [];
  }

  /** True when there is something to resume. */
  hasRun(): boolean {
    return this.runFolders().some((folder) => {
      const journal = join(folder, "run-events.jsonl");
      return existsSync(journal) && readFileSync(journal).includes(0x0a);
    });
  }

  /** Resumes, or starts when no run exists yet, until the command ends otherwise than killed and not interrupted. */
  async goOn(extra?: readonly string[]): Promise<Ended> {
    let ended: Ended | undefined;
    for (let round = 0; round < RESUMES_MAX; round += 1) {
      const command = this.hasRun() ? ["resume"] : ["run", PLAN_PATH];
      ended = await this.conveyor([...command, ...this.options(extra)]);
      if (![75, 124, 130, 143].includes(ended.code ?? 0)) break;
    }
    if (ended === undefined) throw new Error("never resumed");
    return ended;
  }

  /** What counts at the end of a run, whatever happened on the way. */
  async readEnd(): Promise<RunEnd> {
    const verified = await this.conveyor(["verify"]);
    const report = this.report();
    const sessions = this.sessions();
    return {
      verified: verified.code,
      // A note would say that the run is not sealed, a mismatch what does not agree.
      complaints: `${verified.stderr}${verified.code === 0 ? "" : verified.stdout}`,
      terminalState: report.terminal_state,
      items: (report.items as readonly ReportItem[]).map((item) => ({
        id: item.item_id,
        state: item.terminal_state,
        codes: item.reason_codes,
      })),
      // The last commit names the run and the journal; what it stands on is the same for all runs of a plan.
      tree: this.git("rev-parse", `${report.branch}~1^{tree}`),
      commits: this.git("rev-list", "--count", `main..${report.branch}`),
      runTwice: sessions.filter((session, index) => sessions.indexOf(session) !== index),
    };
  }

  remove(): void {
    rmSync(this.base, { recursive: true, force: true });
  }
}

/** The oracle: two runs of one plan ended alike when these are equal. */
export interface RunEnd {
  readonly verified: number | null;
  readonly complaints: string;
  readonly terminalState: string | null;
  readonly items: readonly { id: string; state: string | null; codes: readonly string[] }[];
  readonly tree: string;
  readonly commits: string;
  /** Sessions that an executor was started for more than once. */
  readonly runTwice: readonly string[];
}

interface ReportItem {
  readonly item_id: string;
  readonly terminal_state: string | null;
  readonly reason_codes: readonly string[];
}

/** How an undisturbed run of the repository's plan ends. */
export async function readUndisturbedEnd(make: () => LedgerRepository): Promise<{ end: RunEnd; durationMs: number }> {
  const repository = make();
  const start = performance.now();
  const ended = await repository.conveyor(["run", PLAN_PATH, ...repository.options()]);
  const durationMs = performance.now() - start;
  if (ended.code !== 0) throw new Error(`the undisturbed run ended with ${ended.code}: ${ended.stderr}`);
  return { end: await repository.readEnd(), durationMs };
}

/** The environment by which `kill-at.mjs` is told what to do. */
function buildFaultEnv(fault: Fault): Record<string, string> {
  return {
    ...(fault.at === undefined ? {} : { FAULT_AT: String(fault.at) }),
    ...(fault.when === undefined ? {} : { FAULT_WHEN: fault.when }),
    ...(fault.calls === undefined ? {} : { FAULT_CALLS: fault.calls }),
    ...(fault.log === undefined ? {} : { FAULT_LOG: fault.log }),
  };
}

/** The calls that a counting pass met, in order: the kind of each. */
export async function countCalls(
  make: () => LedgerRepository,
  calls: string,
  command?: { prepare(repository: LedgerRepository): Promise<unknown>; args: readonly string[] },
) {
  const repository = make();
  await command?.prepare(repository);
  const log = join(repository.base, "calls");
  await repository.startFaulty({ calls, log }, command?.args).ended;
  return readFileSync(log, "utf8")
    .trim()
    .split("\n")
    .map((line) => line.split(" ")[0] ?? "");
}

/** How many boundaries fewer a run may have than another: each of its objects has a folder to itself, or shares one. */
const SPARE_BOUNDARIES = 4;

/**
 * Whether a command met the fault at its boundary `at` of as many as were `counted` in another run. One that was over
 * before says nothing, and may only be one that was to be struck at one of the last.
 */
export function wasStruck(isStruck: boolean, ended: Ended, at: number, counted: number, name: string): boolean {
  if (isStruck) return true;
  expect(at, `${name} was not met: ${ended.stderr}`).toBeGreaterThan(
    Math.max(counted - SPARE_BOUNDARIES, counted * 0.9),
  );
  expect([0, 3], `${name}: ${ended.stderr}`).toContain(ended.code);
  return false;
}

/** The same of a kill by `kill-at.mjs`: once its call was met nothing but the kill can have ended the command. */
export function wasKilled(
  { proof }: LedgerRepository,
  ended: Ended,
  at: number,
  counted: number,
  name: string,
): boolean {
  const isMet = wasStruck(existsSync(proof), ended, at, counted, name);
  if (isMet) expect(ended.signal, `${name}: ${ended.stderr}`).toBe("SIGKILL");
  return isMet;
}

/**
 * The oracle of every fault: the run goes on to the end of an undisturbed one, and no session that the journal calls
 * finished by now is run again.
 */
export async function expectGoesOn(
  repository: LedgerRepository,
  end: Awaited<ReturnType<LedgerRepository["readEnd"]>>,
  name: string,
): Promise<void> {
  const finished = readFinishedSessions(repository);
  const ended = await repository.goOn();
  expect(ended.code, `${name}: ${ended.stderr}`).toBe(0);
  expect(await repository.readEnd(), name).toEqual(end);
  for (const session of finished)
    expect(
      repository.sessions().filter((line) => line === session),
      name,
    ).toHaveLength(1);
}

/** Sessions that the journal says have ended: `item attempt session`. */
function readFinishedSessions(repository: LedgerRepository): string[] {
  return readEvents(repository)
    .filter((event) => event.type === "session_finished")
    .map((event) => `${event.item_id ?? ""} ${String(event.details["attempt"])} ${String(event.details["session"])}`);
}

function readEvents(
  repository: LedgerRepository,
): { type: string; item_id: string | null; details: Record<string, unknown> }[] {
  if (!repository.hasRun()) return [];
  const text = readFileSync(join(repository.runFolder(), "run-events.jsonl"), "utf8");
  return text
    .slice(0, text.lastIndexOf("\n") + 1)
    .split("\n")
    .filter(Boolean)
    .map((line) => JSON.parse(line) as ReturnType<typeof readEvents>[number]);
}

/** Runs cases side by side, so many at a time; the first failure ends it. */
export async function forAll<T>(cases: readonly T[], act: (one: T) => Promise<void>, atOnce = 3): Promise<void> {
  const queue = cases.values();
  const work = async (): Promise<void> => {
    for (const one of queue) await act(one);
  };
  await Promise.all(Array.from({ length: atOnce }, work));
}

const SAMPLE_SEED = 20_261_120;

/**
 * One of each so many cases in a row, the same ones every time; in the long run all of them. A fixed distance would
 * meet the same call of every "write, fsync, rename" again and again.
 */
export function sample<T>(cases: readonly T[], every: number): T[] {
  if (isLong) return [...cases];
  const random = createRandom(SAMPLE_SEED);
  return Array.from({ length: Math.ceil(cases.length / every) }, (_, index) => {
    const slice = cases.slice(index * every, (index + 1) * every);
    return slice.slice(Math.floor(random() * slice.length)).slice(0, 1);
  }).flat();
}

/** Numbers between 0 and 1, the same ones for the same seed (mulberry32). */
export function createRandom(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296;
  };
}

/** Programs of the repository's runs that are alive: their marker, and a home of their own below the repository's cache. */
export function listProgramsOf(repository: TestRepository): number[] {
  return readdirSync("/proc")
    .filter((name) => /^\d+$/.test(name))
    .filter((pid) => {
      try {
        const environ = readFileSync(`/proc/${pid}/environ`, "latin1");
        return environ.includes("CONVEYOR_PROCESS_MARKER=") && environ.includes(repository.base);
      } catch {
        return false;
      }
    })
    .map(Number);
}

/** Asks until the answer is yes, or so many milliseconds have gone by; the last answer. */
export async function eventually(condition: () => boolean, ms: number): Promise<boolean> {
  const end = performance.now() + ms;
  while (!condition()) {
    if (performance.now() > end) return false;
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
  return true;
}
