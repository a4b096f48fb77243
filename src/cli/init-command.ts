import { type Command, Option } from "commander";
import { STARTER_PROFILES } from "../domain/starter-files.ts";
import { STARTER_AGENTS } from "../domain/starter-workflow.ts";
import { type Act, example } from "./shared-options.ts";

/** The command that sets a repository up. */
export function addInitCommand(program: Command, act: Act): void {
  program
    .command("init")
    .summary("sets a repository up: configuration, workflow, a first plan")
    .description(
      "Writes a configuration, a workflow that calls the reusable one, a first plan of low risk and a blueprint. Everything is shown before it is written, and no file is written over without --force.",
    )
    .option("--dir <dir>", "the repository (default: the one around the current folder)")
    .addOption(
      new Option("--profile <who>", "solo: you maintain it alone; team: others review your work").choices(
        STARTER_PROFILES,
      ),
    )
    .addOption(
      new Option("--agents <which>", "the coding agents that work and judge").choices(STARTER_AGENTS).default("both"),
    )
    .option(
      "--uses <owner/name@commit>",
      "where the reusable workflow lies (default: the clone that this program runs from)",
    )
    .option("--yes", "write without asking")
    .option("--force", "write over files that are there")
    .addHelpText("after", example("conveyor init --profile solo --yes"))
    .action(act(async () => (await import("./commands/init.ts")).init));
}
