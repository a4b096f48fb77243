import { buildClosingMessage, type ClosingFacts } from "./closing-commit.ts";
import type { Config } from "./config.ts";
import type { RunPolicy } from "./policy.ts";
import { buildCommitMessage } from "./commit-message.ts";
import { lastAttempt, type GateState } from "./item.ts";
import type { ReasonCode } from "./reason-codes.ts";
import { err, ok, type Result } from "./result.ts";
import { runBranch } from "./ids.ts";
import type { SavedRun } from "./saved-run.ts";
import type { RunState } from "./run.ts";

/**
 * What the job that executed a run said of it in its outputs, as far as it is given. An artifact can be made by anybody
 * who can write to the workspace; the outputs of a job cannot be changed after it. The digest of the whole artifact is
 * compared when it is unpacked.
 */
export interface PublicationAnchors {
  readonly runId?: string | undefined;
  readonly planId?: string | undefined;
  /** The run branch's tip. */
  readonly headSha?: string | undefined;
}

/** What of a run is to be delivered. */
export type Publication =
  /** Every item passed, the plan is closed: a pull request that asks for review. */
  | { readonly kind: "complete"; readonly branch: string; readonly base: string; readonly head: string }
  /** An item waits for a person: a draft whose head is the run branch and the one audited commit. */
  | {
      readonly kind: "waiting";
      readonly branch: string;
      readonly base: string;
      readonly head: string;
      readonly itemId: string;
      readonly gate: GateState;
    }
  | { readonly kind: "nothing"; readonly why: string };

/** A publication that has something to deliver. */
export type Deliverable = Exclude<Publication, { kind: "nothing" }>;

/** Why a run is not published, with the code to act on. */
export interface PublicationFault {
  readonly code: ReasonCode;
  readonly message: string;
}

/**
 * Decides what of a stopped run may be delivered (kernel.md, *Manual gate*; conveyor.md, *Closure*). A run that was
 * refused, failed, ran out of time or handed off has nothing: what is not proven does not leave it.
 */
export function decidePublication(state: RunState): Publication {
  const { stop, tip, baseCommit: base, created } = state;
  if (stop === undefined) return { kind: "nothing", why: "the run has not stopped" };
  if (stop.kind !== "terminal") return { kind: "nothing", why: "the run is sealed and goes on later" };
  const branch = created.run_branch;
  const isReady = state.readyHead === tip && state.closing?.committed === true && state.stageFailure === undefined;
  if (isReady) return { kind: "complete", branch, base, head: tip };
  const waiting = findWaiting(state);
  if (waiting !== undefined) {
    const { itemId, gate } = waiting;
    return { kind: "waiting", branch, base, head: gate.commit, itemId, gate };
  }
  return { kind: "nothing", why: `the run is ${stop.terminalState ?? "stopped"}: ${sayCodes(stop.reasonCodes)}` };
}

/** The item that an undecided gate holds; a run stops at the first. */
export function findWaiting({ items }: Pick<RunState, "items">): { itemId: string; gate: GateState } | undefined {
  for (const { itemId, settled, gate } of items) {
    if (settled?.terminalState !== "awaiting_human_gate" || gate === undefined) continue;
    return gate.decision === "none" ? { itemId, gate } : undefined;
  }
  return undefined;
}

function sayCodes(codes: readonly ReasonCode[]): string {
  return codes.length === 0 ? "nothing was delivered" : codes.join(", ");
}

/**
 * Compares a run with what the job that executed it said of it. Reason code: ARTIFACT_TAMPERED, for each that differs.
 */
export function judgeAnchors(state: RunState, anchors: PublicationAnchors): PublicationFault[] {
  const pairs = [
    ["run id", anchors.runId, state.runId],
    ["plan id", anchors.planId, state.planId],
    ["head", anchors.headSha, state.tip],
  ] as const;
  return pairs.flatMap(([what, expected, found]): PublicationFault[] =>
    expected === undefined || expected === found
      ? []
      : [{ code: "ARTIFACT_TAMPERED", message: `expected ${what} ${sayWord(expected)}, found ${found}` }],
  );
}

function sayWord(text: string): string {
  return text === "" ? "(none was given)" : text.slice(0, 100);
}

/**
 * The branch of a run is made of plan and run alone: a journal that names another one would have something else
 * overwritten. Reason code: ARTIFACT_TAMPERED.
 */
export function judgeBranch({ created, planId, runId }: RunState): PublicationFault[] {
  const expected = runBranch(planId, runId);
  return created.run_branch === expected
    ? []
    : [{ code: "ARTIFACT_TAMPERED", message: `expected run branch ${expected}, found ${created.run_branch}` }];
}

/** What holds of every verdict about a run under its policy, in words for a pull request. */
export function listStanding({ policy }: Pick<Config, "policy">, decided: Pick<RunPolicy, "approvals">): string[] {
  const counted = decided.approvals.filter(({ counts }) => counts);
  const isSelfApproved = counted.some(({ selfApproved }) => selfApproved);
  const mayBe = counted.some(({ tier }) => tier === "medium") && policy.approvals.medium.self;
  return [
    ...(policy.ci === "none" ? ["`ci: none`: no check has to pass here."] : []),
    ...(policy.review === "none" ? ["`review: none`: nobody has to review here."] : []),
    ...(isSelfApproved
      ? ["*Self-approved*: whoever took part approved the plan (`policy.approvals.medium.self`)."]
      : []),
    ...(mayBe && !isSelfApproved
      ? ["`policy.approvals.medium.self`: whoever took part may approve; it may be *self-approved*."]
      : []),
  ];
}

/** One commit of what is delivered, as plan, packet and journal give it. */
export interface ChainCommit {
  readonly commit: string;
  readonly tree: string;
  readonly parent: string;
  readonly message: string;
  /** Null for the closing commit. */
  readonly itemId: string | null;
}

/**
 * The commits from the base to the head, in order, each with the text that it must have: those of the items that
 * passed, then the closing commit or the candidate that waits. Tree, parent and trailers of an item's commit were fixed
 * with its packet, before anybody judged it. Reason code: GIT_TAMPERED, when they are no chain.
 */
export function listChain(
  { state, plan }: Pick<SavedRun, "state" | "plan">,
  publication: Deliverable,
  closing: ClosingFacts | undefined,
): Result<ChainCommit[], PublicationFault> {
  const items = state.items.flatMap((item): ChainCommit[] => {
    const waits = publication.kind === "waiting" && item.itemId === publication.itemId;
    const planned = plan.items.find((candidate) => candidate.item_id === item.itemId);
    const attempt = lastAttempt(item);
    const candidate = attempt?.candidates.at(-1);
    if (!waits && item.settled?.terminalState !== "passed") return [];
    if (planned === undefined || attempt === undefined || candidate?.packet === undefined) return [];
    const { commit, sha256: packet } = candidate.packet;
    const message = buildCommitMessage({ planId: plan.plan_id, runId: state.runId, item: planned, packet });
    return [{ commit, tree: candidate.tree, parent: attempt.baseCommit, message, itemId: item.itemId }];
  });
  const left = [...items, ...listClosing(state, closing)];
  const chain: ChainCommit[] = [];
  let at = publication.base;
  while (at !== publication.head) {
    const next = left.find(({ parent }) => parent === at);
    if (next === undefined || chain.length >= left.length) break;
    chain.push(next);
    at = next.commit;
  }
  if (at === publication.head && chain.length === left.length) return ok(chain);
  const message = `the commits that the journal names are no chain from ${publication.base} to ${publication.head}`;
  return err({ code: "GIT_TAMPERED", message });
}

function listClosing({ closing }: RunState, facts: ClosingFacts | undefined): ChainCommit[] {
  if (facts === undefined || closing?.committed !== true) return [];
  const { commit, tree, parent } = closing;
  return [{ commit, tree, parent, message: buildClosingMessage(facts), itemId: null }];
}

/** Every commit that this run made for its branch, whatever became of it, and its tree. */
export function listOwnCommits({ items, closing }: RunState): { readonly commit: string; readonly tree: string }[] {
  const candidates = items.flatMap(({ attempts }) => attempts.flatMap((attempt) => attempt.candidates));
  const frozen = candidates.flatMap(({ packet, tree }) =>
    packet === undefined ? [] : [{ commit: packet.commit, tree }],
  );
  return closing === undefined ? frozen : [...frozen, closing];
}

/** What stands at the run branch on GitHub, and what a push may make of it. */
export type PushDecision =
  | { readonly kind: "push"; readonly expected: string | undefined }
  | { readonly kind: "nothing_to_do" }
  | { readonly kind: "refused"; readonly message: string };

/**
 * Decides what a push may do with the branch as it stands there. It may replace what this very run put there before:
 * commits of its journal, whatever became of them. Reason code of a refusal: DELIVERY_REFUSED.
 */
export function decidePush(state: RunState, publication: Deliverable, current: string | undefined): PushDecision {
  if (current === publication.head) return { kind: "nothing_to_do" };
  if (current === undefined || listOwnCommits(state).some(({ commit }) => commit === current)) {
    return { kind: "push", expected: current };
  }
  return { kind: "refused", message: `${publication.branch} names ${current} on GitHub, which this run did not make` };
}

/** Whether GitHub has what may leave the run now: its closed branch, or the candidate that waits. */
export function isPublished(state: Pick<RunState, "items" | "tip" | "publication">): boolean {
  const { publication, tip } = state;
  if (publication?.status !== "published" && publication?.status !== "merged") return false;
  return publication.head === (findWaiting(state)?.gate.commit ?? tip);
}
