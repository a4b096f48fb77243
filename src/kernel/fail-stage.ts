import type { ReasonCode } from "../domain/reason-codes.ts";
import type { RunStop } from "../domain/run-stop.ts";
import type { Stage } from "../domain/stages.ts";
import type { RunContext } from "./run-context.ts";

/** Records that a stage failed and why; the run ends failed. */
export function failStage(context: RunContext, stage: Stage, reasonCode: ReasonCode, message: string): RunStop {
  context.recorder.record("stage_failed", { stage, reason_code: reasonCode, message });
  return { kind: "terminal", terminalState: "failed", reasonCodes: [reasonCode] };
}
