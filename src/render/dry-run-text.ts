import { boundCalls } from "../domain/call-bound.ts";
import { boundCost, type CostBound } from "../domain/cost-bound.ts";
import type { Config } from "../domain/config.ts";
import type { Plan } from "../domain/plan.ts";
import { classifyRisk } from "../domain/risk.ts";
import { listValidationCommands } from "../domain/validation-commands.ts";
import { showText } from "../domain/visible-text.ts";
import type { Mode } from "../domain/run-choices.ts";

/** What a dry run shows. */
export interface DryRunFacts {
  readonly plan: Plan;
  readonly mode: Mode;
  readonly planSha256: string;
  readonly policySha256: string;
  readonly config: Config;
  readonly configFile: { readonly path: string | null; readonly authority: string };
  readonly baseCommit: string;
  readonly itemIds: readonly string[];
  readonly selectedIds: readonly string[];
  readonly executor: { readonly use: string; readonly command: readonly string[] };
  readonly costLimitUsd: number;
  readonly manager: { readonly command: readonly string[] } | undefined;
}

/** Renders what a run would do: plan, policy, the exact commands, and the most calls they can come to. */
export function renderDryRun(facts: DryRunFacts, format: "text" | "json"): string {
  const { plan, config, mode, manager } = facts;
  const risk = classifyRisk({ plan, config });
  const validation = listValidationCommands(plan, config);
  const bound = boundCalls(plan, config, facts.selectedIds, manager !== undefined);
  const cost = boundCost(config, bound, facts.executor.use, facts.costLimitUsd);
  const items = facts.itemIds
    .filter((id) => facts.selectedIds.includes(id))
    .flatMap((id) => plan.items.filter((item) => item.item_id === id));
  if (format === "json") {
    return `${JSON.stringify({
      dry_run: true,
      plan_id: plan.plan_id,
      plan_sha256: facts.planSha256,
      policy_sha256: facts.policySha256,
      config: facts.configFile,
      base_commit: facts.baseCommit,
      mode,
      risk,
      manager: manager?.command ?? null,
      executor: facts.executor.command,
      prepare: config.prepare.commands,
      items: items.map((item) => ({
        id: item.item_id,
        write_roots: item.write_roots,
        required_commands: item.required_commands,
      })),
      audits: config.audits.lanes.map((lane) => ({ lane: lane.name, command: wordsOf(lane) })),
      triage: config.triage.use === "rules" ? null : wordsOf(config.triage),
      validation: validation,
      most_calls: {
        manager_sessions: bound.managerSessions,
        executor_sessions: bound.executorSessions,
        verification_commands: bound.verificationCommands,
        red_commands: bound.redCommands,
        auditor_sessions: bound.auditorSessions,
        triage_sessions: bound.triageSessions,
        prepare_commands: bound.prepareCommands,
        validation_commands: bound.validationCommands,
      },
      most_cost_usd: cost.mostUsd ?? null,
      cost_limit_usd: cost.limitUsd,
      cost_known_late: cost.knownLate,
      cost_unknown: cost.unpriced,
    })}\n`;
  }
  return [
    `dry run of plan ${plan.plan_id}; no process was started`,
    `plan      ${facts.planSha256}`,
    `policy    ${facts.policySha256} (${facts.configFile.path ?? "defaults"}, ${facts.configFile.authority})`,
    `base      ${facts.baseCommit}`,
    `mode      ${mode}`,
    `risk      ${risk.tier}: ${risk.reasons.map(({ text }) => showText(text)).join("; ")}`,
    ...(manager === undefined ? [] : [`manager   ${manager.command.map(show).join(" ")}`]),
    `executor  ${facts.executor.command.map(show).join(" ")}`,
    ...config.prepare.commands.map((command) => `prepare   ${command.map(show).join(" ")}`),
    ...items.flatMap((item) => [
      `item ${item.item_id}: ${item.action}`,
      `  may write   ${item.write_roots.join(", ")}`,
      ...item.required_commands.map((command) => `  must pass   ${command}`),
      ...item.required_artifacts.map((path) => `  must exist  ${path}`),
    ]),
    ...config.audits.lanes.map((lane) => `audit     ${lane.name}: ${wordsOf(lane).map(show).join(" ")}`),
    ...(config.triage.use === "rules" ? [] : [`triage    ${wordsOf(config.triage).map(show).join(" ")}`]),
    ...validation.map((command) => `validate  ${command.map(show).join(" ")}`),
    `at most   ${bound.managerSessions} manager sessions, ${bound.executorSessions} executor sessions, ${bound.verificationCommands} verification commands, ` +
      `${bound.redCommands} commands on the base, ${bound.auditorSessions} auditor sessions, ` +
      `${bound.triageSessions} triage sessions, ` +
      `${bound.prepareCommands} prepare commands, ${bound.validationCommands} validation commands`,
    ...sayCost(cost),
  ]
    .join("\n")
    .concat("\n");
}

/** The most that it can cost, or what keeps that from being known. */
function sayCost({ limitUsd, mostUsd, knownLate, unpriced }: CostBound): string[] {
  if (mostUsd !== undefined) return [`cost      at most $${mostUsd} for coding agents`];
  return [
    `cost      no session of an agent is started when $${limitUsd} are known to be spent`,
    ...(knownLate.length === 0
      ? []
      : [
          `          the last sessions of ${knownLate.join(", ")} can go over it: what they cost is known when they end`,
        ]),
    ...(unpriced.length === 0
      ? []
      : [`          nothing says what ${unpriced.join(", ")} costs: give a price, or it is never counted`]),
  ];
}

/** A command's words; of a coding agent its name, because its arguments follow from what it is started for. */
function wordsOf(program: { readonly use: string; readonly command?: readonly string[] }): readonly string[] {
  return program.command ?? [program.use];
}

function show(word: string): string {
  return /^[A-Za-z0-9_./:@%+={}-]+$/.test(word) ? word : JSON.stringify(word);
}
