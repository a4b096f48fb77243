import { existsSync, readdirSync, readFileSync, readlinkSync } from "node:fs";
import { mkdir, rm, writeFile } from "node:fs/promises";
import { createServer } from "node:net";
import { homedir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { sha256 } from "../../domain/digest.ts";
import { type ProbeResult, SANDBOX_PROBES, type SandboxFacts } from "../../domain/sandbox.ts";
import type { Randomness } from "../../ports.ts";
import type { Environments, Processes, ProcessRequest, SandboxProbes } from "../../ports/programs.ts";
import type { ProbeTargets, Seen } from "./probes.ts";
import type { SandboxPlaces } from "./view.ts";
import type { SandboxLevel } from "../../domain/run-choices.ts";

/** What `createSandboxProbes` needs. */
export interface ProbeInput {
  readonly processes: Processes;
  readonly environments: Environments;
  readonly randomness: Randomness;
  readonly places: SandboxPlaces;
  readonly tools: {
    readonly bubblewrap: string | undefined;
    readonly prlimit: string | undefined;
    /** True when programs can be bound to our life. */
    readonly setpriv: () => Promise<boolean>;
  };
  readonly interrupt: AbortSignal;
}

const SCRIPT = fileURLToPath(new URL("./inside.js", import.meta.url));

const PROBE_TIMEOUT_MS = 20_000;
const PROBE_OUTPUT_BYTES_MAX = 1_048_576;
const FILE_BYTES = 1_073_741_824;
const PROCESSES_MAX = 256;
const HOME_FILES_MAX = 16;

/** Variables that whatever holds a program adds to it. */
const ADDED_NAMES = ["PWD", "OLDPWD", "SHLVL", "_", "CONVEYOR_PROCESS_MARKER"] as const;

/**
 * Finds out what the machine offers, with one program for tier 3 that runs as every other will and tries what must not
 * work. Looked at anew for each invocation, and only then.
 */
export function createSandboxProbes(input: ProbeInput): SandboxProbes {
  return {
    async probe(level) {
      const { bubblewrap, prlimit, setpriv } = input.tools;
      return {
        platform: process.platform,
        bubblewrap: bubblewrap ?? null,
        setpriv: await setpriv(),
        prlimit: prlimit !== undefined,
        root: process.getuid?.() === 0,
        trial: await tryTier3(input, level),
      };
    },
  };
}

async function tryTier3(input: ProbeInput, level: SandboxLevel): Promise<SandboxFacts["trial"]> {
  if (level === "off") return { kind: "not_tried", why: "the sandbox is off" };
  if (process.platform !== "linux") return { kind: "not_tried", why: "only Linux has what tier 3 needs" };
  const missing = (["bubblewrap", "prlimit"] as const).filter((tool) => input.tools[tool] === undefined);
  if (missing.length > 0) return { kind: "not_tried", why: `${missing.join(" and ")} not found; install them` };
  const folder = join(input.places.cache, `probe-${input.randomness.hex(4)}`);
  try {
    return await runTrial(input, folder);
  } catch (fault) {
    return { kind: "not_started", why: fault instanceof Error ? fault.message : String(fault) };
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

async function runTrial(input: ProbeInput, folder: string): Promise<SandboxFacts["trial"]> {
  const { places } = input;
  const work = join(folder, "work");
  const canary = join(folder, "canary");
  const canaryText = input.randomness.hex(16);
  await mkdir(work, { recursive: true, mode: 0o700 });
  await writeFile(join(work, ".git"), `gitdir: ${places.gitDir}\n`);
  await writeFile(canary, canaryText);
  await using listener = await listenOnLoopback();
  const env = await input.environments.build("sandbox-probe", [], {});
  const targets: ProbeTargets = {
    gitFile: join(work, ".git"),
    gitDir: places.gitDir,
    canary,
    canaryText,
    homeFiles: listHomeFiles(places),
    environmentSha256: sha256(readFileSync("/proc/self/environ")),
    pidNamespace: readlinkSync("/proc/self/ns/pid"),
    port: listener.port,
    envNames: [...Object.keys(env), ...ADDED_NAMES],
    fileBytes: FILE_BYTES,
  };
  const outPath = join(folder, "stdout");
  const errPath = join(folder, "stderr");
  const report = await input.processes.run({
    command: [process.execPath, SCRIPT, "probe", JSON.stringify(targets)],
    cwd: work,
    env,
    timeoutMs: PROBE_TIMEOUT_MS,
    outputBytesMax: PROBE_OUTPUT_BYTES_MAX,
    stdoutPath: outPath,
    stderrPath: errPath,
    signal: input.interrupt,
    confinement: buildConfinement(work),
  });
  if (report.ending.kind !== "exited" || report.ending.exit_code !== 0) {
    const said = report.ending.kind === "spawn_failed" ? report.ending.message : readFileSync(errPath, "utf8");
    return { kind: "not_started", why: `no sandbox can be made here: ${said.trim().slice(0, 500)}` };
  }
  const wrote = existsSync(`${canary}-made`) || readFileSync(canary, "utf8") !== canaryText;
  return { kind: "ran", probes: readResults(readFileSync(outPath, "utf8"), wrote) };
}

function buildConfinement(work: string): ProcessRequest["confinement"] {
  const limits = { fileBytesMax: FILE_BYTES, processesMax: PROCESSES_MAX };
  // The script is ours and shown to every program, here at its own place, too.
  return { tier: 3, writable: [work], readable: [SCRIPT], network: [], keys: [], ...limits };
}

/** What was tried and failed, held; what is missing or broken did not. */
function readResults(text: string, wrote: boolean): ProbeResult[] {
  const seen = parseSeen(text);
  return SANDBOX_PROBES.flatMap((probe): ProbeResult[] => {
    const found = seen.find((each) => each.probe === probe);
    if (found === undefined) return [];
    const worked = probe === "outside_write" && wrote ? "a file was made outside" : found.worked;
    return [{ probe, outcome: worked === "" ? "held" : "open", detail: worked === "" ? "refused" : worked }];
  });
}

function parseSeen(text: string): readonly Seen[] {
  try {
    return JSON.parse(text) as readonly Seen[];
  } catch {
    return [];
  }
}

/** Plain files of the user's home: whether one can be read inside is what counts, so it has to be readable here. */
function listHomeFiles({ orchestratorEnv }: SandboxPlaces): string[] {
  const home = orchestratorEnv["HOME"] ?? homedir();
  try {
    return (
      readdirSync(home, { withFileTypes: true })
        .filter((entry) => entry.isFile())
        .map((entry) => join(home, entry.name))
        // These two the program is started with.
        .filter((path) => path !== process.execPath && path !== SCRIPT)
        .slice(0, HOME_FILES_MAX)
    );
  } catch {
    return [];
  }
}

async function listenOnLoopback(): Promise<AsyncDisposable & { readonly port: number }> {
  const server = createServer((socket) => socket.destroy());
  await new Promise<void>((resolve, reject) => {
    server.once("error", reject);
    server.listen(0, "127.0.0.1", resolve);
  });
  const address = server.address();
  if (address === null || typeof address === "string") throw new Error("a listener without a port");
  return {
    port: address.port,
    [Symbol.asyncDispose]: () => new Promise((resolve) => server.close(() => resolve())),
  };
}
