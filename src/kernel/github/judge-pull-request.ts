import { parseConfig, policyDigest, type Config } from "../../domain/config.ts";
import { DEFAULT_CONFIG_PATH, type Mode } from "../../domain/run-choices.ts";
import { sha256 } from "../../domain/digest.ts";
import { judgeGateFacts, type GateFacts } from "../../domain/gate-facts.ts";
import { evaluateGates, type GateDecision } from "../../domain/gates.ts";
import { sayFailure } from "../../domain/github-failure.ts";
import type { GithubPull, GithubPullFile } from "../../domain/github-answers.ts";
import { parseInstant } from "../../domain/instants.ts";
import { parsePlan } from "../../domain/parse-plan.ts";
import type { Plan } from "../../domain/plan.ts";
import { decideRunPolicy, type RunPolicy } from "../../domain/policy.ts";
import { listApprovalFacts, observeTrust } from "../../domain/preflight.ts";
import { classifyRisk } from "../../domain/risk.ts";
import { err, ok, type Result } from "../../domain/result.ts";
import { surroundingsOf } from "../../domain/validation-commands.ts";
import type { Clock } from "../../ports.ts";
import type { Github } from "../../ports/github.ts";
import { readRepository } from "./build-preflight.ts";
import { findWorkflowRuns } from "./find-workflow-runs.ts";
import { gather, orNull } from "./gather.ts";
import { readApprovalFacts } from "./read-approval-facts.ts";
import { readGateFacts } from "./read-gate-facts.ts";

/** Which pull request is judged, and what the caller knows of it. */
export interface PullQuestion {
  readonly pull: number;
  /** The commit that must be its head; without one whatever its head is. */
  readonly head: string | undefined;
  /** Path of the plan; without one it is the plan that the pull request touches. */
  readonly planPath: string | undefined;
  readonly mode: Mode;
  readonly paused: boolean;
  readonly repositoryId: number | undefined;
}

/** The three gates of a pull request, with everything that was read. */
export interface JudgedPull {
  readonly head: string;
  readonly planPath: string;
  readonly facts: GateFacts;
  readonly decisions: readonly GateDecision[];
  readonly passed: boolean;
}

/**
 * Judges the three gates of a pull request from GitHub alone, without the App: policy of the plan that it proposes or
 * carries out, CI of its head, and its reviews. What keeps it from being judged at all is said in one sentence. Gate
 * codes: GATE_POLICY_DENIED_OR_UNKNOWN, GATE_CI_NOT_SUCCESS, GATE_REVIEW_NOT_APPROVED.
 */
export async function judgePullRequest(
  github: Github,
  clock: Clock,
  asked: PullQuestion,
): Promise<Result<JudgedPull, string>> {
  const repository = await readRepository(github, asked.repositoryId);
  if (!repository.ok) return err(sayFailure(repository.error));
  const { default_branch: branch } = repository.value;
  const read = await gather({
    tip: github.readBranchTip(branch),
    pull: github.readPull(asked.pull),
    files: github.listPullFiles(asked.pull),
  });
  if (!read.ok) return err(sayFailure(read.error));
  const { tip, pull, files } = read.value;
  const head = pull.head.sha;
  if (asked.head !== undefined && asked.head !== head)
    return err(`pull request #${asked.pull} has the head ${head}, expected ${asked.head}`);
  const config = await readConfig(github, branch, tip);
  if (!config.ok) return config;
  const planPath = asked.planPath ?? findPlan(files, config.value);
  if (planPath === undefined)
    return err(`pull request #${asked.pull} touches no single plan below ${config.value.paths.active}; name the plan`);
  // With the tip that everything else was read at, not with the name: the branch may have moved since.
  const compared = await github.compare(tip, head);
  if (!compared.ok) return err(sayFailure(compared.error));
  const baseCommit = compared.value.merge_base_commit.sha;
  const plans = await gather({
    workflowRuns: findWorkflowRuns(github, pull.head.ref),
    atHead: orNull(github.readFile(planPath, head)),
    atBase: orNull(github.readFile(planPath, baseCommit)),
    atTip: orNull(github.readFile(planPath, tip)),
  });
  if (!plans.ok) return err(sayFailure(plans.error));
  const { atHead, atBase, atTip, workflowRuns } = plans.value;
  // Who changes a plan proposes it; who does not carries out the one that it branched off with.
  const isProposed = atHead !== null && digest(atHead) !== digest(atBase);
  const bytes = isProposed ? atHead : atBase;
  const { plan } = parsePlan({ path: planPath, bytes: bytes ?? new Uint8Array(), ...surroundingsOf(config.value) });
  if (plan === undefined) return err(`${planPath} is not a plan that can be read`);
  const risk = classifyRisk({ plan, config: config.value });
  const facts = await readGateFacts(github, clock, {
    head,
    pull: asked.pull,
    branch: pull.head.ref,
    config: config.value,
    risk: risk.tier,
    workflowRuns,
    planPath,
    baseCommit,
    byPerson: true,
    askedBy: `pull request #${asked.pull}`,
    askers: [],
    paused: asked.paused,
    resume: null,
    repositoryId: asked.repositoryId,
  });
  const proposed = isProposed
    ? await readProposal(github, clock, facts, { config: config.value, planPath, pull, risk: risk.tier })
    : facts;
  const planSha256 = digest(bytes);
  const policy = judgePolicy(proposed, {
    config: config.value,
    plan,
    mode: asked.mode,
    planSha256,
    tipPlanSha256: isProposed ? planSha256 : digest(atTip),
  });
  const { signals, details } = judgeGateFacts(proposed, config.value, policy);
  const decisions = evaluateGates(signals, policy.decision === "allow", details);
  return ok({ head, planPath, facts: proposed, decisions, passed: decisions.every(({ passed }) => passed) });
}

async function readConfig(github: Github, branch: string, tip: string): Promise<Result<Config, string>> {
  const file = await orNull(github.readFile(DEFAULT_CONFIG_PATH, tip));
  if (!file.ok) return err(sayFailure(file.error));
  if (file.value === null) return err(`expected ${DEFAULT_CONFIG_PATH} at the tip of ${branch}, found none`);
  const { config } = parseConfig(DEFAULT_CONFIG_PATH, new TextDecoder().decode(file.value));
  return config === undefined ? err(`${DEFAULT_CONFIG_PATH} at ${tip} is not a configuration`) : ok(config);
}

/** The one plan that a pull request proposes, changes or closes. */
function findPlan(files: readonly GithubPullFile[], { paths }: Config): string | undefined {
  const isPlan = (path: string | undefined): path is string =>
    path !== undefined && path.startsWith(`${paths.active}/`) && path.endsWith(".md");
  const plans = new Set(files.flatMap((file) => [file.filename, file.previous_filename].filter(isPlan)));
  const [only] = plans;
  return plans.size === 1 ? only : undefined;
}

/** A plan that is only proposed is approved on this very pull request, and not yet on the trusted branch. */
async function readProposal(
  github: Github,
  clock: Clock,
  facts: GateFacts,
  {
    config,
    planPath,
    pull,
    risk,
  }: { config: Config; planPath: string; pull: GithubPull; risk: "low" | "medium" | "high" },
): Promise<GateFacts> {
  const { trust } = facts;
  if (trust.trust.tip === null || risk === "low") return facts;
  const approvals = await readApprovalFacts(github, clock, {
    kind: "plan",
    pull: pull.number,
    risk,
    planPath,
    config,
    baseRef: trust.trust.branch,
    tip: trust.trust.tip,
    repositoryId: trust.repository.id,
    workflowRuns: [],
    sealingPulls: null,
  });
  return approvals.ok
    ? { ...facts, trust: { ...trust, approvals: approvals.value } }
    : { ...facts, trust: { ...trust, unknown: [...trust.unknown, sayFailure(approvals.error)] } };
}

function judgePolicy(
  { trust, asked_at: at }: GateFacts,
  {
    config,
    plan,
    mode,
    planSha256,
    tipPlanSha256,
  }: { config: Config; plan: Plan; mode: Mode; planSha256: string | null; tipPlanSha256: string | null },
): RunPolicy {
  const observed = observeTrust(trust, { baseCommit: trust.base.commit, planPath: plan.path, source: "api" });
  const policySha256 = policyDigest(config);
  return decideRunPolicy(
    {
      planSha256: planSha256 ?? "",
      policySha256,
      allowedBefore: false,
      observed: {
        consent: { byPerson: true, found: { kind: "absent" }, delivers: false },
        paused: trust.paused,
        unknown: trust.unknown,
        today: at.slice(0, 10),
      },
      // A proposed plan is not on the trusted branch yet; the plan of a delivery has to be there still.
      tip: { planSha256: tipPlanSha256, policySha256: observed.policy_sha256, baseContained: observed.base_contained },
    },
    {
      risk: classifyRisk({ plan, config }),
      metadata: plan.metadata,
      mode,
      allowFullAutonomy: true,
      approvals: listApprovalFacts(trust.approvals),
      policy: config.policy,
      planSha256: planSha256 ?? "",
      policySha256,
      now: parseInstant(at),
    },
  );
}

function digest(bytes: Uint8Array | null): string | null {
  return bytes === null ? null : sha256(bytes);
}
