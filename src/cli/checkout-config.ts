import { join } from "node:path";
import { world } from "../compose/world.ts";
import { defaultConfig, parseConfig, type Config } from "../domain/config.ts";
import { DEFAULT_CONFIG_PATH } from "../domain/run-choices.ts";
import type { LocatedProblem } from "../domain/plan.ts";

/** The configuration of a checkout as it stands on disk, or the defaults: for looking at plans, never for a run. */
export function readCheckoutConfig(root: string | undefined): { config: Config; problems: LocatedProblem[] } {
  const bytes = root === undefined ? undefined : world.readLocalFile(join(root, DEFAULT_CONFIG_PATH));
  if (bytes === undefined) return { config: defaultConfig(), problems: [] };
  const { config, problems } = parseConfig(DEFAULT_CONFIG_PATH, new TextDecoder().decode(bytes));
  return { config: config ?? defaultConfig(), problems };
}
