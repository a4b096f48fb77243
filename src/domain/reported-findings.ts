import { demandsFix, SEVERITIES } from "./audit-report.ts";
import { pathProblem } from "./paths.ts";
import type { RunReport } from "./report.ts";

/** One thing that is wrong with what an item came to, whoever found it, as it is shown to people. */
export interface ReportedFinding {
  readonly item_id: string;
  readonly attempt: number;
  readonly round: number;
  readonly severity: (typeof SEVERITIES)[number];
  readonly is_blocking: boolean;
  /** `open`: the item did not pass. `left`: it passed, and this was left as it is. */
  readonly standing: "open" | "left";
  readonly title: string;
  /** Why it matters and what to do, in the words of whoever found it. */
  readonly text: string;
  readonly found_by: readonly string[];
  readonly places: readonly FindingPlace[];
}

/** Where a finding is: a path of the repository, and a line when the evidence names one. */
export interface FindingPlace {
  readonly path: string;
  readonly line: number | null;
}

type Item = RunReport["items"][number];
type Candidate = Item["attempts"][number]["candidates"][number];
type Round = RunReport["audit"]["items"][number]["rounds"][number];

/**
 * Lists what was found in the last candidate of every item, worst first: findings of auditors and orchestrator, or why
 * scope or verification refused it before anybody judged it. What earlier rounds found is mended or void.
 */
export function listReportedFindings(report: RunReport): ReportedFinding[] {
  return report.items
    .flatMap((item) => {
      const attempt = item.attempts.at(-1);
      const candidate = attempt?.candidates.at(-1);
      if (attempt === undefined || candidate === undefined) return [];
      const rounds = report.audit.items.find(({ item_id: id }) => id === item.item_id)?.rounds ?? [];
      const round = rounds.find((each) => each.attempt === attempt.attempt && each.round === candidate.round);
      return findingsOf(item, attempt.attempt, candidate, round);
    })
    .toSorted((left, right) => rankOf(left) - rankOf(right));
}

/** True when it means that somebody has to do something before the item can pass. */
export function isUrgent(finding: Pick<ReportedFinding, "standing" | "severity" | "is_blocking">): boolean {
  return finding.standing === "open" && demandsFix(finding);
}

function rankOf(finding: ReportedFinding): number {
  const standing = isUrgent(finding) ? 0 : finding.standing === "open" ? 1 : 2;
  return standing * SEVERITIES.length + SEVERITIES.indexOf(finding.severity);
}

function findingsOf(item: Item, attempt: number, candidate: Candidate, judged: Round | undefined): ReportedFinding[] {
  const standing = item.terminal_state === "passed" ? "left" : "open";
  const at = { item_id: item.item_id, attempt, round: candidate.round, standing } as const;
  const own = { ...at, severity: "high", is_blocking: true, found_by: ["orchestrator"] } as const;
  const refused = candidate.violations.map(({ code, path, detail }) => ({
    ...own,
    title: `${code}: ${path}`,
    text: detail,
    places: placesOf([path], []),
  }));
  const judgedFindings = (judged?.findings ?? []).map((finding) => ({
    ...at,
    severity: finding.severity,
    is_blocking: finding.is_blocking,
    title: finding.title,
    text: [finding.why_it_matters, finding.recommended_action].filter((text) => text !== "").join("\n"),
    found_by: finding.sources.map((source) => (source.kind === "lane" ? source.lane : "orchestrator")),
    places: placesOf(finding.file_paths, finding.evidence),
  }));
  if (judgedFindings.length > 0) return [...refused, ...judgedFindings];
  return [...refused, ...candidate.failures.map((failure) => ({ ...own, title: failure, text: "", places: [] }))];
}

/**
 * Finds the places of a finding: each of its paths, with the line when a text of the evidence says `path:line`. Paths
 * that could not lie in a repository are left out.
 */
export function placesOf(paths: readonly string[], evidence: readonly string[]): FindingPlace[] {
  const good = [...new Set(paths)].filter((path) => path !== "." && pathProblem(path) === undefined);
  return good.map((path) => ({ path, line: findLine(path, evidence) }));
}

const LINE_MAX = 9_999_999;

function findLine(path: string, texts: readonly string[]): number | null {
  for (const text of texts) {
    for (let at = text.indexOf(`${path}:`); at !== -1; at = text.indexOf(`${path}:`, at + 1)) {
      const isWhole = at === 0 || !/[\w./-]/.test(text[at - 1] ?? "");
      const line = Number(/^\d{1,7}/.exec(text.slice(at + path.length + 1, at + path.length + 9))?.[0] ?? 0);
      if (isWhole && line > 0 && line <= LINE_MAX) return line;
    }
  }
  return null;
}
