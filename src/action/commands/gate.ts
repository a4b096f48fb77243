import { world } from "../../compose/world.ts";
import type { GateDecision } from "../../domain/gates.ts";
import { judgePullRequest } from "../../kernel/github/judge-pull-request.ts";
import { renderGateTree } from "../../render/gate-text.ts";
import { escapeText } from "../../render/markdown-text.ts";
import type { AdmittedCall } from "../call.ts";
import { RED, reportRefusals } from "../refusals.ts";

/**
 * `command: gate`: the three gates of a pull request from GitHub alone, without the App. Green when all are open, and
 * only then: what cannot be found out is red.
 */
export async function gate(call: AdmittedCall): Promise<number> {
  const { step, github, event, inputs } = call;
  if (github === undefined)
    return await reportRefusals(step, [
      { code: "USAGE", message: "github-token: expected a token that reads the repository" },
    ]);
  if (inputs.resumeFrom !== undefined) return await (await import("./final-report.ts")).reportFinally(call);
  const pull = inputs.pullRequest ?? event.pullRequest;
  if (pull === undefined) {
    const message = "pull-request: the event is about none; give the number, for example 17";
    return await reportRefusals(step, [{ code: "USAGE", message }]);
  }
  const judged = await judgePullRequest(github, world.clock, {
    pull,
    head: undefined,
    planPath: inputs.plan === "" ? undefined : inputs.plan,
    mode: inputs.mode ?? "guarded",
    paused: false,
    repositoryId: event.repositoryId,
  });
  if (!judged.ok) return await reportRefusals(step, [{ code: "GATE_POLICY_DENIED_OR_UNKNOWN", message: judged.error }]);
  const { decisions, passed, head } = judged.value;
  const closed = decisions.flatMap(({ reason_code: code }) => (code === null ? [] : [code]));
  step.output("terminal-state", passed ? "done" : "blocked");
  step.output("blocked-reason-codes", JSON.stringify(closed));
  step.output("head-sha", head);
  step.output("pull-request-number", String(pull));
  step.log(renderGateTree(head, decisions));
  await step.summarize(renderGates(pull, head, decisions, passed));
  for (const { gate: name, passed: isOpen, detail } of decisions)
    if (!isOpen) step.annotate("error", `${name}: ${detail}`, { title: "Plan Conveyor" });
  return passed ? 0 : RED;
}

function renderGates(pull: number, head: string, decisions: readonly GateDecision[], passed: boolean): string {
  const rows = decisions.map(
    (each) => `| ${each.gate} | ${each.passed ? "open" : "closed"} | ${escapeText(each.detail)} |`,
  );
  return [
    `## Pull request ${pull} is ${passed ? "done" : "blocked"}`,
    "",
    `At \`${head}\`.`,
    "",
    "| gate | | why |",
    "| --- | --- | --- |",
    ...rows,
    "",
  ].join("\n");
}
