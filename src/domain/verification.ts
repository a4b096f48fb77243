import { z } from "zod";
import type { ProcessEnding } from "./process-report.ts";
import type { SurfaceFacts } from "./verification-surface.ts";

export const artifactCheckSchema = z.strictObject({
  path: z.string(),
  /** `empty` is a file without a byte or a folder without a file; `malformed` a `.json` that does not parse. */
  status: z.enum(["present", "missing", "empty", "malformed"]),
});
/** What was found where an item promises an artifact. */
export type ArtifactCheck = z.infer<typeof artifactCheckSchema>;

/** What the verification of a candidate came to. */
export type VerificationVerdict =
  | { readonly kind: "passed" }
  | { readonly kind: "failed"; readonly failures: readonly string[] }
  /** A command of ours was over its limit: the run stops, the item is not judged. */
  | { readonly kind: "timeout" }
  | { readonly kind: "cancelled" };

/** What the orchestrator captured while it verified a candidate. */
export interface VerificationFacts {
  /** Ending of the preparation when it went wrong; null when it went well. */
  readonly prepare_ending: ProcessEnding | null;
  readonly prepare_tracked_changes: readonly string[];
  readonly commands: readonly {
    readonly command: string;
    readonly required: boolean;
    readonly ending: ProcessEnding;
  }[];
  readonly artifacts: readonly ArtifactCheck[];
  /** What a second run by the base's own checks saw; null when the candidate left them alone. Decides nothing. */
  readonly surface?: SurfaceFacts | null;
}

/**
 * Judges a verification by what the orchestrator captured: every required command exited 0, every required artifact
 * is there with content, preparation went well. Suggested commands never decide.
 */
export function judgeVerification(facts: VerificationFacts): VerificationVerdict {
  const required = facts.commands.filter((command) => command.required);
  const endings = [facts.prepare_ending, ...required.map((command) => command.ending)];
  // A second run that was cut short would leave auditors with half of what there is to know.
  const advisory = [facts.surface?.prepare_ending, ...(facts.surface?.commands ?? []).map(({ ending }) => ending)];
  if ([...endings, ...advisory].some((ending) => ending?.kind === "cancelled")) return { kind: "cancelled" };
  if (endings.some((ending) => ending?.kind === "timed_out")) return { kind: "timeout" };
  const failures = [
    ...(facts.prepare_ending === null ? [] : [`prepare failed: ${describeEnding(facts.prepare_ending)}`]),
    ...facts.prepare_tracked_changes.map((path) => `prepare changed the tracked file ${path}`),
    ...required
      .filter((command) => !hasSucceeded(command.ending))
      .map((command) => `required command failed: ${command.command}: ${describeEnding(command.ending)}`),
    ...facts.artifacts
      .filter((artifact) => artifact.status !== "present")
      .map((artifact) => `required artifact ${artifact.status}: ${artifact.path}`),
  ];
  return failures.length === 0 ? { kind: "passed" } : { kind: "failed", failures };
}

/** Judges plan-level validation: every command exited 0 on the run branch and left git metadata alone. */
export function judgeValidation(facts: {
  readonly prepare_ending: ProcessEnding | null;
  readonly commands: readonly { readonly command: string; readonly ending: ProcessEnding }[];
  /** What the commands did to git metadata. */
  readonly tamper: readonly { readonly detail: string }[];
}): VerificationVerdict {
  if (facts.tamper.length > 0) {
    return { kind: "failed", failures: facts.tamper.map(({ detail }) => `git metadata was changed: ${detail}`) };
  }
  return judgeVerification({
    prepare_ending: facts.prepare_ending,
    prepare_tracked_changes: [],
    commands: facts.commands.map((command) => ({ ...command, required: true })),
    artifacts: [],
  });
}

/** True for exit code 0 and nothing else. */
export function hasSucceeded(ending: ProcessEnding): boolean {
  return ending.kind === "exited" && ending.exit_code === 0;
}

/** Says in words how a process ended, for example `exit code 3`. */
export function describeEnding(ending: ProcessEnding): string {
  switch (ending.kind) {
    case "exited":
      return `exit code ${ending.exit_code}`;
    case "signalled":
      return `ended by ${ending.signal}`;
    case "timed_out":
      return `over its limit of ${ending.timeout_ms} ms`;
    case "spawn_failed":
      return `could not be started: ${ending.message}`;
    case "output_limit":
      return `more than ${ending.output_bytes_max} bytes of output`;
    case "process_limit":
      return `more than ${ending.processes_max} processes`;
    case "cancelled":
      return "cancelled";
  }
}
