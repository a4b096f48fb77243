import { styleText } from "node:util";
import { EXIT, exitCodeFor } from "../domain/run-stop.ts";
import { tameRunnerCommands } from "../render/runner-commands.ts";
import { NothingBegunError } from "../domain/nothing-begun.ts";
import type { Io, Terminal } from "./io.ts";
import { buildProgram, UsageError } from "./program.ts";
import manifest from "../../package.json" with { type: "json" };

const interrupt = new AbortController();
for (const signal of ["SIGINT", "SIGTERM"] as const) {
  // A second signal finds the run already sealing; the orchestrator outlives both, or the seal would be half done.
  process.on(signal, () => interrupt.abort(signal));
}

const watched = process.stderr.isTTY;
const endings: (() => Promise<void>)[] = [];
const complaints: string[] = [];
/** Set when a command is found, or before it is said why none was. */
let redactor: Io["redactor"] | undefined;
const terminal: Terminal = {
  version: manifest.version,
  out: (text) => print(process.stdout, text),
  note: (text) => print(process.stderr, text),
};

/** What a command works with; what it takes to make it is loaded with the command. */
async function openIo(): Promise<Io> {
  const { world } = await import("../compose/world.ts");
  redactor = world.createRedactor(process.env);
  return {
    ...terminal,
    cwd: process.cwd(),
    env: world.shieldSearchPath(process.env, process.cwd()),
    watched,
    style: (format, text) => styleText(format, text, { stream: process.stderr, validateStream: true }),
    ask: watched && process.stdin.isTTY ? ask : undefined,
    atEnd: (act) => void endings.push(act),
    interrupt: interrupt.signal,
    redactor,
  };
}

// A reader that goes away (`conveyor … | head`) is no reason to die in the middle of a run.
for (const stream of [process.stdout, process.stderr]) stream.on("error", () => undefined);

process.exitCode = await main();
for (const act of endings.toReversed()) await act();

async function ask(question: string): Promise<string> {
  const { createInterface } = await import("node:readline/promises");
  const terminal = createInterface({ input: process.stdin, output: process.stderr });
  // While it reads, the terminal sends no signal for Ctrl-C; and whoever ends the input says nothing.
  terminal.once("SIGINT", () => interrupt.abort("SIGINT"));
  const ended = new Promise<string>((resolve) => terminal.once("close", () => resolve("")));
  try {
    return await Promise.race([terminal.question(question, { signal: interrupt.signal }), ended]);
  } finally {
    terminal.close();
  }
}

/** In a workflow a runner reads both streams, and plans, paths and programs have a say in what is printed. */
function print(stream: NodeJS.WriteStream, text: string): void {
  const line = text.endsWith("\n") ? text : `${text}\n`;
  stream.write(tameRunnerCommands(redactor?.text(line) ?? line));
}

/** What is wrong with an invocation, which repeats words of it: told when it is known which of them are secret. */
async function complain(exitCode: number): Promise<number> {
  if (complaints.length === 0) return exitCode;
  const { world } = await import("../compose/world.ts");
  redactor = world.createRedactor(process.env);
  for (const text of complaints) terminal.note(text);
  return exitCode;
}

async function main(): Promise<number> {
  if (process.platform === "win32") {
    terminal.note("conveyor does not run on Windows itself: use it inside WSL");
    return EXIT.usage;
  }
  let exitCode: number = EXIT.done;
  try {
    const program = buildProgram({ ...terminal, note: (text) => void complaints.push(text) }, async (command) => {
      exitCode = await command(await openIo());
    });
    await program.parseAsync(process.argv);
    return exitCode;
  } catch (fault) {
    if (fault instanceof UsageError) return await complain(fault.exitCode);
    if (fault instanceof NothingBegunError) {
      terminal.note(
        `STATE_WRITE_FAILED ${fault.message}\nNo run was begun; free space or mend permissions, then give the command again`,
      );
      return EXIT.failed;
    }
    if (interrupt.signal.aborted && fault instanceof Error && fault.name === "AbortError") {
      terminal.note("\ninterrupted before there was an answer; nothing was done");
      return exitCodeFor({ kind: "interrupted", terminalState: null, signal: String(interrupt.signal.reason) });
    }
    const { world } = await import("../compose/world.ts");
    const unwritten = world.findStateWriteFault(fault);
    if (unwritten !== undefined) {
      terminal.note(
        `STATE_WRITE_FAILED ${unwritten.message}\nThe run stopped before claiming anything; free space or mend permissions, then: conveyor resume`,
      );
      return EXIT.failed;
    }
    if (world.isOutsideFault(fault) && interrupt.signal.aborted) {
      terminal.note(`interrupted: ${fault.message}\nA run that was under way goes on with: conveyor resume`);
      return exitCodeFor({ kind: "interrupted", terminalState: null, signal: String(interrupt.signal.reason) });
    }
    if (world.isOutsideFault(fault)) {
      terminal.note(
        `conveyor failed: ${fault.message}\nMend this; a run that was under way goes on with: conveyor resume`,
      );
      return EXIT.failed;
    }
    terminal.note(`conveyor failed: ${fault instanceof Error ? (fault.stack ?? fault.message) : String(fault)}`);
    return EXIT.failed;
  }
}
