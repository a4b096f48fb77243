import { type Command, Option } from "commander";
import { STARTER_FORMS } from "../domain/plan-starter.ts";
import { LINT_FORMATS } from "./io.ts";
import { type Act, example, formatOption } from "./shared-options.ts";

/** The commands that look at plans, and the one that writes a new one. */
export function addPlansCommand(program: Command, act: Act): void {
  const plans = program
    .command("plans")
    .summary("looks at plans, writes a new one")
    .description("Looks at plans, writes a new one; nothing is run.")
    .addHelpText("after", example("conveyor plans lint"));
  plans
    .command("lint")
    .argument("[paths...]", "plan files or folders; the active plans when left out")
    .summary("prints every problem of every plan")
    .description("Prints every problem of every plan, file:line:col CODE message. Exit 2 if any is an error.")
    .addOption(
      new Option("--format <format>", "output form; sarif is what code scanning reads")
        .choices(LINT_FORMATS)
        .default("text"),
    )
    .addHelpText("after", example("conveyor plans lint docs/exec-plans/active"))
    .action(act(async () => (await import("./commands/plans-lint.ts")).lintPlans));
  plans
    .command("show")
    .argument("<plan>", "path of a plan file")
    .summary("shows a plan as the kernel sees it, with its risk")
    .description(
      "Shows a plan as the kernel sees it: what it says of itself, its form, its risk with every reason, its items.",
    )
    .addOption(formatOption())
    .addHelpText("after", example("conveyor plans show docs/exec-plans/active/add-login.md"))
    .action(act(async () => (await import("./commands/plans-show.ts")).showPlan));
  plans
    .command("new")
    .argument("<name>", "id or title of the plan")
    .summary("writes a plan to begin with")
    .description("Writes a plan to begin with, among the active plans unless told otherwise. Never writes over a file.")
    .addOption(
      new Option("--form <form>", "yaml: front matter; table: an item table; metadata: a plan that is one item")
        .choices(STARTER_FORMS)
        .default("yaml"),
    )
    .option("--path <file>", "the file to write")
    .option("--dry-run", "print the plan; nothing is written")
    .addHelpText("after", example("conveyor plans new rotate-session-keys"))
    .action(act(async () => (await import("./commands/plans-new.ts")).newPlan));
}
