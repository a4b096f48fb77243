import { decideStopOfVerdict } from "../domain/run-decide.ts";
import type { EventDetails, FileDigest, StageExecution } from "../domain/journal.ts";
import type { RunStop } from "../domain/run-stop.ts";
import { buildStageExecution } from "../domain/stage-execution.ts";
import type { Worktree } from "../ports/git.ts";
import { PLAN_FILE } from "../domain/saved-run.ts";
import { confine } from "./confine.ts";
import { failStage } from "./fail-stage.ts";
import { buildOrchEnv, fillPlaceholders } from "./perform/session-briefing.ts";
import { readNamed } from "./named-files.ts";
import { prepareWorktree, sealFiles } from "./prepare-worktree.ts";
import { watchStalls } from "./watch-stalls.ts";
import { limitMs, type RunContext } from "./run-context.ts";

/** The largest artifact of a manager that is kept, in bytes. */
const ARTIFACT_BYTES_MAX = 64 * 1024 * 1024;

type ManagerReport = Omit<EventDetails<"manager_finished">, "commit">;

/**
 * Runs the program that plans before anything is executed, in a clean prepared worktree of the base. Its artifacts are
 * proof that it planned, and copied into the run folder, because the worktree goes; nothing that it says decides
 * anything. One that passed is not run again. Reason codes: those
 * of `decideManagerOutcome`, PROCESS_TIMEOUT.
 */
export async function runManager(context: RunContext): Promise<RunStop | undefined> {
  const { recorder, ports } = context;
  const { created, manager, baseCommit: commit } = recorder.state;
  if (created.manager === null || manager?.kind === "passed") return undefined;
  const folder = `manager-${recorder.state.resumes + 1}`;
  recorder.record("manager_started", { commit });
  const worktree = await ports.repository.openWorktree(folder, commit);
  const prepared = await prepareWorktree(context, { worktree, commit, folder, itemId: null, stage: "planning" });
  const report: ManagerReport =
    prepared.status === "failed"
      ? { prepare_ending: prepared.ending, ending: null, tamper: [], survivors: [], executions: [], files: [] }
      : { prepare_ending: null, ...(await runProgram(context, worktree, folder)) };
  recorder.record("manager_finished", {
    ...report,
    commit,
    executions: [...prepared.executions, ...report.executions],
    files: [...prepared.files, ...report.files],
  });
  const outcome = recorder.state.manager;
  if (outcome === undefined || outcome.kind === "passed") return undefined;
  return outcome.kind === "failed"
    ? failStage(context, "planning", outcome.reasonCode, outcome.message)
    : decideStopOfVerdict(outcome.kind);
}

async function runProgram(
  context: RunContext,
  worktree: Worktree,
  folder: string,
): Promise<Omit<ManagerReport, "prepare_ending"> & { executions: StageExecution[]; files: FileDigest[] }> {
  const { ports, config, recorder } = context;
  const { manager } = recorder.state.created;
  if (manager === null) throw new Error("the run has no manager");
  const scratch = await ports.environments.openScratch(worktree.name);
  const placeholders = {
    stage: "planning",
    run_id: recorder.state.runId,
    plan_id: context.plan.plan_id,
    plan_file: await scratch.write("plan.md", await readNamed(context, PLAN_FILE)),
    mode: recorder.state.created.mode,
    risk_tier: context.rules.admission.risk.tier,
  };
  const command = fillPlaceholders(manager.command, placeholders);
  const { env, confinement } = await confine(context, {
    name: `${worktree.name}-home`,
    passNames: config.manager?.env ?? [],
    givenEnv: context.settings.managerEnv,
    extraEnv: buildOrchEnv(placeholders),
    writable: [worktree.path, scratch.path],
    readable: [],
    network: config.sandbox.network,
  });
  const before = await ports.repository.snapshot(worktree);
  const note = await ports.artifacts.note(worktree.path, manager.expected_artifacts);
  const [stdout, stderr] = [`${folder}/stdout.log`, `${folder}/stderr.log`];
  const report = await ports.processes.run({
    command,
    env,
    confinement,
    cwd: worktree.path,
    timeoutMs: limitMs(context, config.manager?.["timeout-minutes"] ?? 30),
    outputBytesMax: config.limits["output-bytes"],
    stdoutPath: ports.files.resolve(stdout),
    stderrPath: ports.files.resolve(stderr),
    signal: ports.interrupt,
    ...watchStalls(context, null, "manager"),
    onLine: (line) => ports.progress({ kind: "output", itemId: null, line }),
  });
  const tamper = await ports.repository.compareSnapshot(before, worktree);
  const { missing, malformed } = await ports.artifacts.check(worktree.path, note, manager.expected_artifacts);
  const kept = await keepArtifacts(
    context,
    { worktree, folder },
    manager.expected_artifacts.filter((path) => !missing.includes(path) && !malformed.includes(path)),
  );
  const execution = buildStageExecution({
    stage: "planning",
    purpose: "manager",
    itemId: null,
    step: "manager",
    command,
    env,
    report,
    missingArtifacts: missing,
    malformedArtifacts: [...malformed, ...kept.tooLarge],
  });
  return {
    ending: report.ending,
    tamper: [...tamper],
    survivors: report.survivors.map(({ pid, command: words }) => ({ pid, command: words })),
    executions: [execution],
    files: [...(await sealFiles(context, [stdout, stderr])), ...kept.files],
  };
}

async function keepArtifacts(
  { ports }: RunContext,
  { worktree, folder }: { worktree: Worktree; folder: string },
  paths: readonly string[],
): Promise<{ files: FileDigest[]; tooLarge: string[] }> {
  const files: FileDigest[] = [];
  const tooLarge: string[] = [];
  for (const path of new Set(paths)) {
    const bytes = await ports.artifacts.read(worktree.path, path, ARTIFACT_BYTES_MAX);
    if (bytes === undefined) tooLarge.push(path);
    else files.push(await ports.files.write(`${folder}/artifacts/${path}`, bytes));
  }
  return { files, tooLarge };
}
