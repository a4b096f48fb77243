import { resolve } from "node:path";
import { openWorkplace } from "../compose/workplace.ts";
import { world } from "../compose/world.ts";
import type { Config } from "../domain/config.ts";
import { type ParsedPlan, parsePlan } from "../domain/parse-plan.ts";
import { surroundingsOf } from "../domain/validation-commands.ts";
import { refuse } from "./answer.ts";
import { readCheckoutConfig } from "./checkout-config.ts";
import type { Io } from "./io.ts";

/** Reads a plan as it stands on disk, for looking at it; or the exit code of the refusal. */
export async function readCheckoutPlan(io: Io, path: string): Promise<(ParsedPlan & { config: Config }) | number> {
  const bytes = world.readLocalFile(resolve(io.cwd, path));
  if (bytes === undefined) return refuse(io, "USAGE", `cannot read ${path}`);
  const opened = await openWorkplace(io.cwd, io.env);
  const root = opened.ok ? opened.value.places.root : undefined;
  const inside = root === undefined ? undefined : world.toRepositoryPath(root, io.cwd, path);
  const { config } = readCheckoutConfig(root);
  return { ...parsePlan({ path: inside ?? path, bytes, ...surroundingsOf(config) }), config };
}
