import { DEFAULT_CONFIG_PATH, defaultConfig, parseConfig, policyDigest } from "../domain/config.ts";
import { sha256 } from "../domain/digest.ts";
import type { RunStop } from "../domain/run-stop.ts";
import type { Stage } from "../domain/stages.ts";
import type { RunContext } from "./run-context.ts";

/** Policy ingestion: decides policy on what the trust ref's tip holds, before anything is executed. */
export async function ingestPolicy(context: RunContext): Promise<RunStop | undefined> {
  return judgeTrust(context, "policy_ingestion");
}

/**
 * Reads plan and policy at the trust ref's tip and decides again; a refusal stops the run blocked. Reason codes:
 * BASE_MOVED, PLAN_DIGEST_CHANGED, POLICY_DIGEST_CHANGED.
 */
export async function judgeTrust(context: RunContext, stage: Stage): Promise<RunStop | undefined> {
  const { recorder } = context;
  recorder.record("trust_read", { stage, ...(await readTrust(context)) });
  const { policy } = recorder.state;
  if (policy?.decision === "allow") return undefined;
  return { kind: "terminal", terminalState: "blocked", reasonCodes: policy?.reasonCodes ?? [] };
}

/** The commit the trust ref names now; a run that started on a detached HEAD trusts its base alone. */
export async function readTip(context: RunContext): Promise<string | undefined> {
  const { trust_ref: ref, base_commit: base } = context.recorder.state.created;
  return ref === null ? base : context.ports.user.readRef(ref);
}

async function readTrust(context: RunContext) {
  const { created } = context.recorder.state;
  const { user } = context.ports;
  const tip = await readTip(context);
  if (tip === undefined) return { tip: null, plan_sha256: null, policy_sha256: null, base_contained: false };
  const plan = await user.readFileAt(tip, created.plan_path);
  return {
    tip,
    plan_sha256: plan === undefined ? null : sha256(plan),
    policy_sha256: await readPolicyDigest(context, tip),
    base_contained: tip === created.base_commit || (await user.isAncestor(created.base_commit, tip)),
  };
}

async function readPolicyDigest(context: RunContext, tip: string): Promise<string | null> {
  const { config, policy_sha256: started } = context.recorder.state.created;
  if (config.authority === "local") return started;
  const bytes = await context.ports.user.readFileAt(tip, DEFAULT_CONFIG_PATH);
  if (bytes === undefined) return config.authority === "none" ? policyDigest(defaultConfig()) : null;
  const parsed = parseConfig(DEFAULT_CONFIG_PATH, new TextDecoder().decode(bytes)).config;
  return parsed === undefined ? null : policyDigest(parsed);
}
