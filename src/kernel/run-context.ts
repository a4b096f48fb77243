import type { Config } from "../domain/config.ts";
import type { GateSignals } from "../domain/gates.ts";
import type { ItemState } from "../domain/item.ts";
import type { ItemRules } from "../domain/item-rules.ts";
import type { Plan, PlanItem } from "../domain/plan.ts";
import type { AdmissionEnvironment } from "../domain/policy.ts";
import type { SandboxLevel } from "../domain/sandbox.ts";
import type { Ports } from "../ports.ts";
import type { Recorder } from "./recorder.ts";

/** What this invocation was asked for; a resume may bring others than the run was started with. */
export interface Settings {
  readonly signals: GateSignals;
  readonly deliver: "none" | "branch";
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

/** The item's part of the plan. */
export function planItem(context: RunContext, itemId: string): PlanItem {
  const item = context.plan.items.find((candidate) => candidate.item_id === itemId);
  if (item === undefined) throw new Error(`the plan has no item ${itemId}`);
  return item;
}

/** The time limit of a process in milliseconds: the option's, else the configured minutes. */
export function limitMs(context: RunContext, configuredMinutes: number): number {
  return context.settings.timeoutMs ?? Math.round(configuredMinutes * 60_000);
}

/** The item's state as the journal now folds to. */
export function itemState(context: RunContext, itemId: string): ItemState {
  const state = context.recorder.state.items.find((item) => item.itemId === itemId);
  if (state === undefined) throw new Error(`the run has no item ${itemId}`);
  return state;
}
