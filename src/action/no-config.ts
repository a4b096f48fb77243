import { DEFAULT_CONFIG_PATH } from "../domain/run-choices.ts";

/**
 * What is said when there is no configuration, without which the command line would go on: in a workflow nobody is there
 * who could have meant the defaults, and a file in the wrong place would look like one that is obeyed.
 */
export function sayNoConfig(where: string): string {
  return `config: expected ${DEFAULT_CONFIG_PATH} ${where}, found none; conveyor init writes one, commit it there`;
}
