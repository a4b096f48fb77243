import { buildCase } from "./approval-case.ts";
import type { ApprovalFacts } from "./approval-facts.ts";
import { listGestures } from "./approval-gestures.ts";
import { decideApproval } from "./approvals.ts";
import { SELF_APPROVED } from "./self-approval.ts";

/** Name of the file among a gate decision's evidence that holds what GitHub said. */
export const GATE_FACTS_FILE = "github-facts.json";

/** Ways in which a decision about a manual gate reaches a run. */
export const GATE_AUTHORITIES = [
  "local-unverified",
  "github-review",
  "github-button",
  "github-label",
  "github-comment",
] as const;
export type GateAuthority = (typeof GATE_AUTHORITIES)[number];

/** What people said on GitHub about a candidate that waits. */
export type GithubGateDecision =
  | {
      readonly kind: "decided";
      readonly decision: "approved" | "rejected";
      readonly by: string;
      readonly authority: GateAuthority;
      readonly note: string;
    }
  | { readonly kind: "open"; readonly why: string };

/**
 * Decides what the facts of a run's pull request say about the candidate that waits (docs/approvals.md): only what is
 * about exactly this commit counts, and a rejection wins.
 */
export function decideGithubGate(facts: ApprovalFacts, commit: string): GithubGateDecision {
  const number = facts.pull_request.number;
  if (facts.kind !== "manual_gate" || facts.pull_request.head.sha !== commit)
    return { kind: "open", why: `pull request #${number} has another head than the candidate that waits` };
  const asked = buildCase(facts);
  const { verdict, records, judged, refusals } = decideApproval(asked, listGestures(asked));
  const wanted = verdict === "rejected" ? "reject" : "approve";
  const record = records.find(({ decision }) => decision === wanted);
  if ((verdict === "approved" || verdict === "rejected") && record !== undefined) {
    const { approver_login: by, source, source_id: sourceId } = record;
    const self = record.self_approved ? `, ${SELF_APPROVED}` : "";
    return {
      kind: "decided",
      decision: verdict,
      by,
      authority: `github-${source}`,
      note: `${source} ${sourceId} on pull request #${number}${self}`,
    };
  }
  const why = judged.flatMap(({ gesture, refusals: each }) =>
    each.map(({ rule, text }) => {
      const who = gesture.kind === "given" ? (gesture.actor?.login ?? "somebody unknown") : "somebody";
      return `what ${who} said does not count: ${rule}: ${text}`;
    }),
  );
  return { kind: "open", why: `pull request #${number}: ${[...why, ...refusals.map(({ text }) => text)].join("; ")}` };
}
