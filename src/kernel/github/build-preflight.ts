import { sayActor, whyNotAsked, type Starter } from "../../domain/actors.ts";
import { CONSENT_PATH } from "../../domain/consent.ts";
import type { Config } from "../../domain/config.ts";
import { DEFAULT_CONFIG_PATH } from "../../domain/run-choices.ts";
import { sha256 } from "../../domain/digest.ts";
import { sayFailure, type GithubFailure } from "../../domain/github-failure.ts";
import { parsePlan } from "../../domain/parse-plan.ts";
import { configOf, type Preflight } from "../../domain/preflight.ts";
import type { RiskTier } from "../../domain/plan.ts";
import { classifyRisk } from "../../domain/risk.ts";
import { ok } from "../../domain/result.ts";
import { surroundingsOf } from "../../domain/validation-commands.ts";
import type { Clock } from "../../ports.ts";
import type { Github, GithubAnswer } from "../../ports/github.ts";
import { gather, orNull } from "./gather.ts";
import { readActor } from "./read-actor.ts";
import { readPlanApprovalFacts } from "./read-approval-facts.ts";

/** Label of an open issue that keeps everything from starting. */
const PAUSE_LABEL = "conveyor:pause";

/** What somebody wants to run. */
export interface PreflightQuestion {
  readonly planPath: string;
  /** The commit that the run begins at. */
  readonly baseCommit: string;
  /** True when a person asked for this very plan. */
  readonly byPerson: boolean;
  /** Who or what asked, in words. */
  readonly askedBy: string;
  /** Who started the workflow run, and who started it again; nobody where a person typed the command. */
  readonly askers: readonly Starter[];
  /** The input `paused`: the kill switch that is a variable of the repository. */
  readonly paused: boolean;
  readonly resume: Preflight["resume"];
  /** The repository's number where the caller knows it: a name can have been taken over by another. */
  readonly repositoryId: number | undefined;
}

/**
 * Reads everything that decides whether a run may begin: the trusted branch's tip with plan, policy and consent, who
 * approved the plan, whether anything is paused. What cannot be read is named, and holds nothing open: what is unknown
 * denies wherever the document is judged.
 */
export async function buildPreflight(github: Github, clock: Clock, asked: PreflightQuestion): Promise<Preflight> {
  const empty: Preflight = {
    schema_version: "conveyor.preflight.v1",
    made_at: clock.now(),
    repository: { id: asked.repositoryId ?? 0, full_name: github.fullName },
    trust: { branch: "unknown", tip: null },
    base: { commit: asked.baseCommit, contained_in: null },
    plan: { path: asked.planPath, sha256: null },
    config: null,
    approvals: null,
    consent: { by_person: asked.byPerson, asked_by: asked.askedBy, file: null },
    paused: null,
    resume: asked.resume,
    manual_gate: null,
    unknown: [],
  };
  const failed = (failure: GithubFailure, known: Partial<Preflight> = {}): Preflight => ({
    ...empty,
    ...known,
    unknown: [...(known.unknown ?? []), sayFailure(failure)],
  });
  const repository = await readRepository(github, asked.repositoryId);
  if (!repository.ok) return failed(repository.error);
  const { id, full_name: fullName, default_branch: branch } = repository.value;
  const here = { repository: { id, full_name: fullName } };
  const tip = await github.readBranchTip(branch);
  if (!tip.ok) return failed(tip.error, { ...here, trust: { branch, tip: null } });
  const trust = { branch, tip: tip.value };
  const read = await gather({
    plan: orNull(github.readFile(asked.planPath, trust.tip)),
    config: orNull(github.readFile(DEFAULT_CONFIG_PATH, trust.tip)),
    consent: orNull(github.readFile(CONSENT_PATH, trust.tip)),
  });
  if (!read.ok) return failed(read.error, { ...here, trust: { branch, tip: null } });
  const decode = (bytes: Uint8Array | null): string | null => (bytes === null ? null : new TextDecoder().decode(bytes));
  const known: Preflight = {
    ...empty,
    ...here,
    trust,
    plan: { path: asked.planPath, sha256: read.value.plan === null ? null : sha256(read.value.plan) },
    config: decode(read.value.config),
    consent: { ...empty.consent, file: decode(read.value.consent) },
    paused: await readPaused(github, asked.paused),
  };
  const config = configOf(known);
  if (config === undefined)
    return { ...known, unknown: [`${DEFAULT_CONFIG_PATH} on ${branch} is not a configuration; see conveyor doctor`] };
  const base = await findContaining(github, trust, asked.baseCommit, config);
  if (!base.ok) return failed(base.error, known);
  const consent = { ...known.consent, ...(await judgeAskers(github, asked, config)) };
  const risk = read.value.plan === null ? "high" : riskOf(asked.planPath, read.value.plan, config);
  const approvals =
    risk === "low"
      ? ok(null)
      : await readPlanApprovalFacts(github, clock, {
          risk,
          config,
          planPath: asked.planPath,
          baseRef: branch,
          tip: trust.tip,
          repositoryId: id,
        });
  const based = { ...known, consent, base: { commit: asked.baseCommit, contained_in: base.value } };
  return approvals.ok ? { ...based, approvals: approvals.value } : failed(approvals.error, based);
}

/** A person asked only when everybody who started the run is one that may; else consent has to allow it. */
async function judgeAskers(
  github: Github,
  { byPerson, askedBy, askers }: PreflightQuestion,
  { policy }: Config,
): Promise<{ by_person: boolean; asked_by: string }> {
  if (!byPerson) return { by_person: false, asked_by: askedBy };
  const whys = await Promise.all(
    askers.map(async (asker) => {
      const why = whyNotAsked(await readActor(github, asker), policy);
      return why === undefined ? undefined : `${sayActor(asker)}: ${why}`;
    }),
  );
  const why = whys.filter((each) => each !== undefined).join("; ");
  return why === "" ? { by_person: true, asked_by: askedBy } : { by_person: false, asked_by: `${askedBy} (${why})` };
}

/** The repository, when it is the one that the caller knows by its number. */
export async function readRepository(github: Github, expectedId: number | undefined) {
  const repository = await github.readRepository();
  if (!repository.ok || expectedId === undefined || repository.value.id === expectedId) return repository;
  return {
    ok: false as const,
    error: {
      kind: "malformed" as const,
      status: 200,
      request: "GET /repos/{owner}/{repo}",
      message: `expected the repository number ${expectedId}, found ${repository.value.id}: another one has its name`,
    },
  };
}

/** The risk of a plan as it stands on the trusted branch; what cannot be read is high. */
function riskOf(path: string, bytes: Uint8Array, config: Config): RiskTier {
  const { plan } = parsePlan({ path, bytes, ...surroundingsOf(config) });
  return plan === undefined ? "high" : classifyRisk({ plan, config }).tier;
}

/** The first trusted ref that contains the base; null when none does. */
async function findContaining(
  github: Github,
  trust: { readonly branch: string; readonly tip: string },
  base: string,
  config: Config,
): Promise<GithubAnswer<string | null>> {
  const refs = [`refs/heads/${trust.branch}`, ...config.policy["trusted-refs"]];
  for (const [index, ref] of refs.entries()) {
    const tip = index === 0 ? ok(trust.tip) : await orNull(github.readBranchTip(ref.replace(/^refs\/heads\//, "")));
    if (!tip.ok) return tip;
    if (tip.value === null) continue;
    if (tip.value === base) return ok(ref);
    const compared = await orNull(github.compare(base, tip.value));
    if (!compared.ok) return compared;
    if (compared.value?.merge_base_commit.sha === base) return ok(ref);
  }
  return ok(null);
}

/**
 * Whether the repository is paused, by its variable or by an issue. A token that may not read issues finds none, which
 * is what the profile without `issues: read` is; whoever may and gets no answer must not go on.
 */
async function readPaused(github: Github, input: boolean): Promise<string | null> {
  if (input) return "the input paused is set";
  const issues = await github.listOpenIssues(PAUSE_LABEL);
  if (!issues.ok) {
    const { kind } = issues.error;
    return kind === "forbidden" || kind === "not_found"
      ? null
      : `whether it is paused is unknown: ${sayFailure(issues.error)}`;
  }
  const [issue] = issues.value;
  return issue === undefined ? null : `issue #${issue.number} has the label ${PAUSE_LABEL}`;
}
