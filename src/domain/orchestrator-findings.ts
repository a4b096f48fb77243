import type { AuditFinding } from "./audit-report.ts";
import type { ReasonCode } from "./reason-codes.ts";
import type { ScopeViolation } from "./scope.ts";
import { describeEnding, hasSucceeded, type VerificationFacts } from "./verification.ts";
import { showText } from "./visible-text.ts";

/** What the orchestrator looks at itself. */
export const CHECKS = ["prepare", "required_command", "artifact", "scope", "verification_surface"] as const;

/** Something that the orchestrator itself saw. No program can set it aside. */
export interface OrchestratorFinding extends Readonly<Omit<AuditFinding, "id" | "confidence">> {
  readonly check: (typeof CHECKS)[number];
  /** What the item ends with when this is never mended. */
  readonly reason_code: ReasonCode;
}

/**
 * Builds the findings of a verification, one for each thing for which `judgeVerification` says that it failed: the
 * preparation, a required command, a required artifact. Reason code: VERIFICATION_FAILED.
 */
export function findingsOfVerification(facts: VerificationFacts): OrchestratorFinding[] {
  const { prepare_ending: prepare } = facts;
  return [
    ...(prepare === null
      ? []
      : [failed("prepare", "process", "the preparation of the candidate failed", [], [describeEnding(prepare)])]),
    ...facts.prepare_tracked_changes.map((path) =>
      failed("prepare", "process", "the preparation changed a tracked file", [showText(path)], []),
    ),
    ...facts.commands
      .filter(({ required, ending }) => required && !hasSucceeded(ending))
      .map(({ command, ending }) =>
        failed(
          "required_command",
          "correctness",
          `required command failed: ${showText(command)}`,
          [],
          [describeEnding(ending)],
        ),
      ),
    ...facts.artifacts
      .filter(({ status }) => status !== "present")
      .map(({ path, status }) => failed("artifact", "artifact", `required artifact ${status}`, [showText(path)], [])),
  ];
}

/** Builds the findings of a candidate that scope refused. Reason codes: those of the violations. */
export function findingsOfScope(violations: readonly ScopeViolation[]): OrchestratorFinding[] {
  return violations.map(({ code, path, detail }) => ({
    check: "scope",
    reason_code: code,
    title: showText(`${code}: ${detail}`),
    severity: "high",
    category: "scope",
    file_paths: [showText(path)],
    evidence: [],
    why_it_matters: "A candidate that leaves its scope is not used.",
    recommended_action: "Undo this change, or do the item without it.",
    is_blocking: true,
  }));
}

function failed(
  check: OrchestratorFinding["check"],
  category: OrchestratorFinding["category"],
  title: string,
  file_paths: string[],
  evidence: string[],
): OrchestratorFinding {
  return {
    check,
    reason_code: "VERIFICATION_FAILED",
    title,
    severity: "high",
    category,
    file_paths,
    evidence,
    why_it_matters: "An item passes only when everything the plan requires was seen to hold.",
    recommended_action: "Make it hold; the orchestrator looks again in the next round.",
    is_blocking: true,
  };
}
