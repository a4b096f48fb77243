import { markdownTable } from "markdown-table";
import type { RunReport } from "../domain/report.ts";
import { renderAuditSections } from "./audit-markdown.ts";
import { escapeCell, escapeCode, escapeText } from "./markdown-text.ts";
import { listNextActions, sayCosts, sayWhoAudited, tableGates } from "./report-parts.ts";

/** Renders the run report as Markdown: verdict first, then what would unblock it, stages, items, gates. */
export function renderReportMarkdown(report: RunReport): string {
  const parts = [
    `# ${escapeText(report.verdict)}`,
    `Run \`${report.run_id}\` of plan \`${escapeCode(report.plan_id)}\`. ${sayWhoAudited(report)}`,
    ...(report.failure === null ? [] : [`Why: ${escapeText(report.failure)}`]),
    ...withHeading("## What would unblock it", report.next_actions.length === 0 ? [] : [listNextActions(report)]),
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
    "## Sandbox",
    ...sandbox(report),
    "## Gates",
    tableGates(report),
    ...withHeading("## Cost", sayCosts(report)),
    ...secrets(report),
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
      ({ tier, authority, approver, counts, self_approved: self, refused_by: refusedBy }) =>
        `- ${tier} risk was approved by ${approver === null ? `the ${authority}, which names nobody` : `${escapeText(approver)} (${authority}${self ? ", self-approved" : ""})`}${counts ? "" : `; it does not count: ${refusedBy.join(", ")}`}`,
    ),
    ...refusals.map(({ code, text }) => `- refused, ${code}: ${escapeText(text)}`),
  ].join("\n");
}

/** What held the programs, layer by layer, and whom they asked for on the network. */
function sandbox({ sandbox: held, stage_executions: programs }: RunReport): string[] {
  if (held === null) return ["Not probed: no program was started."];
  const probes = held.facts.trial.kind === "ran" ? held.facts.trial.probes : [];
  const asked = programs.flatMap((program) => program.network.map((use) => ({ ...use, purpose: program.purpose })));
  return [
    `Tier ${held.tier} (level ${held.level}, minimum tier ${held.minimum_tier}): ${escapeText(held.why)}.`,
    markdownTable([
      ["layer", "strength", "what that means"],
      ...held.layers.map(({ layer, strength, detail }) => [layer, strength, escapeCell(detail)]),
    ]),
    ...(probes.length === 0
      ? []
      : [
          "A program inside tried each of these when the run started:",
          markdownTable([
            ["probe", "outcome", "seen"],
            ...probes.map(({ probe, outcome, detail }) => [probe, outcome, escapeCell(detail)]),
          ]),
        ]),
    ...(asked.length === 0
      ? []
      : [
          "Programs asked the proxy for:",
          markdownTable([
            ["host", "for", "allowed", "requests", "bytes sent", "bytes received"],
            ...asked.map((use) => [
              escapeCell(`${use.host}:${use.port}`),
              use.purpose,
              use.allowed ? "yes" : "no",
              String(use.requests),
              String(use.sent_bytes),
              String(use.received_bytes),
            ]),
          ]),
        ]),
  ];
}

function withHeading(heading: string, parts: readonly string[]): readonly string[] {
  return parts.length === 0 ? [] : [heading, ...parts];
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

const LEFT: Readonly<Record<RunReport["redactions"]["left"][number]["why"], string>> = {
  short: "its value is too short",
  ordinary: "its value is like any other word or number",
  published: "its value stands in the plan or the configuration",
};

/** What was taken out, by the names of variables; and what looks like a secret and was left. */
function secrets({ redactions: { count, names, left } }: RunReport): string[] {
  if (names.length + left.length === 0) return [];
  const known = names.length === 0 ? "" : ` of ${names.map(escapeText).join(", ")}`;
  return [
    "## Secrets",
    [
      `- ${count} place${count === 1 ? "" : "s"} where a value${known} stood ${count === 1 ? "is" : "are"} redacted`,
      ...left.map(({ name, why }) => `- ${escapeText(name)} is not redacted: ${LEFT[why]}`),
    ].join("\n"),
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
