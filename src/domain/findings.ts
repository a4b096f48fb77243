import { lastAttempt, type AttemptState, type ItemState } from "./item.ts";

/** Something that the orchestrator found wrong with a candidate, and the next session is to mend. */
export interface Finding {
  readonly source: "scope" | "verification" | "no_change";
  readonly round: number;
  readonly text: string;
}

/**
 * Builds the findings that the next session is told: those of the newest candidate that was judged, of this attempt or
 * of the one before. Empty for a first session.
 */
export function buildFindings(item: ItemState): Finding[] {
  const current = lastAttempt(item);
  if (current === undefined) return [];
  if (current.candidates.length > 0) return findingsOf(current);
  const before = item.attempts.at(-2);
  return before === undefined || before.ended === "superseded" ? [] : findingsOf(before);
}

function findingsOf(attempt: AttemptState): Finding[] {
  const candidate = attempt.candidates.at(-1);
  if (candidate === undefined) return [];
  const at = (source: Finding["source"], text: string): Finding => ({ source, round: candidate.round, text });
  if (candidate.violations.length > 0) {
    return candidate.violations.map(({ code, path, detail }) =>
      at("scope", `${code} ${JSON.stringify(path)}: ${detail}`),
    );
  }
  if (candidate.commit === null) return [at("no_change", "the session before changed no file")];
  const failures = candidate.verdict?.kind === "failed" ? candidate.verdict.failures : [];
  return failures.map((text) => at("verification", text));
}
