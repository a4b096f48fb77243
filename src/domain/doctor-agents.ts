import { AGENTS, type AgentName } from "./agent-config.ts";
import type { Config } from "./config.ts";
import { listPlaces } from "./configured-agents.ts";
import { buildFinding, type DoctorFinding } from "./doctor.ts";

/** What the machine says of a coding agent. */
export interface AgentProbe {
  readonly name: AgentName;
  readonly isThere: boolean;
  /** Three numbers; nothing when it did not say. */
  readonly version: string | undefined;
  /** The oldest version that is proven. */
  readonly min: string;
  /** The command that installs it. */
  readonly install: string;
}

/** Judges the agents that a configuration names: installed, new enough, and with a key to work with. */
export function judgeAgents(
  config: Config,
  probes: readonly AgentProbe[],
  env: Readonly<Record<string, string | undefined>>,
): DoctorFinding[] {
  const say = (level: DoctorFinding["level"], message: string): DoctorFinding =>
    buildFinding("environment", level, message);
  const installed = probes.map(({ name, isThere, version, min, install }) => {
    if (!isThere) return say("error", `${name} is missing: ${install}`);
    if (version === undefined) return say("error", `${name} does not say its version: ${install}`);
    return isOlderThan(version, min)
      ? say("error", `${name} ${version} is older than ${min}, the oldest that is proven: ${install}`)
      : say("ok", `${name} ${version}`);
  });
  const keyless = listPlaces(config)
    .filter(({ use }) => AGENTS.some((name) => name === use))
    .flatMap(({ where, env: names }) => {
      if (names.length === 0) return [say("warning", `${where}: env names no variable with a key`)];
      const missing = names.filter((name) => (env[name] ?? "") === "");
      return missing.length === 0 ? [] : [say("warning", `${where}: ${missing.join(", ")} is not set here`)];
    });
  return [...installed, ...keyless];
}

/** Compares three numbers, from the first that differs. */
function isOlderThan(version: string, min: string): boolean {
  const [found, wanted] = [version, min].map((text) => text.split(".").map(Number));
  const index = wanted?.findIndex((number, at) => number !== found?.[at]) ?? -1;
  return index >= 0 && (found?.[index] ?? 0) < (wanted?.[index] ?? 0);
}
