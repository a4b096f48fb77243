import { readFileSync } from "node:fs";
import { type ParsedPlan, parsePlan, type PlanInput } from "../../src/domain/parse-plan.ts";

const FOLDER = new URL("../fixtures/plans/", import.meta.url);

/** Files at the base commit of the repository that the fixtures are about. */
const TRACKED: ReadonlySet<string> = new Set([
  "README.md",
  "CHANGELOG.md",
  "src/app.ts",
  "src/session/index.ts",
  "docs/security.md",
]);

export function readFixture(name: string): string {
  return readFileSync(new URL(name, FOLDER), "utf8");
}

export function parseText(text: string, input: Partial<PlanInput> = {}): ParsedPlan {
  return parsePlan({ path: "plans/keys.md", bytes: new TextEncoder().encode(text), trackedFiles: TRACKED, ...input });
}

/** Problems as `line:column CODE`. */
export function placesOf(parsed: ParsedPlan): string[] {
  return parsed.problems.map(({ line, column, code }) => `${line}:${column} ${code}`);
}

const MARK = "‸";

/**
 * Takes the marks `‸` out of a text and says where they stood, so that a test shows the expected place in the text
 * itself and counts it without the parser.
 */
export function takeMarks(marked: string): { text: string; places: string[] } {
  const places = marked.split(/\r\n|\r|\n/).flatMap((line, index) => {
    const parts = line.replace("\uFEFF", "").split(MARK).slice(0, -1);
    return parts.map((_, mark) => `${index + 1}:${[...parts.slice(0, mark + 1).join("")].length + 1}`);
  });
  return { text: marked.replaceAll(MARK, ""), places };
}
