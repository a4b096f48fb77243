import { styleText } from "node:util";
import { world } from "../compose.ts";
import { EXIT, exitCodeFor } from "../domain/run-stop.ts";
import { tameRunnerCommands } from "../render/runner-commands.ts";
import { NothingBegunError, type Io } from "./io.ts";
import { buildProgram, UsageError } from "./program.ts";
import manifest from "../../package.json" with { type: "json" };

const interrupt = new AbortController();
for (const signal of ["SIGINT", "SIGTERM"] as const) {
  // A second signal finds the run already sealing; the orchestrator outlives both, or the seal would be half done.
  process.on(signal, () => interrupt.abort(signal));
}

const watched = process.stderr.isTTY;
const io: Io = {
  cwd: process.cwd(),
  env: world.shieldSearchPath(process.env, process.cwd()),
  version: manifest.version,
  out: (text) => print(process.stdout, text),
  note: (text) => print(process.stderr, text),
  watched,
  style: (format, text) => styleText(format, text, { stream: process.stderr, validateStream: true }),
  interrupt: interrupt.signal,
};

// A reader that goes away (`conveyor … | head`) is no reason to die in the middle of a run.
for (const stream of [process.stdout, process.stderr]) stream.on("error", () => undefined);

process.exitCode = await main();

/** In a workflow a runner reads both streams, and plans, paths and programs have a say in what is printed. */
function print(stream: NodeJS.WriteStream, text: string): void {
  stream.write(tameRunnerCommands(text.endsWith("\n") ? text : `${text}\n`));
}

async function main(): Promise<number> {
  if (process.platform === "win32") {
    io.note("conveyor does not run on Windows itself: use it inside WSL");
    return EXIT.usage;
  }
  let exitCode: number = EXIT.done;
  try {
    const program = buildProgram(io, (code) => {
      exitCode = code;
    });
    await program.parseAsync(process.argv);
    return exitCode;
  } catch (fault) {
    if (fault instanceof UsageError) return fault.exitCode;
    if (fault instanceof NothingBegunError) {
      io.note(
        `STATE_WRITE_FAILED ${fault.message}\nNo run was begun; free space or mend permissions, then give the command again`,
      );
      return EXIT.failed;
    }
    const unwritten = world.findStateWriteFault(fault);
    if (unwritten !== undefined) {
      io.note(
        `STATE_WRITE_FAILED ${unwritten.message}\nThe run stopped before claiming anything; free space or mend permissions, then: conveyor resume`,
      );
      return EXIT.failed;
    }
    if (world.isOutsideFault(fault) && interrupt.signal.aborted) {
      io.note(`interrupted: ${fault.message}\nA run that was under way goes on with: conveyor resume`);
      return exitCodeFor({ kind: "interrupted", terminalState: null, signal: String(interrupt.signal.reason) });
    }
    if (world.isOutsideFault(fault)) {
      io.note(`conveyor failed: ${fault.message}\nMend this; a run that was under way goes on with: conveyor resume`);
      return EXIT.failed;
    }
    io.note(`conveyor failed: ${fault instanceof Error ? (fault.stack ?? fault.message) : String(fault)}`);
    return EXIT.failed;
  }
}
