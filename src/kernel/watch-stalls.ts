import type { StageExecution } from "../domain/journal.ts";
import type { ProcessRequest } from "../ports/programs.ts";
import type { ProgramContext } from "./run-context.ts";

/**
 * Has people told when a program says nothing for `limits.stall-minutes`. It is no verdict: slow work goes on until its
 * own time limit, and only the report tells afterwards that it was quiet.
 */
export function watchStalls(
  { ports, config }: Pick<ProgramContext, "ports" | "config">,
  itemId: string | null,
  purpose: StageExecution["purpose"],
): Pick<ProcessRequest, "stallMs" | "onStall"> {
  const minutes = config.limits["stall-minutes"];
  return {
    stallMs: minutes * 60_000,
    onStall: () => ports.progress({ kind: "stall", itemId, purpose, minutes }),
  };
}
