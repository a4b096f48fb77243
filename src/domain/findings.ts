import { lastAttempt, type AttemptState, type CandidateState, type ItemState } from "./item.ts";
import { mergedFindingsOf } from "./item-decide.ts";
import type { MergedFinding } from "./merged-findings.ts";
import { applyTriage } from "./triage.ts";

/** Something that the orchestrator found wrong with a candidate, and the next session is to mend. */
export interface Finding {
  readonly source: "scope" | "verification" | "no_change" | "red_green" | "audit";
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
  if (failures.length > 0) return failures.map((text) => at("verification", text));
  if (candidate.redGreenGap !== undefined && candidate.redGreenGap !== "")
    return [at("red_green", candidate.redGreenGap)];
  return openAuditFindings(candidate).map((finding) => at("audit", describeFinding(finding)));
}

/** What triage left to be mended. */
function openAuditFindings(candidate: CandidateState): readonly MergedFinding[] {
  const findings = mergedFindingsOf(candidate);
  const { dispositions } = applyTriage(findings, candidate.triage);
  const open = new Set(dispositions.filter((each) => each.disposition === "actionable").map((each) => each.finding_id));
  return findings.filter((finding) => open.has(finding.id));
}

function describeFinding(finding: MergedFinding): string {
  const where = finding.file_paths.length === 0 ? "" : ` in ${finding.file_paths.join(", ")}`;
  return `${finding.severity} ${finding.category}${where}: ${finding.title}. ${finding.why_it_matters} ${finding.recommended_action}`.trim();
}
