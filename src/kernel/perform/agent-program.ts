import { roundUsd, type AgentFacts } from "../../domain/agent.ts";
import { AGENTS, type AgentSettings } from "../../domain/agent-config.ts";
import { remainingUsd } from "../../domain/cost.ts";
import type { ProcessEnding } from "../../domain/process-report.ts";
import type { AgentCall, Agents, Scratch } from "../../ports/programs.ts";
import { knownTier, listKeyUrls } from "../confine.ts";
import type { RunContext } from "../run-context.ts";

/** A budget of nothing would be none. */
const USD_MIN = 0.000001;

/** What has to be known to start a coding agent. */
interface AgentRequest extends Omit<AgentCall, "budgetUsd" | "keyUrls" | "scratch" | "tier"> {
  readonly scratch: Scratch;
  /** Variables that a person gave it. */
  readonly givenEnv?: Readonly<Record<string, string>> | undefined;
  /** Sessions that begin at the same time and share what is left of the run's money. */
  readonly sharers: number;
}

/** A coding agent, ready to be run as any other program is. */
export interface AgentProgram {
  readonly command: readonly [string, ...string[]];
  readonly env: Readonly<Record<string, string>>;
}

/** Prepares a coding agent: its files in the scratch folder, its argv, and the most that it may spend. */
export async function prepareAgent(context: RunContext, request: AgentRequest): Promise<AgentProgram> {
  const { settings, rights, cwd, scratch, schema, sharers, givenEnv } = request;
  const left = remainingUsd(context.recorder.state);
  const share = left === undefined ? undefined : Math.max(USD_MIN, roundUsd(left / sharers));
  const bounds = [settings["budget-usd"], share].filter((usd) => usd !== undefined);
  const { command, env, files } = context.ports.agents.buildInvocation({
    settings,
    rights,
    cwd,
    scratch: scratch.path,
    schema,
    tier: knownTier(context),
    keyUrls: listKeyUrls(context, { passNames: settings.env, givenEnv }),
    budgetUsd: bounds.length === 0 ? undefined : Math.min(...bounds),
  });
  for (const { name, text } of files) await scratch.write(name, text);
  return { command, env };
}

/** Tells people what a program says; of an agent what its lines mean, and how much its model has read so far. */
export function followOutput(
  { ports }: RunContext,
  itemId: string,
  settings: AgentSettings | undefined,
): (line: string) => void {
  if (settings === undefined) return (line) => ports.progress({ kind: "output", itemId, line });
  const read = new Map<string, number>();
  return (line) => {
    const counted = ports.agents.countTokens(settings.use, line);
    if (counted !== undefined) read.set(counted.request, counted.read);
    const sum = [...read.values()].reduce((total, each) => total + each, 0);
    const said = ports.agents.describeLine(settings.use, line);
    if (said === undefined && counted === undefined) return;
    const soFar = sum === 0 ? "" : `[${sum} tokens read so far]`;
    ports.progress({ kind: "output", itemId, line: [said, soFar].filter(Boolean).join(" ") });
  };
}

/** What a session of an agent came to: the bytes of its answer, and the facts about it. */
export interface AgentResult {
  readonly answer: Uint8Array | undefined;
  readonly facts: AgentFacts;
}

/** Reads what an agent said, from the output that was kept of it, so that anybody can read the same again. */
export function readAgent(
  agents: Agents,
  input: {
    readonly settings: AgentSettings;
    readonly lane: string;
    readonly ending: ProcessEnding;
    readonly stdout: Uint8Array | undefined;
  },
): AgentResult {
  const { settings, lane, ending, stdout } = input;
  const { answer, model, ...said } = agents.readAnswer(
    settings.use,
    ending,
    stdout ?? new Uint8Array(),
    settings.price,
  );
  return { answer, facts: { use: settings.use, lane, model: model ?? settings.model ?? null, ...said } };
}

/** The settings of a place that names a coding agent; nothing for a command or none. */
export function agentSettings(configured: { readonly use: string } | undefined): AgentSettings | undefined {
  return configured !== undefined && isAgent(configured) ? configured : undefined;
}

function isAgent(configured: { readonly use: string }): configured is AgentSettings {
  return AGENTS.some((name) => name === configured.use);
}
