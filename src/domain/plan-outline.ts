import type { ReportProblem } from "./plan-problems.ts";
import { quoteText, trimBlanks } from "./visible-text.ts";

/** A line of the file; `code` stands in a fence or an HTML comment, where nothing has a meaning. */
export interface PlanLine {
  readonly text: string;
  readonly line: number;
  readonly kind: "text" | "code";
}

export interface Heading {
  readonly level: number;
  readonly text: string;
}

/** A numbered H2 section and the lines under its heading. */
export interface PlanSection {
  readonly title: string;
  readonly lines: PlanLine[];
}

/** A section `Metadata`, numbered or not, and the line of its heading. */
export interface MetadataSection {
  readonly line: number;
  readonly lines: readonly PlanLine[];
}

export interface PlanOutline {
  /** The first H1 before section 2. */
  readonly title: string | undefined;
  readonly sections: ReadonlyMap<number, PlanSection>;
  /** All sections with the title `Metadata`; a plan should have one at most. */
  readonly metadata: readonly MetadataSection[];
  /** Every line of the text. */
  readonly lines: readonly PlanLine[];
}

/**
 * Reads the numbered H2 sections 1 to 6, and `Metadata`. Any other H1 or H2 ends a section and belongs to none.
 *
 * Codes: PLAN_SECTION_DUPLICATE.
 */
export function parseOutline(lines: readonly string[], report: ReportProblem): PlanOutline {
  const sections = new Map<number, PlanSection>();
  const metadata: MetadataSection[] = [];
  let current: PlanSection | undefined;
  let title: string | undefined;
  const classified = classify(lines).lines;
  for (const line of classified) {
    const heading = parseHeading(line);
    if (heading === undefined || heading.level > 2) {
      current?.lines.push(line);
      continue;
    }
    current = undefined;
    if (heading.level === 1 && !sections.has(2) && heading.text !== "") {
      title ??= heading.text;
    }
    const numbered = heading.level === 2 ? parseNumber(heading.text) : undefined;
    if (numbered !== undefined && sections.has(numbered.number)) {
      report(
        "PLAN_SECTION_DUPLICATE",
        { line: line.line, offset: 0 },
        {
          expected: `one section with the number ${numbered.number}`,
          found: `a second one, ${quoteText(heading.text)}`,
          example: "join the two sections under one heading",
        },
      );
    } else if (numbered !== undefined) {
      current = { title: numbered.title, lines: [] };
      sections.set(numbered.number, current);
    }
    // Section 2 is the item table whatever its title.
    if (heading.level === 2 && numbered?.number !== 2 && isMetadataTitle(heading.text)) {
      current ??= { title: heading.text, lines: [] };
      metadata.push({ line: line.line, lines: current.lines });
    }
  }
  return { title, sections, metadata, lines: classified };
}

/** True for the title of the section `Metadata`, with its number or without. */
export function isMetadataTitle(text: string): boolean {
  return /^(?:\d{1,3}\.?[ \t]+)?metadata$/i.test(text);
}

/** Reads an ATX heading, indented by up to three spaces, with or without closing hashes. */
export function parseHeading(line: PlanLine): Heading | undefined {
  if (line.kind === "code") {
    return undefined;
  }
  const indent = indentOf(line.text);
  let end = indent;
  while (line.text[end] === "#") {
    end += 1;
  }
  const level = end - indent;
  const next = line.text[end];
  if (indent > 3 || level < 1 || level > 6 || (next !== undefined && next !== " " && next !== "\t")) {
    return undefined;
  }
  return { level, text: dropClosingHashes(trimBlanks(line.text.slice(end)).text) };
}

function dropClosingHashes(text: string): string {
  let end = text.length;
  while (end > 0 && text[end - 1] === "#") {
    end -= 1;
  }
  const closes = end === 0 || text[end - 1] === " " || text[end - 1] === "\t";
  return closes ? trimBlanks(text.slice(0, end)).text : text;
}

/** `2. Items` and `2 Items`; `2.1 Items` and `2026 Items` are headings like any other. */
function parseNumber(text: string): { number: number; title: string } | undefined {
  const match = /^([1-6])\.?(?=[ \t]|$)/.exec(text);
  return match === null ? undefined : { number: Number(match[1]), title: trimBlanks(text.slice(match[0].length)).text };
}

/** The text of lines without blank ones around it. */
export function joinLines(lines: readonly PlanLine[]): string {
  const isEmpty = ({ text }: PlanLine): boolean => text.trim() === "";
  const first = lines.findIndex((line) => !isEmpty(line));
  const last = lines.findLastIndex((line) => !isEmpty(line));
  return first === -1
    ? ""
    : lines
        .slice(first, last + 1)
        .map(({ text }) => text)
        .join("\n");
}

/** The line that ends a fence or HTML comment which the text leaves open, so that what is added to it is seen. */
export function findMissingCloser(lines: readonly string[]): string | undefined {
  return classify(lines).closer;
}

/**
 * Marks the lines of fences and of HTML comments. Comments count as hidden, because whoever approves the plan from
 * its rendered form does not see them.
 */
function classify(lines: readonly string[]): { lines: PlanLine[]; closer: string | undefined } {
  let fence: Fence | undefined;
  let inComment = false;
  const classified = lines.map((text, index): PlanLine => {
    const line = index + 1;
    if (inComment) {
      inComment = !text.includes("-->");
      return { text, line, kind: "code" };
    }
    const mark = parseFence(text);
    if (fence !== undefined) {
      fence = mark !== undefined && closes(fence, mark) ? undefined : fence;
      return { text, line, kind: "code" };
    }
    fence = mark;
    const indent = indentOf(text);
    const comment = indent <= 3 && text.startsWith("<!--", indent);
    inComment = comment && !text.includes("-->", indent + 4);
    return { text, line, kind: fence !== undefined || comment ? "code" : "text" };
  });
  return { lines: classified, closer: inComment ? "-->" : fence?.mark.repeat(fence.length) };
}

interface Fence {
  readonly mark: string;
  readonly length: number;
  readonly info: string;
}

function parseFence(text: string): Fence | undefined {
  const indent = indentOf(text);
  const mark = text[indent];
  if (indent > 3 || (mark !== "`" && mark !== "~")) {
    return undefined;
  }
  let end = indent;
  while (text[end] === mark) {
    end += 1;
  }
  const info = trimBlanks(text.slice(end)).text;
  // Backticks after backticks are a code span in a paragraph, not a fence.
  const isFence = end - indent >= 3 && !(mark === "`" && info.includes("`"));
  return isFence ? { mark, length: end - indent, info } : undefined;
}

function closes(open: Fence, mark: Fence): boolean {
  return mark.mark === open.mark && mark.length >= open.length && mark.info === "";
}

/** Number of leading spaces; four, or a tab, make a code block. */
export function indentOf(text: string): number {
  let indent = 0;
  while (text[indent] === " ") {
    indent += 1;
  }
  return text[indent] === "\t" ? Math.max(indent, 4) : indent;
}
