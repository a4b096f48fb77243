import { world } from "../compose.ts";
import type { AgentName } from "../domain/agent-config.ts";
import type { Io } from "./io.ts";

/** Versions that the report names. */
export async function readVersions(io: Io, agents: readonly AgentName[]): Promise<Record<string, string>> {
  const { node, git, platform } = await world.probeEnvironment(io.env);
  const probes = await world.probeAgents(io.env, agents);
  const found = probes.map(({ name, isThere, version }) => [name, isThere ? (version ?? "unknown") : "missing"]);
  return { conveyor: io.version, node, git: git ?? "missing", platform, ...Object.fromEntries(found) };
}
