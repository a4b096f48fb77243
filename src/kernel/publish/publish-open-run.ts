import { buildRunReport } from "../../domain/report.ts";
import { isPublished, findWaiting, listChain, listStanding, type Deliverable } from "../../domain/publication.ts";
import type { EventDetails } from "../../domain/journal.ts";
import type { RunStop } from "../../domain/run-stop.ts";
import type { GithubDelivery } from "../../ports/github.ts";
import { failStage } from "../fail-stage.ts";
import { findTamperedFile } from "../named-files.ts";
import { judgeTrust } from "../policy-ingestion.ts";
import type { RunContext } from "../run-context.ts";
import { findHolder } from "./find-holder.ts";
import { deliverRun, type DeliveryOutcome } from "./deliver-run.ts";
import { readClosing } from "./judge-publication.ts";

/**
 * Closure's delivery to GitHub: the closed branch and a pull request that asks for review. Reason codes:
 * DELIVERY_REFUSED, DELIVERY_UNAVAILABLE.
 */
export async function publishClosed(context: RunContext): Promise<RunStop | undefined> {
  const { recorder } = context;
  if (isPublished(recorder.state)) return undefined;
  const { created, baseCommit: base, tip: head } = recorder.state;
  const finished = await publish(context, { kind: "complete", branch: created.run_branch, base, head });
  const { reason_code: code } = finished;
  return code === null ? undefined : failStage(context, "closure", code, finished.message);
}

/**
 * A run that stops because an item waits for a person is published as a draft whose head is the waiting candidate
 * (kernel.md, *Manual gate*), after policy was decided once more. What GitHub makes of it does not change how the run
 * stands: it waits, and a resume publishes again what could not be. Gives a stop when policy refuses.
 */
export async function publishWaiting(context: RunContext): Promise<RunStop | undefined> {
  const { recorder, ports } = context;
  const waiting = findWaiting(recorder.state);
  if (waiting === undefined || isPublished(recorder.state)) return undefined;
  const tampered = await findTamperedFile(recorder.state, ports.files);
  if (tampered !== undefined) {
    return failStage(context, "execution", "ARTIFACT_TAMPERED", `${tampered.path} ${tampered.message}`);
  }
  const refused = await judgeTrust(context, "execution");
  if (refused !== undefined) return refused;
  const { created, baseCommit: base } = recorder.state;
  const { itemId, gate } = waiting;
  await publish(context, { kind: "waiting", branch: created.run_branch, base, head: gate.commit, itemId, gate });
  return undefined;
}

/** Intent, delivery, receipt. A delivery whose process died is begun again: it finds what was done. */
async function publish(context: RunContext, publication: Deliverable): Promise<EventDetails<"publication_finished">> {
  const { recorder, plan, config, ports } = context;
  const { delivery } = ports;
  if (delivery === undefined) throw new Error("the run has no GitHub to be delivered to");
  const base = await findBaseBranch(context, delivery);
  const { branch, head, kind } = publication;
  recorder.record("publication_started", {
    repository: delivery.github.fullName,
    branch,
    base_branch: base.kind === "found" ? base.branch : "",
    head,
    draft: kind === "waiting",
  });
  const run = { state: recorder.state, plan, config };
  const chain = listChain(run, publication, readClosing(run));
  const outcome: DeliveryOutcome = !chain.ok
    ? { kind: "refused", faults: [chain.error] }
    : base.kind !== "found"
      ? base
      : await deliverRun(
          { ...delivery, repository: ports.repository, clock: ports.clock, interrupt: ports.interrupt },
          {
            state: recorder.state,
            report: buildRunReport(recorder.state, { plan, config }, ports.journal.head),
            publication,
            chain: chain.value,
            baseBranch: base.branch,
            ...(await findHolder(delivery.writes)),
            profile: delivery.profile,
            rerun: false,
            standing: listStanding(config, recorder.state.policy ?? { approvals: [] }),
          },
        );
  const finished = toReceipt(head, outcome);
  recorder.record("publication_finished", finished);
  return finished;
}

function toReceipt(head: string, outcome: DeliveryOutcome): EventDetails<"publication_finished"> {
  const nothing = { head, published_head: null, pull_request: null, commits: [], reason_code: null, message: "" };
  switch (outcome.kind) {
    case "published": {
      const { number, url, draft, notes } = outcome.pull;
      return {
        ...nothing,
        status: "published",
        published_head: outcome.headSha,
        pull_request: { number, url, draft },
        commits: outcome.commits.map(({ verified, published }) => ({ verified: verified.commit, published })),
        message: notes.join("; "),
      };
    }
    case "merged":
      return { ...nothing, status: "merged", pull_request: { number: outcome.number, url: outcome.url, draft: false } };
    case "refused": {
      const [first] = outcome.faults;
      return { ...nothing, status: "refused", reason_code: "DELIVERY_REFUSED", message: first?.message ?? "" };
    }
    case "unavailable":
      return { ...nothing, status: "unavailable", reason_code: "DELIVERY_UNAVAILABLE", message: outcome.message };
  }
}

type BaseBranch =
  | { readonly kind: "found"; readonly branch: string }
  | { readonly kind: "unavailable"; readonly message: string };

/** The branch that the run began on; where it began on none, the repository's default branch. */
async function findBaseBranch({ recorder }: RunContext, { github }: GithubDelivery): Promise<BaseBranch> {
  const started = /^refs\/heads\/(.+)$/.exec(recorder.state.created.trust_ref ?? "")?.[1];
  if (started !== undefined) return { kind: "found", branch: started };
  const repository = await github.readRepository();
  return repository.ok
    ? { kind: "found", branch: repository.value.default_branch }
    : { kind: "unavailable", message: repository.error.message };
}
