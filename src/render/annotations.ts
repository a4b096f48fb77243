import { cutText } from "../domain/cut-text.ts";
import { isUrgent, listReportedFindings, type ReportedFinding } from "../domain/reported-findings.ts";
import type { RunReport } from "../domain/report.ts";
import { cleanLine } from "../domain/visible-text.ts";
import { tameRunnerCommands } from "./runner-commands.ts";

/** A remark that GitHub shows at a file of the repository, or at the job when it names none. */
export interface Annotation {
  readonly level: "error" | "warning" | "notice";
  readonly title: string;
  /** One line. */
  readonly message: string;
  readonly file: string | undefined;
  readonly line: number | undefined;
}

/** GitHub shows ten of a level in a step and fifty in a job; ten findings are what anybody reads. */
export const ANNOTATIONS_MAX = 10;
const TITLE_MAX = 160;
const MESSAGE_MAX = 1000;

/** The paths that annotations of this report could name. The caller finds out which of them are files. */
export function listAnnotationPaths(report: RunReport): string[] {
  return [...new Set(listReportedFindings(report).flatMap(({ places }) => places.map(({ path }) => path)))];
}

/**
 * Builds the annotations of a run: of the findings in each item's last candidate the worst ten, and one notice that
 * counts the rest. `files` are the paths that are files of the repository; what names another path names none. What
 * stops an item is an error, what else is open a warning, what was left in an item that passed a notice.
 */
export function buildAnnotations(report: RunReport, files: ReadonlySet<string>): Annotation[] {
  const findings = listReportedFindings(report);
  const shown = findings.slice(0, ANNOTATIONS_MAX).map((finding) => annotate(finding, files));
  const rest = findings.slice(ANNOTATIONS_MAX);
  return rest.length === 0 ? shown : [...shown, countRest(rest)];
}

function annotate(finding: ReportedFinding, files: ReadonlySet<string>): Annotation {
  const place = finding.places.find(({ path }) => files.has(path));
  const who = `${finding.severity}${finding.is_blocking ? ", blocking" : ""}, found by ${finding.found_by.join(", ")}`;
  const text = finding.text === "" ? "" : `: ${finding.text}`;
  return {
    level: levelOf(finding),
    title: toLine(`Item ${finding.item_id}: ${finding.title}`, TITLE_MAX),
    message: toLine(`${finding.title} (${who})${text}`, MESSAGE_MAX),
    file: place?.path,
    line: place?.line ?? undefined,
  };
}

function countRest(rest: readonly ReportedFinding[]): Annotation {
  const counts = (["error", "warning", "notice"] as const)
    .map((level) => ({ level, count: rest.filter((finding) => levelOf(finding) === level).length }))
    .filter(({ count }) => count > 0)
    .map(({ level, count }) => `${count} of level ${level}`);
  return {
    level: "notice",
    title: "More findings",
    message: `${rest.length} more findings are in the report: ${counts.join(", ")}.`,
    file: undefined,
    line: undefined,
  };
}

function levelOf(finding: ReportedFinding): Annotation["level"] {
  if (isUrgent(finding)) return "error";
  return finding.standing === "open" ? "warning" : "notice";
}

/** Whatever ends a line, or looks like a command of the runner, is gone: the log shows it once more as text. */
function toLine(text: string, max: number): string {
  return tameRunnerCommands(cutText(cleanLine(text), max));
}
