import { sumCost } from "../domain/cost.ts";
import type { RunState } from "../domain/run.ts";
import { REPORT_JSON } from "../domain/artifact-names.ts";
import type { HandedArtifact } from "./upload-run.ts";

/** What a run says to later steps, by the names of `action.yml`. A number that nobody knows whole is empty. */
export function buildRunOutputs(state: RunState, runFolder: string): Record<string, string> {
  const cost = sumCost(state.executions, state.openSessions);
  const known = (value: number, unknown: number): string => (unknown > 0 ? "" : String(value));
  return {
    "terminal-state": state.stop?.terminalState ?? "",
    "run-id": state.runId,
    "plan-id": state.planId,
    "blocked-reason-codes": JSON.stringify(state.stop?.reasonCodes ?? []),
    handoff: String(state.stop?.kind === "handoff"),
    "report-path": `${runFolder}/${REPORT_JSON}`,
    "checkpoint-path": `${runFolder}/orchestrator_checkpoint.json`,
    branch: state.created.run_branch,
    "head-sha": state.tip,
    "cost-usd": known(cost.known_usd, cost.unknown_cost),
    "tokens-in": known(cost.tokens_in, cost.unknown_tokens),
    "tokens-out": known(cost.tokens_out, cost.unknown_tokens),
  };
}

/** What an upload says to later steps. */
export function buildArtifactOutputs({ id, url, digest, packSha256 }: HandedArtifact): Record<string, string> {
  return {
    "artifact-id": String(id),
    "artifact-url": url,
    "artifact-digest": digest,
    "pack-sha256": packSha256,
  };
}
