/**
 * What runs of ours inside a sandbox, built as a file of its own that needs nothing else: the way to the proxy, and the
 * program that tries what must not work. It is trusted with nothing: it has no more than the program it starts.
 */
import { spawn } from "node:child_process";
import { connect, createServer } from "node:net";
import { constants } from "node:os";
import { runProbes, type ProbeTargets } from "./probes.ts";

const [mode, ...rest] = process.argv.slice(2);
if (mode === "forward") forward(rest);
else if (mode === "probe") await probe(rest[0] ?? "{}");

/** Gives a program a port of its loopback that leads to the proxy's socket, and ends as it ends. */
function forward([socketPath = "", port = "", program = "", ...args]: readonly string[]): void {
  // Meant for the program; it leads to our end, too.
  for (const signal of ["SIGTERM", "SIGINT", "SIGHUP"] as const) process.on(signal, () => undefined);
  const server = createServer((client) => {
    const proxy = connect(socketPath);
    for (const [one, other] of [
      [client, proxy],
      [proxy, client],
    ] as const) {
      one.on("error", () => other.destroy());
      one.on("close", () => other.destroy());
      one.pipe(other);
    }
  });
  server.on("error", (fault) => fail(fault.message));
  server.listen(Number(port), "127.0.0.1", () => {
    const child = spawn(program, args, { stdio: "inherit" });
    child.on("error", (fault) => fail(`cannot start ${program}: ${fault.message}`));
    child.on("exit", (code, signal) => {
      process.exit(code ?? 128 + (signal === null ? 0 : constants.signals[signal]));
    });
  });
}

function fail(message: string): void {
  process.stderr.write(`conveyor-inside: ${message}\n`);
  process.exit(126);
}

/** Tries everything and prints what it saw as one line of JSON. */
async function probe(targets: string): Promise<void> {
  const results = await runProbes(JSON.parse(targets) as ProbeTargets, process.env);
  process.stdout.write(`${JSON.stringify(results)}\n`);
}
