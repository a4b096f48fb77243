import type { Command } from "commander";
import { collect, example, formatOption, type Act } from "./shared-options.ts";

/** Adds the commands that look after runs: what is wrong, what happened, what can go. */
export function addUpkeepCommands(program: Command, act: Act): void {
  program
    .command("doctor")
    .argument("[run]", "run id or run folder; the latest run when left out")
    .summary("looks for what would go wrong")
    .description(
      "Looks at environment, configuration, plan and run, and says what would go wrong. Changes nothing without --fix-safe.",
    )
    .option("--plan <path>", "look at this plan as well")
    .option("--fix-safe", "repair of the run what is marked safe, and nothing while anything of it is unsafe")
    .addOption(formatOption())
    .addHelpText("after", example("conveyor doctor --plan docs/exec-plans/active/add-login.md"))
    .action(act(async () => (await import("./commands/doctor.ts")).doctor));
  program
    .command("audit")
    .summary("shows what happened in every run, and how every plan stands")
    .description(
      "Shows the events of every run of the checkout, oldest run first, and how every plan of the configured folders stands. Exit 1 when a journal cannot be believed to its end.",
    )
    .option("--since <time>", "events from this time on, for example 2026-03-25 or 2026-03-25T12:00 (UTC)")
    .addOption(formatOption("output form; json is one object a line"))
    .addHelpText("after", example("conveyor audit --since 2026-03-25"))
    .action(act(async () => (await import("./commands/audit.ts")).audit));
  const approvals = program
    .command("approvals")
    .summary("explains approvals")
    .description("Explains what makes an approval on GitHub count; nothing is asked of GitHub.")
    .addHelpText("after", example("conveyor approvals explain facts.json"));
  approvals
    .command("explain")
    .argument("<facts>", "file of facts, as approval-facts.schema.json describes it")
    .summary("prints the approvals that count, or every rule that refuses one")
    .description(
      "Decides about the approvals of a pull request from a file of facts. Exit 0 when it is approved or needs no approval, 3 when not.",
    )
    .addOption(formatOption())
    .addHelpText("after", example("conveyor approvals explain facts.json --format json"))
    .action(act(async () => (await import("./commands/approvals.ts")).explainApprovals));
  program
    .command("prune")
    .summary("removes runs, caches and refs that nothing needs")
    .description(
      "Removes runs that are done or can never be gone on with, caches without a run, and pins of base commits. Keeps what is running, waits or can be resumed, unless it is given up by name. Branches are left alone.",
    )
    .option("--older-than <age>", "what ended this long ago, for example 14d or 12h", "14d")
    .option("--dry-run", "print what would be removed, and remove nothing")
    .option("--give-up <run-id>", "remove this run too, whatever it waits for, repeatable", collect)
    .addOption(formatOption())
    .addHelpText("after", example("conveyor prune --older-than 30d --dry-run"))
    .action(act(async () => (await import("./commands/prune.ts")).prune));
}
