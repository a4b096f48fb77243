import { Command, type CommanderError, InvalidArgumentError, Option } from "commander";
import { EXIT } from "../domain/run-stop.ts";
import { COST_USD_MAX, DELIVERIES, MINUTES_PER_RUN_MAX, MODES, SANDBOX_LEVELS } from "../domain/run-choices.ts";
import { CI_SIGNALS, GATE_SOURCES, POLICY_SIGNALS, REVIEW_SIGNALS } from "../domain/signals.ts";
import { addAliases, addOldOptions } from "./aliases.ts";
import type { Io, Terminal } from "./io.ts";
import { collect, example, formatOption, packSha256Option, RUN, type Act } from "./shared-options.ts";
import { addPlansCommand } from "./plans-commands.ts";
import { addInitCommand } from "./init-command.ts";
import { addUpkeepCommands } from "./upkeep-commands.ts";

/** The command line was not understood, or was help: the parser has said so already. */
export class UsageError extends Error {
  readonly exitCode: number;
  constructor(exitCode: number) {
    super("usage");
    this.exitCode = exitCode;
  }
}

/**
 * Builds the whole command line. `begin` is given what was asked for. Each command loads its own module when it is
 * asked for: nobody waits for the code of the others.
 */
export function buildProgram(
  terminal: Terminal,
  begin: (command: (io: Io) => Promise<number>) => Promise<void>,
): Command {
  const program = new Command("conveyor")
    .description("Runs approved plans with coding agents, unattended, and lets nothing through that is not proven.")
    .version(terminal.version, "--version")
    .showHelpAfterError("(conveyor --help lists commands and options)")
    .addHelpText("after", example("conveyor run docs/exec-plans/active/add-login.md"))
    .configureOutput({ writeOut: (text) => terminal.out(text), writeErr: (text) => terminal.note(text) });
  exitAsUsage(program);
  const act: Act =
    (load) =>
    (...args) =>
      begin(async (io) => (await load())(io, ...args));

  program
    .command("demo")
    .summary("runs a real plan through every stage in a temporary repository")
    .description(
      "Makes a small repository in a temporary folder and runs a real plan in it with scripted programs. No network, no keys.",
    )
    .option("--keep <dir>", "make the repository here and keep it")
    .option("--quiet", "print the verdict alone")
    .addHelpText("after", example("conveyor demo --keep ./conveyor-demo"))
    .action(act(async () => (await import("./commands/demo.ts")).demo));
  addInitCommand(program, act);
  addPlanCommands(program, act);
  addRunCommands(program, act);
  addGateCommands(program, act);
  addRefreshCommand(program, act);
  addReadingCommands(program, act);
  addPackCommand(program, act);
  addUpkeepCommands(program, act);
  addOldOptions(program);
  addAliases(program, act);
  for (const command of [...program.commands, ...program.commands.flatMap((each) => each.commands)])
    exitAsUsage(command);
  return program;
}

function addPlanCommands(program: Command, act: Act): void {
  addPlansCommand(program, act);
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
    .action(act(async () => (await import("./commands/items.ts")).listItems));
  items
    .command("show")
    .argument("<plan>", "path of a plan file")
    .argument("<item>", "id of an item")
    .summary("shows one item with all its fields")
    .addOption(formatOption())
    .addHelpText("after", example("conveyor items show docs/exec-plans/active/add-login.md 01"))
    .action(act(async () => (await import("./commands/items.ts")).showItem));
}

function addRunCommands(program: Command, act: Act): void {
  const runCommand = program
    .command("run")
    .argument("[plan]", "path of a committed plan file")
    .usage("[options] <plan>")
    .summary("runs one plan from the start")
    .description("Runs one plan: each item in its own worktree, verified by the orchestrator itself.")
    .option(
      "--item <id>",
      "start this item alone, repeatable; when all named passed and others remain, the run seals with 75",
      collect,
    )
    .option("--output-dir <dir>", "the run folder (default .conveyor/runs/<RUN_ID>)")
    .option(
      "--config <file>",
      "configuration from disk instead of .github/conveyor.yml of the commit; recorded as authority local",
    )
    .option("--allow-dirty", "run although tracked files have uncommitted changes; they are not part of the run")
    .option("--dry-run", "print what would be run and the most calls it can start; no process is started")
    .option("--executor-bin <program>", "the executor, in place of the configured one")
    .option("--executor-arg <word>", "an argument for --executor-bin, repeatable", collect)
    .option("--executor-expected-artifact <path>", "a file the executor must write anew, repeatable", collect)
    .option("--manager-bin <program>", "the program that plans, in place of the configured one")
    .option("--manager-arg <word>", "an argument for --manager-bin, repeatable", collect)
    .option("--manager-expected-artifact <path>", "a file the manager must write anew, repeatable", collect);
  addInvocationOptions(runCommand)
    .addHelpText(
      "after",
      example(
        "conveyor run docs/exec-plans/active/add-login.md --policy-status allow --ci-status success --review-status approved",
      ),
    )
    .action(act(async () => (await import("./commands/run.ts")).run));
  addInvocationOptions(
    program
      .command("resume")
      .argument("[run]", `${RUN}; the latest run that is not done when left out`)
      .summary("goes on with a run from its journal")
      .description("Goes on with a run from its journal. Nothing done is run again, nothing unproven is skipped.")
      .option(
        "--evidence-dir <dir>",
        "evidence for items that wait for it: DIR/<item>/, or all of DIR for the one that waits",
      )
      .option("--new-attempt <item>", "give an item that was escalated, blocked or stopped a new attempt")
      .option("--output-dir <dir>", "the run folder to make of a packed folder (default .conveyor/runs/<RUN_ID>)")
      .addOption(packSha256Option()),
  )
    .addHelpText("after", example("conveyor resume --ci-status success --policy-status allow --review-status approved"))
    .action(act(async () => (await import("./commands/resume.ts")).resume));
}

function addRefreshCommand(program: Command, act: Act): void {
  program
    .command("refresh")
    .argument("<run>", RUN)
    .summary("moves the base of a stopped run forward")
    .description(
      "Moves the base of a stopped run forward, to a commit with the same plan and policy; what passed stays where it is.",
    )
    .requiredOption("--onto <ref>", "the commit to build on; it descends from the base")
    .addHelpText("after", example("conveyor refresh RUN_20260325T120000Z_deadbeef --onto main"))
    .action(act(async () => (await import("./commands/refresh.ts")).refresh));
}

/** Options that belong to an invocation: a resume brings its own. */
function addInvocationOptions(command: Command): Command {
  return command
    .option("--checkpoint-path <file>", "a second copy of the checkpoint")
    .addOption(
      new Option(
        "--gates <source>",
        "inputs: the three options below (default); github: GitHub is asked, with the token in GITHUB_TOKEN",
      ).choices(GATE_SOURCES),
    )
    .addOption(
      new Option("--policy-status <signal>", "what policy says of the head (default unknown)").choices(POLICY_SIGNALS),
    )
    .addOption(new Option("--ci-status <signal>", "what CI says of the head (default missing)").choices(CI_SIGNALS))
    .addOption(
      new Option("--review-status <signal>", "what review says of the head (default missing)").choices(REVIEW_SIGNALS),
    )
    .option("--preflight <file>", "what another job read on GitHub before; it replaces approvals of the environment")
    .option("--preflight-sha256 <hex>", "SHA-256 of that file, as that job told it")
    .addOption(
      new Option(
        "--deliver <what>",
        "branch: the run branch appears in this repository (default); pull-request: on GitHub too, with GITHUB_TOKEN",
      ).choices(DELIVERIES),
    )
    .option("--timeout-ms <n>", "time limit for each process", parsePositive)
    .option(
      "--max-minutes <n>",
      "seal and hand off (exit 75) before so many minutes have gone by (default limits.minutes-per-run)",
      parseMinutes,
    )
    .option(
      "--max-cost-usd <n>",
      "start no further session of an agent when so much is known to be spent (default limits.cost-usd-per-run)",
      parseUsd,
    )
    .option(
      "--executor-env <name=value>",
      "a variable for the executor, repeatable; the value is never written",
      collect,
    )
    .option("--manager-env <name=value>", "a variable for the manager, repeatable; the value is never written", collect)
    .addOption(
      new Option("--mode <mode>", "how much the run may do by itself; full needs ORCH_ALLOW_FULL_AUTONOMY=1").choices(
        MODES,
      ),
    )
    .addOption(sandboxOption())
    .option("--simulate-blocked", "after the gates end blocked with BLOCK_SIMULATED, whatever they say")
    .option("--quiet", "no progress")
    .addOption(formatOption());
}

function addGateCommands(program: Command, act: Act): void {
  const gates = program
    .command("gate")
    .summary("decides on a manual gate")
    .description("Records a person's decision on a manual gate.")
    .addHelpText("after", example("conveyor gate approve RUN_20260325T120000Z_deadbeef 02 --by Ada --note tried"));
  for (const [verb, decision, what] of [
    ["approve", "approved", "lets the item pass with the very commit that was audited"],
    ["reject", "rejected", "stops the item until the gate is reopened"],
    ["reopen", "reopened", "takes a rejection back"],
  ] as const) {
    gates
      .command(verb)
      .argument("<run>", RUN)
      .argument("<item>", "id of an item")
      .summary(what)
      .requiredOption("--by <name>", "who decides")
      .requiredOption("--note <text>", "why")
      .option("--evidence <file>", "a file that supports it, repeatable", collect)
      .addHelpText(
        "after",
        example(`conveyor gate ${verb} RUN_20260325T120000Z_deadbeef 02 --by Ada --note "read and tried"`),
      )
      .action(act(async () => (await import("./commands/gate.ts")).gate(decision)));
  }
}

function addReadingCommands(program: Command, act: Act): void {
  const runArgument = ["[run]", `${RUN}; the latest run when left out`] as const;
  program
    .command("status")
    .argument(...runArgument)
    .summary("shows the saved state of a run")
    .description("Shows the saved state of a run; never claims more than was saved.")
    .option("--all", "every run of the checkout, one a line; an unreadable one is exit 1")
    .option("--exit-code", "0 done or running, 3 waiting for somebody, 1 failed, 124 timeout")
    .addOption(formatOption())
    .addHelpText("after", example("conveyor status --exit-code"))
    .action(act(async () => (await import("./commands/status.ts")).status));
  program
    .command("report")
    .argument(...runArgument)
    .summary("renders the run report")
    .option("--markdown", "Markdown instead of JSON")
    .option("--html <file>", "write the page to a new file instead")
    .addHelpText("after", example("conveyor report --html report.html"))
    .action(act(async () => (await import("./commands/report.ts")).printReport));
  program
    .command("verify")
    .argument(...runArgument)
    .summary("re-derives every state and decision of a run, offline")
    .description(
      "Re-derives every state and decision from journal, files and commits. Exit 1 on any mismatch, which it names. With --rerun the checks are run again too, on the newest commit that was verified: exit 1 when one fails, 124 when one takes too long.",
    )
    .option("--rerun", "run every required and validation command again, in a fresh checkout; needs no key")
    .option("--output <file>", "with --rerun: a new file for its report (rerun.schema.json)")
    .addOption(sandboxOption())
    .option("--timeout-ms <n>", "with --rerun: time limit for each process", parsePositive)
    .addOption(packSha256Option())
    .option("--quiet", "no progress")
    .addOption(formatOption())
    .addHelpText("after", example("conveyor verify ./handed-on --rerun --output rerun.json"))
    .action(act(async () => (await import("./commands/verify.ts")).verify));
}

function addPackCommand(program: Command, act: Act): void {
  program
    .command("pack")
    .argument("<run>", `${RUN}; the latest run when left out`)
    .argument("[dir]", "the folder to make, new or empty")
    .usage("[options] [run] <dir>")
    .summary("writes what a stopped run hands on")
    .description(
      "Writes what a stopped run hands on into a folder: the reports, SHA256SUMS, and run.tar with everything else, commits included. Every command but doctor takes that folder as RUN, in any clone of the repository.",
    )
    .option(
      "--max-bytes <n>",
      "how large it may be (default 500 MiB); logs are left out and listed before that",
      parsePositive,
    )
    .addOption(formatOption())
    .addHelpText("after", example("conveyor pack RUN_20260325T120000Z_deadbeef ./handed-on"))
    .action(act(async () => (await import("./commands/pack.ts")).pack));
}

function parsePositive(value: string): number {
  const number = Number(value);
  if (!Number.isSafeInteger(number) || number < 1)
    throw new InvalidArgumentError("expected a whole number above 0, for example 60000.");
  return number;
}

function parseMinutes(value: string): number {
  const number = Number(value);
  if (value.trim() === "" || !(number > 0) || number > MINUTES_PER_RUN_MAX)
    throw new InvalidArgumentError(`expected minutes above 0, at most ${MINUTES_PER_RUN_MAX}, for example 50.`);
  return number;
}

function parseUsd(value: string): number {
  const number = Number(value);
  if (value.trim() === "" || !(number > 0) || number > COST_USD_MAX)
    throw new InvalidArgumentError(`expected US dollars above 0, at most ${COST_USD_MAX}, for example 2.50.`);
  return number;
}

/** Wrong usage is exit 2; help and version are not wrong. */
function exitAsUsage(command: Command): void {
  command.exitOverride((fault: CommanderError) => {
    throw new UsageError(fault.exitCode === 0 ? EXIT.done : EXIT.usage);
  });
}

function sandboxOption(): Option {
  return new Option(
    "--sandbox <level>",
    "auto: the strongest tier this machine proves; required: refuse without one; off: tier 1, never less",
  ).choices(SANDBOX_LEVELS);
}
