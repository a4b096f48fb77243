import { openSavedRun, type FoundRun, type LockedRun } from "../invocation/open-saved-run.ts";
import { printRefused } from "./answer.ts";
import type { Io } from "./io.ts";
import { createProgress } from "./progress.ts";

interface Wishes {
  readonly interrupt: AbortSignal;
  readonly quiet: boolean;
  readonly checkpointCopy: string | undefined;
}

/** Opens a saved run under its lock, and prints what is to be known. Gives the exit code of a refusal. */
export async function openRunLocked(io: Io, found: FoundRun, wishes: Wishes): Promise<LockedRun | number> {
  const { interrupt, checkpointCopy } = wishes;
  const opened = await openSavedRun(found, {
    ...follow(io, wishes.quiet),
    interrupt,
    checkpointCopy,
    github: undefined,
  });
  return opened.ok ? opened.value : printRefused(io, opened.error);
}

/** Follows a run on stderr. */
export function follow(io: Io, quiet: boolean) {
  return {
    progress: createProgress(io, quiet),
    redactor: io.redactor,
    warn: (warning: string) => printWarning(io, warning),
  };
}

/** Prints a warning on stderr. */
function printWarning(io: Io, warning: string): void {
  io.note(`${io.style("yellow", "warning:")} ${warning}`);
}
