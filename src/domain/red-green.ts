import type { TreeChange } from "./candidate.ts";
import { buildPathMatcher } from "./globs.ts";
import type { ProcessEnding } from "./process-report.ts";
import { describeEnding, hasSucceeded } from "./verification.ts";

/** A required command and how it ended, captured by the orchestrator itself. */
export interface CommandRun {
  readonly command: string;
  readonly ending: ProcessEnding;
}

/** What was run, in the order of the plan, on the base with the test files alone (red) and on the candidate (green). */
export interface RedGreenFacts {
  readonly testPaths: readonly string[];
  readonly red: readonly CommandRun[];
  readonly green: readonly CommandRun[];
}

export type RedGreenVerdict =
  | { readonly kind: "proven" }
  /** Reason code RED_GREEN_NOT_PROVEN; `why` says all that is missing. */
  | { readonly kind: "not_proven"; readonly why: string };

/**
 * The test files of a candidate: added or changed regular files that match `validation.test-paths`. A deleted test
 * shows nothing, and a symlink would carry another file's content onto the base.
 */
export function findTestPaths(changes: readonly TreeChange[], testPathGlobs: readonly string[]): string[] {
  const isTest = buildPathMatcher(testPathGlobs);
  return changes
    .filter(({ path, path_hex: hex, new_mode: mode }) => mode.startsWith("100") && hex === undefined && isTest(path))
    .map(({ path }) => path);
}

/**
 * Judges whether the tests fail without the change and pass with it. Red: at least one required command exits 1–125 on
 * the prepared base with only the test files applied; 126 and 127 mean that the command could not be run, more means a
 * signal, and neither they nor a time limit show that a test looked. Green: the same commands all exit 0.
 */
export function judgeRedGreen({ testPaths, red, green }: RedGreenFacts): RedGreenVerdict {
  const missing = [
    ...(testPaths.length === 0 ? ["no changed file matches validation.test-paths"] : []),
    ...(red.length === 0 ? ["no required command was run on the base"] : []),
    ...(sameCommands(red, green) ? [] : ["base and candidate were not tried with the same commands"]),
    ...(red.length === 0 || red.some(({ ending }) => isRed(ending))
      ? []
      : [`no required command fails on the base as a failing test does: ${describeRuns(red)}`]),
    ...green
      .filter(({ ending }) => !hasSucceeded(ending))
      .map((run) => `a required command does not pass on the candidate: ${describeRuns([run])}`),
  ];
  return missing.length === 0 ? { kind: "proven" } : { kind: "not_proven", why: missing.join("; ") };
}

function isRed(ending: ProcessEnding): boolean {
  return ending.kind === "exited" && ending.exit_code >= 1 && ending.exit_code <= 125;
}

function sameCommands(red: readonly CommandRun[], green: readonly CommandRun[]): boolean {
  return red.length === green.length && red.every(({ command }, index) => command === green[index]?.command);
}

function describeRuns(runs: readonly CommandRun[]): string {
  return runs.map(({ command, ending }) => `${command}: ${describeEnding(ending)}`).join(", ");
}
