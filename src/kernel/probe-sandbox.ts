import type { RunStop } from "../domain/run-stop.ts";
import { decideSandbox } from "../domain/sandbox.ts";
import { startsPrograms, type Stage } from "../domain/stages.ts";
import { failStage } from "./fail-stage.ts";
import type { RunContext } from "./run-context.ts";

/**
 * Finds out, once in an invocation and before any program of the plan is started, what can hold it. Reason code:
 * SANDBOX_UNAVAILABLE, when a tier is required that was not proven.
 */
export async function probeSandbox(context: RunContext, stage: Stage): Promise<RunStop | undefined> {
  const { recorder, ports, config, settings } = context;
  if (recorder.state.sandbox !== undefined || !startsPrograms(stage)) return undefined;
  const level = settings.sandbox;
  const facts = await ports.sandbox.probe(level);
  const wish = {
    level,
    minimum_tier: config.sandbox["minimum-tier"],
    held_keys: config.sandbox.keys.map(({ env }) => env),
  };
  recorder.record("sandbox_probed", { wish, facts });
  const { refusal } = decideSandbox(facts, wish);
  return refusal === undefined ? undefined : failStage(context, stage, "SANDBOX_UNAVAILABLE", refusal);
}
