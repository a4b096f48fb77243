import type { RunStop } from "../domain/run-stop.ts";
import { nextItem } from "../domain/run-decide.ts";
import { publishAsked } from "./publish-asked.ts";
import { judgeTrust, readTip } from "./policy-ingestion.ts";
import type { RunContext } from "./run-context.ts";
import { runItem } from "./run-item.ts";

/**
 * Execution: items in the order of work, one after the other, until one does not pass. The trust ref is read again
 * before every item, when it has moved.
 */
export async function executeItems(context: RunContext): Promise<RunStop | undefined> {
  const { recorder } = context;
  let judgedTip = await readTip(context);
  for (;;) {
    const next = nextItem(recorder.state);
    if (next.kind === "stop") return (await publishAsked(context, "publishWaiting")) ?? next.stop;
    if (next.kind === "all_passed") return undefined;
    const tip = await readTip(context);
    if (tip !== judgedTip) {
      const refused = await judgeTrust(context, "execution");
      if (refused !== undefined) return refused;
      judgedTip = tip;
    }
    const stop = await runItem(context, next.itemId);
    if (stop !== undefined) return stop;
  }
}
