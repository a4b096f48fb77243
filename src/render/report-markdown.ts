import { markdownTable } from "markdown-table";
import { sayCost, sayTokens, type Cost } from "../domain/cost.ts";
import type { RunReport } from "../domain/report.ts";
import { renderAuditSections } from "./audit-markdown.ts";
import { escapeCell, escapeCode, escapeText } from "./markdown-text.ts";

/** Renders the run report as Markdown: verdict first, then what would unblock it, stages, items, gates. */
export function renderReportMarkdown(report: RunReport): string {
  const parts = [
    `# ${escapeText(report.verdict)}`,
    `Run \`${report.run_id}\` of plan \`${escapeCode(report.plan_id)}\`. ${audited(report)}`,
    ...(report.failure === null ? [] : [`Why: ${escapeText(report.failure)}`]),
    ...nextActions(report),
    "## Items",
    markdownTable([
      ["item", "state", "attempts", "commit", "codes", "what"],
      ...report.items.map((item) => [
        escapeCell(item.item_id),
        item.terminal_state ?? "not settled",
        String(item.attempts.length),
        item.commit === null ? "" : item.commit,
        item.reason_codes.join(", "),
        escapeCell(item.action),
      ]),
    ]),
    ...report.items.flatMap(itemTrouble),
    ...renderAuditSections(report.audit),
    "## Policy",
    policy(report),
    "## Gates",
    report.gate_decisions.length === 0
      ? "Not evaluated: the run stopped before them."
      : markdownTable([
          ["gate", "passed", "signal", "code", "detail"],
          ...report.gate_decisions.map((gate) => [
            gate.gate,
            gate.passed ? "yes" : "no",
            gate.signal,
            gate.reason_code ?? "",
            gate.detail,
          ]),
        ]),
    ...cost(report),
    "## Programs",
    programs(report),
    "## Where from, where to",
    markdownTable([
      ["what", "value"],
      ["base", report.base_commit],
      ["head", report.head_sha],
      ["branch", `${escapeCell(report.branch)}${report.delivered ? "" : " (not delivered)"}`],
      ["plan digest", report.digests.plan_sha256],
      ["policy digest", `${report.digests.policy_sha256} (${report.digests.config_authority})`],
      ["journal head", `${report.journal_head} (event ${report.journal_seq})`],
      ...Object.entries(report.versions).map(([name, version]) => [name, version]),
    ]),
    ...(report.warnings.length === 0 ? [] : ["## Warnings", ...report.warnings.map((text) => `- ${escapeText(text)}`)]),
  ];
  return `${parts.join("\n\n")}\n`;
}

/** Why the run was allowed to go on, or was not: every reason of its risk, and every approval that was given. */
function policy({ mode, policy: decided }: RunReport): string {
  if (decided === null) return `Mode ${mode}. Not decided: the run stopped before.`;
  const { risk, approvals, refusals } = decided;
  return [
    `- ${decided.decision}, in ${mode} mode, at ${risk.tier} risk`,
    ...risk.reasons.map(({ tier, text }) => `- ${tier}: ${escapeText(text)}`),
    ...approvals.map(
      ({ tier, authority, approver, counts, refused_by: refusedBy }) =>
        `- ${tier} risk was approved by ${approver === null ? `the ${authority}, which names nobody` : `${escapeText(approver)} (${authority})`}${counts ? "" : `; it does not count: ${refusedBy.join(", ")}`}`,
    ),
    ...refusals.map(({ code, text }) => `- refused, ${code}: ${escapeText(text)}`),
  ].join("\n");
}

/** What the reader may rely on: who looked at how much of it. */
function audited({ audit }: RunReport): string {
  if (audit.status === "not_audited") return "No independent auditor has judged it: **not audited**.";
  const lanes = audit.items.flatMap((item) => item.rounds.flatMap((round) => round.lanes.map(({ lane }) => lane)));
  return `Independent auditors (${[...new Set(lanes)].join(", ")}) judged ${audit.items_audited} of ${audit.items.length} items.`;
}

function nextActions(report: RunReport): string[] {
  if (report.next_actions.length === 0) return [];
  const lines = report.next_actions.map((action) =>
    action.command === null
      ? `- ${escapeText(action.what)}`
      : `- ${escapeText(action.what)} \`${escapeCode(action.command)}\``,
  );
  return ["## What would unblock it", lines.join("\n")];
}

function itemTrouble(item: RunReport["items"][number]): string[] {
  const lines = item.attempts.flatMap((attempt) =>
    attempt.candidates.flatMap((candidate) => [
      ...candidate.violations.map(
        ({ code, path, detail }) => `attempt ${attempt.attempt}, round ${candidate.round}: ${code} ${path}: ${detail}`,
      ),
      ...candidate.failures.map((failure) => `attempt ${attempt.attempt}, round ${candidate.round}: ${failure}`),
    ]),
  );
  return lines.length === 0
    ? []
    : [`### Found in ${escapeText(item.item_id)}`, lines.map((line) => `- ${escapeText(line)}`).join("\n")];
}

/** What the agents of each item and lane cost; a run without agents says nothing of it. */
function cost({ cost: { total, items, lanes, limit_usd: limit } }: RunReport): string[] {
  if (total.sessions === 0) return [];
  const row = (what: string, part: Cost): string[] => [what, String(part.sessions), sayCost(part), sayTokens(part)];
  return [
    "## Cost",
    `${limit === null ? "Without a limit" : `Limit $${limit}`}: ${sayCost(total)}.`,
    markdownTable([
      ["of", "sessions", "cost", "tokens"],
      ...items.map((item) => row(escapeCell(`item ${item.item_id}`), item)),
      ...lanes.map((lane) => row(escapeCell(lane.lane), lane)),
      row("all", total),
    ]),
  ];
}

function programs(report: RunReport): string {
  const ran = report.stage_executions;
  if (ran.length === 0) return "None was started.";
  return markdownTable([
    ["stage", "what for", "item", "command", "status", "exit", "ms"],
    ...ran.map((execution) => [
      execution.stage,
      execution.purpose,
      escapeCell(execution.item_id ?? ""),
      escapeCell([execution.command, ...execution.args].join(" ").slice(0, 160)),
      execution.status,
      execution.exit_code === null ? "" : String(execution.exit_code),
      String(execution.duration_ms),
    ]),
  ]);
}
