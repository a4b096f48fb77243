import type { ItemCommand } from "../domain/item-decide.ts";
import { decideStep } from "../domain/item-step.ts";
import { assertNever } from "../domain/result.ts";
import type { RunStop } from "../domain/run-stop.ts";
import { advanceBranch } from "./perform/advance-branch.ts";
import { buildCandidate } from "./perform/build-candidate.ts";
import { freezePacket } from "./perform/freeze-packet.ts";
import { openAttempt } from "./perform/open-attempt.ts";
import { prepareCommit } from "./perform/prepare-commit.ts";
import { proveRed } from "./perform/prove-red.ts";
import { requestGate } from "./perform/request-gate.ts";
import { runAudits } from "./perform/run-audits.ts";
import { runSession } from "./perform/run-session.ts";
import { runTriage } from "./perform/run-triage.ts";
import { sealHandoff } from "./perform/seal-handoff.ts";
import { verifyCandidate } from "./perform/verify-candidate.ts";
import { writeMergedFindings } from "./perform/write-merged-findings.ts";
import { itemState, type RunContext } from "./run-context.ts";

/** The commands that act; the others end the loop. */
export type ActingCommand = Exclude<ItemCommand, { type: "stop" | "nothing" }>;

/**
 * One item, from where it stands until it is settled or the run must stop: decide, perform, record, fold, again.
 * Bounded by the rules: every command either ends a round, a session or the item, and all of those are counted.
 */
export async function runItem(context: RunContext, itemId: string): Promise<RunStop | undefined> {
  for (;;) {
    const command = decideStep(context.recorder.state, itemState(context, itemId), context.rules);
    if (command.type === "nothing") return undefined;
    if (command.type === "stop") return command.stop;
    if (context.ports.interrupt.aborted) return { kind: "interrupted", reasonCodes: [] };
    await perform(context, itemId, command);
  }
}

async function perform(context: RunContext, itemId: string, command: ActingCommand): Promise<void> {
  const { recorder } = context;
  switch (command.type) {
    case "start_item":
      return recorder.record("item_started", {}, itemId);
    case "open_attempt":
      return openAttempt(context, itemId, command);
    case "run_session":
      return runSession(context, itemId, command);
    case "lose_attempt":
      return recorder.record("attempt_lost", { attempt: command.attempt, why: command.why }, itemId);
    case "seal_handoff":
      return sealHandoff(context, itemId, command);
    case "build_candidate":
      return buildCandidate(context, itemId, command);
    case "verify":
      return verifyCandidate(context, itemId, command);
    case "prove_red":
      return proveRed(context, itemId, command);
    case "freeze_packet":
      return freezePacket(context, itemId, command);
    case "run_audits":
      return runAudits(context, itemId, command);
    case "merge_findings":
      return writeMergedFindings(context, itemId, command);
    case "run_triage":
      return runTriage(context, itemId, command);
    case "request_gate":
      return requestGate(context, itemId, command);
    case "prepare_commit":
      return prepareCommit(context, itemId, command);
    case "advance_branch":
      return advanceBranch(context, itemId, command);
    case "settle": {
      const details = { terminal_state: command.terminalState, reason_codes: [...command.reasonCodes], commit: null };
      return recorder.record("item_settled", details, itemId);
    }
    default:
      return assertNever(command);
  }
}
