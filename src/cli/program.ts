import { Command, type CommanderError, InvalidArgumentError, Option } from "commander";
import { CI_SIGNALS, POLICY_SIGNALS, REVIEW_SIGNALS } from "../domain/gates.ts";
import { EXIT } from "../domain/run-stop.ts";
import { demo } from "./commands/demo.ts";
import { doctor } from "./commands/doctor.ts";
import { listItems, showItem } from "./commands/items.ts";
import { lintPlans } from "./commands/plans-lint.ts";
import { printReport } from "./commands/report.ts";
import { resume } from "./commands/resume.ts";
import { run } from "./commands/run.ts";
import { status } from "./commands/status.ts";
import { verify } from "./commands/verify.ts";
import type { Io } from "./io.ts";

/** The command line was not understood, or was help: the parser has said so already. */
export class UsageError extends Error {
  readonly exitCode: number;
  constructor(exitCode: number) {
    super("usage");
    this.exitCode = exitCode;
  }
}

/** Builds the whole command line; `end` receives the exit code of the command that ran. */
export function buildProgram(io: Io, end: (exitCode: number) => void): Command {
  const program = new Command("conveyor")
    .description("Runs approved plans with coding agents, unattended, and lets nothing through that is not proven.")
    .version(io.version, "--version")
    .showHelpAfterError("(conveyor --help lists commands and options)")
    .addHelpText("after", example("conveyor run docs/exec-plans/active/add-login.md"))
    .configureOutput({ writeOut: (text) => io.out(text), writeErr: (text) => io.note(text) });
  exitAsUsage(program);
  const act =
    <A extends unknown[]>(command: (io: Io, ...args: A) => Promise<number>) =>
    async (...args: A): Promise<void> =>
      end(await command(io, ...args));

  program
    .command("demo")
    .summary("runs a real plan through every stage in a temporary repository")
    .description(
      "Makes a small repository in a temporary folder and runs a real plan in it with scripted programs. No network, no keys.",
    )
    .option("--keep <dir>", "make the repository here and keep it")
    .option("--quiet", "print the verdict alone")
    .addHelpText("after", example("conveyor demo --keep ./conveyor-demo"))
    .action(act(demo));
  addPlanCommands(program, act);
  addRunCommands(program, act);
  addReadingCommands(program, act);
  for (const command of [...program.commands, ...program.commands.flatMap((each) => each.commands)])
    exitAsUsage(command);
  return program;
}

type Act = <A extends unknown[]>(command: (io: Io, ...args: A) => Promise<number>) => (...args: A) => Promise<void>;

function addPlanCommands(program: Command, act: Act): void {
  const plans = program
    .command("plans")
    .summary("looks at plans")
    .description("Looks at plans; nothing is run.")
    .addHelpText("after", example("conveyor plans lint"));
  plans
    .command("lint")
    .argument("[paths...]", "plan files or folders; the active plans when left out")
    .summary("prints every problem of every plan")
    .description("Prints every problem of every plan, file:line:col CODE message. Exit 2 if any is an error.")
    .addOption(formatOption())
    .addHelpText("after", example("conveyor plans lint docs/exec-plans/active"))
    .action(act(lintPlans));
  const items = program
    .command("items")
    .summary("shows items as the kernel sees them")
    .description("Shows items as the kernel sees them; nothing is run.")
    .addHelpText("after", example("conveyor items list docs/exec-plans/active/add-login.md"));
  items
    .command("list")
    .argument("<plan>", "path of a plan file")
    .summary("lists the items of a plan in the order of work")
    .addOption(formatOption())
    .addHelpText("after", example("conveyor items list docs/exec-plans/active/add-login.md"))
    .action(act(listItems));
  items
    .command("show")
    .argument("<plan>", "path of a plan file")
    .argument("<item>", "id of an item")
    .summary("shows one item with all its fields")
    .addOption(formatOption())
    .addHelpText("after", example("conveyor items show docs/exec-plans/active/add-login.md 01"))
    .action(act(showItem));
}

function addRunCommands(program: Command, act: Act): void {
  const runCommand = program
    .command("run")
    .argument("<plan>", "path of a committed plan file")
    .summary("runs one plan from the start")
    .description("Runs one plan: each item in its own worktree, verified by the orchestrator itself.")
    .option("--item <id...>", "start these items alone; when they passed and others remain, the run seals with 75")
    .option("--output-dir <dir>", "the run folder (default .conveyor/runs/<RUN_ID>)")
    .option(
      "--config <file>",
      "configuration from disk instead of .github/conveyor.yml of the commit; recorded as authority local",
    )
    .option("--allow-dirty", "run although tracked files have uncommitted changes; they are not part of the run")
    .option("--dry-run", "print what would be run and the most calls it can start; no process is started")
    .option("--executor-bin <program>", "the executor, in place of the configured one")
    .option("--executor-arg <word>", "an argument for --executor-bin, repeatable", collect)
    .option("--executor-expected-artifact <path>", "a file the executor must write anew, repeatable", collect);
  addInvocationOptions(runCommand)
    .addHelpText(
      "after",
      example(
        "conveyor run docs/exec-plans/active/add-login.md --policy-status allow --ci-status success --review-status approved",
      ),
    )
    .action(act(run));
  addInvocationOptions(
    program
      .command("resume")
      .argument("[run]", "run id or run folder; the latest run that is not done when left out")
      .summary("goes on with a run from its journal")
      .description("Goes on with a run from its journal. Nothing done is run again, nothing unproven is skipped.")
      .option("--new-attempt <item>", "give an item that was escalated, blocked or stopped a new attempt"),
  )
    .addHelpText("after", example("conveyor resume --ci-status success --policy-status allow --review-status approved"))
    .action(act(resume));
}

/** Options that belong to an invocation: a resume brings its own. */
function addInvocationOptions(command: Command): Command {
  return command
    .option("--checkpoint-path <file>", "a second copy of the checkpoint")
    .addOption(
      new Option("--policy-status <signal>", "what policy says of the head").choices(POLICY_SIGNALS).default("unknown"),
    )
    .addOption(new Option("--ci-status <signal>", "what CI says of the head").choices(CI_SIGNALS).default("missing"))
    .addOption(
      new Option("--review-status <signal>", "what review says of the head").choices(REVIEW_SIGNALS).default("missing"),
    )
    .addOption(
      new Option("--deliver <what>", "branch: the run branch appears in this repository").choices(["none", "branch"]),
    )
    .option("--timeout-ms <n>", "time limit for each process", parsePositive)
    .option(
      "--executor-env <name=value>",
      "a variable for the executor, repeatable; the value is never written",
      collect,
    )
    .option("--quiet", "no progress")
    .addOption(formatOption());
}

function addReadingCommands(program: Command, act: Act): void {
  const runArgument = ["[run]", "run id or run folder; the latest run when left out"] as const;
  program
    .command("status")
    .argument(...runArgument)
    .summary("shows the saved state of a run")
    .description("Shows the saved state of a run; never claims more than was saved.")
    .option("--exit-code", "0 done or running, 3 waiting for somebody, 1 failed, 124 timeout")
    .addOption(formatOption())
    .addHelpText("after", example("conveyor status --exit-code"))
    .action(act(status));
  program
    .command("report")
    .argument(...runArgument)
    .summary("renders the run report")
    .option("--markdown", "Markdown instead of JSON")
    .addHelpText("after", example("conveyor report --markdown"))
    .action(act(printReport));
  program
    .command("verify")
    .argument(...runArgument)
    .summary("re-derives every state and decision of a run, offline")
    .description(
      "Re-derives every state and decision from journal, files and commits. Exit 1 on any mismatch, which it names.",
    )
    .addOption(formatOption())
    .addHelpText("after", example("conveyor verify RUN_20260325T120000Z_deadbeef"))
    .action(act(verify));
  program
    .command("doctor")
    .argument(...runArgument)
    .summary("looks for what would go wrong")
    .description("Looks at environment, configuration, plan and run, and says what would go wrong. Changes nothing.")
    .option("--plan <path>", "look at this plan as well")
    .addOption(formatOption())
    .addHelpText("after", example("conveyor doctor --plan docs/exec-plans/active/add-login.md"))
    .action(act(doctor));
}

function formatOption(): Option {
  return new Option("--format <format>", "output form").choices(["text", "json"]).default("text");
}

function collect(value: string, before: string[] | undefined): string[] {
  return [...(before ?? []), value];
}

function parsePositive(value: string): number {
  const number = Number(value);
  if (!Number.isSafeInteger(number) || number < 1)
    throw new InvalidArgumentError("expected a whole number above 0, for example 60000.");
  return number;
}

function example(command: string): string {
  return `\nExample:\n  ${command}\n`;
}

/** Wrong usage is exit 2; help and version are not wrong. */
function exitAsUsage(command: Command): void {
  command.exitOverride((fault: CommanderError) => {
    throw new UsageError(fault.exitCode === 0 ? EXIT.done : EXIT.usage);
  });
}
