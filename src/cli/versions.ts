import { world } from "../compose.ts";
import type { Io } from "./io.ts";

/** Versions that the report names. */
export async function readVersions(io: Io): Promise<Record<string, string>> {
  const { node, git, platform } = await world.probeEnvironment(io.env);
  return { conveyor: io.version, node, git: git ?? "missing", platform };
}
