import { defaultConfig, parseConfig, policyDigest } from "../domain/config.ts";
import { DEFAULT_CONFIG_PATH } from "../domain/run-choices.ts";
import { sha256 } from "../domain/digest.ts";
import type { EventDetails } from "../domain/journal.ts";
import { observeTrust, renderPreflight, type Preflight } from "../domain/preflight.ts";
import type { RunStop } from "../domain/run-stop.ts";
import type { Stage } from "../domain/stages.ts";
import type { UserRepository } from "../ports/git.ts";
import type { Github } from "../ports/github.ts";
import { buildPreflight, readRepository, type PreflightQuestion } from "./github/build-preflight.ts";
import type { RunContext } from "./run-context.ts";

/** Policy ingestion: decides policy on what the trust ref's tip holds, before anything is executed. */
export async function ingestPolicy(context: RunContext): Promise<RunStop | undefined> {
  return judgeTrust(context, "policy_ingestion");
}

/**
 * Reads plan and policy at the trust ref's tip, and what the environment or GitHub approves, and decides again; a
 * refusal stops the run blocked. Reason codes: BASE_MOVED, BASE_NOT_TRUSTED, PLAN_DIGEST_CHANGED,
 * POLICY_DIGEST_CHANGED, PAUSED, CONSENT_NOT_ENABLED, CONSENT_EXPIRED, CONSENT_NOT_CONTINUOUS,
 * CONSENT_APPLY_NOT_ALLOWED, RISK_MEDIUM_NOT_APPROVED, RISK_HIGH_NOT_APPROVED, MODE_FULL_NOT_ALLOWED,
 * AUTONOMY_NOT_ALLOWED, PLAN_MARKED_BLOCKED.
 */
export async function judgeTrust(context: RunContext, stage: Stage): Promise<RunStop | undefined> {
  const { recorder } = context;
  const { allowFullAutonomy, approvals } = context.settings.environment;
  const read = await readTrust(context);
  recorder.record("trust_read", {
    stage,
    ...read,
    environment: { allow_full_autonomy: allowFullAutonomy },
    // A job that another one told what GitHub says has no say of its own.
    approvals: context.settings.trust.kind === "preflight" ? read.approvals : [...approvals, ...read.approvals],
  });
  const { policy } = recorder.state;
  if (policy?.decision === "allow") return undefined;
  return { kind: "terminal", terminalState: "blocked", reasonCodes: policy?.reasonCodes ?? [] };
}

/** The commit the trust ref names now; a run that started on a detached HEAD trusts its base alone. */
export async function readTip(context: RunContext): Promise<string | undefined> {
  const { trust } = context.settings;
  switch (trust.kind) {
    case "preflight":
      return trust.document.trust.tip ?? undefined;
    case "api":
      return readTipOnGithub(requireGithub(context), trust.repositoryId);
    case "checkout": {
      const { created, baseCommit } = context.recorder.state;
      const { trust_ref: ref } = created;
      return ref === null ? baseCommit : context.ports.user.readRef(ref);
    }
  }
}

/** The GitHub that the run was told to ask; without one it could not have begun. */
export function requireGithub({ ports }: Pick<RunContext, "ports">): Github {
  if (ports.github === undefined) throw new Error("the run has no GitHub to ask");
  return ports.github;
}

async function readTipOnGithub(github: Github, repositoryId: number | undefined): Promise<string | undefined> {
  const repository = await readRepository(github, repositoryId);
  if (!repository.ok) return undefined;
  const tip = await github.readBranchTip(repository.value.default_branch);
  return tip.ok ? tip.value : undefined;
}

type TrustRead = Omit<EventDetails<"trust_read">, "stage" | "environment">;

async function readTrust(context: RunContext): Promise<TrustRead> {
  const { recorder, ports, settings } = context;
  const { trust } = settings;
  if (trust.kind === "checkout") return { ...(await readTrustInCheckout(context)), approvals: [] };
  const document = trust.kind === "preflight" ? trust.document : await askGithub(context, trust.repositoryId);
  const { created, baseCommit, seq } = recorder.state;
  const file = await ports.files.write(`trust/${seq + 1}.json`, renderPreflight(document));
  const run = { baseCommit, planPath: created.plan_path, source: trust.kind };
  return { ...observeTrust(document, run), files: [file] };
}

/** Who asked for the plan, as the door says or the job that read GitHub for this one. */
export function whoAsked({
  settings: { trust },
}: RunContext): Pick<PreflightQuestion, "byPerson" | "askedBy" | "askers"> {
  if (trust.kind === "api") return { byPerson: trust.byPerson, askedBy: trust.askedBy, askers: trust.askers };
  // Nobody but a person calls the command line without a preflight document.
  if (trust.kind === "checkout") return { byPerson: true, askedBy: "the command line", askers: [] };
  const { by_person: byPerson, asked_by: askedBy } = trust.document.consent;
  // The job that wrote the document asked GitHub about them.
  return { byPerson, askedBy, askers: [] };
}

/** Asks GitHub what it says of the run now. */
async function askGithub(context: RunContext, repositoryId: number | undefined): Promise<Preflight> {
  const { created, baseCommit } = context.recorder.state;
  return buildPreflight(requireGithub(context), context.ports.clock, {
    planPath: created.plan_path,
    baseCommit,
    ...whoAsked(context),
    repositoryId,
    paused: false,
    resume: null,
  });
}

async function readTrustInCheckout(context: RunContext) {
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
