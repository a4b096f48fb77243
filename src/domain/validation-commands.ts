import type { Config } from "./config.ts";
import type { Plan } from "./plan.ts";
import { quoteShellWord } from "./shell-word.ts";

/** The words that have a shell run a command of an approved plan; nothing else of a plan is given to a shell. */
export function inBash(words: string): [string, ...string[]] {
  return ["bash", "--noprofile", "--norc", "-euo", "pipefail", "-c", words];
}

/** What validation runs on the run branch: the plan's own commands, or those of the configuration when it has none. */
export function listValidationCommands(
  plan: Pick<Plan, "metadata">,
  config: Pick<Config, "validation">,
): readonly (readonly [string, ...string[]])[] {
  const own = plan.metadata?.validation;
  return own?.map(inBash) ?? config.validation.commands.map((words) => words as [string, ...string[]]);
}

/** What of a configuration the meaning of a plan depends on. */
export function surroundingsOf(config: Pick<Config, "paths" | "validation">): {
  forbiddenRoots: string[];
  validationCommands: string[];
} {
  return {
    forbiddenRoots: Object.values(config.paths),
    validationCommands: config.validation.commands.map((words) => words.map(quoteShellWord).join(" ")),
  };
}
