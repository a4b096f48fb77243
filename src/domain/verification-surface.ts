import { z } from "zod";
import type { TreeChange } from "./candidate.ts";
import { buildPathMatcher } from "./globs.ts";
import type { OrchestratorFinding } from "./orchestrator-findings.ts";
import { normalizePath } from "./paths.ts";
import { processEndingSchema } from "./process-report.ts";
import { describeEnding, hasSucceeded } from "./verification.ts";
import { showText } from "./visible-text.ts";

/** Files that decide what a test runner, a build or a check does, whoever calls it. */
const CONFIGURATION = [
  "**/package.json",
  "**/{Makefile,GNUmakefile,justfile,Justfile,Rakefile}",
  "**/*.mk",
  "**/Taskfile.{yml,yaml}",
  "**/{tsconfig,jsconfig}*.json",
  "**/{jest,vitest,vite,karma,ava,playwright,cypress,wdio,eslint,babel,webpack,rollup}.config.*",
  "**/.{mocharc,eslintrc,babelrc,nycrc,c8rc,swcrc,taprc}*",
  "**/{conftest,noxfile}.py",
  "**/{pytest.ini,tox.ini,setup.cfg,pyproject.toml,.coveragerc}",
  "**/{phpunit.xml,phpunit.xml.dist,.rspec,pom.xml}",
  "**/build.gradle{,.kts}",
];

/** Where tests and their snapshots usually lie; `validation.test-paths` adds to it. */
const TESTS = [
  "**/{test,tests,spec,__tests__,__snapshots__}/**",
  "**/*.{test,spec}.*",
  "**/*.snap",
  "**/test_*.py",
  "**/*_test.{go,py,rb,exs}",
];

/** Ways to switch a test off, or all others, in the languages that have one. */
const SWITCHED_OFF =
  /\b(?:it|test|describe|suite|context|specify)\s*\.\s*(?:skip|only|todo|failing)\b|\b(?:xit|xtest|xdescribe|xcontext|xspecify|fit|fdescribe)\s*\(|@(?:pytest\.mark\.(?:skip|skipif|xfail)|unittest\.skip\w*|Ignore|Disabled)\b|\bpytest\.skip\(|\bt\.Skip(?:f|Now)?\(|#\[ignore\b/g;

/** The paths of one candidate that decide whether its verification passes. */
export interface VerificationSurface {
  /** Put back as the base has them; those that the base does not have are taken away. */
  readonly paths: readonly string[];
  readonly deletedTests: readonly string[];
  /** Tests that were changed: in them, what switches a test off is counted. */
  readonly changedTests: readonly string[];
}

/**
 * Finds what a candidate changed of its own verification: scripts that a required command names, configuration of test
 * runners and builds, tests. New tests stay, because they can only ask for more; new configuration does not.
 */
export function findSurface(
  changes: readonly TreeChange[],
  commands: readonly string[],
  testPathGlobs: readonly string[],
): VerificationSurface {
  const isTest = buildPathMatcher([...TESTS, ...testPathGlobs]);
  const isConfiguration = buildPathMatcher(CONFIGURATION);
  const named = new Set(commands.flatMap(listNames));
  const judged = changes.filter((change) => change.path_hex === undefined);
  const tests = judged.filter(({ path }) => isTest(path));
  const wasThere = (change: TreeChange): boolean => change.status !== "added";
  return {
    paths: judged
      .filter((change) =>
        wasThere(change)
          ? isTest(change.path) || isConfiguration(change.path) || named.has(change.path)
          : isConfiguration(change.path) && !named.has(change.path),
      )
      .map(({ path }) => path),
    deletedTests: tests.filter(({ status }) => status === "deleted").map(({ path }) => path),
    changedTests: tests.filter(({ new_mode: mode }) => mode.startsWith("100")).map(({ path }) => path),
  };
}

/** How often a text switches a test off, or all tests but one. */
export function countSwitchedOff(text: string): number {
  return text.match(SWITCHED_OFF)?.length ?? 0;
}

export const surfaceFactsSchema = z.strictObject({
  /** What the candidate changed of its own verification, and what the second run had as the base has it. */
  paths: z.array(z.string()),
  deleted_tests: z.array(z.string()),
  /** Tests that hold more of `.skip`, `.only`, `xit` and the like than before. */
  switched_off: z.array(z.strictObject({ path: z.string(), before: z.int(), after: z.int() })),
  /** Ending of the preparation of the second run when it failed; null when it went well. */
  prepare_ending: processEndingSchema.nullable(),
  /** The required commands over the candidate with those files as they were. */
  commands: z.array(z.strictObject({ command: z.string(), ending: processEndingSchema, log: z.string() })),
});
/** What was seen when a candidate that changed its own verification was verified by what had been there before. */
export type SurfaceFacts = z.infer<typeof surfaceFactsSchema>;

/**
 * Builds the advisory findings of a surface: commands that fail by the base's checks, tests that are gone or off. They
 * never block, because an item may rightly change behaviour and its tests with it; auditors and people are shown them.
 */
export function findingsOfSurface(facts: SurfaceFacts): OrchestratorFinding[] {
  const failed = facts.commands.filter(({ ending }) => !hasSucceeded(ending));
  const off = facts.switched_off.map(
    ({ path, before, after }) => `${showText(path)} switches off ${after} tests, ${before} before`,
  );
  const deleted = facts.deleted_tests.map((path) => `${showText(path)} was deleted`);
  return [
    ...(failed.length === 0
      ? []
      : [
          advise(
            "a required command fails when the candidate is verified by the files that were there before",
            facts.paths,
            failed.map(({ command, ending }) => `${showText(command)}: ${describeEnding(ending)}`),
          ),
        ]),
    ...(off.length + deleted.length === 0
      ? []
      : [
          advise(
            "tests were deleted or switched off",
            [...facts.deleted_tests, ...facts.switched_off.map(({ path }) => path)],
            [...deleted, ...off],
          ),
        ]),
  ];
}

/** What auditors are told of it, in lines; empty when the candidate left its verification alone. */
export function describeSurface(facts: SurfaceFacts | null | undefined): string[] {
  if (facts === null || facts === undefined) return [];
  return [
    ...facts.paths.map((path) => `changed: ${showText(path)}`),
    ...findingsOfSurface(facts).flatMap(({ title, evidence }) => [title, ...evidence]),
  ];
}

function advise(title: string, paths: readonly string[], evidence: string[]): OrchestratorFinding {
  return {
    check: "verification_surface",
    reason_code: "VERIFICATION_FAILED",
    title,
    severity: "medium",
    category: "test_gap",
    file_paths: paths.map(showText),
    evidence,
    why_it_matters: "A candidate that changes what it is verified by may pass because less is asked of it.",
    recommended_action:
      "Look whether the item rightly changes these checks; the change itself was verified without them.",
    is_blocking: false,
  };
}

/** Words of a command that may be paths: what stands between blanks, quotes and the signs of the shell. */
function listNames(command: string): string[] {
  return command.split(/[\s;|&<>()'"`${}=]+/).flatMap((word) => (word === "" ? [] : [normalizePath(word)]));
}
