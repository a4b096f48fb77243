import { z } from "zod";
import type { CommandRun } from "./item.ts";
import { describeEnding, hasSucceeded } from "./verification.ts";

export const commandReportSchema = z
  .strictObject({
    command: z.string(),
    passed: z.boolean(),
    /** How it ended, in words. */
    outcome: z.string(),
    /** Its output, relative to the run folder; the name of what it wrote to stderr differs in that word. */
    log: z.string(),
  })
  .meta({ id: "command_report" });
/** A command of the plan as it ran in a clean worktree. */
export type CommandReport = z.infer<typeof commandReportSchema>;

/** Says how a command ended. */
export function reportCommand({ command, ending, log }: CommandRun): CommandReport {
  return { command, passed: hasSucceeded(ending), outcome: describeEnding(ending), log };
}
