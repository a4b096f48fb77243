import { indentOf, type PlanLine } from "./plan-outline.ts";
import type { Place, ReportProblem } from "./plan-problems.ts";
import { quoteText, trimBlanks } from "./visible-text.ts";

/** The keys of `## Metadata` that are read, folded. `docs/plan-format.md` is checked against this list. */
export const METADATA_KEYS = [
  "plan-id",
  "status",
  "priority",
  "owner",
  "acceptance-criteria",
  "dependencies",
  "spec-targets",
  "done-evidence",
  "risk-tier",
  "autonomy-allowed",
  "security-approval",
  "tags",
  "promoted",
  "implementation-targets",
  "validation",
] as const;
export type MetadataKey = (typeof METADATA_KEYS)[number];

/** One bullet `- Key: value` with a key that is read. */
export interface MetadataBullet {
  readonly key: MetadataKey;
  /** The value on one line, its continuation lines joined with a space. */
  readonly value: string;
  /** The same, line by line. A line that is a bullet of its own still begins with its mark. */
  readonly parts: readonly string[];
  /** Where the key stands. */
  readonly at: Place;
  /** Offset in the bullet's line after the colon. */
  readonly valueOffset: number;
  /** The last line that belongs to the bullet. */
  readonly lastLine: number;
}

interface OpenBullet {
  readonly key: MetadataKey | undefined;
  readonly at: Place;
  readonly valueOffset: number;
  readonly contentIndent: number;
  readonly parts: string[];
  lastLine: number;
}

/**
 * Reads the bullets of a section. Everything that stands there has to be a bullet: what a reviewer sees as a value and
 * the parser passes over would be a rule that nobody keeps. Fences and HTML comments are not read. `Validation` may
 * stand more than once: each of its bullets has a command.
 *
 * Codes: PLAN_METADATA_LINE, PLAN_METADATA_KEY_UNKNOWN, PLAN_METADATA_DUPLICATE.
 */
export function parseMetadataBullets(lines: readonly PlanLine[], report: ReportProblem): MetadataBullet[] {
  const bullets = readBullets(lines, report);
  const seen = new Map<MetadataKey, { line: number; parts: string[] }>();
  return bullets.flatMap(({ key, at, valueOffset, parts, lastLine }): MetadataBullet[] => {
    if (key === undefined) return [];
    const first = seen.get(key);
    if (first !== undefined && key === "validation") {
      const [value = "", ...others] = parts;
      first.parts.push(`- ${value}`, ...others);
      return [];
    }
    if (first !== undefined) {
      report("PLAN_METADATA_DUPLICATE", at, {
        expected: `the key ${quoteText(key)} once`,
        found: `it again, after line ${first.line}`,
        example: "one bullet with all its values",
      });
      return [];
    }
    seen.set(key, { line: at.line, parts });
    return [{ key, value: parts.filter((part) => part !== "").join(" "), parts, at, valueOffset, lastLine }];
  });
}

function readBullets(lines: readonly PlanLine[], report: ReportProblem): OpenBullet[] {
  const bullets: OpenBullet[] = [];
  let current: OpenBullet | undefined;
  let afterBlank = false;
  for (const line of lines) {
    const { text } = line;
    const isBlank = trimBlanks(text).text === "";
    if (line.kind === "code" || isBlank) {
      afterBlank ||= isBlank;
      continue;
    }
    const indent = indentOf(text);
    const isBullet = /^[ \t]*[-*+](?=[ \t]|$)/.test(text);
    const isHeading = indent <= 3 && text.startsWith("#", indent);
    const continues: boolean =
      current !== undefined &&
      (indent >= current.contentIndent || (!afterBlank && !isBullet && !isHeading)) &&
      !namesKey(text);
    afterBlank = false;
    if (continues && current !== undefined) {
      current.parts.push(trimBlanks(text).text);
      current.lastLine = line.line;
      continue;
    }
    current = isBullet && indent <= 3 ? parseBullet(line, indent, report) : undefined;
    if (current === undefined) {
      reportLine(line, report);
    } else {
      bullets.push(current);
    }
  }
  return bullets;
}

/** A line within another bullet that shows a key of ours to whoever reads it. */
function namesKey(text: string): boolean {
  const shown = trimBlanks(text).text.replace(/^[-*+](?=[ \t])/, "");
  const colon = shown.indexOf(":");
  return colon !== -1 && knownKey(shown.slice(0, colon)) !== undefined;
}

/** Undefined when the bullet has no key, or one that looks like another (other letters, hidden characters). */
function parseBullet(line: PlanLine, indent: number, report: ReportProblem): OpenBullet | undefined {
  const colon = line.text.indexOf(":");
  const name = trimBlanks(line.text.slice(indent + 1, Math.max(colon, 0)));
  if (colon === -1 || !/^[A-Za-z][A-Za-z0-9 _-]*$/.test(name.text)) {
    return undefined;
  }
  const at = { line: line.line, offset: indent + 1 + name.start };
  const key = knownKey(name.text);
  if (key === undefined) {
    report("PLAN_METADATA_KEY_UNKNOWN", at, {
      expected: `one of ${METADATA_KEYS.join(", ")}`,
      found: `${quoteText(name.text)}, which is not read`,
      example: "`- Risk-Tier: low`",
    });
  }
  const valueOffset = colon + 1;
  const parts = [trimBlanks(line.text.slice(valueOffset)).text];
  return { key, at, valueOffset, contentIndent: indent + 2, parts, lastLine: line.line };
}

/** `Risk Tier` and `risk_tier` are the key too: a rule must not get lost over a dash. */
function knownKey(name: string): MetadataKey | undefined {
  const folded = trimBlanks(name).text.toLowerCase().replaceAll(/[ _]+/g, "-");
  return METADATA_KEYS.find((key) => key === folded);
}

function reportLine(line: PlanLine, report: ReportProblem): void {
  const { text, start } = trimBlanks(line.text);
  report(
    "PLAN_METADATA_LINE",
    { line: line.line, offset: start },
    {
      expected: "a bullet with a key of its own, because this section holds nothing else",
      found: quoteText(text),
      example: "`- Risk-Tier: low`",
    },
  );
}
