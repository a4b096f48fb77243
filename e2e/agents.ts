import { mkdirSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { installAgents, readVersion } from "./install.ts";
import { play, SCENARIOS } from "./scenarios.ts";

/**
 * Proves the adapters with the real agents: installs both outside of the project and runs plans against a scripted
 * model server on loopback, with keys that are none. `CONVEYOR_E2E_AGENTS` names a folder that keeps the installation;
 * an argument chooses the scenarios whose names hold it.
 */
async function main(): Promise<void> {
  const kept = process.env["CONVEYOR_E2E_AGENTS"];
  const folder = kept ?? mkdtempSync(join(tmpdir(), "conveyor-agents-"));
  const failed: string[] = [];
  try {
    const bin = installAgents(folder);
    const home = join(folder, "home");
    mkdirSync(home, { recursive: true });
    console.log(`codex ${readVersion(bin, "codex", home)}, claude ${readVersion(bin, "claude", home)}`);
    const wanted = process.argv[2] ?? "";
    for (const scenario of SCENARIOS.filter(({ name }) => name.includes(wanted))) {
      const started = performance.now();
      try {
        const seen = await play(bin, scenario);
        console.log(`ok    ${scenario.name}: ${seen}, ${Math.round(performance.now() - started)} ms`);
      } catch (fault) {
        failed.push(scenario.name);
        console.error(`FAIL  ${scenario.name}:`, fault);
      }
    }
  } finally {
    if (kept === undefined) rmSync(folder, { recursive: true, force: true });
  }
  console.log(failed.length === 0 ? "all as it should be" : `${failed.length} failed: ${failed.join("; ")}`);
  process.exitCode = failed.length === 0 ? 0 : 1;
}

await main();
