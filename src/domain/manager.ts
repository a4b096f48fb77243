import type { EventDetails } from "./journal.ts";
import type { ReasonCode } from "./reason-codes.ts";
import { describeEnding } from "./verification.ts";

/** What the manager's run came to. */
export type ManagerOutcome =
  | { readonly kind: "passed" }
  | { readonly kind: "timeout" }
  | { readonly kind: "cancelled" }
  | { readonly kind: "failed"; readonly reasonCode: ReasonCode; readonly message: string };

/**
 * Decides what the manager's run meant, from what was seen of it: like an executor it may change no git metadata and
 * leave nothing running, and each expected artifact must be written anew. Reason codes: PREPARE_FAILED, GIT_TAMPERED,
 * PROCESS_SURVIVED, SPAWN_FAILED, OUTPUT_LIMIT, EXIT_NONZERO, ARTIFACT_MALFORMED, ARTIFACT_MISSING.
 */
export function decideManagerOutcome(details: EventDetails<"manager_finished">): ManagerOutcome {
  const { ending, tamper, survivors } = details;
  const fail = (reasonCode: ReasonCode, message: string): ManagerOutcome => ({ kind: "failed", reasonCode, message });
  if (tamper.length > 0) return fail("GIT_TAMPERED", `the manager: ${tamper.map(({ detail }) => detail).join("; ")}`);
  if (survivors.length > 0) return fail("PROCESS_SURVIVED", "the manager left processes running; they were ended");
  const last = ending ?? details.prepare_ending;
  if (last?.kind === "timed_out") return { kind: "timeout" };
  if (last?.kind === "cancelled") return { kind: "cancelled" };
  if (ending === null) return fail("PREPARE_FAILED", "the worktree of the manager could not be prepared");
  if (ending.kind === "spawn_failed") return fail("SPAWN_FAILED", `the manager: ${describeEnding(ending)}`);
  if (ending.kind === "output_limit") return fail("OUTPUT_LIMIT", `the manager: ${describeEnding(ending)}`);
  if (ending.kind !== "exited" || ending.exit_code !== 0) {
    return fail("EXIT_NONZERO", `the manager: ${describeEnding(ending)}`);
  }
  const execution = details.executions.find(({ purpose }) => purpose === "manager");
  if (execution === undefined) return fail("SPAWN_FAILED", "no program was started as manager");
  const { malformed_artifacts: malformed, missing_artifacts: missing } = execution;
  if (malformed.length > 0)
    return fail("ARTIFACT_MALFORMED", `the manager: not JSON, or too large: ${malformed.join(", ")}`);
  if (missing.length > 0) return fail("ARTIFACT_MISSING", `the manager: not written anew: ${missing.join(", ")}`);
  return { kind: "passed" };
}
