import {
  AUTONOMY_VALUES,
  PLAN_PRIORITIES,
  PLAN_STATUSES,
  RISK_TIERS,
  SECURITY_APPROVALS,
  type PlanMetadata,
} from "./plan.ts";
import { type MetadataBullet, type MetadataKey, parseMetadataBullets } from "./metadata-bullets.ts";
import { findCodeSpans } from "./code-spans.ts";
import { normalizePath, pathProblem } from "./paths.ts";
import { keepPaths } from "./plan-cells.ts";
import { isPlanId } from "./plan-identity.ts";
import { checkVisible } from "./plan-lists.ts";
import type { MetadataSection } from "./plan-outline.ts";
import type { ReportProblem } from "./plan-problems.ts";
import { quoteText, trimBlanks } from "./visible-text.ts";

const PRIORITY_WORDS: ReadonlyMap<string, PlanMetadata["priority"]> = new Map([
  ["high", "p1"],
  ["medium", "p2"],
  ["low", "p3"],
]);

/**
 * Reads the section `Metadata` of a plan, null when there is none. A tier that cannot be read is no error: it becomes
 * `unreadable`, which counts as high risk.
 *
 * Codes: PLAN_METADATA_LINE, PLAN_METADATA_KEY_UNKNOWN, PLAN_METADATA_DUPLICATE, PLAN_METADATA_VALUE,
 * PLAN_METADATA_RISK_UNREADABLE, PLAN_PATH_SHAPE, PLAN_PATH_WILDCARD, PLAN_INVISIBLE_CHARACTER.
 */
export function parseMetadata(sections: readonly MetadataSection[], report: ReportProblem): PlanMetadata | null {
  const [section, ...others] = sections;
  if (section === undefined) {
    return null;
  }
  for (const other of others) {
    report(
      "PLAN_METADATA_DUPLICATE",
      { line: other.line, offset: 0 },
      {
        expected: "one section `Metadata`",
        found: `another one, after line ${section.line}`,
        example: "join the two sections under one heading",
      },
    );
  }
  const bullets = new Map(parseMetadataBullets(section.lines, report).map((bullet) => [bullet.key, bullet]));
  return readMetadata(bullets, report);
}

function readMetadata(bullets: ReadonlyMap<MetadataKey, MetadataBullet>, report: ReportProblem): PlanMetadata {
  /** The parsed value of a key; undefined when it is absent, empty or wrong, the last two after a report. */
  const read = <T>(key: MetadataKey, parse: (value: string) => T | undefined, expectation: Expected): T | undefined => {
    const bullet = bullets.get(key);
    if (bullet === undefined) return undefined;
    const value = stripBackticks(bullet.value);
    const parsed = value === "" ? undefined : parse(value);
    if (parsed === undefined) {
      const found = value === "" ? "nothing" : quoteText(value);
      report("PLAN_METADATA_VALUE", bullet.at, { ...expectation, found });
    }
    return parsed;
  };
  const choose = <T extends string>(key: MetadataKey, values: readonly [T, ...T[]]): T | undefined =>
    read(key, (value) => values.find((known) => known === value.toLowerCase()), {
      expected: `one of ${values.join(", ")}`,
      example: `\`${values[0]}\``,
    });
  const text = (key: MetadataKey): string | undefined =>
    read(key, (value) => value, { expected: "a text, or no such bullet", example: "`@platform`" });
  const planId = read("plan-id", (value) => (isPlanId(value) ? value : undefined), {
    expected: "at most 80 characters: words of a to z and digits, joined by dashes",
    example: "`rotate-session-keys`",
  });
  return {
    plan_id: planId ?? null,
    status: choose("status", PLAN_STATUSES) ?? null,
    priority:
      read("priority", parsePriority, {
        expected: `one of ${PLAN_PRIORITIES.join(", ")}, high, medium, low`,
        example: "`p1`",
      }) ?? "p2",
    owner: text("owner") ?? null,
    acceptance_criteria:
      read("acceptance-criteria", (value) => (isPlaceholder(value) ? undefined : value), {
        expected: "what has to be true in the end, and no placeholder",
        example: "`Sessions signed with the old key stay valid for 24 hours`",
      }) ?? null,
    dependencies:
      read("dependencies", (value) => parseDependencies(value, planId), {
        expected: "ids of other plans, separated by commas, or `none`",
        example: "`key-ring, audit-log`",
      }) ?? [],
    spec_targets:
      read("spec-targets", parsePathList, {
        expected: "paths inside the repository, separated by commas",
        example: "`docs/product-specs/current-state.md`",
      }) ?? null,
    done_evidence: text("done-evidence") ?? "pending",
    risk_tier: readRiskTier(bullets.get("risk-tier"), report),
    autonomy_allowed: choose("autonomy-allowed", AUTONOMY_VALUES) ?? "both",
    security_approval: choose("security-approval", SECURITY_APPROVALS) ?? "not-required",
    tags:
      read("tags", splitList, { expected: "words, separated by commas, or no such bullet", example: "`security`" }) ??
      [],
    promoted: text("promoted") ?? null,
    implementation_targets: readTargets(bullets.get("implementation-targets"), report),
    validation: readValidation(bullets.get("validation"), report),
  };
}

interface Expected {
  readonly expected: string;
  readonly example: string;
}

/** What the plan may write as a whole, as the paths of an item's write roots are read. */
function readTargets(bullet: MetadataBullet | undefined, report: ReportProblem): string[] | null {
  if (bullet === undefined) return null;
  const parts = splitList(bullet.value);
  if (parts === undefined) {
    report("PLAN_METADATA_VALUE", bullet.at, {
      expected: "files and folders, separated by commas, or no such bullet",
      found: bullet.value === "" ? "nothing" : quoteText(bullet.value),
      example: "`src/session, docs/keys.md`",
    });
    return null;
  }
  const cells = parts.map((raw) => ({ raw, ...bullet.at }));
  return keepPaths(cells, report).map(({ value }) => value);
}

/** Commands, one in each bullet below the key or between `;;`, in backticks or not. */
function readValidation(bullet: MetadataBullet | undefined, report: ReportProblem): string[] | null {
  if (bullet === undefined) return null;
  const entries: string[] = [];
  for (const [index, part] of bullet.parts.entries()) {
    const isBullet = /^[-*+][ \t]/.test(part);
    if (index === 0 || isBullet) entries.push(isBullet ? trimBlanks(part.slice(1)).text : part);
    else entries.push(`${entries.pop() ?? ""} ${part}`);
  }
  const commands = entries.flatMap(splitAtDoubleSemicolons).map(stripBackticks);
  const cells = commands.filter((command) => command !== "").map((raw) => ({ raw, ...bullet.at }));
  if (cells.length === 0 || cells.some(({ raw }) => raw.toLowerCase() === "none")) {
    report("PLAN_METADATA_VALUE", bullet.at, {
      expected: "commands, one a bullet below the key or separated by `;;`, or no such bullet",
      found: cells.length === 0 ? "nothing" : quoteText(bullet.value),
      example: "`npm test ;; npm run lint`",
    });
    return null;
  }
  const atKey: ReportProblem = (code, _at, what) => report(code, bullet.at, what);
  return cells.filter((cell) => checkVisible(cell, "backticks-and-quotes", atKey)).map(({ raw }) => raw);
}

/** A `;;` in backticks belongs to the command: `case` of a shell ends its branches so. */
function splitAtDoubleSemicolons(text: string): string[] {
  const spans = findCodeSpans(text);
  const parts: string[] = [];
  let begin = 0;
  for (let at = 0; at < text.length;) {
    if (text[at] === "`") at = spans.endOf(at) ?? at + spans.runAt(at);
    else if (text.startsWith(";;", at)) {
      parts.push(text.slice(begin, at));
      at += 2;
      begin = at;
    } else at += 1;
  }
  return [...parts, text.slice(begin)].map((part) => trimBlanks(part).text);
}

function readRiskTier(bullet: MetadataBullet | undefined, report: ReportProblem): PlanMetadata["risk_tier"] {
  if (bullet === undefined) return null;
  const value = stripBackticks(bullet.value);
  const tier = RISK_TIERS.find((known) => known === value.toLowerCase());
  if (tier !== undefined) return tier;
  report("PLAN_METADATA_RISK_UNREADABLE", bullet.at, {
    expected: `one of ${RISK_TIERS.join(", ")}`,
    found: `${value === "" ? "nothing" : quoteText(value)}, which counts as high`,
    example: "`low`",
  });
  return "unreadable";
}

/** The priority that a word stands for. */
export function parsePriority(value: string): PlanMetadata["priority"] | undefined {
  const folded = value.toLowerCase();
  return PLAN_PRIORITIES.find((known) => known === folded) ?? PRIORITY_WORDS.get(folded);
}

function parseDependencies(value: string, planId: string | undefined): string[] | undefined {
  if (value.toLowerCase() === "none") return [];
  const ids = splitList(value);
  return ids?.every((id) => isPlanId(id) && id !== planId) === true ? ids : undefined;
}

function parsePathList(value: string): string[] | undefined {
  const paths = splitList(value)?.map(normalizePath);
  const isPath = (path: string): boolean => pathProblem(path) === undefined && !/[*`]/.test(path);
  return paths?.every(isPath) === true ? [...new Set(paths)] : undefined;
}

/** Parts between commas, each once; undefined when one is empty. */
function splitList(value: string): string[] | undefined {
  const parts = value.split(",").map((part) => stripBackticks(part.trim()));
  return parts.includes("") ? undefined : [...new Set(parts)];
}

/** True for what a template left behind, for example `{{CRITERIA}}`, `TBD` or `<describe it>`. */
export function isPlaceholder(value: string): boolean {
  return (
    value.includes("{{") ||
    /\b(?:TBD|TODO|FIXME|XXX)\b/.test(value) ||
    /^(?:tbd|todo|none|pending|n\/a|[-.?…]+|<[^>]*>|\[[^\]]*\])$/i.test(value)
  );
}

function stripBackticks(value: string): string {
  const inner = /^`([^`]*)`$/.exec(value)?.[1];
  return inner === undefined ? value : inner.trim();
}
