import type { SessionKind } from "../../domain/item.ts";
import type { FileDigest } from "../../domain/journal.ts";
import { buildFindings } from "../../domain/findings.ts";
import { chooseInstructionFiles, tellInstructions, type InstructionFiles } from "../../domain/instruction-files.ts";
import { buildGuardrails, buildTask, tellFindings } from "../../domain/prompt.ts";
import { renderPrompt } from "../../render/prompt-text.ts";
import type { Confinement, Scratch } from "../../ports.ts";
import { confine } from "../confine.ts";
import { itemState, planItem, type RunContext } from "../run-context.ts";
import { handoffPath } from "./seal-handoff.ts";

/** What a session is told: the variables it gets and the files that hold what they say. */
export interface Briefing {
  /** Values of the placeholders of `executor.command`; `ORCH_<NAME>` carries the same. */
  readonly placeholders: Readonly<Record<string, string>>;
  readonly env: Readonly<Record<string, string>>;
  readonly files: FileDigest[];
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
  const planBytes = await ports.files.read("plan.md");
  const planFile = await scratch.write("plan.md", planBytes ?? "");
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
      resultPath: `${scratch.path}/result.json`,
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
  return { placeholders, env, files };
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
    const bytes = await context.ports.files.read(path);
    if (bytes !== undefined) await scratch.write(`evidence/${path.split("/").at(-1) ?? "file"}`, bytes);
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

/** The executor's argv with its placeholders filled in, its environment, and how far it is let. */
export async function buildProgram(
  context: RunContext,
  briefing: Briefing,
  homeName: string,
  writable: readonly string[],
): Promise<{
  command: readonly [string, ...string[]];
  env: Record<string, string>;
  confinement: Confinement;
}> {
  const { created } = context.recorder.state;
  const { config, settings } = context;
  return {
    command: fillPlaceholders(created.executor.command, briefing.placeholders),
    ...(await confine(context, {
      name: homeName,
      passNames: config.executor?.env ?? [],
      givenEnv: settings.executorEnv,
      extraEnv: briefing.env,
      writable,
      readable: [],
      network: config.sandbox.network,
    })),
  };
}

async function readHandoffNote(
  context: RunContext,
  itemId: string,
): Promise<{ markdown: Uint8Array; json: Uint8Array } | undefined> {
  const attempt = itemState(context, itemId).attempts.at(-1);
  const session = attempt?.sessions.at(-1);
  if (attempt === undefined || session?.handoffTree === undefined) return undefined;
  const read = (form: "md" | "json") =>
    context.ports.files.read(handoffPath(itemId, attempt.attempt, session.session, form));
  const [markdown, json] = [await read("md"), await read("json")];
  return markdown === undefined || json === undefined ? undefined : { markdown, json };
}
