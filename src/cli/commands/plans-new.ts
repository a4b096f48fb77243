import { join, relative, resolve } from "node:path";
import { openWorkplace } from "../../compose/workplace.ts";
import { world } from "../../compose/world.ts";
import { isInside, normalizePath } from "../../domain/paths.ts";
import { buildStarter, nameStarter, type StarterForm } from "../../domain/plan-starter.ts";
import { EXIT } from "../../domain/run-stop.ts";
import { refuse } from "../answer.ts";
import { readCheckoutConfig } from "../checkout-config.ts";
import type { Io } from "../io.ts";

interface NewOptions {
  readonly form: StarterForm;
  readonly path?: string;
  readonly dryRun?: boolean;
}

/** `conveyor plans new ID|TITLE`: a plan to begin with. Never writes over a file. */
export async function newPlan(io: Io, text: string, options: NewOptions): Promise<number> {
  const name = nameStarter(text);
  if (name === undefined)
    return refuse(io, "USAGE", "expected an id or a title with a letter from A to Z or a digit, for example add-login");
  const opened = await openWorkplace(io.cwd, io.env);
  const root = opened.ok ? opened.value.places.root : undefined;
  if (root === undefined && options.path === undefined)
    return refuse(io, "USAGE", `outside a repository, say where: conveyor plans new ${name.planId} --path plan.md`);
  const { paths } = readCheckoutConfig(root).config;
  const path =
    options.path === undefined
      ? join(root ?? io.cwd, paths.active, `${name.planId}.md`)
      : resolve(io.cwd, options.path);
  const inside = root === undefined ? undefined : world.toRepositoryPath(root, io.cwd, path);
  const isBlueprint = inside !== undefined && isInside(normalizePath(paths.future), inside);
  const starter = buildStarter(options.form, name, isBlueprint ? "draft" : "queued");
  const shown = relative(io.cwd, path);
  if (options.dryRun === true) {
    io.out(starter);
    io.note(`would write ${shown}`);
    return EXIT.done;
  }
  if (world.writeNewFile(path, starter) === "exists")
    return refuse(io, "USAGE", `${shown} is there already; give --path for another file, or remove it yourself`);
  io.note(`wrote ${shown}; next: conveyor plans lint ${shown}`);
  return EXIT.done;
}
