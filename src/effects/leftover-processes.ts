import { setTimeout as sleep } from "node:timers/promises";
import type { ProcessTable } from "./process-list.ts";

/** Rounds of looking and killing, with a pause between them: about two seconds. */
const ROUNDS_MAX = 100;
const PAUSE_MS = 20;

/** Processes that a killed orchestrator left running: those whose HOME lies in a folder of homes. */
export function listLeftovers(table: ProcessTable, homesFolder: string): number[] {
  return table.list().flatMap((entry) => (table.hasHomeBelow(entry.pid, homesFolder) ? [entry.pid] : []));
}

/**
 * Kills what a killed orchestrator left running: programs whose HOME lies in the run's own cache folder. A direct child
 * dies with its parent, its children do not. Gives the number of processes that were met.
 */
export async function killLeftovers(table: ProcessTable, homesFolder: string): Promise<number> {
  const met = new Set<number>();
  for (let round = 0; round < ROUNDS_MAX; round += 1) {
    const left = listLeftovers(table, homesFolder);
    if (left.length === 0) break;
    for (const pid of left) {
      met.add(pid);
      kill(pid);
    }
    await sleep(PAUSE_MS);
  }
  return met.size;
}

function kill(pid: number): void {
  try {
    process.kill(pid, "SIGKILL");
  } catch {
    // It has ended by itself in the meantime.
  }
}
