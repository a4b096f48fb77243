import { world } from "../compose/world.ts";
import type { AgentName } from "../domain/agent-config.ts";
import type { Door } from "./door.ts";

/** Versions that the report names. */
export async function readVersions(
  { env, version }: Door,
  agents: readonly AgentName[],
): Promise<Record<string, string>> {
  const { node, git, platform } = await world.probeEnvironment(env);
  const probes = await world.probeAgents(env, agents);
  const found = probes.map(({ name, isThere, version }) => [name, isThere ? (version ?? "unknown") : "missing"]);
  return { conveyor: version, node, git: git ?? "missing", platform, ...Object.fromEntries(found) };
}
