import type { Config } from "./config.ts";
import type { Plan } from "./plan.ts";

/** The most processes a run can start, by kind, for one who wants to know before starting it. */
export interface CallBound {
  readonly executorSessions: number;
  readonly verificationCommands: number;
  readonly prepareCommands: number;
  readonly validationCommands: number;
}

/**
 * Bounds the calls of one invocation without resumes: an item has at most one session a round plus one after a session
 * without change, and never more than `limits.sessions-per-item`; every session can be verified and every worktree
 * prepared.
 */
export function boundCalls(plan: Plan, config: Config, selectedIds: readonly string[]): CallBound {
  const items = plan.items.filter((item) => selectedIds.includes(item.item_id));
  const rounds = 1 + config.limits["fix-rounds"];
  const sessions = Math.min(config.limits["sessions-per-item"], rounds * 2);
  const verifications = Math.min(sessions, rounds);
  const commands = items.reduce((sum, item) => sum + item.required_commands.length + item.suggested_commands.length, 0);
  const worktrees = 1 + items.length * (rounds + verifications) + (config.validation.commands.length > 0 ? 1 : 0);
  return {
    executorSessions: items.length * sessions,
    verificationCommands: commands * verifications,
    prepareCommands: worktrees * config.prepare.commands.length,
    validationCommands: config.validation.commands.length,
  };
}
