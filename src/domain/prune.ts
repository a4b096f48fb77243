import { timeOfRunId } from "./ids.ts";
import type { ReasonCode } from "./reason-codes.ts";
import { err, ok, type Result } from "./result.ts";
import type { StopState } from "./run.ts";

const UNIT_MS: Readonly<Record<string, number>> = { d: 86_400_000, h: 3_600_000, m: 60_000 };

/** Longest age that anybody means; more is a slip of the keyboard. */
const AGE_DAYS_MAX = 3650;

/** Reads an age such as `14d`, `12h` or `30m` as milliseconds. */
export function parseAge(text: string): Result<number, string> {
  const match = /^(\d{1,6})([dhm])$/.exec(text);
  const ms = Number(match?.[1]) * (UNIT_MS[match?.[2] ?? ""] ?? Number.NaN);
  return ms <= AGE_DAYS_MAX * 86_400_000 ? ok(ms) : err(`expected an age such as 14d or 12h, found ${text}`);
}

/** What prune does with something, and why. `silent`: it is no business of prune's, and not worth a line. */
export interface PruneVerdict {
  readonly act: "remove" | "keep" | "silent";
  readonly why: string;
}

const remove = (why: string): PruneVerdict => ({ act: "remove", why });
const keep = (why: string): PruneVerdict => ({ act: "keep", why });
const SILENT: PruneVerdict = { act: "silent", why: "" };

/** A run of the checkout. */
export interface PrunableRun {
  /** Who holds it now, as far as anybody can tell. */
  readonly holder: string | undefined;
  /** Its folder lies somewhere else, and only a link to it lies here. */
  readonly isLink: boolean;
  /** A person named it with `--give-up`. */
  readonly givenUp: boolean;
  /** Nothing when it cannot be believed. */
  readonly saved:
    | {
        readonly stop: StopState | undefined;
        readonly delivered: boolean;
        readonly whole: boolean;
        readonly lastAt: string;
      }
    | undefined;
}

/** A run that stopped with one of these is never gone on with. */
const FINAL: readonly ReasonCode[] = ["GIT_TAMPERED"];

/**
 * Decides whether a run folder is removed: one that is done, or can never be gone on with, and older than `cutoff`; or
 * one that a person gave up by its name, whatever its age. A run that somebody holds is never removed, and one that
 * waits, can be resumed or cannot be read is removed by name alone.
 */
export function judgePrunableRun({ holder, isLink, givenUp, saved }: PrunableRun, cutoff: string): PruneVerdict {
  if (holder !== undefined) return keep(`is held by ${holder}`);
  if (isLink) return keep("is a link: remove by hand what it leads to");
  if (givenUp) return remove("is given up");
  if (saved === undefined) return keep("cannot be believed: conveyor doctor says why");
  const { stop, delivered, whole, lastAt } = saved;
  if (stop === undefined) return keep("was cut short and can be resumed");
  const ended = stop.terminalState === "done" ? "is done" : "can never be gone on with";
  if (stop.terminalState === "done" || stop.reasonCodes.some((code) => FINAL.includes(code))) {
    if (!whole) return keep(`${ended}, and its last writes are missing: conveyor doctor --fix-safe`);
    if (stop.terminalState === "done" && !delivered)
      return keep("is done and was not delivered, so that its commits lie in its folder alone: --give-up removes it");
    return lastAt < cutoff ? remove(`${ended} since ${lastAt}`) : SILENT;
  }
  return stop.terminalState === "blocked"
    ? keep(`waits: ${stop.reasonCodes.join(", ")}`)
    : keep(`stopped (${stop.terminalState ?? stop.kind}) and can be resumed`);
}

/** What a start writes before its first event; `.writing` ends the name of a file that was being written. */
const START_NAMES =
  /^(lock\.\d+(\.[0-9a-f]+)?|repo\.git(\.partial)?|plan\.md|normalized_plan\.json|policy\.json|run-events\.jsonl)(\.writing)?$/;

/** Decides about a folder that a start left which never got its first event: it holds nothing that ever happened. */
export function judgeStartFolder(
  {
    runId,
    holder,
    names,
  }: { readonly runId: string; readonly holder: string | undefined; readonly names: readonly string[] },
  cutoff: string,
): PruneVerdict {
  if (holder !== undefined) return keep(`is held by ${holder}`);
  const foreign = names.find((name) => !START_NAMES.test(name));
  if (foreign !== undefined)
    return keep(`has no journal, and holds what no start leaves: ${foreign}; look at it first`);
  return timeOfRunId(runId) < cutoff ? remove("was begun and never got its first event") : SILENT;
}

/**
 * Decides about a cache folder without a run in this checkout. Caches of all checkouts lie side by side: one whose
 * worktrees belong to a run folder that is there is another checkout's, and one in which a program lives is in use.
 */
export function judgeCache(
  cache: { readonly runId: string; readonly ownerExists: boolean; readonly processes: number },
  cutoff: string,
): PruneVerdict {
  if (cache.ownerExists || timeOfRunId(cache.runId) >= cutoff) return SILENT;
  return cache.processes > 0
    ? keep(`${cache.processes} programs of it are still running`)
    : remove("belongs to no run that is there");
}

/**
 * Decides about a pin without a run in this checkout. The run may lie elsewhere (`--output-dir`, another worktree of the
 * repository): the pin is removed only when a branch or tag holds its commit, so that nothing is lost with it.
 */
export function judgeBasePin(pin: { readonly runId: string; readonly held: boolean }, cutoff: string): PruneVerdict {
  if (timeOfRunId(pin.runId) >= cutoff) return SILENT;
  return pin.held
    ? remove("belongs to no run of this checkout, and a branch or tag holds its commit")
    : keep("belongs to no run of this checkout, and nothing else holds its commit: remove it with git update-ref -d");
}
