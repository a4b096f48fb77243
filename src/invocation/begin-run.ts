import { openNewRun } from "../compose/open-run.ts";
import type { Workplace } from "../compose/workplace.ts";
import { world } from "../compose/world.ts";
import type { Mode } from "../domain/run-choices.ts";
import { NothingBegunError } from "../domain/nothing-begun.ts";
import { listAgents } from "../domain/configured-agents.ts";
import type { OptionValue } from "../domain/journal.ts";
import { err, ok, type Result } from "../domain/result.ts";
import { EXIT } from "../domain/run-stop.ts";
import { loadInputs, type InputRequest, type RunInputs } from "../kernel/load-inputs.ts";
import type { Settings } from "../kernel/run-context.ts";
import { startRun } from "../kernel/start-run.ts";
import { startDeadline } from "./deadline.ts";
import { findDeliveryAccess } from "./delivery-access.ts";
import type { GithubAccess } from "./access.ts";
import type { Door, Follower } from "./door.ts";
import { finishRun, type FinishedRun } from "./finish-run.ts";
import { decode, learnSecrets } from "./learn-secrets.ts";
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
import { readVersions } from "./versions.ts";

/** A new run, as somebody asks for it. */
export interface RunRequest extends InvocationOptions, InputRequest {
  /** Absolute path; the folder among the runs of the checkout when left out. */
  readonly outputDir: string | undefined;
  readonly checkpointCopy: string | undefined;
  /** The items and the configuration as they were written, or nothing: the report says where each came from. */
  readonly access: GithubAccess;
  readonly written: { readonly items: readonly string[] | undefined; readonly config: string | undefined };
}

/** A run whose inputs are read and checked; nothing has been written yet. */
export interface CheckedRun {
  readonly request: RunRequest;
  readonly inputs: RunInputs;
  readonly mode: Mode;
  readonly costLimitUsd: number;
  readonly settings: ReturnType<typeof parseSettings>;
}

/** Reads and checks everything that a new run is made of. Reason codes: those of `loadInputs`. */
export async function checkRun(
  door: Door,
  workplace: Workplace,
  request: RunRequest,
): Promise<Result<CheckedRun, Refused>> {
  const settings = parseSettings(request, door.env);
  if (!settings.ok) return err(refusal("USAGE", settings.error));
  const loaded = await loadInputs(workplace.user, request);
  if (!loaded.ok) return err({ exitCode: EXIT.usage, refusals: loaded.error });
  const inputs = loaded.value;
  if (inputs.manager === undefined && request.managerEnv !== undefined) {
    return err(
      refusal("USAGE", "--manager-env: there is no manager; set one in the configuration or give --manager-bin"),
    );
  }
  const unheld = costLimitProblem(request, inputs.config, inputs.executor.use);
  if (unheld !== undefined) return err(refusal("USAGE", unheld));
  const shown = learnInputs(door, inputs, settings.value.settings);
  if (shown !== undefined) return err(refusal("USAGE", shown));
  const mode = request.mode ?? inputs.config.policy.mode;
  return ok({ request, inputs, mode, costLimitUsd: costLimitOf(request, inputs.config).usd, settings });
}

/** Starts a checked run and runs it to where it must stop. Throws `NothingBegunError` when the disk refuses a start. */
export async function performRun(
  door: Door,
  follower: Follower,
  workplace: Workplace,
  checked: CheckedRun,
): Promise<Result<FinishedRun, Refused>> {
  const { request, inputs, mode } = checked;
  if (!checked.settings.ok) return err(refusal("USAGE", checked.settings.error));
  const { settings, values } = checked.settings.value;
  const { config } = inputs;
  const limit = limitOf(request, config);
  const sandbox = sandboxOf(request, config);
  using deadline = startDeadline(door.interrupt, limit.minutes);
  const delivery = await findDeliveryAccess(door, deadline.interrupt, workplace, settings.deliver);
  if (!delivery.ok) return err(refusal("USAGE", delivery.error));
  const opened = await begin(
    openNewRun(
      workplace,
      {
        interrupt: deadline.interrupt,
        redactor: door.redactor,
        progress: follower.progress,
        checkpointCopy: request.checkpointCopy,
        github: request.access.github,
        delivery: delivery.value,
      },
      { outputDir: request.outputDir, planId: inputs.plan.plan_id },
    ),
  );
  if (!opened.ok) return err(refusal("USAGE", opened.error.message));
  const { runId, ports, runFolder } = opened.value;
  const isBegun = () => world.findRunFolder(workplace.places, workplace.cwd, runFolder) !== undefined;
  const context = await begin(
    startRun(ports, inputs, {
      runId,
      settings: { ...settings, sandbox: sandbox.level, trust: request.access.trust },
      mode,
      options: {
        ...values,
        ...request.access.option,
        ...limit.option,
        ...costLimitOf(request, config).option,
        ...sandbox.option,
        ...listInputOptions(checked),
      },
      versions: await readVersions(door, listAgents(config)),
    }),
    isBegun,
  );
  // Awaited here: the clock of the deadline stops with this call.
  return ok(await finishRun(opened.value, context));
}

/** The options that say what a run is made of, and where each came from. */
function listInputOptions({ request, inputs, mode }: CheckedRun): Record<string, OptionValue> {
  const { items, config: written } = request.written;
  const { config, configFile } = inputs;
  const byHand = (isGiven: boolean, isConfigured: boolean): OptionValue["source"] =>
    isGiven ? "command_line" : isConfigured ? "configuration" : "default";
  return {
    item: given([...(items ?? [])], items === undefined),
    config: given(written ?? null, written === undefined),
    "allow-dirty": given(request.allowDirty, !request.allowDirty),
    mode: { value: mode, source: byHand(request.mode !== undefined, configFile.authority !== "none") },
    manager: {
      value: inputs.manager === undefined ? null : [...inputs.manager.command],
      source: byHand(request.manager !== undefined, config.manager !== undefined),
    },
    executor: { value: [...inputs.executor.command], source: byHand(request.executor !== undefined, true) },
  };
}

/**
 * Tells the redactor what this run adds, and says what the run would have to keep in clear text: a secret in a local
 * configuration or in a program's arguments cannot be redacted, because a resume starts the same again.
 */
function learnInputs(
  { redactor }: Door,
  inputs: RunInputs,
  { executorEnv, managerEnv }: Pick<Settings, "executorEnv" | "managerEnv">,
): string | undefined {
  const { config, configFile, policyFile, planBytes, executor, manager } = inputs;
  const published = [decode(planBytes), ...(configFile.authority === "local" ? [] : [policyFile])];
  learnSecrets(redactor, config, { published, given: { ...executorEnv, ...managerEnv } });
  const isShown = (texts: readonly string[]): boolean => texts.some((text) => redactor.find(text).length > 0);
  if (isShown([policyFile]))
    return "--config: the file has the value of a secret variable in it; name the variable in an env list instead";
  return isShown([...executor.command, ...(manager?.command ?? [])])
    ? "an argument has the value of a secret variable in it, which the journal would keep; hand the variable on instead, for example with executor.env"
    : undefined;
}

/** Waits for a step of the start; a write that fails while there is no run yet says so: there is nothing to resume. */
async function begin<T>(step: Promise<T>, isBegun: () => boolean = () => false): Promise<T> {
  try {
    return await step;
  } catch (fault) {
    const unwritten = world.findStateWriteFault(fault);
    if (unwritten !== undefined && !isBegun()) throw new NothingBegunError(unwritten.message, { cause: fault });
    throw fault;
  }
}
