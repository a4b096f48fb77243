import { listOwnCommits, type ChainCommit, type Deliverable, type PublicationFault } from "../../domain/publication.ts";
import { decidePull, type ListedPull } from "../../domain/publication-pull.ts";
import type { RunReport } from "../../domain/report.ts";
import type { RunState } from "../../domain/run.ts";
import type { PullRequestFacts } from "../../render/pull-request-text.ts";
import { deliverPull, listPulls, type DeliveredPull } from "./deliver-pull-request.ts";
import { faultOf, refuseDelivery, type DeliveryFault, type DeliveryPorts, type Step } from "./publish-ports.ts";
import { pushBranch } from "./push-branch.ts";
import { recreateBranch, type PublishedCommit } from "./recreate-commits.ts";

/** A run that may be delivered: judged, and allowed by policy. */
export interface DeliveryInput extends Pick<PullRequestFacts, "token" | "profile" | "rerun" | "standing"> {
  readonly state: RunState;
  readonly report: RunReport;
  readonly publication: Deliverable;
  readonly chain: readonly ChainCommit[];
  /** The branch that the pull request is for. */
  readonly baseBranch: string;
  /** Login of the account or App whose token is used, where that is known: only its pull requests are ours. */
  readonly self: string | undefined;
}

/** How a delivery ended. */
export type DeliveryOutcome =
  | {
      readonly kind: "published";
      readonly branch: string;
      /** The head as it stands on GitHub, and as it was verified: others only where commits had to be signed. */
      readonly headSha: string;
      readonly verifiedHeadSha: string;
      readonly commits: readonly PublishedCommit[];
      readonly pull: DeliveredPull;
      readonly waitingItem: string | undefined;
    }
  /** The pull request of this run was merged before, with what is to be delivered. */
  | { readonly kind: "merged"; readonly number: number; readonly url: string }
  | { readonly kind: "refused"; readonly faults: readonly PublicationFault[] }
  /** DELIVERY_UNAVAILABLE: deliver again; what was done is found, and is not done twice. */
  | { readonly kind: "unavailable"; readonly message: string };

/**
 * Delivers a judged run to GitHub: its branch, then its one pull request. Safe to do again at any time, also after an
 * answer that was lost. Reason codes: DELIVERY_REFUSED, DELIVERY_UNAVAILABLE.
 */
export async function deliverRun(ports: DeliveryPorts, input: DeliveryInput): Promise<DeliveryOutcome> {
  const { publication, state, baseBranch, self } = input;
  const { branch } = publication;
  const known = await listPulls(ports, branch, state.runId);
  if (known.kind !== "done") return endDelivery(known);
  const decision = decidePull(known.value, { self, baseBranch });
  if (decision.kind === "refused") {
    return endDelivery({ kind: "refused", code: "DELIVERY_REFUSED", message: decision.message });
  }
  if (decision.kind === "merged") return await judgeMerged(ports, input, decision.pull);
  const moved = await deliverBranch(ports, input);
  if (moved.kind !== "done") return endDelivery(moved);
  const commits = moved.value;
  const headSha = commits.at(-1)?.published ?? publication.head;
  const pull = await deliverPull(ports, { branch, head: headSha, baseBranch, self, facts: { ...input, commits } });
  if (pull.kind !== "done") return endDelivery(pull);
  const waitingItem = publication.kind === "waiting" ? publication.itemId : undefined;
  const verifiedHeadSha = publication.head;
  return { kind: "published", branch, headSha, verifiedHeadSha, commits, pull: pull.value, waitingItem };
}

/** The merged pull request that delivered a run before, if there is one: the plan is no longer where the run found it. */
export async function findMerged(ports: DeliveryPorts, input: DeliveryInput): Promise<DeliveryOutcome | undefined> {
  const { publication, state } = input;
  const known = await listPulls(ports, publication.branch, state.runId);
  if (known.kind !== "done") return undefined;
  const decision = decidePull(known.value, input);
  if (decision.kind !== "merged") return undefined;
  const judged = await judgeMerged(ports, input, decision.pull);
  return judged.kind === "merged" ? judged : undefined;
}

/**
 * A draft that somebody merged before its time holds only a part of the run: that pull request is over, and what came
 * after it is nowhere on GitHub. Where signatures are demanded the head is another commit with the verified tree.
 */
async function judgeMerged(
  { writes }: DeliveryPorts,
  { publication: { head }, chain }: DeliveryInput,
  { number, url, head: merged }: ListedPull,
): Promise<DeliveryOutcome> {
  if (merged !== head) {
    const commit = await writes.readCommit(merged);
    if (!commit.ok && commit.error.kind !== "not_found") return endDelivery(faultOf(commit.error));
    if (!commit.ok || commit.value.tree !== chain.at(-1)?.tree) {
      const message = `pull request ${number} was merged at ${merged}, which is not what this run verified: ${head}`;
      return endDelivery(refuseDelivery(message));
    }
  }
  return { kind: "merged", number, url };
}

/** Pushes the verified commits as they are, or has GitHub make and sign them again where a rule demands signatures. */
async function deliverBranch(
  ports: DeliveryPorts,
  { state, publication, chain, baseBranch }: DeliveryInput,
): Promise<Step<readonly PublishedCommit[]>> {
  const demanded = await demandsSignatures(ports, [publication.branch, baseBranch]);
  if (demanded.kind !== "done") return demanded;
  if (!demanded.value) {
    const pushed = await pushBranch(ports, state, publication);
    if (pushed.kind === "done") {
      return { kind: "done", value: chain.map((verified) => ({ verified, published: verified.commit })) };
    }
    if (pushed.kind !== "unsigned") return pushed;
  }
  return recreateBranch(ports, chain, publication, new Set(listOwnCommits(state).map(({ tree }) => tree)));
}

/** Rules of older servers cannot be asked for: there the push itself says what it lacks. */
async function demandsSignatures({ writes }: DeliveryPorts, branches: readonly string[]): Promise<Step<boolean>> {
  for (const branch of branches) {
    const types = await writes.listRuleTypes(branch);
    if (types.ok && types.value.includes("required_signatures")) return { kind: "done", value: true };
    if (!types.ok && types.error.kind === "unavailable") return { kind: "unavailable", message: types.error.message };
  }
  return { kind: "done", value: false };
}

/** The outcome of a delivery that a step ended. */
export function endDelivery(fault: DeliveryFault): Extract<DeliveryOutcome, { kind: "refused" | "unavailable" }> {
  return fault.kind === "refused"
    ? { kind: "refused", faults: [{ code: fault.code, message: fault.message }] }
    : { kind: "unavailable", message: fault.message };
}
