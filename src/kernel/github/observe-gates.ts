import type { GateFacts, ObservedGates } from "../../domain/gate-facts.ts";
import { judgeGateFacts } from "../../domain/gate-facts.ts";
import { rulesOf, type ItemRules } from "../../domain/item-rules.ts";
import type { FileDigest } from "../../domain/journal.ts";
import type { Plan } from "../../domain/plan.ts";
import type { RunPolicy } from "../../domain/policy.ts";
import { observeTrust } from "../../domain/preflight.ts";
import { decidePolicyOf } from "../../domain/run-course.ts";
import type { RunState } from "../../domain/run.ts";
import type { Config } from "../../domain/config.ts";
import { requireGithub, whoAsked } from "../policy-ingestion.ts";
import type { RunContext } from "../run-context.ts";
import { readGateFacts } from "./read-gate-facts.ts";

/** Asks GitHub what the gates are to be told of the run's head, and keeps what it said in the run folder. */
export async function observeGates(context: RunContext): Promise<ObservedGates & { readonly files: FileDigest[] }> {
  const { recorder, ports, config, settings } = context;
  const { created, baseCommit, tip: head, seq } = recorder.state;
  const facts = await readGateFacts(requireGithub(context), ports.clock, {
    ...whoAsked(context),
    head,
    branch: created.run_branch,
    config,
    risk: context.rules.admission.risk.tier,
    workflowRuns: recorder.state.workflowRuns,
    planPath: created.plan_path,
    baseCommit,
    paused: false,
    resume: null,
    repositoryId: settings.trust.kind === "api" ? settings.trust.repositoryId : undefined,
  });
  const file = await ports.files.write(`gates/${seq + 1}.json`, `${JSON.stringify(facts, null, 2)}\n`);
  return { ...judgeObservedGates(facts, recorder.state, context), files: [file] };
}

/** What saved facts say to the gates of a run: a pure function, so that `verify` gets the same. */
export function judgeObservedGates(
  facts: GateFacts,
  state: RunState,
  { config, plan }: { readonly config: Config; readonly plan: Plan },
): ObservedGates {
  return judgeGateFacts(facts, config, decidePolicyNow(facts, state, rulesOf(config, plan)));
}

/** The run's policy as the facts have it: the same decision as before execution, on what GitHub says now. */
function decidePolicyNow(facts: GateFacts, state: RunState, rules: ItemRules): RunPolicy {
  const { created, baseCommit } = state;
  const run = { baseCommit, planPath: created.plan_path, source: "api" } as const;
  const details = {
    stage: "closure" as const,
    ...observeTrust(facts.trust, run),
    // Whether full mode is allowed is the machine's to say, and the run's own decision has it.
    environment: { allow_full_autonomy: true },
  };
  return decidePolicyOf(state, { at: facts.asked_at, details }, rules);
}
