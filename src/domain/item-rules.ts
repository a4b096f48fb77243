import type { ApprovalPolicy } from "./approval-policy.ts";
import type { Config } from "./config.ts";
import type { Plan } from "./plan.ts";
import { classifyRisk, type Risk } from "./risk.ts";

/** Settings that the meaning of an event depends on; they come from the run's own policy and never change in a run. */
export interface ItemRules {
  readonly fixRounds: number;
  readonly remediationRounds: number;
  readonly sessionsPerItem: number;
  /** Handoffs of an item in one invocation. */
  readonly rollovers: number;
  readonly contextRemainingFloor: number;
  /** Names of the audit lanes. */
  readonly lanes: readonly string[];
  /** Times an agent is asked again whose model was not to be had while it executed. */
  readonly executorRetries: number;
  /** Times a lane is asked again whose answer proved nothing. */
  readonly auditRetries: number;
  /** True when a program sorts the findings before the rules decide. */
  readonly triageProgram: boolean;
  /** Names of the audit lanes that are coding agents, and whether triage is one: what they cost counts. */
  readonly agentLanes: readonly string[];
  readonly agentTriage: boolean;
  /** Requests that a run may send with each key that the proxy holds, by the key's variable. */
  readonly keyRequestsMax: ReadonlyMap<string, number>;
  /** What the policy says of approvals and of decisions about gates. */
  readonly approvalPolicy: ApprovalPolicy;
  /** What the plan asks of each item beyond verification. */
  readonly demands: ReadonlyMap<string, ItemDemands>;
  readonly admission: AdmissionRules;
}

/** What plan and policy say of whether the run may go on at all. */
export interface AdmissionRules {
  readonly risk: Risk;
  readonly metadata: Plan["metadata"];
}

/** What the plan asks of an item beyond verification. */
export interface ItemDemands {
  readonly manualGate: boolean;
  readonly redGreen: boolean;
  readonly externalEvidence: boolean;
  /** A candidate that changes nothing is judged like any other. */
  readonly allowNoChange: boolean;
}

/** The settings of the item machine, from the run's own configuration and plan. */
export function rulesOf(config: Config, plan: Plan): ItemRules {
  const { limits, audits, triage, policy, sandbox } = config;
  return {
    fixRounds: limits["fix-rounds"],
    remediationRounds: limits["remediation-rounds"],
    sessionsPerItem: limits["sessions-per-item"],
    rollovers: limits.rollovers,
    contextRemainingFloor: limits["context-remaining-floor"],
    lanes: audits.lanes.map((lane) => lane.name),
    executorRetries: executorRetriesOf(config),
    auditRetries: audits.retries,
    triageProgram: triage.use !== "rules",
    agentLanes: audits.lanes.filter((lane) => lane.use !== "command").map((lane) => lane.name),
    agentTriage: triage.use !== "rules" && triage.use !== "command",
    keyRequestsMax: new Map(sandbox.keys.map((key) => [key.env, key["requests-per-run"]])),
    approvalPolicy: policy,
    demands: new Map(
      plan.items.map((item) => [
        item.item_id,
        {
          manualGate: item.manual_gate !== "none",
          redGreen: item.requires_red_green,
          externalEvidence: item.external_check !== "none",
          allowNoChange: item.allow_no_change,
        },
      ]),
    ),
    admission: {
      risk: classifyRisk({ plan, config }),
      metadata: plan.metadata,
    },
  };
}

/** Times that the executor is asked again; a command has no service that could be out of reach. */
export function executorRetriesOf({ executor }: Pick<Config, "executor">): number {
  return executor === undefined || executor.use === "command" ? 0 : executor.retries;
}

const NO_DEMANDS: ItemDemands = { manualGate: false, redGreen: false, externalEvidence: false, allowNoChange: false };

/** What the plan asks of an item, nothing when the plan has no such item. */
export function demandsOf({ itemId }: { readonly itemId: string }, rules: ItemRules): ItemDemands {
  return rules.demands.get(itemId) ?? NO_DEMANDS;
}
