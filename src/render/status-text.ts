import type { NextAction } from "../domain/next-actions.ts";
import { showText } from "../domain/visible-text.ts";

/** What `conveyor status` shows. */
export interface StatusFacts {
  readonly run_id: string;
  readonly run_dir: string;
  readonly verdict: string;
  readonly held_by: string | null;
  readonly items: readonly {
    readonly id: string;
    readonly terminal_state: string | null;
    readonly attempts: number;
    readonly reason_codes: readonly string[];
    /** The manual gate that was asked for, if one was. */
    readonly gate: { readonly gate_type: string; readonly decision: string; readonly by: string } | null;
  }[];
  readonly branch: string;
  readonly head_sha: string;
  readonly next_actions: readonly NextAction[];
}

/** Renders the saved state of one run among many as a line. */
export function renderStatusLine({ run_id: id, verdict, held_by: holder }: StatusFacts): string {
  return `${id}  ${verdict}${holder === null ? "" : `, held by ${holder}`}\n`;
}

/** Renders the saved state of a run as lines for a terminal. */
export function renderStatus(facts: StatusFacts): string {
  const width = Math.max(...facts.items.map((item) => item.id.length));
  const held = facts.held_by === null ? [] : [`held    by ${facts.held_by}`];
  const items = facts.items.map((item) => {
    const codes = item.reason_codes.length === 0 ? "" : ` ${item.reason_codes.join(", ")}`;
    const attempts = `${item.attempts} attempt${item.attempts === 1 ? "" : "s"}`;
    return `  ${item.id.padEnd(width)}  ${item.terminal_state ?? (item.attempts > 0 ? "begun" : "waiting")}, ${attempts}${codes}${sayGate(item.gate)}`;
  });
  const actions = facts.next_actions.flatMap((action) => [
    `next    ${action.what}`,
    ...(action.command === null ? [] : [`        ${action.command}`]),
  ]);
  return [
    `${facts.run_id}  ${facts.verdict}`,
    ...held,
    ...items,
    `branch  ${facts.branch} at ${facts.head_sha}`,
    `run     ${facts.run_dir}`,
    ...actions,
  ]
    .join("\n")
    .concat("\n");
}

function sayGate(gate: StatusFacts["items"][number]["gate"]): string {
  if (gate === null) return "";
  return gate.decision === "none"
    ? `, gate ${gate.gate_type} open`
    : `, gate ${gate.gate_type} ${gate.decision} by ${showText(gate.by)}`;
}
