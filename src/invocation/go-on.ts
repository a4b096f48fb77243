import { world } from "../compose/world.ts";
import { decideResume, type ResumeDecision } from "../domain/recovery.ts";
import { err, ok, type Result } from "../domain/result.ts";
import { isWhole, type SavedRun } from "../domain/saved-run.ts";
import { resumeRun, type EvidenceByItem } from "../kernel/resume-run.ts";
import { startDeadline } from "./deadline.ts";
import { findDeliveryAccess } from "./delivery-access.ts";
import type { GithubAccess } from "./access.ts";
import type { Door, Follower } from "./door.ts";
import { finishRun, type FinishedRun } from "./finish-run.ts";
import { openSavedRun, type FoundRun } from "./open-saved-run.ts";
import { refusal, type Refused } from "./refused.ts";
import {
  costLimitOf,
  costLimitProblem,
  given,
  limitOf,
  parseSettings,
  sandboxOf,
  type InvocationOptions,
} from "./settings.ts";

/** How a saved run is to be gone on with. */
export interface ResumeRequest extends InvocationOptions {
  readonly newAttempt: string | undefined;
  readonly evidence: EvidenceByItem;
  readonly checkpointCopy: string | undefined;
  readonly access: GithubAccess;
}

/** Why there is nothing to go on with: an answer about the run as it was saved, no fault. */
export type ResumeAnswer = Extract<ResumeDecision, { kind: "answer" }> & { readonly run: SavedRun };

/**
 * Goes on with a saved run from its journal, or says why there is nothing to go on with. Reason codes: those of
 * `openSavedRun` and of `decideResume`.
 */
export async function goOn(
  door: Door,
  follower: Follower,
  found: FoundRun,
  request: ResumeRequest,
): Promise<Result<FinishedRun | ResumeAnswer, Refused>> {
  const { created, options: savedOptions } = found.run.state;
  const parsed = parseSettings(request, door.env, created.options);
  if (!parsed.ok) return err(refusal("USAGE", parsed.error));
  const { settings, values } = parsed.value;
  if (request.mode !== undefined && request.mode !== created.mode) {
    return err(refusal("USAGE", `--mode: the run was started in ${created.mode} mode; a resume cannot change it`));
  }
  const unheld = costLimitProblem(request, found.run.config, created.executor.use);
  if (unheld !== undefined) return err(refusal("USAGE", unheld));
  const decide = (run: SavedRun): ResumeDecision =>
    decideResume(run.state, {
      newAttempt: request.newAttempt,
      executorEnvNames: Object.keys(settings.executorEnv),
      managerEnvNames: Object.keys(settings.managerEnv),
      whole: isWhole(run, world.readCheckpoint(found.runFolder)),
      evidence: request.evidence.size > 0,
      publish: settings.deliver === "pull-request",
    });
  const decision = decide(found.run);
  if (decision.kind === "answer") return ok({ ...decision, run: found.run });
  const limit = limitOf(request, found.run.config);
  const sandbox = sandboxOf(request, found.run.config, created.options);
  using deadline = startDeadline(door.interrupt, limit.minutes);
  const delivery = await findDeliveryAccess(door, deadline.interrupt, found.workplace, settings.deliver);
  if (!delivery.ok) return err(refusal("USAGE", delivery.error));
  const { checkpointCopy, access } = request;
  const wishes = {
    ...follower,
    interrupt: deadline.interrupt,
    checkpointCopy,
    github: access.github,
    delivery: delivery.value,
    given: { ...settings.executorEnv, ...settings.managerEnv },
  };
  const opened = await openSavedRun(found, wishes);
  if (!opened.ok) return opened;
  const { open, run, facts, warnings } = opened.value;
  // Decided once more under the lock: whoever held it may have gone on since.
  const now = decide(run);
  if (now.kind === "answer") {
    await open.close(false);
    return ok({ ...now, run });
  }
  const context = await resumeRun(open.ports, run, facts, {
    settings: { ...settings, sandbox: sandbox.level, trust: access.trust },
    options: {
      ...values,
      ...access.option,
      ...limit.option,
      ...costLimitOf(request, run.config, savedOptions).option,
      ...sandbox.option,
      "new-attempt": given(request.newAttempt ?? null, request.newAttempt === undefined),
    },
    warnings,
    newAttempt: request.newAttempt,
    evidence: request.evidence,
  });
  for (const warning of context.recorder.state.warnings.slice(warnings.length)) follower.warn(warning);
  // Awaited here: the clock of the deadline stops with this call.
  return ok(await finishRun(open, context));
}
