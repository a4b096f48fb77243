import type { FileDigest, StageExecution } from "../../domain/journal.ts";
import type { ProcessEnding } from "../../domain/process-report.ts";
import { buildStageExecution } from "../../domain/stage-execution.ts";
import type { Scratch } from "../../ports.ts";
import { confine } from "../confine.ts";
import { sealFiles } from "../prepare-worktree.ts";
import { limitMs, type RunContext } from "../run-context.ts";
import { buildOrchEnv, fillPlaceholders } from "./session-briefing.ts";

/** A program that judges: an audit lane, or triage. */
export interface JudgeRequest {
  readonly itemId: string;
  /** Names the program among the run's: its home, its step. */
  readonly name: string;
  readonly purpose: Extract<StageExecution["purpose"], "auditor" | "triage">;
  readonly command: readonly string[];
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
  const command = fillPlaceholders(request.command, request.placeholders);
  const { env, confinement } = await confine(context, {
    name: request.name,
    passNames: request.passNames,
    extraEnv: buildOrchEnv(request.placeholders),
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
    signal: ports.interrupt,
    onLine: (line) => ports.progress({ kind: "output", itemId: request.itemId, line }),
  });
  const answer = await request.scratch.read("result.json", request.resultBytesMax);
  const files = await sealFiles(context, [stdout, stderr]);
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
    }),
    files,
  };
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
