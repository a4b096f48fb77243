import { markdownTable } from "markdown-table";
import type { AuditSummary } from "../domain/audit-summary.ts";
import type { FindingSource } from "../domain/merged-findings.ts";
import { escapeCell, escapeText } from "./markdown-text.ts";

type Round = AuditSummary["items"][number]["rounds"][number];

/** Renders who looked at what: audits side by side, what they found, what was decided about it, and manual gates. */
export function renderAuditSections(audit: AuditSummary): string[] {
  const rounds = audit.items.flatMap((item) => item.rounds.map((round) => ({ itemId: item.item_id, round })));
  const gates = audit.items.flatMap(({ item_id: itemId, gate }) => (gate === null ? [] : [{ itemId, gate }]));
  const lanes = [...new Set(rounds.flatMap(({ round }) => round.lanes.map(({ lane }) => lane)))].sort();
  return [
    ...(rounds.length === 0
      ? []
      : [
          "## Audits",
          markdownTable([
            ["item", "attempt", "round", "red, green", ...lanes.map(escapeCell), "together", "packet"],
            ...rounds.map(({ itemId, round }) => [
              escapeCell(itemId),
              String(round.attempt),
              String(round.round),
              escapeCell(
                round.red_green === "not_proven" ? `not proven: ${round.red_green_gap}` : (round.red_green ?? ""),
              ),
              ...lanes.map((lane) => sayLane(round, lane)),
              round.outcome,
              round.packet_sha256 ?? "",
            ]),
          ]),
        ]),
    ...findings(rounds),
    ...refusals(rounds),
    ...(gates.length === 0
      ? []
      : [
          "## Manual gates",
          markdownTable([
            ["item", "type", "decision", "by", "authority", "why asked", "note", "evidence", "commit"],
            ...gates.map(({ itemId, gate }) => [
              escapeCell(itemId),
              gate.gate_type,
              gate.decision === "none" ? "open" : gate.decision,
              escapeCell(gate.by),
              gate.authority,
              escapeCell(gate.reason),
              escapeCell(gate.note),
              gate.evidence.map((file) => `${escapeCell(file.path)} ${file.sha256}`).join(", "),
              gate.commit,
            ]),
          ]),
        ]),
  ];
}

function sayLane(round: Round, name: string): string {
  const lane = round.lanes.find((candidate) => candidate.lane === name);
  if (lane === undefined) return "";
  const words = lane.outcome === "findings" ? `${lane.findings} found${lane.blocks ? ", blocks" : ""}` : lane.outcome;
  const tries = lane.failed_answers === 0 ? "" : ` (${lane.failed_answers} answers proved nothing)`;
  return `${words}${lane.why === "" ? "" : `: ${escapeCell(lane.why)}`}${tries}`;
}

function findings(rounds: readonly { itemId: string; round: Round }[]): string[] {
  const rows = rounds.flatMap(({ itemId, round }) =>
    round.findings.map((finding) => [
      escapeCell(itemId),
      String(round.round),
      `${finding.severity}${finding.is_blocking ? ", blocking" : ""}`,
      escapeCell(finding.title),
      escapeCell(finding.sources.map(saySource).join(", ")),
      `${finding.disposition} by ${finding.decided_by}`,
      escapeCell(finding.disposition_reason),
    ]),
  );
  if (rows.length === 0) return [];
  return [
    "## Findings",
    markdownTable([["item", "round", "severity", "what", "found by", "disposition", "why"], ...rows]),
  ];
}

function saySource(source: FindingSource): string {
  return source.kind === "lane" ? source.lane : "the orchestrator";
}

function refusals(rounds: readonly { itemId: string; round: Round }[]): string[] {
  const lines = rounds.flatMap(({ itemId, round }) => {
    const at = `${itemId}, round ${round.round}`;
    return [
      ...(round.triage.answer === "rejected" ? [`${at}: its answer does not count: ${round.triage.why}`] : []),
      ...round.triage.refused.map(({ finding_id, asked, why }) => `${at}: ${asked} for ${finding_id}: ${why}`),
    ];
  });
  return lines.length === 0
    ? []
    : ["### Refused to the triage program", lines.map((line) => `- ${escapeText(line)}`).join("\n")];
}
