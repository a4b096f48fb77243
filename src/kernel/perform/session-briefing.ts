import type { AgentSettings } from "../../domain/agent-config.ts";
import { sessionAnswerSchema } from "../../domain/answer-schema.ts";
import type { SessionKind } from "../../domain/item.ts";
import type { FileDigest } from "../../domain/journal.ts";
import { buildFindings } from "../../domain/findings.ts";
import { chooseInstructionFiles, tellInstructions, type InstructionFiles } from "../../domain/instruction-files.ts";
import { buildGuardrails, buildTask, tellFindings } from "../../domain/prompt.ts";
import { renderPrompt } from "../../render/prompt-text.ts";
import type { Confinement, Scratch } from "../../ports/programs.ts";
import { PLAN_FILE } from "../../domain/saved-run.ts";
import { confine } from "../confine.ts";
import { readNamed } from "../named-files.ts";
import { itemState, planItem, type RunContext } from "../run-context.ts";
import { agentSettings, prepareAgent } from "./agent-program.ts";
import { handoffPath } from "./seal-handoff.ts";

/** What a session is told: the variables it gets and the files that hold what they say. */
export interface Briefing {
  /** Values of the placeholders of `executor.command`; `ORCH_<NAME>` carries the same. */
  readonly placeholders: Readonly<Record<string, string>>;
  readonly env: Readonly<Record<string, string>>;
  readonly files: FileDigest[];
  /** Absolute path of the prompt. */
  readonly promptPath: string;
}

/** Writes prompt, item context, plan and findings into the scratch folder, and the copies that the journal names. */
export async function writeBriefing(
  context: RunContext,
  input: {
    itemId: string;
    attempt: number;
    session: number;
    round: number;
    kind: SessionKind;
    folder: string;
    scratch: Scratch;
  },
): Promise<Briefing> {
  const { recorder, ports, plan } = context;
  const { itemId, attempt, session, round, kind, folder, scratch } = input;
  const item = planItem(context, itemId);
  const findings = buildFindings(itemState(context, itemId));
  const files: FileDigest[] = [];
  const hand = async (name: string, bytes: Uint8Array | string): Promise<string> => {
    files.push(await ports.files.write(`${folder}/${name}`, bytes));
    return scratch.write(name, bytes);
  };
  const planFile = await scratch.write("plan.md", await readNamed(context, PLAN_FILE));
  const handoff = await readHandoffNote(context, itemId);
  const handoffNote = handoff === undefined ? undefined : await hand("handoff.md", handoff.markdown);
  const handoffTwin = handoff === undefined ? undefined : await hand("handoff.json", handoff.json);
  const found =
    findings.length === 0 ? undefined : await hand("findings.json", `${JSON.stringify(findings, null, 2)}\n`);
  const evidence = await handEvidence(context, itemId, scratch);
  const prompt = await hand(
    "prompt.md",
    renderPrompt({
      role: kind,
      round,
      task: buildTask(plan, item),
      guardrails: buildGuardrails({ plan, item, config: context.config, configPath: context.configPath }),
      findings: tellFindings(findings),
      findingsFile: found,
      handoffFile: handoffNote,
      evidenceFolder: evidence,
      instructions: await readInstructions(context, item.write_roots),
      answer:
        recorder.state.created.executor.use === "command"
          ? { kind: "file", path: `${scratch.path}/result.json` }
          : { kind: "message" },
    }),
  );
  const placeholders = {
    stage: kind,
    run_id: recorder.state.runId,
    plan_id: plan.plan_id,
    plan_file: planFile,
    item_id: itemId,
    attempt: String(attempt),
    session: String(session),
    round: String(round),
    prompt_path: prompt,
    result_path: `${scratch.path}/result.json`,
    handoff_path: handoffTwin ?? "",
    findings_path: found ?? "",
    mode: recorder.state.created.mode,
    risk_tier: context.rules.admission.risk.tier,
  };
  const env = {
    ...buildOrchEnv(placeholders),
    ORCH_CONTEXT_THRESHOLD: String(context.rules.contextRemainingFloor),
    ...(evidence === undefined ? {} : { ORCH_EVIDENCE_PATH: evidence }),
  };
  return { placeholders, env, files, promptPath: prompt };
}

/** The instruction files of the run's base: what a session or an item before wrote into one is never repeated. */
async function readInstructions(context: RunContext, writeRoots: readonly string[]): Promise<InstructionFiles> {
  const { repository } = context.ports;
  const { base_commit: base } = context.recorder.state.created;
  const { found, wanted } = chooseInstructionFiles(await repository.listFilesAt(base), writeRoots);
  const texts: { path: string; text: string }[] = [];
  for (const path of wanted) {
    const bytes = await repository.readFileAt(base, path);
    if (bytes !== undefined) texts.push({ path, text: new TextDecoder().decode(bytes) });
  }
  return tellInstructions(found, texts);
}

/** Copies the evidence that a person supplied for the item; gives the folder, or nothing when there is none. */
async function handEvidence(context: RunContext, itemId: string, scratch: Scratch): Promise<string | undefined> {
  const paths = itemState(context, itemId).evidence;
  for (const path of paths) {
    await scratch.write(`evidence/${path.split("/").at(-1) ?? "file"}`, await readNamed(context, path));
  }
  return paths.length === 0 ? undefined : `${scratch.path}/evidence`;
}

/** The same facts as variables: `run_id` is `ORCH_RUN_ID`. What is empty is not set. */
export function buildOrchEnv(placeholders: Readonly<Record<string, string>>): Record<string, string> {
  return Object.fromEntries(
    Object.entries(placeholders)
      .filter(([name, value]) => value !== "" || name === "handoff_path")
      .map(([name, value]) => [`ORCH_${name.toUpperCase()}`, value]),
  );
}

/** What an agent is told besides its prompt. With `ORCH_RUN_ID` its shell is known as a program of a run. */
export function buildAgentEnv(placeholders: Readonly<Record<string, string>>): Record<string, string> {
  const told = ["stage", "run_id", "plan_id", "item_id", "attempt", "session", "round"];
  return buildOrchEnv(Object.fromEntries(told.map((name) => [name, placeholders[name] ?? ""])));
}

/** A configured command with its placeholders filled in, each inside one argument. */
export function fillPlaceholders(
  words: readonly string[],
  placeholders: Readonly<Record<string, string>>,
): readonly [string, ...string[]] {
  const [program, ...args] = words.map((word) =>
    word.replaceAll(/\{([a-z0-9_]+)\}/g, (match, name: string) => placeholders[name] ?? match),
  );
  if (program === undefined) throw new Error("an empty command passed the configuration's check");
  return [program, ...args];
}

/** What the executor is started as. */
export interface ExecutorProgram {
  readonly command: readonly [string, ...string[]];
  readonly env: Record<string, string>;
  readonly confinement: Confinement;
  readonly stdinPath: string | undefined;
}

/** The executor's argv, its environment and how far it is let: a command with its placeholders filled in, or an agent. */
export async function buildProgram(
  context: RunContext,
  briefing: Briefing,
  places: { readonly homeName: string; readonly cwd: string; readonly scratch: Scratch },
): Promise<ExecutorProgram> {
  const { config, settings: given } = context;
  const { command, env, stdinPath } = await prepareExecutor(context, briefing, places);
  const confined = await confine(context, {
    name: places.homeName,
    passNames: config.executor?.env ?? [],
    givenEnv: given.executorEnv,
    extraEnv: env,
    writable: [places.cwd, places.scratch.path],
    readable: [],
    network: config.sandbox.network,
  });
  return { command, stdinPath, ...confined };
}

async function prepareExecutor(
  context: RunContext,
  briefing: Briefing,
  { cwd, scratch }: { readonly cwd: string; readonly scratch: Scratch },
): Promise<Pick<ExecutorProgram, "command" | "env" | "stdinPath">> {
  const settings = executorAgent(context);
  if (settings === undefined) {
    const command = fillPlaceholders(context.recorder.state.created.executor.command, briefing.placeholders);
    return { command, env: { ...briefing.env }, stdinPath: undefined };
  }
  const { command, env } = await prepareAgent(context, {
    settings,
    rights: "write",
    cwd,
    scratch,
    schema: sessionAnswerSchema(),
    sharers: 1,
    givenEnv: context.settings.executorEnv,
  });
  return { command, env: { ...env, ...buildAgentEnv(briefing.placeholders) }, stdinPath: briefing.promptPath };
}

/** The settings of the executor when it is a coding agent; the command line may have put a command in its place. */
export function executorAgent({ config, recorder }: RunContext): AgentSettings | undefined {
  return recorder.state.created.executor.use === "command" ? undefined : agentSettings(config.executor);
}

async function readHandoffNote(
  context: RunContext,
  itemId: string,
): Promise<{ markdown: Uint8Array; json: Uint8Array } | undefined> {
  const attempt = itemState(context, itemId).attempts.at(-1);
  const session = attempt?.sessions.at(-1);
  if (attempt === undefined || session?.handoffTree === undefined) return undefined;
  const read = (form: "md" | "json") => readNamed(context, handoffPath(itemId, attempt.attempt, session.session, form));
  return { markdown: await read("md"), json: await read("json") };
}
