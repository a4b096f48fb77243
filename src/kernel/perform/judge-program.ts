import type { AgentFacts } from "../../domain/agent.ts";
import type { AgentSettings } from "../../domain/agent-config.ts";
import type { AnswerSchema } from "../../domain/answer-schema.ts";
import type { FileDigest, StageExecution } from "../../domain/journal.ts";
import type { AnswerForm } from "../../domain/prompt.ts";
import type { ProcessEnding } from "../../domain/process-report.ts";
import { buildStageExecution } from "../../domain/stage-execution.ts";
import type { Scratch } from "../../ports/programs.ts";
import { confine } from "../confine.ts";
import { sealFiles } from "../prepare-worktree.ts";
import { watchStalls } from "../watch-stalls.ts";
import { limitMs, type RunContext } from "../run-context.ts";
import { agentSettings, followOutput, prepareAgent, readAgent } from "./agent-program.ts";
import { buildAgentEnv, buildOrchEnv, fillPlaceholders } from "./session-briefing.ts";

/** What judges: a command of the user's own, or a coding agent. */
export type JudgeProgram =
  | { readonly kind: "command"; readonly words: readonly string[] }
  | {
      readonly kind: "agent";
      readonly settings: AgentSettings;
      /** Whose budget it is. */
      readonly lane: string;
      readonly schema: AnswerSchema;
      readonly promptPath: string;
      /** Agents that begin at the same time. */
      readonly sharers: number;
    };

/** How the program of a lane answers. */
export function answerForm(configured: { readonly use: string }, scratch: Scratch): AnswerForm {
  return agentSettings(configured) === undefined
    ? { kind: "file", path: `${scratch.path}/result.json` }
    : { kind: "message" };
}

/** The program that a lane names, and what it is given when it is a coding agent. */
export function chooseProgram(
  configured: { readonly use: string; readonly command?: readonly string[] },
  agent: Omit<Extract<JudgeProgram, { kind: "agent" }>, "kind" | "settings">,
): JudgeProgram {
  const settings = agentSettings(configured);
  return settings === undefined
    ? { kind: "command", words: configured.command ?? [] }
    : { kind: "agent", settings, ...agent };
}

/** A program that judges: an audit lane, or triage. */
export interface JudgeRequest {
  readonly itemId: string;
  /** Names the program among the run's: its home, its step. */
  readonly name: string;
  readonly purpose: Extract<StageExecution["purpose"], "auditor" | "triage">;
  readonly program: JudgeProgram;
  readonly passNames: readonly string[];
  readonly placeholders: Readonly<Record<string, string>>;
  readonly cwd: string;
  readonly scratch: Scratch;
  readonly timeoutMinutes: number;
  /** Folder of the logs and the answer in the run folder. */
  readonly folder: string;
  readonly resultBytesMax: number;
}

/** What a judging program did and answered. */
export interface Judged {
  readonly ending: ProcessEnding;
  readonly survivors: { pid: number; command: string }[];
  readonly answer: Uint8Array | undefined;
  readonly execution: StageExecution;
  readonly files: FileDigest[];
}

/** Runs a judging program; its answer is what stands at its result path, and nothing else. */
export async function runJudge(context: RunContext, request: JudgeRequest): Promise<Judged> {
  const { ports, config } = context;
  const { command, env: own, stdinPath } = await prepareJudge(context, request);
  const { env, confinement } = await confine(context, {
    name: request.name,
    passNames: request.passNames,
    extraEnv: own,
    // Not the checkout: lanes share it, and none may change what another one judges.
    writable: [request.scratch.path],
    readable: [request.cwd],
    network: config.sandbox.network,
  });
  const [stdout, stderr] = [`${request.folder}/stdout.log`, `${request.folder}/stderr.log`];
  const report = await ports.processes.run({
    command,
    cwd: request.cwd,
    env,
    confinement,
    timeoutMs: limitMs(context, request.timeoutMinutes),
    outputBytesMax: config.limits["output-bytes"],
    stdoutPath: ports.files.resolve(stdout),
    stderrPath: ports.files.resolve(stderr),
    stdinPath,
    signal: ports.interrupt,
    ...watchStalls(context, request.itemId, request.purpose),
    onLine: followOutput(
      context,
      request.itemId,
      request.program.kind === "agent" ? request.program.settings : undefined,
    ),
  });
  const files = await sealFiles(context, [stdout, stderr]);
  const { answer, facts } = await readJudge(context, request, report.ending, stdout);
  if (answer !== undefined) files.push(await ports.files.write(`${request.folder}/result.json`, answer));
  return {
    ending: report.ending,
    survivors: [...report.survivors],
    answer,
    execution: buildStageExecution({
      stage: "execution",
      purpose: request.purpose,
      itemId: request.itemId,
      step: request.name,
      command,
      env,
      report,
      agent: facts,
    }),
    files,
  };
}

async function prepareJudge(
  context: RunContext,
  { program, placeholders, cwd, scratch }: JudgeRequest,
): Promise<{ command: readonly [string, ...string[]]; env: Record<string, string>; stdinPath: string | undefined }> {
  if (program.kind === "command") {
    const command = fillPlaceholders(program.words, placeholders);
    return { command, env: buildOrchEnv(placeholders), stdinPath: undefined };
  }
  const { settings, schema, sharers, promptPath } = program;
  const { command, env } = await prepareAgent(context, { settings, rights: "read", cwd, scratch, schema, sharers });
  return { command, env: { ...env, ...buildAgentEnv(placeholders) }, stdinPath: promptPath };
}

async function readJudge(
  { ports }: RunContext,
  { program, scratch, resultBytesMax }: JudgeRequest,
  ending: ProcessEnding,
  stdout: string,
): Promise<{ answer: Uint8Array | undefined; facts?: AgentFacts }> {
  if (program.kind === "command") return { answer: await scratch.read("result.json", resultBytesMax) };
  // Of what never started there is nothing to say, and no cost.
  if (ending.kind === "spawn_failed") return { answer: undefined };
  const { settings, lane } = program;
  return readAgent(ports.agents, { settings, lane, ending, stdout: await ports.files.read(stdout) });
}

/** What every judging program is told. */
export function judgeFacts(
  context: RunContext,
  input: {
    stage: "audit" | "triage";
    itemId: string;
    attempt: number;
    round: number;
    session: number;
    scratch: Scratch;
    planFile: string;
    prompt: string;
  },
): Record<string, string> {
  return {
    stage: input.stage,
    run_id: context.recorder.state.runId,
    plan_id: context.plan.plan_id,
    plan_file: input.planFile,
    item_id: input.itemId,
    attempt: String(input.attempt),
    session: String(input.session),
    round: String(input.round),
    prompt_path: input.prompt,
    result_path: `${input.scratch.path}/result.json`,
    mode: context.recorder.state.created.mode,
    risk_tier: context.rules.admission.risk.tier,
  };
}
