import { markdownTable } from "markdown-table";
import { sayBudget, sayCost, sayTokens, type Cost } from "../domain/cost.ts";
import type { RunReport } from "../domain/report.ts";
import { escapeCell, escapeCode, escapeText } from "./markdown-text.ts";

/** What the reader may rely on: who looked at how much of it. */
export function sayWhoAudited({ audit }: RunReport): string {
  if (audit.status === "not_audited") return "No independent auditor has judged it: **not audited**.";
  const lanes = audit.items.flatMap((item) => item.rounds.flatMap((round) => round.lanes.map(({ lane }) => lane)));
  return `Independent auditors (${escapeText([...new Set(lanes)].join(", "))}) judged ${audit.items_audited} of ${audit.items.length} items.`;
}

/** The acts that would unblock the run, each with its command, as a list; empty when there is none. */
export function listNextActions(report: RunReport): string {
  return report.next_actions
    .map((action) =>
      action.command === null
        ? `- ${escapeText(action.what)}`
        : `- ${escapeText(action.what)} \`${escapeCode(action.command)}\``,
    )
    .join("\n");
}

/** The three gates as a table, or one sentence when the run stopped before them. */
export function tableGates({ gate_decisions: gates }: RunReport): string {
  if (gates.length === 0) return "Not evaluated: the run stopped before them.";
  return markdownTable([
    ["gate", "passed", "signal", "code", "detail"],
    ...gates.map((gate) => [
      gate.gate,
      gate.passed ? "yes" : "no",
      gate.signal,
      gate.reason_code ?? "",
      escapeCell(gate.detail),
    ]),
  ]);
}

/** What the agents of each item and lane cost; nothing of a run without agents. */
export function sayCosts({ cost: { total, items, lanes, limit_usd: limit } }: RunReport): string[] {
  if (total.sessions === 0) return [];
  const row = (what: string, part: Cost, budget: string): string[] => [
    what,
    String(part.sessions),
    sayCost(part),
    budget,
    sayTokens(part),
  ];
  return [
    `${limit === null ? "Without a limit" : `Limit $${limit}`}: ${sayCost(total)}.`,
    markdownTable([
      ["of", "sessions", "cost", "budget", "tokens"],
      ...items.map((item) => row(escapeCell(`item ${item.item_id}`), item, sayBudget(item.budget_usd, "item"))),
      ...lanes.map((lane) => row(escapeCell(lane.lane), lane, sayBudget(lane.budget_usd, "session"))),
      row("all", total, sayBudget(limit, "item")),
    ]),
  ];
}
