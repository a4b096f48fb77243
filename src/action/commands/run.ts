import { join } from "node:path";
import type { Workplace } from "../../compose/workplace.ts";
import { world } from "../../compose/world.ts";
import { DEFAULT_CONFIG_PATH } from "../../domain/run-choices.ts";
import { err, ok, type Result } from "../../domain/result.ts";
import { buildProblemLine } from "../../domain/plan.ts";
import { checkRun, performRun } from "../../invocation/begin-run.ts";
import type { FinishedRun } from "../../invocation/finish-run.ts";
import { refusal, type Refused } from "../../invocation/refused.ts";
import type { AdmittedCall } from "../call.ts";
import { accessOf } from "../access.ts";
import { followInLog } from "../follow.ts";
import { handOver } from "../hand-over.ts";
import { sayNoConfig } from "../no-config.ts";
import { reportRefusals } from "../refusals.ts";
import { listOptions } from "../run-options.ts";
import { openStepWorkplace } from "../workplace.ts";

/** `command: run`: one plan in this job, from the start or from the artifact of an earlier leg. */
export async function run(call: AdmittedCall): Promise<number> {
  const { step } = call;
  const workplace = await openStepWorkplace(call);
  if (!workplace.ok) return await reportRefusals(step, workplace.error);
  const isResume = call.inputs.resumeFrom !== undefined;
  const ended = isResume
    ? await (await import("../go-on-from-artifact.ts")).goOnFromArtifact(call, workplace.value)
    : await begin(call, workplace.value);
  if (!ended.ok) return await reportRefusals(step, ended.error.refusals);
  return ended.value === undefined ? 0 : await handOver(call, workplace.value, ended.value, call.inputs.failOn);
}

/** Starts a new run; nothing when only its course was to be shown. */
async function begin(call: AdmittedCall, workplace: Workplace): Promise<Result<FinishedRun | undefined, Refused>> {
  const { inputs, step } = call;
  const { plan, config, items } = inputs;
  const { user, places } = workplace;
  // That it is the same at the trust ref's tip is policy's to decide, before anything is executed.
  if ((await user.readFileAt(user.headCommit, DEFAULT_CONFIG_PATH)) === undefined)
    return err(refusal("CONFIG_INVALID", sayNoConfig(`in the checked out commit ${user.headCommit}`)));
  const checked = await checkRun(call, workplace, {
    ...listOptions(call),
    planPath: plan,
    planOnDisk: world.readLocalFile(join(places.root, plan)),
    localConfig: undefined,
    items,
    // A runner's checkout is what was checked out: steps before this one may have built things in it.
    allowDirty: false,
    executor: undefined,
    manager: undefined,
    outputDir: undefined,
    checkpointCopy: undefined,
    written: { items: items.length === 0 ? undefined : items, config },
    access: accessOf(call),
  });
  if (!checked.ok) return checked;
  for (const warning of checked.value.inputs.warnings) step.log(buildProblemLine(warning));
  if (inputs.dryRun) {
    const { inputs: read, mode, costLimitUsd } = checked.value;
    const { renderDryRun } = await import("../../render/dry-run-text.ts");
    await showDryRun(call, renderDryRun({ ...read, mode, costLimitUsd }, "text"));
    return ok(undefined);
  }
  return await performRun(call, followInLog(call), workplace, checked.value);
}

async function showDryRun({ step }: AdmittedCall, text: string): Promise<void> {
  step.log(text);
  const fence = "`".repeat(Math.max(3, ...[...text.matchAll(/`+/g)].map(([run]) => run.length + 1)));
  await step.summarize(`## Dry run: nothing was started\n\n${fence}text\n${text}\n${fence}\n`);
}
