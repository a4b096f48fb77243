import { z } from "zod";
import type { AgentFailure } from "./agent.ts";
import { parseJsonBytes } from "./json-bytes.ts";
import type { ProcessEnding } from "./process-report.ts";
import type { ReasonCode } from "./reason-codes.ts";
import { assertNever } from "./result.ts";

export const PAYLOAD_STATUSES = ["completed", "handoff_required", "blocked", "failed"] as const;

export const executorPayloadSchema = z.discriminatedUnion("kind", [
  z.strictObject({ kind: z.literal("absent") }),
  z.strictObject({ kind: z.literal("malformed"), message: z.string() }),
  z.strictObject({
    kind: z.literal("read"),
    /** Null when the payload does not say one. */
    status: z.enum(PAYLOAD_STATUSES).nullable(),
    summary: z.string(),
    context_remaining: z.number().nullable(),
    reason: z.string(),
  }),
]);
/** What stands at `ORCH_RESULT_PATH` after a session. It is a claim: it can stop an item, it never passes one. */
export type ExecutorPayload = z.infer<typeof executorPayloadSchema>;

/** A payload may say only how much context is left; a status that is there must be one of ours. */
const writtenPayload = z.looseObject({
  status: z.enum(PAYLOAD_STATUSES).nullable().default(null),
  summary: z.string().default(""),
  contextRemaining: z.number().nullable().default(null),
  reason: z.string().default(""),
});

/** The largest payload that is read, in bytes. */
export const PAYLOAD_BYTES_MAX = 65_536;

/** Parses the executor's optional payload; `undefined` bytes mean that it wrote none (source document 000). */
export function parsePayload(bytes: Uint8Array | undefined): ExecutorPayload {
  if (bytes === undefined) return { kind: "absent" };
  if (bytes.length > PAYLOAD_BYTES_MAX) {
    return { kind: "malformed", message: `expected at most ${PAYLOAD_BYTES_MAX} bytes, found ${bytes.length}` };
  }
  const json = parseJsonBytes(bytes);
  if (!json.ok) return { kind: "malformed", message: json.error };
  const parsed = writtenPayload.safeParse(json.value);
  if (!parsed.success) {
    const issue = parsed.error.issues[0];
    return { kind: "malformed", message: `${issue?.path.join(".") ?? ""}: ${issue?.message ?? "not a payload"}` };
  }
  const { status, summary, contextRemaining, reason } = parsed.data;
  return { kind: "read", status, summary, context_remaining: contextRemaining, reason };
}

/** What a session meant for its item. */
export type ExecutorOutcome =
  | { readonly kind: "finished" }
  | { readonly kind: "handoff" }
  | { readonly kind: "blocked" }
  | { readonly kind: "failed"; readonly reasonCode: ReasonCode }
  | { readonly kind: "timeout" }
  /** Its model was not to be had for now: it is asked again, as an auditor is. */
  | { readonly kind: "engine_failed" }
  /** Ended by a person or a runner, not by itself: the attempt proves nothing. */
  | { readonly kind: "cancelled" };

/** What the table reads. */
export interface ExecutorFacts {
  readonly ending: ProcessEnding;
  readonly payload: ExecutorPayload;
  readonly missingArtifacts: readonly string[];
  readonly malformedArtifacts: readonly string[];
  /** Fewer tokens of context than this left and not completed: the session hands off. */
  readonly contextRemainingFloor: number;
  /** What a coding agent says of its own failure; null for every other program. */
  readonly agentFailure: AgentFailure | null;
}

/**
 * Decides what a session meant; the first row that matches counts (source document 000). Reason codes: SPAWN_FAILED,
 * EXIT_NONZERO, OUTPUT_LIMIT, AGENT_API_FAILED, AGENT_REFUSED, RESULT_MALFORMED, ARTIFACT_MISSING, ARTIFACT_MALFORMED,
 * and ITEM_ESCALATED when the executor itself says that it failed.
 */
export function decideExecutorOutcome(facts: ExecutorFacts): ExecutorOutcome {
  const { ending, payload } = facts;
  if (ending.kind !== "exited") return outcomeOfEnding(ending);
  if (facts.agentFailure !== null) return outcomeOfAgent(facts.agentFailure);
  if (payload.kind === "malformed") return { kind: "failed", reasonCode: "RESULT_MALFORMED" };
  const status = payload.kind === "read" ? payload.status : null;
  if (ending.exit_code === 75 && status !== "failed" && status !== "blocked") return { kind: "handoff" };
  if (ending.exit_code !== 0 && ending.exit_code !== 75) return { kind: "failed", reasonCode: "EXIT_NONZERO" };
  if (status === "failed") return { kind: "failed", reasonCode: "ITEM_ESCALATED" };
  if (status === "blocked") return { kind: "blocked" };
  if (status === "handoff_required") return { kind: "handoff" };
  const context = payload.kind === "read" ? payload.context_remaining : null;
  if (context !== null && context < facts.contextRemainingFloor && status !== "completed") return { kind: "handoff" };
  if (facts.malformedArtifacts.length > 0) return { kind: "failed", reasonCode: "ARTIFACT_MALFORMED" };
  if (facts.missingArtifacts.length > 0) return { kind: "failed", reasonCode: "ARTIFACT_MISSING" };
  return { kind: "finished" };
}

/** An agent that used up its turns, budget or context is gone on with; everything else proves nothing. */
function outcomeOfAgent(failure: AgentFailure): ExecutorOutcome {
  switch (failure) {
    case "exhausted":
      return { kind: "handoff" };
    case "unavailable":
      return { kind: "engine_failed" };
    case "api_failed":
      return { kind: "failed", reasonCode: "AGENT_API_FAILED" };
    case "refused":
      return { kind: "failed", reasonCode: "AGENT_REFUSED" };
    case "no_answer":
      return { kind: "failed", reasonCode: "RESULT_MALFORMED" };
    default:
      return assertNever(failure);
  }
}

function outcomeOfEnding(ending: Exclude<ProcessEnding, { kind: "exited" }>): ExecutorOutcome {
  switch (ending.kind) {
    case "timed_out":
      return { kind: "timeout" };
    case "cancelled":
      return { kind: "cancelled" };
    case "spawn_failed":
      return { kind: "failed", reasonCode: "SPAWN_FAILED" };
    case "output_limit":
      return { kind: "failed", reasonCode: "OUTPUT_LIMIT" };
    case "signalled":
    case "process_limit":
      return { kind: "failed", reasonCode: "EXIT_NONZERO" };
    default:
      return assertNever(ending);
  }
}
