import { buildWish } from "../domain/config.ts";
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
  const facts = await ports.sandbox.probe(settings.sandbox);
  const wish = buildWish(config.sandbox, settings.sandbox);
  recorder.record("sandbox_probed", { wish, facts });
  const { refusal } = decideSandbox(facts, wish);
  return refusal === undefined ? undefined : failStage(context, stage, "SANDBOX_UNAVAILABLE", refusal);
}
