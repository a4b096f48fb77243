import { demandsFix } from "../../domain/audit-report.ts";
import type { RunReport } from "../../domain/report.ts";
import { html, NOTHING, type Html } from "./html.ts";
import { code, leftOut, line, list, pill, prose, spaced, type Tone } from "./words.ts";

type Finding = RunReport["audit"]["items"][number]["rounds"][number]["findings"][number];

/** Findings of a round that are shown in full, and texts and paths of one. */
const FINDINGS_MAX = 60;
const EVIDENCE_MAX = 8;
const PATHS_MAX = 20;

export function severityTone(finding: Pick<Finding, "severity" | "is_blocking">): Tone {
  if (demandsFix(finding)) return "bad";
  return finding.severity === "medium" ? "wait" : "plain";
}

/** What was found in a round, worst first, with what was decided about each. */
export function renderFindings(findings: readonly Finding[]): Html {
  if (findings.length === 0) return NOTHING;
  const rest = findings.length - FINDINGS_MAX;
  return html`<h4>Findings</h4>
    ${findings.slice(0, FINDINGS_MAX).map(renderFinding)}${rest > 0 ? leftOut(`${rest} more findings`) : NOTHING}`;
}

function renderFinding(finding: Finding): Html {
  const found = finding.sources.map((source) =>
    source.kind === "lane" ? source.lane : `the orchestrator (${source.reason_code})`,
  );
  const reason = finding.disposition_reason === "" ? "" : `: ${finding.disposition_reason}`;
  return html`<article class="finding ${severityTone(finding)}">
    <h5>
      ${pill(`${finding.severity}${finding.is_blocking ? ", blocking" : ""}`, severityTone(finding))}
      ${line(finding.title)}
    </h5>
    <p class="muted">
      ${spaced(finding.category)}, found by ${line(found.join(", "))} with ${finding.confidence} confidence. Decided by
      ${finding.decided_by}: ${spaced(finding.disposition)}${line(reason)}
    </p>
    ${finding.file_paths.length === 0 ? NOTHING : html`<p class="paths">${finding.file_paths.slice(0, PATHS_MAX).map((path) => html`${code(path)} `)}</p>`}
    ${prose(finding.why_it_matters)}${
      finding.recommended_action === ""
        ? NOTHING
        : html`<p class="prose"><b>To do:</b> ${line(finding.recommended_action)}</p>`
    }${list(
      finding.evidence.slice(0, EVIDENCE_MAX).map((text) => html`<code>${line(text)}</code>`),
      "evidence",
    )}
  </article> `;
}
