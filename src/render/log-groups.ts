import type { JournalEvent } from "../domain/journal.ts";
import { showText } from "../domain/visible-text.ts";
import { renderProgress } from "./progress-text.ts";
import { tameRunnerCommands } from "./runner-commands.ts";

/** What one event adds to the log of a job, and whether a group is open after it. */
export interface LogLines {
  readonly lines: readonly string[];
  readonly isOpen: boolean;
}

/**
 * Renders an event for the log of a job on GitHub: a group for each stage. A stage that fails ends its group first, so
 * that the reason is seen without opening it. Nothing that a plan or a program says can begin or end a group.
 */
export function renderLogEvent(event: JournalEvent, isOpen: boolean): LogLines {
  const rendered = renderProgress(event);
  const text = rendered === undefined ? [] : [tame(rendered.text)];
  const close = isOpen ? ["::endgroup::"] : [];
  switch (event.type) {
    case "stage_started":
      return { lines: [...close, `::group::${event.details.stage}`], isOpen: true };
    case "stage_failed":
    case "stage_skipped":
    case "run_resumed":
    case "stage_finished":
    case "run_stopped":
      return { lines: [...close, ...text], isOpen: false };
    default:
      return { lines: text, isOpen };
  }
}

/** A line that a program printed, indented; it steers neither the runner nor a terminal. */
export function renderLogOutput(line: string): string {
  return `    ${tame(line)}`;
}

function tame(text: string): string {
  return tameRunnerCommands(showText(text));
}
