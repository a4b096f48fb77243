import type { PlanItem } from "../domain/plan.ts";
import { showText } from "../domain/visible-text.ts";

const ACTION_WIDTH_MAX = 60;
const HEADER = ["ITEM", "PHASE", "AFTER", "GATE", "PROFILE", "ACTION"];

/**
 * Renders the items as an aligned table, one line each, in the order given. Widths count code points: good enough for
 * a terminal, and free of tables of character widths.
 */
export function renderItemsTable(items: readonly PlanItem[]): string {
  const rows = [HEADER, ...items.map(tableRow)];
  const widths = HEADER.map((_, column) => Math.max(...rows.map((row) => lengthOf(row[column] ?? ""))));
  return rows
    .map((row) =>
      row
        .map((cell, column) => padTo(cell, widths[column] ?? 0))
        .join("  ")
        .trimEnd(),
    )
    .map((line) => `${line}\n`)
    .join("");
}

/** Renders one item with all its fields; lists one entry a line. */
export function renderItem(item: PlanItem): string {
  const fields: readonly (readonly [string, string | readonly string[]])[] = [
    ["phase", item.phase],
    ["action", item.action],
    ["why now", item.why_now],
    ["owner", item.owner_type],
    ["exit criteria", item.exit_criteria],
    ["after", item.prerequisites],
    ["write roots", item.write_roots],
    ["surfaces", item.repo_surfaces],
    ["consult", item.consult_paths],
    ["deliverables", item.deliverables],
    ["artifacts", item.required_artifacts],
    ["commands", item.required_commands],
    ["suggested", item.suggested_commands],
    ["red/green", item.requires_red_green ? "yes" : "no"],
    ["profile", item.change_profile],
    ["manual gate", item.manual_gate],
    ["gate reason", item.manual_gate_reason],
    ["gate evidence", item.manual_gate_evidence],
    ["external check", item.external_check],
    ["dependencies", item.external_dependencies],
    ["notes", item.notes],
    ["line", String(item.line)],
  ];
  const width = Math.max(...fields.map(([name]) => name.length));
  const lines = fields.flatMap(([name, value]) => fieldLines(name.padEnd(width), value, width));
  return [`item ${showText(item.item_id)}`, ...lines].map((line) => `${line}\n`).join("");
}

function tableRow(item: PlanItem): string[] {
  const after = item.prerequisites.length === 0 ? "-" : item.prerequisites.join(",");
  const cells = [item.item_id, item.phase, shorten(after), item.manual_gate, item.change_profile, shorten(item.action)];
  return cells.map(showText);
}

function fieldLines(label: string, value: string | readonly string[], width: number): string[] {
  const entries = typeof value === "string" ? [value].filter((text) => text !== "") : value;
  const [first = "-", ...others] = entries.map(showText);
  return [`  ${label}  ${first}`, ...others.map((entry) => `  ${" ".repeat(width)}  ${entry}`)];
}

function shorten(text: string): string {
  const characters = [...text];
  return characters.length > ACTION_WIDTH_MAX ? `${characters.slice(0, ACTION_WIDTH_MAX - 1).join("")}…` : text;
}

function lengthOf(text: string): number {
  return [...text].length;
}

function padTo(text: string, width: number): string {
  return text + " ".repeat(Math.max(0, width - lengthOf(text)));
}
