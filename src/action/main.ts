import { parseInputs } from "./inputs.ts";
import { reportFault, reportWrongInputs } from "./refusals.ts";
import { runnerStep } from "./step.ts";
import manifest from "../../package.json" with { type: "json" };

const interrupt = new AbortController();
for (const signal of ["SIGINT", "SIGTERM"] as const) {
  // A second signal finds the run already sealing; the orchestrator outlives both, or the seal would be half done.
  process.on(signal, () => interrupt.abort(signal));
}

process.exitCode = await main();

/** One step: the inputs are checked together before anything else is loaded or looked at. */
async function main(): Promise<number> {
  const inputs = parseInputs(process.env);
  if (!inputs.ok) return reportWrongInputs(runnerStep, inputs.error);
  try {
    const { performCommand } = await import("./perform-command.ts");
    return await performCommand({
      step: runnerStep,
      inputs: inputs.value,
      env: process.env,
      cwd: process.cwd(),
      version: manifest.version,
      interrupt: interrupt.signal,
    });
  } catch (fault) {
    return reportFault(runnerStep, fault);
  }
}
