import type { GateDecision } from "../domain/gates.ts";
import { showText } from "../domain/visible-text.ts";

/** Renders the gates of a commit as a tree: the verdict, each gate, and below it each reason. */
export function renderGateTree(head: string, decisions: readonly GateDecision[]): string {
  const closed = decisions.filter(({ passed }) => !passed);
  const verdict =
    closed.length === 0
      ? `done: all three gates pass for ${head}`
      : `blocked: ${closed.map(({ gate }) => gate).join(", ")} for ${head}`;
  const gates = decisions.flatMap(({ gate, passed, signal, reason_code: code, detail }) => [
    `  ${passed ? "passed" : "closed"}  ${gate}: ${signal}${code === null ? "" : ` (${code})`}`,
    ...detail.split("; ").map((reason) => `          ${reason}`),
  ]);
  return [verdict, ...gates].map((line) => showText(line)).join("\n");
}
