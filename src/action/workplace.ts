import { join } from "node:path";
import { openWorkplace, type Workplace } from "../compose/workplace.ts";
import { world } from "../compose/world.ts";
import { err, ok, type Result } from "../domain/result.ts";
import type { ActionCall } from "./call.ts";
import type { StepRefusal } from "./refusals.ts";

/** Where a step keeps its runs and what it hands on, absolute: never in the checkout. */
export function stateFolder({ env, cwd }: Pick<ActionCall, "env" | "cwd">): string {
  return join(env["RUNNER_TEMP"] ?? join(cwd, ".."), "conveyor");
}

/** Opens the checkout of a step: runs and worktrees lie in the runner's temporary folder. */
export async function openStepWorkplace(call: ActionCall): Promise<Result<Workplace, readonly StepRefusal[]>> {
  const folder = join(call.cwd, call.inputs.workingDirectory);
  const runsFolder = stateFolder(call);
  const env = world.shieldSearchPath(call.env, folder);
  const opened = await openWorkplace(folder, env, { runsFolder, cacheRoot: `${runsFolder}-wt` });
  if (!opened.ok) {
    const { kind, message } = opened.error;
    if (kind === "no_commit") return err([{ code: "PLAN_NOT_COMMITTED", message }]);
    return err([{ code: kind === "bare" || kind === "old_git" ? "REPOSITORY_UNSUPPORTED" : "USAGE", message }]);
  }
  const { tooOld } = opened.value.user;
  return tooOld === undefined ? ok(opened.value) : err([{ code: "REPOSITORY_UNSUPPORTED", message: tooOld }]);
}
