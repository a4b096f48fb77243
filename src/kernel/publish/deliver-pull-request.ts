import { decidePull, type ListedPull } from "../../domain/publication-pull.ts";
import {
  hasPullRequestMarker,
  renderPullRequestBody,
  renderPullRequestTitle,
  type PullRequestFacts,
} from "../../render/pull-request-text.ts";
import type { GithubListedPull } from "../../domain/github-answers.ts";
import { faultOf, refuseDelivery, waitForNext, type DeliveryPorts, type Step } from "./publish-ports.ts";

/** The pull request of a run as it stands on GitHub after a delivery. */
export interface DeliveredPull {
  readonly number: number;
  readonly url: string;
  readonly draft: boolean;
  readonly created: boolean;
  /** What a person has to know of it, for example that drafts are not to be had. */
  readonly notes: readonly string[];
}

interface Wishes {
  readonly facts: Omit<PullRequestFacts, "drafts">;
  readonly branch: string;
  /** The published head. */
  readonly head: string;
  readonly baseBranch: string;
  readonly self: string | undefined;
}

/** Reads every pull request from the run branch, whatever became of it. */
export async function listPulls(
  { github }: Pick<DeliveryPorts, "github">,
  branch: string,
  runId: string,
): Promise<Step<readonly ListedPull[]>> {
  const listed = await github.listPullsOfBranch(branch);
  if (!listed.ok) return faultOf(listed.error);
  const own = listed.value.filter(({ head, base }) => head.ref === branch && head.repo?.id === base.repo.id);
  return { kind: "done", value: own.map((pull) => narrow(pull, runId)) };
}

function narrow(pull: GithubListedPull, runId: string): ListedPull {
  return {
    number: pull.number,
    state: pull.state,
    mergedAt: pull.merged_at,
    draft: pull.draft,
    title: pull.title,
    url: pull.html_url,
    marked: hasPullRequestMarker(pull.body, runId),
    body: pull.body ?? "",
    author: pull.user?.login ?? null,
    baseBranch: pull.base.ref,
    head: pull.head.sha,
  };
}

/**
 * Opens the run's pull request, or brings the one that is there up to date. It looks before it opens one, and after an
 * answer that was lost or refused it looks again: however often it is done, there is one. Reason code: DELIVERY_REFUSED.
 */
export async function deliverPull(ports: DeliveryPorts, wishes: Wishes): Promise<Step<DeliveredPull>> {
  let created = false;
  let drafts = true;
  let last = "";
  for (let tries = 1; ; tries += 1) {
    const listed = await listPulls(ports, wishes.branch, wishes.facts.report.run_id);
    if (listed.kind === "refused") return listed;
    if (listed.kind === "done") {
      const decision = decidePull(listed.value, wishes);
      if (decision.kind === "refused") return refuseDelivery(decision.message);
      if (decision.kind === "merged")
        return refuseDelivery(`pull request ${decision.pull.number} was merged meanwhile`);
      if (decision.kind === "ours") {
        const updated = await update(ports, wishes, decision.pull, drafts);
        if (updated.kind !== "unavailable") return updated.kind === "done" ? withCreated(updated, created) : updated;
        last = updated.message;
      } else {
        const opened = await open(ports, wishes, drafts);
        if (opened.kind === "refused") return opened;
        if (opened.kind === "no_drafts") drafts = false;
        created ||= opened.kind === "done";
        last = opened.kind === "unavailable" ? opened.message : "the pull request that was opened is not listed yet";
        if (opened.kind !== "unavailable" && tries <= 2) continue;
      }
    } else {
      last = listed.message;
    }
    if (!(await waitForNext(ports, tries))) return { kind: "unavailable", message: last };
  }
}

function withCreated(step: { kind: "done"; value: DeliveredPull }, created: boolean): Step<DeliveredPull> {
  return { kind: "done", value: { ...step.value, created } };
}

/** Opens it. What GitHub says of a second one, or of a branch it does not see yet, is found out by looking again. */
async function open(
  { writes }: DeliveryPorts,
  { facts, branch, baseBranch }: Wishes,
  drafts: boolean,
): Promise<Step<true> | { readonly kind: "no_drafts" }> {
  const text = { ...facts, drafts };
  const opened = await writes.createPull({
    title: renderPullRequestTitle(text),
    body: renderPullRequestBody(text),
    head: branch,
    base: baseBranch,
    draft: facts.publication.kind === "waiting" && drafts,
  });
  if (opened.ok) return { kind: "done", value: true };
  if (opened.error.kind !== "conflict") return faultOf(opened.error);
  if (drafts && /draft/i.test(opened.error.message)) return { kind: "no_drafts" };
  return { kind: "unavailable", message: opened.error.message };
}

/** Brings text and draft state up to date, and waits until GitHub shows the head that was pushed. */
async function update(
  ports: DeliveryPorts,
  { facts, head }: Wishes,
  pull: ListedPull,
  drafts: boolean,
): Promise<Step<DeliveredPull>> {
  const wantsDraft = facts.publication.kind === "waiting";
  const notes: string[] = [];
  let { draft } = pull;
  if (draft !== wantsDraft && drafts) {
    const turned = await ports.writes.setDraft(pull.number, wantsDraft);
    if (turned.ok) draft = turned.value;
    else if (turned.error.kind === "unavailable") return faultOf(turned.error);
    else notes.push(sayNotTurned(pull.number, wantsDraft));
  }
  const text = { ...facts, drafts: draft || !wantsDraft };
  const title = renderPullRequestTitle(text);
  const body = renderPullRequestBody(text);
  if (pull.title !== title || pull.body.trimEnd() !== body.trimEnd()) {
    const updated = await ports.writes.updatePull(pull.number, { title, body });
    if (!updated.ok) return faultOf(updated.error);
  }
  if (!(await showsHead(ports, pull.number, head))) {
    return { kind: "unavailable", message: `pull request ${pull.number} does not show ${head} yet` };
  }
  return { kind: "done", value: { number: pull.number, url: pull.url, draft, created: false, notes } };
}

function sayNotTurned(number: number, wantsDraft: boolean): string {
  return wantsDraft
    ? `pull request ${number} could not be turned into a draft: do not merge it before the run is done`
    : `pull request ${number} is a draft still: press "Ready for review" on it`;
}

/** GitHub may show an older head for some seconds after a push. */
async function showsHead(ports: DeliveryPorts, number: number, head: string): Promise<boolean> {
  for (let tries = 1; ; tries += 1) {
    const pull = await ports.github.readPull(number);
    if (pull.ok && pull.value.head.sha === head) return true;
    if (!(await waitForNext(ports, tries))) return false;
  }
}
