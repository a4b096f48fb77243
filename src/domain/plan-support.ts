import type { Plan, PlanItem } from "./plan.ts";
import { joinLines, parseHeading, type PlanLine, type PlanOutline, type PlanSection } from "./plan-outline.ts";
import type { ReportProblem } from "./plan-problems.ts";
import { quoteText } from "./visible-text.ts";

/** Plan context, shared guidance, risks. Section 6, the next actions, is for people and travels with no item. */
const SHARED_SECTIONS = [1, 4, 5];
const PHASE_SECTION = 3;

/** The support text that travels with every item. Sections without text are left out. */
export function parseSharedSections(outline: PlanOutline): Plan["shared_sections"] {
  return SHARED_SECTIONS.map((number) => outline.sections.get(number))
    .filter((section): section is PlanSection => section !== undefined)
    .map(({ title, lines }) => ({ title, text: joinLines(lines) }))
    .filter(({ text }) => text !== "");
}

/**
 * Gives each H3 of section 3 to the phase it names. The heading is the phase, or begins with it and a separator:
 * `Build`, `Phase 1`, `1. Foundations` and `Build – the key ring` name the phases `Build`, `1`, `1` and `Build`.
 * Case and the word "phase" do not count.
 *
 * Codes: PLAN_PHASE_UNMATCHED.
 */
export function parsePhaseSections(
  outline: PlanOutline,
  items: readonly PlanItem[],
  report: ReportProblem,
): Plan["phase_sections"] {
  const phases = new Map<string, Set<string>>();
  // An item without a phase is a problem of its own.
  for (const { phase } of items.filter((item) => item.phase !== "")) {
    const key = foldPhase(phase);
    phases.set(key, (phases.get(key) ?? new Set<string>()).add(phase));
  }
  if (phases.size === 0) {
    return [];
  }
  return splitAtH3(outline.sections.get(PHASE_SECTION)?.lines ?? []).flatMap(({ title, line, lines }) => {
    const matches = phases.get(foldPhase(title)) ?? phases.get(foldPhase(beforeSeparator(title)));
    if (matches === undefined) {
      report(
        "PLAN_PHASE_UNMATCHED",
        { line, offset: 0 },
        {
          expected: "a heading that names the phase of an item",
          found: `${quoteText(title)}, so its text travels with no item`,
          example: `a heading ${quoteText(`### ${[...phases.values()][0]?.values().next().value ?? ""}`)}`,
        },
      );
    }
    return [...(matches ?? [])].map((phase) => ({ phase, title, text: joinLines(lines) }));
  });
}

interface PhaseText {
  readonly title: string;
  readonly line: number;
  readonly lines: PlanLine[];
}

function splitAtH3(lines: readonly PlanLine[]): PhaseText[] {
  const texts: PhaseText[] = [];
  for (const line of lines) {
    const heading = parseHeading(line);
    if (heading?.level === 3) {
      texts.push({ title: heading.text, line: line.line, lines: [] });
    } else {
      texts.at(-1)?.lines.push(line);
    }
  }
  return texts;
}

function foldPhase(text: string): string {
  return text
    .trim()
    .toLowerCase()
    .split(/\s+/)
    .join(" ")
    .replace(/^phase (?=.)/, "");
}

/** The separator must stand before a space, so that `1.2 Keys` is not about phase 1. */
function beforeSeparator(title: string): string {
  const at = title.search(/[:.)–—-](?=\s|$)/);
  return at === -1 ? title : title.slice(0, at);
}
