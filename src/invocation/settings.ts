import { listUnpriced } from "../domain/agent-config.ts";
import type { Config } from "../domain/config.ts";
import { COST_OPTION } from "../domain/cost.ts";
import type { EventDetails, OptionValue } from "../domain/journal.ts";
import { isSettableEnvName } from "../domain/env-names.ts";
import { parseAdmissionEnvironment } from "../domain/policy.ts";
import type { GateSignals } from "../domain/gates.ts";
import { NO_SIGNALS, type GateSource } from "../domain/signals.ts";
import { err, ok, type Result } from "../domain/result.ts";
import { DELIVERIES, type Delivery, type Mode, SANDBOX_LEVELS, type SandboxLevel } from "../domain/run-choices.ts";
import type { Settings } from "../kernel/run-context.ts";

/** What a run or a resume can be asked for, by an option or by an input. */
export interface InvocationOptions {
  readonly checkpointPath?: string;
  readonly gates?: GateSource;
  readonly preflight?: string;
  readonly preflightSha256?: string;
  readonly policyStatus?: GateSignals["policy"];
  readonly ciStatus?: GateSignals["ci"];
  readonly reviewStatus?: GateSignals["review"];
  readonly deliver?: Delivery;
  readonly timeoutMs?: number;
  readonly maxMinutes?: number;
  readonly maxCostUsd?: number;
  readonly executorEnv?: readonly string[];
  readonly managerEnv?: readonly string[];
  readonly mode?: Mode;
  readonly sandbox?: SandboxLevel;
  readonly simulateBlocked?: boolean;
}

/**
 * Makes the settings of an invocation; `saved` is what a resumed run was started with. Approvals are those of the
 * orchestrator's environment now: one that is taken away does not hold for the next invocation.
 */
export function parseSettings(
  options: InvocationOptions,
  environment: Readonly<Record<string, string | undefined>>,
  saved?: EventDetails<"run_created">["options"],
): Result<{ settings: Omit<Settings, "sandbox" | "trust">; values: Record<string, OptionValue> }, string> {
  const env = parseEnv("--executor-env", options.executorEnv ?? []);
  if (!env.ok) return env;
  const managerEnv = parseEnv("--manager-env", options.managerEnv ?? []);
  if (!managerEnv.ok) return managerEnv;
  const simulateBlocked = options.simulateBlocked ?? false;
  const started = saved?.["deliver"]?.value;
  const deliver = options.deliver ?? DELIVERIES.find((known) => known === started) ?? "branch";
  const { policyStatus, ciStatus, reviewStatus } = options;
  const gates = options.gates ?? "inputs";
  if (gates === "github" && (policyStatus ?? ciStatus ?? reviewStatus) !== undefined) {
    return err(
      "--gates github: GitHub is asked, so --policy-status, --ci-status and --review-status have no place; leave them out",
    );
  }
  const signals = {
    policy: policyStatus ?? NO_SIGNALS.policy,
    ci: ciStatus ?? NO_SIGNALS.ci,
    review: reviewStatus ?? NO_SIGNALS.review,
  };
  return ok({
    settings: {
      signals,
      gates,
      deliver,
      timeoutMs: options.timeoutMs,
      executorEnv: env.value,
      managerEnv: managerEnv.value,
      environment: parseAdmissionEnvironment(environment),
      simulateBlocked,
    },
    values: {
      gates: given(gates, options.gates === undefined),
      "policy-status": given(signals.policy, policyStatus === undefined),
      "ci-status": given(signals.ci, ciStatus === undefined),
      "review-status": given(signals.review, reviewStatus === undefined),
      deliver: given(deliver, options.deliver === undefined),
      "timeout-ms": given(options.timeoutMs ?? null, options.timeoutMs === undefined),
      "executor-env": given(Object.keys(env.value).sort(), options.executorEnv === undefined),
      "manager-env": given(Object.keys(managerEnv.value).sort(), options.managerEnv === undefined),
      "simulate-blocked": given(simulateBlocked, options.simulateBlocked === undefined),
      "checkpoint-path": given(
        options.checkpointPath === undefined ? null : "given",
        options.checkpointPath === undefined,
      ),
    },
  });
}

/** The limit of this invocation in minutes, the command line's or `limits.minutes-per-run`, and where it came from. */
export function limitOf(
  { maxMinutes }: Pick<InvocationOptions, "maxMinutes">,
  config: Config,
): { minutes: number; option: Record<"max-minutes", OptionValue> } {
  const minutes = maxMinutes ?? config.limits["minutes-per-run"];
  const source = maxMinutes === undefined ? "configuration" : "command_line";
  return { minutes, option: { "max-minutes": { value: minutes, source } } };
}

/**
 * The most that the agents of a run may cost in USD: the command line's, else what the invocation before was given by
 * hand (a limit never raises itself), else `limits.cost-usd-per-run`.
 */
export function costLimitOf(
  { maxCostUsd }: Pick<InvocationOptions, "maxCostUsd">,
  config: Config,
  saved?: Readonly<Record<string, OptionValue>>,
): { usd: number; option: Record<typeof COST_OPTION, OptionValue> } {
  const before = saved?.[COST_OPTION];
  const kept = before?.source === "command_line" && typeof before.value === "number" ? before.value : undefined;
  const usd = maxCostUsd ?? kept ?? config.limits["cost-usd-per-run"];
  const source = maxCostUsd === undefined && kept === undefined ? "configuration" : "command_line";
  return { usd, option: { [COST_OPTION]: { value: usd, source } } };
}

/** Why a limit that a person asks for could not be held; nothing when it can. */
export function costLimitProblem(
  { maxCostUsd }: Pick<InvocationOptions, "maxCostUsd">,
  config: Config,
  executor: string,
): string | undefined {
  const unpriced = listUnpriced(config, executor);
  return maxCostUsd === undefined || unpriced.length === 0
    ? undefined
    : `--max-cost-usd cannot be held: nothing says what ${unpriced.join(", ")} costs; expected a price there, for example price: {input: 1.25, cached-input: 0.125, output: 10}`;
}

/**
 * How the programs of this invocation are to be held: the command line's word, that of the command line the run was
 * started with, or the configuration's; and where it came from.
 */
export function sandboxOf(
  { sandbox }: Pick<InvocationOptions, "sandbox">,
  config: Config,
  saved?: EventDetails<"run_created">["options"],
): { level: SandboxLevel; option: Record<"sandbox", OptionValue> } {
  const started = saved?.["sandbox"]?.source === "command_line" ? saved["sandbox"].value : undefined;
  const named = sandbox ?? SANDBOX_LEVELS.find((level) => level === started);
  const level = named ?? config.sandbox.level;
  return {
    level,
    option: { sandbox: { value: level, source: named === undefined ? "configuration" : "command_line" } },
  };
}

/** An option's value and where it came from. */
export function given(value: OptionValue["value"], isDefault: boolean): OptionValue {
  return { value, source: isDefault ? "default" : "command_line" };
}

function parseEnv(option: string, pairs: readonly string[]): Result<Record<string, string>, string> {
  const env: Record<string, string> = {};
  for (const pair of pairs) {
    const match = /^([A-Za-z_][A-Za-z0-9_]*)=(.*)$/s.exec(pair);
    if (match?.[1] === undefined || match[2] === undefined) {
      return err(
        `${option}: expected NAME=value, found ${JSON.stringify(pair.split("=")[0])}, for example LANGUAGE=en`,
      );
    }
    if (!isSettableEnvName(match[1])) {
      return err(
        `${option}: ${match[1]} is never handed to a program from outside; expected another name, for example LANGUAGE=en`,
      );
    }
    env[match[1]] = match[2];
  }
  return ok(env);
}
