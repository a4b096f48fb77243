import { blockedGateCodes, evaluateGates } from "../domain/gates.ts";
import type { RunStop } from "../domain/run-stop.ts";
import { commitClosing } from "./closing.ts";
import { isPublished } from "../domain/publication.ts";
import { observeGates } from "./github/observe-gates.ts";
import { failStage } from "./fail-stage.ts";
import { findTamperedFile } from "./named-files.ts";
import { judgeTrust } from "./policy-ingestion.ts";
import { publishAsked } from "./publish-asked.ts";
import type { RunContext } from "./run-context.ts";

/**
 * Closure, in this order: digests at the trust ref's tip and policy once more; the closing commit; delivery; the three
 * gates, always all, for exactly the delivered head. A resume of a run that waits at the gates does only the last,
 * unless it asks for a delivery that has not been made.
 */
export async function closeRun(context: RunContext): Promise<RunStop> {
  const { recorder } = context;
  const { readyHead, tip, delivery } = recorder.state;
  const { deliver: wish } = context.settings;
  const inRepository = wish === "none" || (delivery?.status === "moved" && delivery.head === tip);
  const delivered = inRepository && (wish !== "pull-request" || isPublished(recorder.state));
  if (readyHead !== tip || !delivered) {
    const refused =
      (await judgeFiles(context)) ??
      (await judgeTrust(context, "closure")) ??
      (await commitClosing(context)) ??
      (await deliver(context)) ??
      (await publishAsked(context, "publishClosed"));
    if (refused !== undefined) return refused;
  }
  const head = recorder.state.tip;
  const { gates, simulateBlocked } = context.settings;
  const read = gates === "github" ? await observeGates(context) : undefined;
  const signals = read?.signals ?? context.settings.signals;
  const decisions = evaluateGates(signals, recorder.state.policy?.decision === "allow", read?.details);
  recorder.record("gates_evaluated", {
    head,
    signals,
    ...(read === undefined ? {} : { observed: read.details, files: read.files }),
    simulate_blocked: simulateBlocked,
    decisions,
  });
  const reasonCodes = blockedGateCodes({ decisions, simulateBlocked });
  if (reasonCodes.length === 0) recorder.record("stage_finished", { stage: "closure" });
  return { kind: "terminal", terminalState: reasonCodes.length === 0 ? "done" : "blocked", reasonCodes };
}

/** What the run stands on is what it was when the journal named it, or nothing is delivered: ARTIFACT_TAMPERED. */
async function judgeFiles(context: RunContext): Promise<RunStop | undefined> {
  const tampered = await findTamperedFile(context.recorder.state, context.ports.files);
  if (tampered === undefined) return undefined;
  return failStage(context, "closure", "ARTIFACT_TAMPERED", `${tampered.path} ${tampered.message}`);
}

/**
 * Makes the run branch appear in the user's repository, by compare-and-swap. An intent without a receipt is probed:
 * a branch that already names the head was delivered by the process that died. Reason code: DELIVERY_REFUSED.
 */
async function deliver(context: RunContext): Promise<RunStop | undefined> {
  const { recorder, ports } = context;
  if (context.settings.deliver === "none") return undefined;
  const { created, baseCommit, tip: head } = recorder.state;
  const branch = `refs/heads/${created.run_branch}`;
  const current = await ports.user.readRef(branch);
  const from = recorder.state.delivery?.status === "moved" ? recorder.state.delivery.head : undefined;
  recorder.record("delivery_started", { branch: created.run_branch, from: from ?? null, head });
  const status =
    current === head
      ? "moved"
      : await ports.user.deliverBranch({
          privateGitDir: ports.files.resolve("repo.git"),
          branch,
          base: baseCommit,
          head,
          from,
        });
  recorder.record("delivery_finished", { branch: created.run_branch, head, status });
  if (status === "moved") return undefined;
  return failStage(context, "closure", "DELIVERY_REFUSED", `${branch} already names ${current ?? "another commit"}`);
}
