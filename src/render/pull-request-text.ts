import { markdownTable } from "markdown-table";
import { cutText } from "../domain/cut-text.ts";
import type { ChainCommit, Deliverable } from "../domain/publication.ts";
import type { TokenKind } from "../domain/published.ts";
import type { RunReport } from "../domain/report.ts";
import { REASON_CODES } from "../domain/reason-codes.ts";
import { escapeCell, escapeCode, escapeText } from "./markdown-text.ts";

/** GitHub takes no longer body. */
export const BODY_LENGTH_MAX = 65_536;

/** What a pull request says of a run, besides its report. */
export interface PullRequestFacts {
  readonly publication: Deliverable;
  readonly report: RunReport;
  /** The commits of the branch, as they stand on GitHub: others than the verified ones where signatures are demanded. */
  readonly commits: readonly { readonly verified: ChainCommit; readonly published: string }[];
  /** Whose token pushed: with `github_token` no workflow starts by itself. */
  readonly token: TokenKind;
  /** `one_job`: the agent ran in the job that holds the write token. */
  readonly profile: "separate_jobs" | "one_job" | "command_line";
  /** Whether every required command was run again on another machine, on the very head. */
  readonly rerun: boolean;
  /** What holds of every verdict here, for example `ci: none`. Words of ours alone. */
  readonly standing: readonly string[];
  /** False where the repository has no draft pull requests: then the title says that it is none to merge. */
  readonly drafts: boolean;
}

/** The mark by which the pull request of a run is found again. */
function pullRequestMarker(runId: string): string {
  return `<!-- conveyor:run=${runId} -->`;
}

/** Whether a body is that of the run's pull request. Only ids of ours stand in a mark, so that nothing can forge one. */
export function hasPullRequestMarker(body: string | null, runId: string): boolean {
  return body?.includes(pullRequestMarker(runId)) === true;
}

/** Title: nothing but ids stands in it, because a squash makes it the subject of a commit. */
export function renderPullRequestTitle({ publication, report, drafts }: PullRequestFacts): string {
  const state = publication.kind === "waiting" ? "waits for a person" : "ready for review";
  return `${publication.kind === "waiting" && !drafts ? "[do not merge] " : ""}Plan ${report.plan_id}: ${state}`;
}

/**
 * Body: the verdict first, then what is asked of people, items, policy, commits. Everything that came from a plan or a
 * program is neutralised (S-43): no mention, no closing keyword, no picture, no HTML, no address that can be clicked.
 * A body that would be too long is cut at a line, says so, and keeps its mark (S-44).
 */
export function renderPullRequestBody(facts: PullRequestFacts): string {
  const { report, publication } = facts;
  const sections = [
    `**${escapeLine(report.verdict)}**`,
    `Run \`${report.run_id}\` of plan \`${escapeCode(report.plan_id)}\`, head \`${headOf(facts)}\`.`,
    publication.kind === "waiting" ? sayWaiting(facts, publication) : sayComplete(facts),
    ...sayCaveats(facts),
    "## Items",
    renderItems(report),
    ...sayPolicy(report),
    ...renderCommits(facts),
    "The report, with every log and decision, is in the artifact of the run.",
  ];
  return fitBody(sections.join("\n\n"), `\n\n${pullRequestMarker(report.run_id)}\n`);
}

function headOf({ commits, publication }: PullRequestFacts): string {
  return commits.at(-1)?.published ?? publication.head;
}

function sayWaiting(facts: PullRequestFacts, { itemId, gate }: Extract<Deliverable, { kind: "waiting" }>): string {
  const lines = [
    `Item ${escapeText(itemId)} is verified and audited, and waits for a person (gate: ${gate.gateType}).`,
    `Why: ${escapeLine(gate.reason)}`,
    ...(gate.requiredEvidence === "" ? [] : [`Evidence that is asked for: ${escapeLine(gate.requiredEvidence)}`]),
    `An approving review of exactly \`${headOf(facts)}\` approves it, a review that requests changes leaves it open.`,
    "Later items move the head: the finished pull request needs a review of its own. **Do not merge this draft.**",
    ...(facts.drafts ? [] : ["This repository has no draft pull requests, so it stands here as an ordinary one."]),
  ];
  return `## Waits for a person\n\n${asList(lines)}`;
}

function sayComplete({ report }: PullRequestFacts): string {
  const open = report.gate_decisions.filter(({ passed }) => !passed);
  const lines = open.map(({ gate, reason_code: code }) => {
    const means = code === null ? "" : `: ${REASON_CODES[code].means}`;
    return `\`${gate}\` was open when the run stopped${means}`;
  });
  const head = "Every item passed and the plan is closed. Merging this pull request completes the plan.";
  return lines.length === 0 ? head : `${head}\n\n## What the gates wait for\n\n${asList(lines)}`;
}

function sayCaveats({ token, profile, rerun, standing }: PullRequestFacts): string[] {
  const lines = [
    ...(token === "github_token"
      ? [
          "Pushed with `GITHUB_TOKEN`: workflows of this pull request start when somebody with write access presses *Approve workflows to run*.",
        ]
      : []),
    ...(token === "unknown"
      ? [
          "GitHub did not say whose token pushed: where workflows of this pull request do not start, somebody with write access presses *Approve workflows to run*.",
        ]
      : []),
    ...(profile === "one_job"
      ? [
          "The weaker profile: agents ran in the job that holds the write token. The reusable workflow keeps them apart.",
        ]
      : []),
    rerun
      ? "Required commands were run again on a fresh machine without keys, on this head."
      : "Required commands were not run again on another machine.",
    ...standing,
  ];
  return ["## To know", asList(lines)];
}

/** What plans and programs say must not push what is said of it over the edge of the body. */
const ITEMS_SHOWN_MAX = 100;
const ACTION_SHOWN_MAX = 200;
const LINE_SHOWN_MAX = 2000;

function escapeLine(text: string): string {
  return escapeText(cutText(text, LINE_SHOWN_MAX));
}

function renderItems({ items, audit }: RunReport): string {
  const audited = new Map(audit.items.map((item) => [item.item_id, item.rounds.at(-1)?.outcome ?? "not audited"]));
  const rows = items
    .slice(0, ITEMS_SHOWN_MAX)
    .map((item) => [
      escapeCell(item.item_id),
      item.terminal_state ?? "not settled",
      String(item.attempts.length),
      audited.get(item.item_id) ?? "not audited",
      escapeCell(cutText(item.action, ACTION_SHOWN_MAX)),
    ]);
  // Not aligned: then every row is as long as the longest.
  const table = markdownTable([["item", "state", "attempts", "audit", "what"], ...rows], { alignDelimiters: false });
  const rest = items.length - rows.length;
  return rest > 0 ? `${table}\n\n… and ${rest} more in the report.` : table;
}

function sayPolicy({ policy, sandbox, mode }: RunReport): string[] {
  if (policy === null) return [];
  const lines = [
    `${policy.risk.tier} risk, ${mode} mode, sandbox tier ${sandbox?.tier ?? "unknown"}`,
    ...policy.risk.reasons.map(({ tier, text }) => `${tier}: ${escapeLine(text)}`),
    ...policy.approvals
      .filter(({ counts }) => counts)
      .map(({ tier, authority, approver, self_approved: self }) => {
        const who = approver === null ? "nobody by name" : escapeText(approver);
        return `${tier} risk approved by ${who} (${authority}${self ? ", self-approved" : ""})`;
      }),
  ];
  return ["## Policy", asList(lines)];
}

function renderCommits({ commits }: PullRequestFacts): string[] {
  const again = commits.some(({ verified, published }) => verified.commit !== published);
  const rows = commits.map(({ verified, published }) => [
    verified.itemId === null ? "closing" : escapeCell(verified.itemId),
    `\`${published}\``,
    ...(again ? [`\`${verified.commit}\``] : []),
    `\`${verified.tree}\``,
  ]);
  const note = again
    ? ["Signatures are demanded here, so GitHub made the commits again: other ids, the same trees as verified."]
    : [];
  return [
    "## Commits",
    ...note,
    markdownTable([["of", "commit", ...(again ? ["verified as"] : []), "verified tree"], ...rows]),
  ];
}

function asList(lines: readonly string[]): string {
  return lines.map((line) => `- ${line}`).join("\n");
}

const CUT = "\n\n*Cut here: the rest is too long for a pull request and stands in the report.*";

/** Cut at the end of a line: half a line could leave a mark open that was escaped as a whole. */
function fitBody(text: string, marker: string): string {
  if (text.length + marker.length <= BODY_LENGTH_MAX) return `${text}${marker}`;
  const kept = text.slice(0, BODY_LENGTH_MAX - marker.length - CUT.length);
  return `${kept.slice(0, kept.lastIndexOf("\n"))}${CUT}${marker}`;
}
