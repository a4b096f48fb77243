import type { FileDigest } from "../../domain/journal.ts";
import { buildFindings } from "../../domain/findings.ts";
import { renderPrompt } from "../../render/prompt-text.ts";
import type { Scratch } from "../../ports.ts";
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
    kind: "execute" | "fix";
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
  const note = await readHandoffNote(context, itemId);
  const handoff = note === undefined ? undefined : await hand("handoff.json", note);
  const found =
    findings.length === 0 ? undefined : await hand("findings.json", `${JSON.stringify(findings, null, 2)}\n`);
  const prompt = await hand(
    "prompt.md",
    renderPrompt({
      plan,
      item,
      kind,
      round,
      findings,
      handoffFile: handoff,
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
    handoff_path: handoff ?? "",
  };
  const env = {
    ...Object.fromEntries(Object.entries(placeholders).map(([name, value]) => [`ORCH_${name.toUpperCase()}`, value])),
    ORCH_CONTEXT_THRESHOLD: String(context.rules.contextRemainingFloor),
    ...(found === undefined ? {} : { ORCH_FINDINGS_PATH: found }),
  };
  return { placeholders, env, files };
}

/** The executor's argv with its placeholders filled in, and its environment. */
export async function buildProgram(
  context: RunContext,
  briefing: Briefing,
  homeName: string,
): Promise<{ command: readonly [string, ...string[]]; env: Record<string, string> }> {
  const { created } = context.recorder.state;
  const [program, ...args] = created.executor.command.map((word) =>
    word.replaceAll(/\{([a-z_]+)\}/g, (match, name: string) => briefing.placeholders[name] ?? match),
  );
  if (program === undefined) throw new Error("the run has no executor");
  const passed = [...context.config.sandbox.env, ...(context.config.executor?.env ?? [])];
  return {
    command: [program, ...args],
    env: await context.ports.environments.build(homeName, passed, {
      ...context.settings.executorEnv,
      ...briefing.env,
    }),
  };
}

async function readHandoffNote(context: RunContext, itemId: string): Promise<Uint8Array | undefined> {
  const attempt = itemState(context, itemId).attempts.at(-1);
  const session = attempt?.sessions.at(-1);
  if (attempt === undefined || session?.handoffTree === undefined) return undefined;
  return context.ports.files.read(handoffPath(itemId, attempt.attempt, session.session));
}
