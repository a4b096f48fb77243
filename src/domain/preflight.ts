import { z } from "zod";
import { approvalFactsSchema, type ApprovalFacts } from "./approval-facts.ts";
import { buildCase } from "./approval-case.ts";
import type { ApprovalFact } from "./approval-gesture.ts";
import { listGestures } from "./approval-gestures.ts";
import { decideApproval } from "./approvals.ts";
import { defaultConfig, parseConfig, policyDigest, type Config } from "./config.ts";
import { DEFAULT_CONFIG_PATH } from "./run-choices.ts";
import { findConsent } from "./consent.ts";
import { sha256 } from "./digest.ts";
import { digest, id, sha } from "./github-answers.ts";
import { instantSchema } from "./instants.ts";
import type { EventDetails } from "./journal.ts";
import { err, ok, type Result } from "./result.ts";

/**
 * What GitHub said before a run: everything that decides whether it may begin, read where a token is and no agent. The
 * job that runs agents gets it as one file, whose digest it is told by another way.
 */
export const preflightSchema = z.strictObject({
  schema_version: z.literal("conveyor.preflight.v1"),
  made_at: instantSchema,
  repository: z.strictObject({ id, full_name: z.string() }),
  /** The trusted branch and the commit it names; null when nobody could find out. */
  trust: z.strictObject({ branch: z.string(), tip: sha.nullable() }),
  /** The commit that the run begins at, and the ref that contains it; null when none that is trusted does. */
  base: z.strictObject({ commit: sha, contained_in: z.string().nullable() }),
  /** Digest of the plan at the tip; null when it is not there. */
  plan: z.strictObject({ path: z.string(), sha256: digest.nullable() }),
  /** Text of `.github/conveyor.yml` at the tip; null when there is none. */
  config: z.string().nullable(),
  /** Facts about the pull request that brought the plan in; null when there is none, or no approval is needed. */
  approvals: approvalFactsSchema.nullable(),
  consent: z.strictObject({
    by_person: z.boolean(),
    /** Who or what asked, in words. */
    asked_by: z.string(),
    /** Text of the file of source document 004 at the tip; null when there is none. */
    file: z.string().nullable(),
  }),
  /** Why the repository is paused, or may be for all that is known; null when it is not. */
  paused: z.string().nullable(),
  /** The artifact of an earlier leg that the run goes on from. */
  resume: z
    .strictObject({
      workflow_run: id,
      artifact: z.strictObject({ id, name: z.string(), sha256: digest }),
    })
    .nullable(),
  /** What people said of the candidate that waits in the resumed run; null when none waits, or nothing could be read. */
  manual_gate: approvalFactsSchema.nullable(),
  /** What could not be read, each in words: then nothing of it holds. */
  unknown: z.array(z.string()),
});
export type Preflight = z.infer<typeof preflightSchema>;

/** The bytes of a document; their SHA-256 is what the next job is told. */
export function renderPreflight(document: Preflight): string {
  return `${JSON.stringify(document, null, 2)}\n`;
}

/** Reads a document that must have this digest; what is wrong is said in words. */
export function parsePreflight(bytes: Uint8Array, expectedSha256: string): Result<Preflight, string> {
  if (sha256(bytes) !== expectedSha256) return err(`expected the SHA-256 ${expectedSha256}, found ${sha256(bytes)}`);
  let value: unknown;
  try {
    value = JSON.parse(new TextDecoder().decode(bytes));
  } catch {
    return err("expected a JSON document");
  }
  const parsed = preflightSchema.safeParse(value);
  if (parsed.success) return ok(parsed.data);
  const [issue] = parsed.error.issues;
  return err(`expected a preflight document; ${issue?.path.join(".") || "the document"}: ${issue?.message ?? ""}`);
}

/** The configuration at the tip; nothing when it cannot be read. */
export function configOf({ config: text }: Pick<Preflight, "config">): Config | undefined {
  return text === null ? defaultConfig() : parseConfig(DEFAULT_CONFIG_PATH, text).config;
}

/** What an event says of the trust ref when it was read on GitHub. */
export type ObservedTrust = Pick<
  EventDetails<"trust_read">,
  "tip" | "plan_sha256" | "policy_sha256" | "base_contained" | "approvals" | "observed"
>;

/**
 * What a document says of one run. A pure function, so that `verify` gets the same from the saved document. The
 * document of another base or another plan says nothing of this run.
 */
export function observeTrust(
  document: Preflight,
  run: { readonly baseCommit: string; readonly planPath: string; readonly source: "api" | "preflight" },
): ObservedTrust {
  const { trust, base, plan, consent, paused, unknown } = document;
  const isOfPlan = plan.path === run.planPath;
  const config = configOf(document);
  return {
    tip: trust.tip,
    plan_sha256: isOfPlan ? plan.sha256 : null,
    policy_sha256: config === undefined || trust.tip === null ? null : policyDigest(config),
    base_contained: base.commit === run.baseCommit && base.contained_in !== null,
    approvals: isOfPlan ? listApprovalFacts(document.approvals) : [],
    observed: {
      source: run.source,
      repository: document.repository.full_name,
      branch: trust.branch,
      consent: {
        by_person: consent.by_person,
        asked_by: consent.asked_by,
        found: findConsent(config?.consent, consent.file),
      },
      paused,
      unknown,
    },
  };
}

/** What counts of the gestures of a pull request, and what does not, with the rules that refused it. */
export function listApprovalFacts(facts: ApprovalFacts | null): ApprovalFact[] {
  if (facts === null) return [];
  const asked = buildCase(facts);
  const { records, judged } = decideApproval(asked, listGestures(asked));
  const refused = judged.flatMap(({ gesture, refusals }): ApprovalFact[] =>
    gesture.kind !== "given" || refusals.length === 0
      ? []
      : [
          {
            authority: "github-refused",
            tier: facts.risk,
            approver: gesture.actor?.login ?? null,
            source: gesture.source,
            source_id: gesture.sourceId,
            refused_by: refusals.map(({ rule }) => rule),
            text: refusals.map(({ text }) => text).join("; "),
          },
        ],
  );
  return [...records.map((record): ApprovalFact => ({ authority: "github", record })), ...refused];
}
