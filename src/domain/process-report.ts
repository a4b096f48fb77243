import { z } from "zod";
import type { NetworkUse } from "./network-hosts.ts";

export const processEndingSchema = z
  .discriminatedUnion("kind", [
    z.strictObject({ kind: z.literal("exited"), exit_code: z.int() }),
    z.strictObject({ kind: z.literal("signalled"), signal: z.string() }),
    z.strictObject({ kind: z.literal("timed_out"), timeout_ms: z.number() }),
    z.strictObject({ kind: z.literal("spawn_failed"), message: z.string() }),
    z.strictObject({ kind: z.literal("output_limit"), output_bytes_max: z.number() }),
    z.strictObject({ kind: z.literal("process_limit"), processes_max: z.int() }),
    z.strictObject({ kind: z.literal("cancelled") }),
  ])
  .meta({ id: "process_ending" });
/** Why a process is no longer running: exactly one reason. */
export type ProcessEnding = z.infer<typeof processEndingSchema>;

/** What the orchestrator itself saw of a process. */
export interface ProcessReport {
  readonly ending: ProcessEnding;
  /** ISO time in UTC. */
  readonly startedAt: string;
  readonly durationMs: number;
  /** Processes of this one's making that were still alive after it had ended by itself; they have been killed. */
  readonly survivors: readonly { readonly pid: number; readonly command: string }[];
  /** What it asked the proxy for; empty where there is none. */
  readonly network: readonly NetworkUse[];
  /** Times that it said nothing for as long as was asked about. */
  readonly stalls?: number;
  readonly stdoutBytes: number;
  readonly stderrBytes: number;
}
