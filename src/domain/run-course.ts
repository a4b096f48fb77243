import { parseInstant, renderInstant } from "./instants.ts";
import type { ItemRules } from "./item-rules.ts";
import { endAttempt, requireStep } from "./item-steps.ts";
import type { EventDetails } from "./journal.ts";
import { decideManagerOutcome } from "./manager.ts";
import { decideRunPolicy, type RunPolicy, type TrustObservation } from "./policy.ts";
import type { PublishedState } from "./published.ts";
import { whyNotRefreshed } from "./refresh.ts";
import type { RunState } from "./run.ts";
import { stageKey } from "./stages.ts";

/** The policy that what was read gives, for this plan in this mode. */
export function decidePolicyOf(
  state: RunState,
  { at, details }: { readonly at: string; readonly details: EventDetails<"trust_read"> },
  { admission, approvalPolicy }: ItemRules,
): RunPolicy {
  return decideRunPolicy(
    {
      planSha256: state.created.plan_sha256,
      policySha256: state.created.policy_sha256,
      allowedBefore: state.policy?.decision === "allow",
      observed: observationOf(state, at, details),
      tip: {
        planSha256: details.plan_sha256,
        policySha256: details.policy_sha256,
        baseContained: details.base_contained,
      },
    },
    {
      ...admission,
      mode: state.created.mode,
      allowFullAutonomy: details.environment.allow_full_autonomy,
      approvals: details.approvals,
      policy: approvalPolicy,
      planSha256: state.created.plan_sha256,
      policySha256: state.created.policy_sha256,
      now: parseInstant(at),
    },
  );
}

function observationOf(
  { options }: RunState,
  at: string,
  { observed }: Pick<EventDetails<"trust_read">, "observed">,
): TrustObservation | null {
  if (observed === undefined) return null;
  const { consent, paused, unknown } = observed;
  const delivers = options["deliver"]?.value !== "none";
  const today = renderInstant(parseInstant(at)).slice(0, 10);
  return { consent: { byPerson: consent.by_person, found: consent.found, delivers }, paused, unknown, today };
}

/** What the manager's run came to, on the base and nowhere else. */
export function finishManager(state: RunState, details: EventDetails<"manager_finished">): RunState {
  requireStep(state.created.manager !== null, "the run has no manager");
  requireStep(details.commit === state.baseCommit, "the manager plans on the base");
  return { ...state, manager: decideManagerOutcome(details) };
}

/** The plan is closed once, on the validated commit, when every item has passed and policy allows it. */
export function prepareClosing(
  state: RunState,
  { details, prev }: { readonly details: EventDetails<"closing_prepared">; readonly prev: string },
): RunState {
  requireStep(state.closing === undefined, "the plan is closed once");
  requireStep(details.parent === state.tip, "the closing commit stands on the run branch's tip");
  requireStep(
    state.items.every((item) => item.settled?.terminalState === "passed") &&
      state.completedStages.includes(stageKey("validation")) &&
      state.policy?.decision === "allow",
    "a plan is closed when every item passed, validation is done and policy allows it",
  );
  const { commit, tree, parent } = details;
  return { ...state, closing: { commit, tree, parent, journalHead: prev, committed: false } };
}

/** The run branch names the commit that was prepared. */
export function commitClosing(state: RunState, { commit }: EventDetails<"closing_committed">): RunState {
  const { closing } = state;
  requireStep(closing !== undefined && !closing.committed && closing.commit === commit, "no such closing was prepared");
  return { ...state, closing: { ...closing, committed: true }, tip: commit };
}

/** The plan and the policy that were approved stay; what was proven on the old base is not taken along. */
export function beginRefresh(state: RunState, details: EventDetails<"base_refresh_started">): RunState {
  requireStep(state.refresh === undefined, "a refresh of the base has begun already");
  requireStep(whyNotRefreshed(state) === undefined, "this run's base cannot be moved");
  requireStep(details.from === state.baseCommit && details.from === state.tip, "a refresh begins at the base");
  requireStep(
    details.plan_sha256 === state.created.plan_sha256 && details.policy_sha256 === state.created.policy_sha256,
    "a refresh keeps plan and policy",
  );
  return { ...state, refresh: { from: details.from, to: details.to } };
}

/** What was done on the old base is done again; an attempt that was under way ends. */
export function finishRefresh(state: RunState, { from, to }: EventDetails<"base_refreshed">): RunState {
  requireStep(state.refresh?.from === from && state.refresh.to === to, "no such refresh has begun");
  const { refresh: _refresh, manager: _manager, policy: _policy, ...kept } = state;
  const again = [stageKey("planning"), stageKey("policy_ingestion")];
  return {
    ...kept,
    baseCommit: to,
    tip: to,
    basePrepared: false,
    completedStages: state.completedStages.filter((key) => !again.includes(key)),
    items: state.items.map((item) =>
      item.settled === undefined && item.attempts.at(-1)?.ended === undefined
        ? { ...endAttempt(item, "superseded"), handoffTrees: [] }
        : item,
    ),
  };
}

/** What was published before stays known: a new try builds on it. */
export function beginPublication({ publication }: RunState, head: string): PublishedState {
  return {
    head,
    status: "intended",
    publishedHead: publication?.publishedHead ?? null,
    pullRequest: publication?.pullRequest ?? null,
    message: "",
  };
}

/** Of a publication that came to nothing nothing is claimed but what was known before. */
export function finishPublication(
  { publication }: RunState,
  details: EventDetails<"publication_finished">,
): PublishedState {
  requireStep(publication?.status === "intended" && publication.head === details.head, "no such publication has begun");
  const { status, message } = details;
  return {
    head: details.head,
    status,
    publishedHead: details.published_head ?? publication.publishedHead,
    pullRequest: details.pull_request ?? publication.pullRequest,
    message,
  };
}
