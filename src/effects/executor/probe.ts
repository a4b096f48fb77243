import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { AgentName } from "../../domain/agent-config.ts";
import type { AgentProbe } from "../../domain/doctor-agents.ts";
import type { Confinement } from "../../ports/programs.ts";
import { systemClock } from "../clock.ts";
import { systemRandomness } from "../ids.ts";
import { createProcesses } from "../process.ts";
import { AGENT_PACKAGES } from "./agents.ts";

const VERSION_MS = 20_000;
const VERSION_BYTES_MAX = 65_536;

/** Nothing of a plan is run, and it gets no variable but `PATH`. */
const CONFINEMENT: Confinement = {
  tier: 1,
  writable: [],
  readable: [],
  network: [],
  keys: [],
  fileBytesMax: 1_073_741_824,
  processesMax: 256,
};

/** Asks each agent for its version, as `PATH` finds it, in a home of its own. */
export async function probeAgents(
  env: Readonly<Record<string, string | undefined>>,
  names: readonly AgentName[],
): Promise<AgentProbe[]> {
  if (names.length === 0) return [];
  const folder = await mkdtemp(join(tmpdir(), "conveyor-probe-"));
  const processes = createProcesses({ clock: systemClock, randomness: systemRandomness });
  try {
    return await Promise.all(
      names.map(async (name) => {
        const stdoutPath = join(folder, `${name}.out`);
        const { ending } = await processes.run({
          command: [name, "--version"],
          cwd: folder,
          env: { PATH: env["PATH"] ?? "", HOME: folder },
          timeoutMs: VERSION_MS,
          outputBytesMax: VERSION_BYTES_MAX,
          stdoutPath,
          stderrPath: join(folder, `${name}.err`),
          signal: new AbortController().signal,
          confinement: CONFINEMENT,
        });
        const said = /\d+\.\d+\.\d+/.exec(await readFile(stdoutPath, "utf8"))?.[0];
        const isThere = ending.kind !== "spawn_failed";
        return { name, isThere, version: said, ...AGENT_PACKAGES[name] };
      }),
    );
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}
