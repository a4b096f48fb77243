import { decideBackoffMs } from "../../domain/backoff.ts";
import type { RunContext } from "../run-context.ts";

/**
 * Waits before an agent or lane is asked again that has failed so many times, at most until the run is to end. False when
 * it is: then nothing more is started.
 */
export async function waitToRetry({ ports }: RunContext, failures: number): Promise<boolean> {
  if (failures > 0) await ports.clock.sleep(decideBackoffMs(failures), ports.interrupt);
  return !ports.interrupt.aborted;
}
