import { isCommitText } from "../../domain/commit-message.ts";
import type { ClosingFacts } from "../../domain/closing-commit.ts";
import {
  judgeAnchors,
  judgeBranch,
  listChain,
  type ChainCommit,
  type Deliverable,
  type PublicationAnchors,
  type PublicationFault,
} from "../../domain/publication.ts";
import { isHighApproved, type RunPolicy } from "../../domain/policy.ts";
import { err, ok, type Result } from "../../domain/result.ts";
import { classifyRisk } from "../../domain/risk.ts";
import type { SavedRun } from "../../domain/saved-run.ts";
import { findProtectedException, judgeScope } from "../../domain/scope.ts";
import { readClosingFacts } from "../closing.ts";
import { verifyRun, type VerifyPorts } from "../verify-run.ts";

/** How many faults of one artifact are told: a forged one may have thousands. */
const FAULTS_MAX = 20;

/**
 * Judges a run that was handed on, before anything of it leaves: what its journal, files and commits say is derived
 * again (S-29), it is the run that the executing job spoke of, and every commit from the base to the head is one whose
 * tree, parent and text plan, packets and journal give. Gives those commits. Reason codes: ARTIFACT_TAMPERED,
 * GIT_TAMPERED.
 */
export async function judgeRun(
  run: SavedRun,
  publication: Deliverable,
  ports: VerifyPorts,
  anchors: PublicationAnchors,
): Promise<Result<ChainCommit[], PublicationFault[]>> {
  const faults = await judgeStory(run, ports, anchors);
  if (faults.length > 0) return err(faults);
  if (!run.state.sealed) return err([{ code: "ARTIFACT_TAMPERED", message: "expected a sealed run" }]);
  const chain = listChain(run, publication, readClosing(run));
  if (!chain.ok) return err([chain.error]);
  const forged = await judgeTexts(chain.value, ports);
  return forged.length > 0 ? err(forged.slice(0, FAULTS_MAX)) : ok(chain.value);
}

/**
 * Judges what a run tells of itself: that it is the one the executing job spoke of, and that all it says can be derived
 * again. Also asked of a run that has nothing to deliver: later jobs go by how it says that it ended.
 */
export async function judgeStory(
  run: SavedRun,
  ports: VerifyPorts,
  anchors: PublicationAnchors,
): Promise<PublicationFault[]> {
  const named = [...judgeAnchors(run.state, anchors), ...judgeBranch(run.state)];
  // Of another run nothing else needs to be said.
  if (named.length > 0) return named;
  const { mismatches } = await verifyRun(run, ports);
  return mismatches.slice(0, FAULTS_MAX).map(({ where, message }): PublicationFault => {
    const code = where.startsWith("repo.git") ? "GIT_TAMPERED" : "ARTIFACT_TAMPERED";
    return { code, message: `${where}: ${message}` };
  });
}

/** What the closing commit's message is made of; nothing while the plan is not closed. */
export function readClosing({
  state,
  plan,
  config,
}: Pick<SavedRun, "state" | "plan" | "config">): ClosingFacts | undefined {
  const { closing } = state;
  if (closing?.committed !== true) return undefined;
  // Neither the plan's text nor the day stands in the message.
  return readClosingFacts({ state, plan, config, planBytes: undefined, date: "", journalHead: closing.journalHead });
}

async function judgeTexts(chain: readonly ChainCommit[], { repository }: VerifyPorts): Promise<PublicationFault[]> {
  const faults: PublicationFault[] = [];
  for (const commit of chain) {
    const text = await repository.readCommitText(commit.commit);
    if (text !== undefined && isCommitText(text, commit)) continue;
    const message = `commit ${commit.commit} is not the one that plan, packet and journal give`;
    faults.push({ code: "GIT_TAMPERED", message });
  }
  return faults;
}

/**
 * Judges the scope of every commit to be delivered once more, from git's own trees and under the policy that was read
 * just now: an approval that no longer counts protects its paths again. Reason codes: those of scope.
 */
export async function judgeScopeAgain(
  { plan, config }: SavedRun,
  chain: readonly ChainCommit[],
  { repository, configPath }: Pick<VerifyPorts, "repository" | "configPath">,
  policy: RunPolicy,
): Promise<PublicationFault[]> {
  const { tier } = classifyRisk({ plan, config });
  const faults: PublicationFault[] = [];
  for (const { commit, parent, itemId } of chain) {
    const item = plan.items.find((candidate) => candidate.item_id === itemId);
    // The closing commit was compared byte for byte with what the closure gives.
    if (item === undefined) continue;
    const place = { planPath: plan.path, configPath, config, tier };
    const exception = findProtectedException({ ...place, item, isHighApproved: isHighApproved(policy) });
    const violations = judgeScope(await repository.listChanges(parent, commit), {
      ...place,
      item,
      protectedException: exception,
      trackedPaths: await repository.listFilesAt(parent),
    });
    faults.push(...violations.map(({ code, path, detail }) => ({ code, message: `${path}: ${detail}` })));
  }
  return faults.slice(0, FAULTS_MAX);
}
