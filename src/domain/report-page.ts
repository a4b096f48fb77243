import type { CutText } from "./cut-text.ts";
import type { RunReport } from "./report.ts";

/** A text file of the run as far as the page shows it. */
export interface PageText extends CutText {
  /** Size of the whole file. */
  readonly bytes: number;
}

/** Everything that the page of a run is made of: the report, and texts of the run's files by their path. */
export interface ReportPage {
  readonly report: RunReport;
  /** Of what is not in it the page says so, with the file's name. */
  readonly texts: ReadonlyMap<string, PageText>;
}

/** A file that the page shows, and how much of its two ends at most, in bytes. */
export interface PageFile {
  readonly path: string;
  readonly headMax: number;
  readonly tailMax: number;
}

/** How much of one patch and of one log is shown; a log says why it failed at its end. */
const PATCH_MAX = { headMax: 256 * 1024, tailMax: 0 };
const LOG_MAX = { headMax: 4 * 1024, tailMax: 12 * 1024 };

/** How much of all files together is read for a page, in bytes, and of how many. */
export const PAGE_READ_BYTES_MAX = 2 * 1024 * 1024;
const PAGE_FILES_MAX = 1000;

/**
 * Lists the files that a page shows: patches, then logs of commands, those of the rounds that decided before those of
 * earlier ones, so that what is left out for its size is what matters least.
 */
export function listPageFiles(report: RunReport): PageFile[] {
  const last: PageFile[] = [];
  const earlier: PageFile[] = [];
  for (const item of report.items) {
    const rounds = report.audit.items.find(({ item_id: id }) => id === item.item_id)?.rounds ?? [];
    const deciding = item.attempts.at(-1)?.candidates.at(-1);
    for (const { attempt, candidates } of item.attempts) {
      for (const candidate of candidates) {
        const judged = rounds.find((each) => each.attempt === attempt && each.round === candidate.round);
        const files = [
          ...(candidate.patch === null ? [] : [{ path: candidate.patch, ...PATCH_MAX }]),
          ...logsOf(candidate.commands),
          ...logsOf(judged?.red_commands ?? []),
        ];
        (candidate === deciding ? last : earlier).push(...files);
      }
    }
  }
  return [...last, ...logsOf(report.validation?.commands ?? []), ...earlier].slice(0, PAGE_FILES_MAX);
}

function logsOf(commands: readonly { readonly log: string }[]): PageFile[] {
  return commands.flatMap(({ log }) => [
    { path: log, ...LOG_MAX },
    { path: nameErrorLog(log), ...LOG_MAX },
  ]);
}

/** Where a command's errors are, when its output is in `log`. */
export function nameErrorLog(log: string): string {
  return log.replace(/\.stdout\.log$/, ".stderr.log");
}
