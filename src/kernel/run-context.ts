import type { Starter } from "../domain/actors.ts";
import type { Config } from "../domain/config.ts";
import type { GateSignals } from "../domain/gates.ts";
import type { GateSource } from "../domain/signals.ts";
import type { Preflight } from "../domain/preflight.ts";
import type { ItemState } from "../domain/item.ts";
import type { ItemRules } from "../domain/item-rules.ts";
import type { Plan, PlanItem } from "../domain/plan.ts";
import type { AdmissionEnvironment } from "../domain/policy.ts";
import type { RunState } from "../domain/run.ts";
import type { Ports } from "../ports.ts";
import type { Recorder } from "./recorder.ts";
import type { Delivery, SandboxLevel } from "../domain/run-choices.ts";

/** What this invocation was asked for; a resume may bring others than the run was started with. */
export interface Settings {
  /** Signals that were given with the call; they hold where the gates are not read on GitHub. */
  readonly signals: GateSignals;
  readonly gates: GateSource;
  /** Where plan, policy, consent and approvals are read that decide whether the run may go on. */
  readonly trust: TrustSource;
  readonly deliver: Delivery;
  /** Variables for the executor alone, given with `--executor-env`. */
  readonly executorEnv: Readonly<Record<string, string>>;
  /** Variables for the manager alone, given with `--manager-env`. */
  readonly managerEnv: Readonly<Record<string, string>>;
  /** What the orchestrator's own environment approves. */
  readonly environment: AdmissionEnvironment;
  /** End blocked after the gates, whatever they say. */
  readonly simulateBlocked: boolean;
  /** How programs are to be held. */
  readonly sandbox: SandboxLevel;
  /** Limit for each process; it replaces the configured ones. */
  readonly timeoutMs: number | undefined;
}

/** Where the trusted branch is read: in the checkout, on GitHub, or in what another job read there. */
export type TrustSource =
  | { readonly kind: "checkout" }
  | {
      readonly kind: "api";
      readonly repositoryId: number | undefined;
      /** True when a person asked for this very plan. */
      readonly byPerson: boolean;
      /** Who or what asked, in words. */
      readonly askedBy: string;
      /** Who started the workflow run, and who started it again. */
      readonly askers: readonly Starter[];
    }
  | { readonly kind: "preflight"; readonly document: Preflight };

/** Everything the stages of one run share: values, and the ports they act through. */
export interface RunContext {
  readonly ports: Ports;
  readonly recorder: Recorder;
  readonly plan: Plan;
  readonly config: Config;
  /** Where the configuration stands in the repository; protected also when there is none. */
  readonly configPath: string;
  readonly rules: ItemRules;
  readonly settings: Settings;
}

/** What it takes to start programs of a plan: the part of a run's context that a rerun of its commands has too. */
export interface ProgramContext {
  readonly ports: Pick<Ports, "processes" | "environments" | "preparer" | "files" | "interrupt" | "progress">;
  readonly recorder: { readonly state: Pick<RunState, "runId" | "sandbox" | "executions"> };
  readonly plan: Plan;
  readonly config: Config;
  readonly settings: Pick<Settings, "timeoutMs">;
}

/** The item's part of the plan. */
export function planItem(context: RunContext, itemId: string): PlanItem {
  const item = context.plan.items.find((candidate) => candidate.item_id === itemId);
  if (item === undefined) throw new Error(`the plan has no item ${itemId}`);
  return item;
}

/** The time limit of a process in milliseconds: the option's, else the configured minutes. */
export function limitMs(context: Pick<ProgramContext, "settings">, configuredMinutes: number): number {
  return context.settings.timeoutMs ?? Math.round(configuredMinutes * 60_000);
}

/** The item's state as the journal now folds to. */
export function itemState(context: RunContext, itemId: string): ItemState {
  const state = context.recorder.state.items.find((item) => item.itemId === itemId);
  if (state === undefined) throw new Error(`the run has no item ${itemId}`);
  return state;
}
