import type { Config } from "./config.ts";
import type { Plan } from "./plan.ts";
import { executorRetriesOf } from "./item-rules.ts";
import { listValidationCommands } from "./validation-commands.ts";

/** The most processes a run can start, by kind, for one who wants to know before starting it. */
export interface CallBound {
  readonly managerSessions: number;
  readonly executorSessions: number;
  readonly verificationCommands: number;
  /** Required commands on the base, for items that must prove red and green. */
  readonly redCommands: number;
  /** Starts of auditors, over all lanes. */
  readonly auditorSessions: number;
  readonly triageSessions: number;
  readonly prepareCommands: number;
  readonly validationCommands: number;
}

/**
 * Bounds the calls of one invocation without resumes. An item has the first round, its fix rounds and its remediation
 * rounds. A round has at most one session with a change and one without; beside them there are as many handoffs as
 * rollovers, and each of those may be tried again as often as an agent's service may fail; never more than `limits.sessions-per-item` together. Each round is verified at most once, proven red at
 * most once, audited by each lane at most once and once for each retry, and triaged at most once; each of these has a
 * worktree of its own, as has each attempt and the manager, and every worktree is prepared.
 */
export function boundCalls(plan: Plan, config: Config, selectedIds: readonly string[], hasManager: boolean): CallBound {
  const { limits, audits, triage, prepare } = config;
  const validations = listValidationCommands(plan, config).length;
  const items = plan.items.filter((item) => selectedIds.includes(item.item_id));
  const rounds = 1 + limits["fix-rounds"] + limits["remediation-rounds"];
  const sessions = Math.min(
    limits["sessions-per-item"],
    (rounds * 2 + limits.rollovers) * (1 + executorRetriesOf(config)),
  );
  // A round that is judged, and an attempt that is opened, has a session of its own.
  const judged = Math.min(sessions, rounds);
  const turns = judged * (1 + audits.retries);
  const proving = items.filter((item) => item.requires_red_green);
  const commands = items.reduce((sum, item) => sum + item.required_commands.length + item.suggested_commands.length, 0);
  const reds = proving.reduce((sum, item) => sum + item.required_commands.length, 0);
  const managers = hasManager ? 1 : 0;
  const worktrees =
    1 + managers + items.length * (2 * judged + turns) + proving.length * judged + (validations > 0 ? 1 : 0);
  return {
    managerSessions: managers,
    executorSessions: items.length * sessions,
    verificationCommands: commands * judged,
    redCommands: reds * judged,
    auditorSessions: items.length * turns * audits.lanes.length,
    triageSessions: triage.use !== "rules" ? items.length * judged : 0,
    prepareCommands: worktrees * prepare.commands.length,
    validationCommands: validations,
  };
}
