import { auditAnswerSchema } from "../../domain/answer-schema.ts";
import { parseAuditReport } from "../../domain/audit-report.ts";
import { REPORT_BYTES_MAX } from "../../domain/program-report.ts";
import type { EventDetails, FileDigest, StageExecution } from "../../domain/journal.ts";
import { buildGuardrails, buildTask, type AnswerForm } from "../../domain/prompt.ts";
import { describeSurface } from "../../domain/verification-surface.ts";
import { renderAuditPrompt } from "../../render/judge-prompt-text.ts";
import type { Worktree } from "../../ports/git.ts";
import { readNamed } from "../named-files.ts";
import { prepareWorktree, type PreparedWorktree } from "../prepare-worktree.ts";
import { itemState, planItem, type RunContext } from "../run-context.ts";
import { attemptFolder, candidateLimits, currentAttempt, worktreeName } from "./attempt-files.ts";
import { packetFolder } from "./freeze-packet.ts";
import { waitToRetry } from "./wait-to-retry.ts";
import { answerForm, chooseProgram, judgeFacts, runJudge } from "./judge-program.ts";

interface AuditCommand {
  readonly attempt: number;
  readonly round: number;
  readonly packet_sha256: string;
  readonly commit: string;
  readonly lanes: readonly string[];
  readonly failures: number;
}

type LaneAnswer = EventDetails<"audit_finished">["lanes"][number];

/**
 * Asks the lanes that are open, side by side, over one clean checkout of the audited commit. A checkout that a lane
 * changed voids every answer that was given over it.
 */
export async function runAudits(context: RunContext, itemId: string, command: AuditCommand): Promise<void> {
  const { recorder, ports } = context;
  const { attempt, round, packet_sha256, commit } = command;
  if (!(await waitToRetry(context, command.failures))) return;
  const state = currentAttempt(context, itemId);
  const turn = `${state.sessions.length}-${command.failures + 1}`;
  const folder = `${attemptFolder(itemId, attempt)}/round-${round}/audit-${turn}-${recorder.state.resumes}`;
  const lanes = command.lanes.map((lane) => ({ lane, nonce: ports.randomness.hex(16) }));
  // Read before any lane runs: one that wrote to the packet would else decide what the others are shown.
  const packet = await readPacket(context, packetFolder(context, itemId, round));
  const worktree = await ports.repository.openWorktree(worktreeName(itemId, attempt, `audit-${turn}`), commit);
  const prepared = await prepareWorktree(context, { worktree, commit, folder, itemId, stage: "execution" });
  recorder.record("audit_started", { attempt, round, packet_sha256, lanes }, itemId);
  const before = await ports.repository.snapshot(worktree);
  const preparedBefore = await ports.preparer.digestPrepared(worktree, prepared.preparedPaths);
  const results: LaneRun[] =
    prepared.status === "failed"
      ? lanes.map((asked) => notAsked(asked, { itemId, attempt, packet_sha256 }, prepared))
      : await Promise.all(
          lanes.map(({ lane, nonce }) =>
            runLane(context, { itemId, command, worktree, folder, lane, nonce, turn, packet }),
          ),
        );
  const tamper = await ports.repository.compareSnapshot(before, worktree);
  // A checkout whose metadata was changed may be no checkout any more: it is not looked at.
  const isChanged =
    tamper.length > 0 ||
    !(await ports.repository.isUntouched(worktree, commit, prepared.preparedPaths, candidateLimits(context))) ||
    (await ports.preparer.digestPrepared(worktree, prepared.preparedPaths)) !== preparedBefore;
  await ports.repository.forgetWorktree(worktree);
  recorder.record(
    "audit_finished",
    {
      attempt,
      round,
      packet_sha256,
      lanes: results.map(({ answer }) => answer),
      tamper: [...tamper],
      checkout_changed: isChanged,
      executions: [...prepared.executions, ...results.flatMap(({ executions }) => executions)],
      files: [...prepared.files, ...results.flatMap(({ files }) => files)],
    },
    itemId,
  );
}

interface LaneRun {
  readonly answer: LaneAnswer;
  readonly executions: readonly StageExecution[];
  readonly files: readonly FileDigest[];
}

/** A lane whose checkout is not as everybody else's was is not started: what it would say is not about this candidate. */
function notAsked(
  { lane, nonce }: { lane: string; nonce: string },
  { itemId, attempt, packet_sha256 }: { itemId: string; attempt: number; packet_sha256: string },
  { ending, why }: Pick<PreparedWorktree, "ending" | "why">,
): LaneRun {
  const isCutShort = ending?.kind === "timed_out" || ending?.kind === "cancelled";
  const answer = {
    lane,
    nonce,
    ending: isCutShort ? ending : { kind: "spawn_failed" as const, message: `the checkout was not prepared: ${why}` },
    survivors: [],
    facts: parseAuditReport(undefined, { lane, item_id: itemId, attempt, packet_sha256, nonce }),
  };
  return { answer, executions: [], files: [] };
}

/** A file of a packet: its path in the packet's folder, and its bytes as they were frozen. */
interface PacketContent {
  readonly path: string;
  readonly bytes: Uint8Array;
}

async function readPacket(context: RunContext, folder: string): Promise<PacketContent[]> {
  const paths = [...context.recorder.state.files.paths()].filter((path) => path.startsWith(`${folder}/`));
  return Promise.all(
    paths.map(async (path) => ({ path: path.slice(folder.length + 1), bytes: await readNamed(context, path) })),
  );
}

async function runLane(
  context: RunContext,
  input: {
    itemId: string;
    command: AuditCommand;
    worktree: Worktree;
    folder: string;
    lane: string;
    nonce: string;
    turn: string;
    packet: readonly PacketContent[];
  },
): Promise<LaneRun> {
  const { ports, config } = context;
  const { itemId, lane, nonce, turn } = input;
  const { attempt, round, packet_sha256 } = input.command;
  const configured = config.audits.lanes.find((candidate) => candidate.name === lane);
  if (configured === undefined) throw new Error(`no audit lane ${lane} is configured`);
  const name = worktreeName(itemId, attempt, `audit-${turn}-${lane}`);
  const scratch = await ports.environments.openScratch(name);
  for (const { path, bytes } of input.packet) await scratch.write(`packet/${path}`, bytes);
  const facts = { lane, packet_path: `${scratch.path}/packet`, packet_sha256, nonce };
  const answerIn = answerForm(configured, scratch);
  const prompt = renderLanePrompt(context, itemId, attempt, { ...facts, answer: answerIn });
  const promptPath = await scratch.write("prompt.md", prompt);
  const assignment = { lane, item_id: itemId, attempt, packet_sha256, nonce };
  const judged = await runJudge(context, {
    itemId,
    name,
    purpose: "auditor",
    program: chooseProgram(configured, {
      lane: `audit:${lane}`,
      schema: auditAnswerSchema(assignment),
      promptPath,
      sharers: input.command.lanes.length,
    }),
    passNames: configured.env,
    placeholders: {
      ...judgeFacts(context, {
        stage: "audit",
        itemId,
        attempt,
        round,
        session: itemState(context, itemId).sessionsUsed,
        scratch,
        planFile: `${scratch.path}/packet/plan.md`,
        prompt: promptPath,
      }),
      ...facts,
    },
    cwd: input.worktree.path,
    scratch,
    timeoutMinutes: config.audits["timeout-minutes"],
    folder: `${input.folder}/${lane}`,
    resultBytesMax: REPORT_BYTES_MAX,
  });
  const promptFile = await ports.files.write(`${input.folder}/${lane}/prompt.md`, prompt);
  const answer = {
    lane,
    nonce,
    ending: judged.ending,
    survivors: judged.survivors,
    facts: parseAuditReport(judged.answer, assignment),
  };
  return { answer, executions: [judged.execution], files: [...judged.files, promptFile] };
}

function renderLanePrompt(
  context: RunContext,
  itemId: string,
  attempt: number,
  facts: { lane: string; packet_path: string; packet_sha256: string; nonce: string; answer: AnswerForm },
): string {
  const { plan, config, configPath } = context;
  const item = planItem(context, itemId);
  return renderAuditPrompt({
    role: "audit",
    task: buildTask(plan, item),
    guardrails: buildGuardrails({ plan, item, config, configPath }),
    attempt,
    lane: facts.lane,
    packetPath: facts.packet_path,
    packetSha256: facts.packet_sha256,
    nonce: facts.nonce,
    hasEvidence: itemState(context, itemId).evidence.length > 0,
    surface: describeSurface(currentAttempt(context, itemId).candidates.at(-1)?.verified?.surface),
    answer: facts.answer,
  });
}
