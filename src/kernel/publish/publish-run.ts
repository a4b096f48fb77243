import {
  decidePublication,
  listStanding,
  type PublicationAnchors,
  type PublicationFault,
} from "../../domain/publication.ts";
import type { AdmissionEnvironment, RunPolicy } from "../../domain/policy.ts";
import { buildSavedReport } from "../../domain/saved-report.ts";
import type { SavedRun } from "../../domain/saved-run.ts";
import type { Clock } from "../../ports.ts";
import type { VerifyPorts } from "../verify-run.ts";
import { deliverRun, endDelivery, findMerged, type DeliveryInput, type DeliveryOutcome } from "./deliver-run.ts";
import { judgeRerunReport } from "../../domain/rerun-report.ts";
import { judgeRun, judgeScopeAgain, judgeStory } from "./judge-publication.ts";
import type { DeliveryPorts } from "./publish-ports.ts";
import { readTrustTip } from "./read-trust-tip.ts";

/** What a run is published with. */
export interface PublishInput extends Pick<DeliveryInput, "self" | "token" | "profile"> {
  /** What the executing job said of the run. */
  readonly anchors: PublicationAnchors;
  /** What approves the run now, as preflight found it; nothing: what the run was given counts still. */
  readonly admission: AdmissionEnvironment | undefined;
  /** The branch that the run is for; nothing: the default branch of the repository. */
  readonly trustBranch: string | undefined;
  /** What the verifying job says; `not_demanded` where nobody runs commands again. */
  readonly rerun: RerunFacts | "not_demanded";
}

/** What the verifying job left. */
export interface RerunFacts {
  /** Bytes of `rerun.json`; nothing when it left none. */
  readonly report: Uint8Array | undefined;
}

/** What a publication acts through: the run folder to read alone, and GitHub. `openForPublishing` builds it. */
export type PublishPorts = Omit<DeliveryPorts, "repository" | "clock"> & {
  readonly clock: Pick<Clock, "sleep" | "now">;
  readonly verify: VerifyPorts;
};

/** How a publication ended. `nothing`: the run has nothing that may leave it; that is no fault. */
export type PublishOutcome = DeliveryOutcome | { readonly kind: "nothing"; readonly why: string };

/**
 * Publishes a stopped run: its branch and its one pull request, a draft while an item waits for a person (kernel.md,
 * *Manual gate*; conveyor.md, *Closure*). Nothing of the run is believed: it is derived again, the trust ref's tip is
 * read again, and only then something leaves. Safe to do again at any time.
 *
 * Reason codes: ARTIFACT_TAMPERED, GIT_TAMPERED, VERIFICATION_MISSING, VERIFICATION_FAILED, those of policy and scope,
 * DELIVERY_REFUSED, DELIVERY_UNAVAILABLE.
 */
export async function publishRun(run: SavedRun, input: PublishInput, ports: PublishPorts): Promise<PublishOutcome> {
  const publication = decidePublication(run.state);
  if (publication.kind === "nothing") {
    const faults = await judgeStory(run, ports.verify, input.anchors);
    return faults.length > 0 ? { kind: "refused", faults } : publication;
  }
  const judged = await judgeRun(run, publication, ports.verify, input.anchors);
  if (!judged.ok) return { kind: "refused", faults: judged.error };
  const unproven = judgeRerun(run, input) ?? judgeSource(run, input);
  if (unproven !== undefined) return { kind: "refused", faults: [unproven] };
  const { trustBranch: branch, admission } = input;
  const trust = await readTrustTip(ports.github, run, { branch, admission, at: ports.clock.now() });
  if (trust.kind !== "done") return endDelivery(trust);
  const { branch: baseBranch, policy } = trust.value;
  const deliveryPorts = { ...ports, repository: ports.verify.repository };
  const delivery: DeliveryInput = {
    ...input,
    state: run.state,
    report: buildSavedReport(run),
    publication,
    chain: judged.value,
    baseBranch,
    rerun: input.rerun !== "not_demanded",
    standing: listStanding(run.config, policy),
  };
  const refused = listRefusals(policy, baseBranch);
  if (refused.length > 0) return (await findMerged(deliveryPorts, delivery)) ?? { kind: "refused", faults: refused };
  const scope = await judgeScopeAgain(run, judged.value, ports.verify, policy);
  if (scope.length > 0) return { kind: "refused", faults: scope };
  return deliverRun(deliveryPorts, delivery);
}

/** Why policy does not let the run leave, in words where there are some. */
function listRefusals({ decision, reasonCodes, refusals }: RunPolicy, branch: string): PublicationFault[] {
  if (decision === "allow") return [];
  const texts = new Map(refusals.map(({ code, text }) => [code, text]));
  return reasonCodes.map((code) => ({ code, message: texts.get(code) ?? `at the tip of ${branch}` }));
}

/** A policy that was read from a file of the executing machine is anybody's who could write there. */
function judgeSource({ state }: SavedRun, { profile }: PublishInput): PublicationFault | undefined {
  if (profile === "command_line" || state.created.config.authority !== "local") return undefined;
  return { code: "POLICY_DIGEST_CHANGED", message: "the run's policy came from a file, not from the trust ref" };
}

/** Reason codes: VERIFICATION_MISSING, and those of `judgeRerunReport`. */
function judgeRerun(run: SavedRun, { rerun }: PublishInput): PublicationFault | undefined {
  if (rerun === "not_demanded") return undefined;
  if (rerun.report === undefined) {
    return { code: "VERIFICATION_MISSING", message: "the required commands were not run again, and have to be" };
  }
  return judgeRerunReport(new TextDecoder().decode(rerun.report), run);
}
