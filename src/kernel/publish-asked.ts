import type { RunStop } from "../domain/run-stop.ts";
import type { RunContext } from "./run-context.ts";

/**
 * Publishes what closure delivers, or a candidate that waits for a person, when the run is to be delivered to GitHub.
 * Most are not: what it takes is loaded then.
 */
export async function publishAsked(
  context: RunContext,
  what: "publishClosed" | "publishWaiting",
): Promise<RunStop | undefined> {
  if (context.settings.deliver !== "pull-request") return undefined;
  const publishing = await import("./publish/publish-open-run.ts");
  return publishing[what](context);
}
