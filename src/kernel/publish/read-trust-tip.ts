import { decidePolicyOf } from "../../domain/run-course.ts";
import { DEFAULT_CONFIG_PATH } from "../../domain/run-choices.ts";
import { sha256 } from "../../domain/digest.ts";
import type { AdmissionEnvironment, RunPolicy } from "../../domain/policy.ts";
import { rulesOf } from "../../domain/item-rules.ts";
import type { SavedRun } from "../../domain/saved-run.ts";
import type { Github } from "../../ports/github.ts";
import { isContained } from "../github/is-contained.ts";
import { eventsOf } from "../mismatch.ts";
import { readPolicyDigest } from "../policy-ingestion.ts";
import { faultOf, type Step } from "./publish-ports.ts";

/** What is known of the trust ref just before a push. */
export interface TrustTip {
  /** The branch that the pull request is for. */
  readonly branch: string;
  readonly policy: RunPolicy;
}

/**
 * Reads plan and policy at the trust ref's tip from GitHub once more and decides with what approves the run now, as a
 * run does before its own delivery. Without `admission` the approvals are those that the run was given.
 */
export async function readTrustTip(
  github: Github,
  run: SavedRun,
  asked: {
    readonly branch: string | undefined;
    readonly admission: AdmissionEnvironment | undefined;
    readonly at: string;
  },
): Promise<Step<TrustTip>> {
  const { created, baseCommit } = run.state;
  const branch =
    asked.branch === undefined ? await readDefaultBranch(github) : ({ kind: "done", value: asked.branch } as const);
  if (branch.kind !== "done") return branch;
  const tip = await github.readBranchTip(branch.value);
  if (!tip.ok) return faultOf(tip.error);
  const plan = await readIfThere(github, created.plan_path, tip.value);
  if (plan.kind !== "done") return plan;
  const config = await readIfThere(github, DEFAULT_CONFIG_PATH, tip.value);
  if (config.kind !== "done") return config;
  const contained = await isContained(github, baseCommit, tip.value);
  if (!contained.ok) return faultOf(contained.error);
  const last = eventsOf(run.journal.events, "trust_read").at(-1)?.details;
  const { allowFullAutonomy, approvals } = asked.admission ?? {
    allowFullAutonomy: last?.environment.allow_full_autonomy ?? false,
    approvals: last?.approvals ?? [],
  };
  const policy = decidePolicyOf(
    run.state,
    {
      at: asked.at,
      details: {
        stage: "closure",
        tip: tip.value,
        plan_sha256: plan.value === undefined ? null : sha256(plan.value),
        policy_sha256: await readPolicyDigest({ readFileAt: async () => config.value }, created, tip.value),
        base_contained: contained.value,
        environment: { allow_full_autonomy: allowFullAutonomy },
        approvals: [...approvals],
      },
    },
    rulesOf(run.config, run.plan),
  );
  return { kind: "done", value: { branch: branch.value, policy } };
}

async function readDefaultBranch(github: Github): Promise<Step<string>> {
  const repository = await github.readRepository();
  return repository.ok ? { kind: "done", value: repository.value.default_branch } : faultOf(repository.error);
}

/** A file that is not there is an answer; a file that could not be asked for is none. */
async function readIfThere(github: Github, path: string, commit: string): Promise<Step<Uint8Array | undefined>> {
  const file = await github.readFile(path, commit);
  if (file.ok) return { kind: "done", value: file.value };
  return file.error.kind === "not_found" ? { kind: "done", value: undefined } : faultOf(file.error);
}
