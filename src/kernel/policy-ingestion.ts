import { DEFAULT_CONFIG_PATH, defaultConfig, parseConfig, policyDigest } from "../domain/config.ts";
import { sha256 } from "../domain/digest.ts";
import type { EventDetails } from "../domain/journal.ts";
import type { RunStop } from "../domain/run-stop.ts";
import type { Stage } from "../domain/stages.ts";
import type { UserRepository } from "../ports.ts";
import type { RunContext } from "./run-context.ts";

/** Policy ingestion: decides policy on what the trust ref's tip holds, before anything is executed. */
export async function ingestPolicy(context: RunContext): Promise<RunStop | undefined> {
  return judgeTrust(context, "policy_ingestion");
}

/**
 * Reads plan and policy at the trust ref's tip, and what the environment approves, and decides again; a refusal stops
 * the run blocked. Reason codes: BASE_MOVED, PLAN_DIGEST_CHANGED, POLICY_DIGEST_CHANGED, RISK_MEDIUM_NOT_APPROVED,
 * RISK_HIGH_NOT_APPROVED, MODE_FULL_NOT_ALLOWED, AUTONOMY_NOT_ALLOWED, PLAN_MARKED_BLOCKED.
 */
export async function judgeTrust(context: RunContext, stage: Stage): Promise<RunStop | undefined> {
  const { recorder } = context;
  const { allowFullAutonomy, approvals } = context.settings.environment;
  recorder.record("trust_read", {
    stage,
    ...(await readTrust(context)),
    environment: { allow_full_autonomy: allowFullAutonomy },
    approvals: [...approvals],
  });
  const { policy } = recorder.state;
  if (policy?.decision === "allow") return undefined;
  return { kind: "terminal", terminalState: "blocked", reasonCodes: policy?.reasonCodes ?? [] };
}

/** The commit the trust ref names now; a run that started on a detached HEAD trusts its base alone. */
export async function readTip(context: RunContext): Promise<string | undefined> {
  const { created, baseCommit } = context.recorder.state;
  const { trust_ref: ref } = created;
  return ref === null ? baseCommit : context.ports.user.readRef(ref);
}

async function readTrust(context: RunContext) {
  const { created, baseCommit } = context.recorder.state;
  const { user } = context.ports;
  const tip = await readTip(context);
  if (tip === undefined) return { tip: null, plan_sha256: null, policy_sha256: null, base_contained: false };
  const plan = await user.readFileAt(tip, created.plan_path);
  return {
    tip,
    plan_sha256: plan === undefined ? null : sha256(plan),
    policy_sha256: await readPolicyDigest(user, created, tip),
    base_contained: tip === baseCommit || (await user.isAncestor(baseCommit, tip)),
  };
}

/** Digest of the policy that holds at a commit; that of the run when it came from a local file. */
export async function readPolicyDigest(
  user: Pick<UserRepository, "readFileAt">,
  { config, policy_sha256: started }: Pick<EventDetails<"run_created">, "config" | "policy_sha256">,
  commit: string,
): Promise<string | null> {
  if (config.authority === "local") return started;
  const bytes = await user.readFileAt(commit, DEFAULT_CONFIG_PATH);
  if (bytes === undefined) return config.authority === "none" ? policyDigest(defaultConfig()) : null;
  const parsed = parseConfig(DEFAULT_CONFIG_PATH, new TextDecoder().decode(bytes)).config;
  return parsed === undefined ? null : policyDigest(parsed);
}
