import { type Command, Option } from "commander";
import type { GateDecision } from "../domain/manual-gate.ts";
import type { Format, Io } from "./io.ts";
import { collect, formatOption, type Act } from "./shared-options.ts";

/**
 * The command names of source document 003 (*Fastest way to understand the repo*, *Kernel commands*): scripts that were
 * written for it go on working. Each is another way to call the same function, and none is shown by help.
 */
export function addAliases(program: Command, act: Act): void {
  const hidden = (name: string): Command => program.command(name, { hidden: true });
  hidden("list-items")
    .requiredOption("--playbook <plan>", "path of a plan file")
    .addOption(formatOption())
    .action(
      act(async () => {
        const { listItems } = await import("./commands/items.ts");
        return (io: Io, options: { playbook: string; format: Format }) => listItems(io, options.playbook, options);
      }),
    );
  hidden("show-item")
    .requiredOption("--playbook <plan>", "path of a plan file")
    .requiredOption("--item <id>", "id of an item")
    .addOption(formatOption())
    .action(
      act(async () => {
        const { showItem } = await import("./commands/items.ts");
        return (io: Io, options: { playbook: string; item: string; format: Format }) =>
          showItem(io, options.playbook, options.item, options);
      }),
    );
  hidden("mark-manual-gate")
    .requiredOption("--run-id <run>", "run id or run folder")
    .requiredOption("--item <id>", "id of an item")
    .addOption(
      new Option("--decision <decision>", "what was decided")
        .choices(["approved", "rejected", "reopened"] satisfies GateDecision[])
        .makeOptionMandatory(),
    )
    .requiredOption("--by <name>", "who decides")
    .requiredOption("--note <text>", "why")
    .option("--evidence <file>", "a file that supports it, repeatable", collect)
    .action(
      act(async () => {
        const { gate } = await import("./commands/gate.ts");
        return (io: Io, options: MarkOptions) => gate(options.decision)(io, options.runId, options.item, options);
      }),
    );
  hidden("refresh-run")
    .requiredOption("--run-id <run>", "run id or run folder")
    .requiredOption("--onto <ref>", "the commit to build on")
    .action(
      act(async () => {
        const { refresh } = await import("./commands/refresh.ts");
        return (io: Io, options: { runId: string; onto: string }) => refresh(io, options.runId, options);
      }),
    );
}

interface MarkOptions {
  readonly runId: string;
  readonly item: string;
  readonly decision: GateDecision;
  readonly by: string;
  readonly note: string;
  readonly evidence?: readonly string[];
}

/** Commands whose first argument source document 003 gives with an option of its own. */
const OLD_OPTIONS: readonly { readonly option: string; readonly key: string; readonly of: readonly string[] }[] = [
  { option: "--playbook <plan>", key: "playbook", of: ["run"] },
  { option: "--run-id <run>", key: "runId", of: ["resume", "status", "report", "verify", "doctor"] },
];

/** Lets commands take `--playbook` and `--run-id` in place of their argument, and `doctor` a `--playbook`. */
export function addOldOptions(program: Command): void {
  for (const { option, key, of } of OLD_OPTIONS) {
    for (const name of of) {
      const command = find(program, name);
      command.addOption(new Option(option).hideHelp());
      command.hook("preAction", () => {
        const value = command.getOptionValue(key) as string | undefined;
        if (value === undefined) return;
        if (command.processedArgs[0] !== undefined) {
          command.error(`error: expected ${option.split(" ")[0] ?? ""} or the argument, found both`);
        }
        command.processedArgs[0] = value;
      });
    }
  }
  const doctor = find(program, "doctor");
  doctor.addOption(new Option("--playbook <plan>").hideHelp().conflicts("plan"));
  doctor.hook("preAction", () => {
    const plan = doctor.getOptionValue("playbook") as string | undefined;
    if (plan !== undefined) doctor.setOptionValue("plan", plan);
  });
  // Not `<plan>` to the parser, which asks for an argument before it has seen what stands in its place.
  const run = find(program, "run");
  run.hook("preAction", () => {
    if (run.processedArgs[0] === undefined) run.error("error: missing required argument 'plan'");
  });
}

function find(program: Command, name: string): Command {
  const command = program.commands.find((each) => each.name() === name);
  if (command === undefined) throw new Error(`there is no command ${name}`);
  return command;
}
