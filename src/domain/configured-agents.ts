import { AGENTS, type AgentName } from "./agent-config.ts";
import type { Config } from "./config.ts";

interface Place {
  readonly where: string;
  readonly use: string;
  readonly env: readonly string[];
}

/** Every place of a configuration that can name an agent. */
export function listPlaces({ executor, audits, triage }: Config): Place[] {
  return [
    ...(executor === undefined ? [] : [{ where: "executor", ...executor }]),
    ...audits.lanes.map((lane) => ({ where: `audit lane ${lane.name}`, use: lane.use, env: lane.env })),
    ...(triage.use === "rules" ? [] : [{ where: "triage", use: triage.use, env: triage.env }]),
  ];
}

/** The agents that a configuration names, each once. */
export function listAgents(config: Config): AgentName[] {
  const places = listPlaces(config);
  return AGENTS.filter((name) => places.some(({ use }) => use === name));
}
