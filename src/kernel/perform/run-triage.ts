import { triageAnswerSchema } from "../../domain/answer-schema.ts";
import { REPORT_BYTES_MAX } from "../../domain/program-report.ts";
import { parseTriageReport } from "../../domain/triage.ts";
import { buildTask } from "../../domain/prompt.ts";
import { renderTriagePrompt } from "../../render/judge-prompt-text.ts";
import { PLAN_FILE } from "../../domain/saved-run.ts";
import { readNamed } from "../named-files.ts";
import { planItem, type RunContext } from "../run-context.ts";
import { itemState } from "../run-context.ts";
import type { AttemptState } from "../../domain/item.ts";
import type { Worktree } from "../../ports/git.ts";
import { attemptFolder, currentAttempt, worktreeName } from "./attempt-files.ts";
import { answerForm, chooseProgram, judgeFacts, runJudge } from "./judge-program.ts";
import { findingsPath } from "./write-merged-findings.ts";

/** Has the configured program sort the findings. What it may decide is bounded; what it may not is recorded and ignored. */
export async function runTriage(
  context: RunContext,
  itemId: string,
  { attempt, round, findings_sha256 }: { attempt: number; round: number; findings_sha256: string },
): Promise<void> {
  const { recorder, ports } = context;
  const { triage } = context.config;
  if (triage.use === "rules") throw new Error("no triage program is configured");
  const nonce = ports.randomness.hex(16);
  const state = currentAttempt(context, itemId);
  const turn = `${state.sessions.length}-${recorder.state.resumes}`;
  const name = worktreeName(itemId, attempt, `triage-${turn}`);
  recorder.record("triage_started", { attempt, round, nonce, findings_sha256 }, itemId);
  const scratch = await ports.environments.openScratch(name);
  const findings = await readNamed(context, findingsPath(context, itemId, round));
  const findingsFile = await scratch.write("findings.json", findings);
  const task = buildTask(context.plan, planItem(context, itemId));
  const told = { attempt, nonce, findingsSha256: findings_sha256, findingsFile };
  const prompt = renderTriagePrompt({ role: "triage", task, ...told, answer: answerForm(triage, scratch) });
  const promptPath = await scratch.write("prompt.md", prompt);
  const schema = triageAnswerSchema({ item_id: itemId, attempt, findings_sha256, nonce });
  const folder = `${attemptFolder(itemId, attempt)}/round-${round}/triage-${turn}`;
  const worktree = await findAnyWorktree(context, name, state);
  const before = await ports.repository.snapshot(worktree);
  const judged = await runJudge(context, {
    itemId,
    name,
    purpose: "triage",
    program: chooseProgram(triage, { lane: "triage", schema, promptPath, sharers: 1 }),
    passNames: triage.env,
    placeholders: {
      ...judgeFacts(context, {
        stage: "triage",
        itemId,
        attempt,
        round,
        session: itemState(context, itemId).sessionsUsed,
        scratch,
        planFile: await scratch.write("plan.md", await readNamed(context, PLAN_FILE)),
        prompt: promptPath,
      }),
      findings_path: findingsFile,
      nonce,
    },
    cwd: scratch.path,
    scratch,
    timeoutMinutes: triage["timeout-minutes"],
    folder,
    resultBytesMax: REPORT_BYTES_MAX,
  });
  const tamper = await ports.repository.compareSnapshot(before, worktree);
  const promptFile = await ports.files.write(`${folder}/prompt.md`, prompt);
  recorder.record(
    "triage_finished",
    {
      attempt,
      round,
      nonce,
      ending: judged.ending,
      survivors: judged.survivors,
      facts: parseTriageReport(judged.answer, { item_id: itemId, attempt, findings_sha256, nonce }),
      tamper: [...tamper],
      execution: judged.execution,
      files: [...judged.files, promptFile],
    },
    itemId,
  );
}

/** A worktree by which git metadata can be compared: triage itself has none. */
async function findAnyWorktree(
  { ports }: RunContext,
  name: string,
  { worktree, baseCommit }: AttemptState,
): Promise<Worktree> {
  return (await ports.repository.findWorktree(worktree)) ?? (await ports.repository.openWorktree(name, baseCommit));
}
