import { join } from "node:path";
import { world } from "../../compose/world.ts";
import { sha256 } from "../../domain/digest.ts";
import { sayFailure } from "../../domain/github-failure.ts";
import { renderPreflight, type Preflight } from "../../domain/preflight.ts";
import { err, ok, type Result } from "../../domain/result.ts";
import type { SavedRun } from "../../domain/saved-run.ts";
import { joinWorkflowRuns } from "../../domain/workflow-runs.ts";
import { openPackedFolder } from "../../invocation/open-packed-folder.ts";
import { findAwaited } from "../../invocation/take-gate-decision.ts";
import { buildPreflight } from "../../kernel/github/build-preflight.ts";
import { readManualGateFacts } from "../../kernel/github/read-manual-gate.ts";
import { whoAsked } from "../access.ts";
import type { AdmittedCall } from "../call.ts";
import { sayNoConfig } from "../no-config.ts";
import { fetchArtifact } from "../fetch-artifact.ts";
import { reportRefusals, type StepRefusal } from "../refusals.ts";
import { refuseOtherMode, refuseOtherPlan } from "../other-run.ts";
import { openStepWorkplace, stateFolder } from "../workplace.ts";

/**
 * `command: preflight`: reads on GitHub everything that decides whether a run may begin, and hands it to the job that
 * executes as one file with a digest, beside the artifact to go on from.
 */
export async function preflight(call: AdmittedCall): Promise<number> {
  const { step, github, event } = call;
  if (github === undefined)
    return await reportRefusals(step, [
      { code: "USAGE", message: "github-token: expected a token that reads the repository" },
    ]);
  const workplace = await openStepWorkplace(call);
  if (!workplace.ok) return await reportRefusals(step, workplace.error);
  const { user } = workplace.value;
  const folder = join(stateFolder(call), "preflight");
  const resumed = await readResumed(call, folder, workplace.value);
  if (!resumed.ok) return await reportRefusals(step, resumed.error);
  const read = await buildPreflight(github, world.clock, {
    planPath: resumed.value?.planPath ?? call.inputs.plan,
    baseCommit: resumed.value?.baseCommit ?? user.headCommit,
    paused: false,
    resume: resumed.value?.identity ?? null,
    repositoryId: event.repositoryId,
    ...whoAsked(call),
  });
  const document = { ...read, manual_gate: resumed.value?.manualGate ?? null };
  const refusals = judge(document);
  if (refusals.length > 0) return await reportRefusals(step, refusals);
  const text = renderPreflight(document);
  const path = join(folder, "preflight.json");
  world.writeNewFile(path, text);
  step.output("preflight-path", path);
  step.output("preflight-sha256", sha256(text));
  step.log(
    `${document.plan.path} at ${document.base.commit}, trusted: ${document.trust.branch} at ${document.trust.tip}`,
  );
  return 0;
}

/** What execute would refuse for certain is refused here, before a runner is paid for. */
function judge({ unknown, paused, base, plan, config, trust }: Preflight): StepRefusal[] {
  return [
    ...unknown.map((message) => ({
      code: "DELIVERY_UNAVAILABLE",
      message: `GitHub did not say what has to be known: ${message}`,
    })),
    ...(unknown.length > 0 || config !== null
      ? []
      : [{ code: "CONFIG_INVALID", message: sayNoConfig(`at the tip of ${trust.branch}`) }]),
    ...(paused === null ? [] : [{ code: "PAUSED", message: paused }]),
    ...(unknown.length > 0 || base.contained_in !== null
      ? []
      : [{ code: "BASE_NOT_TRUSTED", message: `the trusted branch does not contain ${base.commit}` }]),
    ...(unknown.length > 0 || plan.sha256 !== null
      ? []
      : [{ code: "PLAN_DIGEST_CHANGED", message: `${plan.path} is not at the tip of the trusted branch` }]),
  ];
}

interface Resumed {
  readonly identity: NonNullable<Preflight["resume"]>;
  readonly planPath: string;
  readonly baseCommit: string;
  readonly manualGate: Preflight["manual_gate"];
}

/** The artifact to go on from, fetched, and judged as a run that goes on would judge it. */
async function readResumed(
  call: AdmittedCall,
  folder: string,
  workplace: Parameters<typeof openPackedFolder>[0],
): Promise<Result<Resumed | undefined, readonly StepRefusal[]>> {
  if (call.inputs.resumeFrom === undefined) return ok(undefined);
  const fetched = await fetchArtifact(call, join(folder, "resume"));
  if (!fetched.ok) return fetched;
  const { artifact, workflowRun } = fetched.value;
  const request = { folder: fetched.value.folder, packSha256: undefined, use: { kind: "read" } } as const;
  const opened = await openPackedFolder(workplace, request);
  if (!opened.ok) return err(opened.error.refusals);
  await using pack = opened.value;
  const { created } = pack.found.run.state;
  const other = refuseOtherPlan(call.inputs.plan, created.plan_path) ?? refuseOtherMode(call.inputs.mode, created.mode);
  if (other !== undefined) return err([other]);
  const { id, name, sha256: digest } = artifact;
  return ok({
    identity: { workflow_run: workflowRun, artifact: { id, name, sha256: digest } },
    planPath: created.plan_path,
    baseCommit: pack.found.run.state.baseCommit,
    manualGate: await readManualGate(call, pack.found.run, workflowRun),
  });
}

/** What people said of the candidate that waits: the job that goes on with it has no token to ask with. */
async function readManualGate(
  { github, event, step }: AdmittedCall,
  run: SavedRun,
  workflowRun: number,
): Promise<Preflight["manual_gate"]> {
  const awaited = findAwaited(run.state);
  if (awaited === undefined || github === undefined) return null;
  const facts = await readManualGateFacts(github, world.clock, {
    run,
    commit: awaited.commit,
    repositoryId: event.repositoryId,
    workflowRuns: joinWorkflowRuns(run.state.workflowRuns, [workflowRun]),
  });
  if (facts.ok) return facts.value;
  step.log(`what was said of item ${awaited.itemId}, which waits, could not be read: ${sayFailure(facts.error)}`);
  return null;
}
