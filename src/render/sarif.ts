import { type LocatedProblem } from "../domain/plan.ts";
import { PLAN_PROBLEM_CODES } from "../domain/plan-problem-codes.ts";
import { showText } from "../domain/visible-text.ts";

const SCHEMA = "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json";

/** Where a code is explained. */
const HELP_PLANS = "docs/plan-format.md, table of problems";
const HELP_CONFIG = "docs/configuration.md";

/**
 * Renders problems as SARIF 2.1.0, which code scanning reads: a rule for each code that occurs, and a result for each
 * problem. Paths of the repository stay relative to it; columns count characters.
 */
export function renderSarif(problems: readonly LocatedProblem[], version: string): string {
  const codes = [...new Set(problems.map(({ code }) => code))].toSorted();
  const run = {
    tool: {
      driver: {
        name: "conveyor",
        semanticVersion: version,
        rules: codes.map((code) => buildRule(code, problems)),
      },
    },
    columnKind: "unicodeCodePoints",
    originalUriBaseIds: { "%SRCROOT%": { description: { text: "The root of the repository." } } },
    results: problems.map((problem) => ({
      ruleId: problem.code,
      ruleIndex: codes.indexOf(problem.code),
      level: problem.severity,
      message: { text: showText(problem.message) },
      locations: [
        {
          physicalLocation: {
            artifactLocation: buildLocation(problem.path),
            region: { startLine: problem.line, startColumn: problem.column },
          },
        },
      ],
    })),
  };
  return `${JSON.stringify({ $schema: SCHEMA, version: "2.1.0", runs: [run] }, null, 2)}\n`;
}

function buildRule(code: string, problems: readonly LocatedProblem[]) {
  const known: Readonly<Record<string, { severity: string; means: string }>> = PLAN_PROBLEM_CODES;
  const plan = known[code];
  const text = plan?.means ?? "The configuration is not what its schema says.";
  const level = plan?.severity ?? problems.find((problem) => problem.code === code)?.severity ?? "error";
  const help = plan === undefined ? HELP_CONFIG : HELP_PLANS;
  return {
    id: code,
    shortDescription: { text },
    help: { text: `${text} See ${help}.` },
    defaultConfiguration: { level },
  };
}

/** A file outside of the repository has no place below its root. */
function buildLocation(path: string) {
  const uri = path.split("/").map(encodeSegment).join("/");
  return path.startsWith("/") ? { uri: `file://${uri}` } : { uri, uriBaseId: "%SRCROOT%" };
}

/** What is half of a pair of surrogates cannot be encoded. */
function encodeSegment(segment: string): string {
  return encodeURIComponent(segment.toWellFormed());
}
