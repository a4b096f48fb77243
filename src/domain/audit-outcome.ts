import { demandsFix, type AuditFacts } from "./audit-report.ts";
import type { ProcessEnding } from "./process-report.ts";
import { assertNever } from "./result.ts";
import { describeEnding, hasSucceeded } from "./verification.ts";

/** Independent lanes that must have answered before an item may pass. */
const LANES_MIN = 2;

/** What one lane's answer came to. */
export type LaneOutcome =
  | { readonly kind: "pass" }
  /** `blocks`: at least one of the findings means a fix. */
  | { readonly kind: "findings"; readonly blocks: boolean }
  /** The auditor proved nothing, neither good nor bad. It is asked again, and never waved through. */
  | { readonly kind: "engine_failed"; readonly why: string }
  | { readonly kind: "timeout" }
  | { readonly kind: "cancelled" };

/**
 * Decides what one lane's answer means. `pass` beside a finding that means a fix is findings: the finding counts, the
 * word does not. How the process ended comes first: what a program wrote before it failed is not its answer.
 */
export function decideLaneOutcome({
  ending,
  facts,
}: {
  readonly ending: ProcessEnding;
  readonly facts: AuditFacts;
}): LaneOutcome {
  if (ending.kind === "timed_out") return { kind: "timeout" };
  if (ending.kind === "cancelled") return { kind: "cancelled" };
  if (!hasSucceeded(ending)) return { kind: "engine_failed", why: describeEnding(ending) };
  if (facts.kind === "rejected") return { kind: "engine_failed", why: facts.why };
  const blocks = facts.findings.some(demandsFix);
  switch (facts.verdict) {
    case "pass":
      return blocks ? { kind: "findings", blocks } : { kind: "pass" };
    case "issues_found":
      return facts.findings.length > 0
        ? { kind: "findings", blocks }
        : { kind: "engine_failed", why: "verdict issues_found without a finding" };
    case "blocked":
    case "inconclusive":
      return { kind: "engine_failed", why: `verdict ${facts.verdict} decides nothing` };
    default:
      return assertNever(facts.verdict);
  }
}

/** What all lanes together came to. */
export type AuditOutcome =
  | { readonly kind: "pass" }
  | { readonly kind: "findings" }
  /** One passes, another blocks: decided like findings, and shown side by side. */
  | { readonly kind: "disagree"; readonly passing: readonly string[]; readonly blocking: readonly string[] }
  | { readonly kind: "engine_failed"; readonly failures: readonly { readonly lane: string; readonly why: string }[] }
  | { readonly kind: "timeout" }
  | { readonly kind: "cancelled" };

/**
 * Decides what the lanes of one round came to, from the last answer of each. A lane without an answer outranks what
 * the others said, and fewer than two lanes of different names are no audit at all. Also after `pass` the findings are
 * merged and triaged: a passing lane may have noted something. An engine that failed, after its retries, is
 * AUDIT_ENGINE_FAILED.
 */
export function decideAuditOutcome(
  answers: readonly { readonly lane: string; readonly outcome: LaneOutcome }[],
): AuditOutcome {
  // Lanes run side by side and end in any order; what they came to is written the same way.
  const lanes = answers.toSorted((left, right) => (left.lane < right.lane ? -1 : left.lane > right.lane ? 1 : 0));
  if (lanes.some(({ outcome }) => outcome.kind === "cancelled")) return { kind: "cancelled" };
  if (lanes.some(({ outcome }) => outcome.kind === "timeout")) return { kind: "timeout" };
  const failures = lanes.flatMap(({ lane, outcome }) =>
    outcome.kind === "engine_failed" ? [{ lane, why: outcome.why }] : [],
  );
  if (failures.length > 0) return { kind: "engine_failed", failures };
  const names = new Set(lanes.map(({ lane }) => lane));
  if (names.size < LANES_MIN || names.size < lanes.length) {
    const why = `expected at least ${LANES_MIN} lanes of different names, found ${[...names].join(", ") || "none"}`;
    return { kind: "engine_failed", failures: [{ lane: [...names][0] ?? "", why }] };
  }
  const namesOf = (holds: (outcome: LaneOutcome) => boolean) =>
    lanes.filter(({ outcome }) => holds(outcome)).map(({ lane }) => lane);
  const passing = namesOf((outcome) => outcome.kind === "pass");
  const blocking = namesOf((outcome) => outcome.kind === "findings" && outcome.blocks);
  if (passing.length === lanes.length) return { kind: "pass" };
  return passing.length > 0 && blocking.length > 0 ? { kind: "disagree", passing, blocking } : { kind: "findings" };
}
