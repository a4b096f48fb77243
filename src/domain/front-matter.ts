import type { z } from "zod";
import { findNearest } from "./did-you-mean.ts";
import { FRONT_MATTER_KEYS, frontMatterSchema, KEY_EXAMPLES, OTHER_NAMES } from "./front-matter-schema.ts";
import { ITEMS_MAX } from "./plan-item-checks.ts";
import { FILE_START, type Place, type ReportProblem } from "./plan-problems.ts";
import type { Cell } from "./plan-table.ts";
import { quoteText, trimBlanks } from "./visible-text.ts";
import { type ParsedYaml, parseYaml } from "./yaml-text.ts";

/** The lines of a plan, apart. Blank lines stand for what is taken out, so that every line keeps its number. */
export interface FrontMatterLines {
  /** The YAML between the two `---`; undefined when the plan has no front matter. */
  readonly yaml: string | undefined;
  readonly body: readonly string[];
}

/**
 * Takes the front matter off a plan: YAML between a `---` that is the first line and the next line `---`.
 *
 * Codes: PLAN_FRONT_MATTER_UNCLOSED.
 */
export function splitFrontMatter(lines: readonly string[], report: ReportProblem): FrontMatterLines {
  if (!isFence(lines[0])) return { yaml: undefined, body: lines };
  const end = lines.findIndex((line, index) => index > 0 && isFence(line));
  if (end === -1) {
    report("PLAN_FRONT_MATTER_UNCLOSED", FILE_START, {
      expected: "a line `---` that ends the front matter",
      found: "none",
      example: "`---` under the last key; or `***` for a rule in line 1",
    });
    return { yaml: undefined, body: lines };
  }
  return {
    yaml: ["", ...lines.slice(1, end)].join("\n"),
    body: lines.map((line, index) => (index <= end ? "" : line)),
  };
}

function isFence(line: string | undefined): boolean {
  return line !== undefined && line.startsWith("---") && trimBlanks(line).text === "---";
}

/** Front matter whose shape was looked at. What is wrong was reported, and reads as if it were not there. */
export interface FrontMatter {
  /** Texts of a key, on one line; empty when it has none. */
  line(path: readonly PropertyKey[]): string;
  /** The text of a key as it was written, without blanks around it. */
  text(path: readonly PropertyKey[]): string;
  /** The texts of a list, each with its place. */
  cells(path: readonly PropertyKey[]): Cell[];
  /** The same as one text, for fields that hold one in other forms. */
  joined(path: readonly PropertyKey[]): string;
  isTrue(path: readonly PropertyKey[]): boolean;
  has(path: readonly PropertyKey[]): boolean;
  place(path: readonly PropertyKey[]): Place;
  /** Number of items; undefined when the plan has no key `items`. */
  readonly itemCount: number | undefined;
}

/**
 * Reads front matter and checks it against its schema. Undefined when it is no YAML: then nothing is known of it.
 *
 * Codes: PLAN_FRONT_MATTER_YAML, PLAN_FRONT_MATTER_KEY_UNKNOWN, PLAN_FRONT_MATTER_KEY_MISSING,
 * PLAN_FRONT_MATTER_VALUE, PLAN_TOO_MANY_ITEMS, PLAN_ITEMS_MISSING.
 */
export function readFrontMatter(text: string, report: ReportProblem): FrontMatter | undefined {
  const yaml = parseYaml(text);
  for (const { line, column, message } of yaml.faults) {
    const expected = message.replace(/^expected /, "").split(", found ");
    report(
      "PLAN_FRONT_MATTER_YAML",
      { line, offset: column - 1 },
      {
        expected: expected.length > 1 ? (expected[0] ?? "") : "YAML with plain keys, each once",
        found: expected.length > 1 ? expected.slice(1).join(", found ") : message,
        example: "`owner: '@platform'`",
      },
    );
  }
  if (yaml.faults.length > 0) return undefined;
  const value = cutItems(yaml.value ?? {}, yaml, report);
  checkShape(value, yaml, report);
  return openFrontMatter(value, yaml);
}

/** Items beyond the limit are told of and not looked at. */
function cutItems(value: unknown, yaml: ParsedYaml, report: ReportProblem): unknown {
  const items = valueAt(value, ["items"]);
  if (!Array.isArray(items) || items.length <= ITEMS_MAX) return value;
  report("PLAN_TOO_MANY_ITEMS", placeOf(yaml, ["items", ITEMS_MAX]), {
    expected: `at most ${ITEMS_MAX} items`,
    found: String(items.length),
    example: "split the work into several plans",
  });
  return { ...(value as object), items: items.slice(0, ITEMS_MAX) };
}

function checkShape(value: unknown, yaml: ParsedYaml, report: ReportProblem): void {
  const parsed = frontMatterSchema.safeParse(value);
  if (parsed.success) return;
  for (const issue of parsed.error.issues) {
    if (issue.code === "unrecognized_keys") {
      for (const [index, key] of issue.keys.entries()) reportUnknown([...issue.path, key], index, yaml, report);
    } else if (issue.path.at(-1) === "items" && issue.code === "too_small") {
      report("PLAN_ITEMS_MISSING", placeOf(yaml, issue.path), {
        expected: "at least one item in `items`, or no such key",
        found: "none",
        example: `\`${KEY_EXAMPLES["items"]}\``,
      });
    } else reportValue(issue, value, yaml, report);
  }
}

/** Beyond this many a hint helps nobody, and would take long to find. */
const HINTS_MAX = 100;

function reportUnknown(path: readonly PropertyKey[], index: number, yaml: ParsedYaml, report: ReportProblem): void {
  const key = String(path.at(-1));
  const known = knownKeys(path.slice(0, -1));
  const folded = key.toLowerCase().replaceAll(/[ _]/g, "-");
  const other = OTHER_NAMES.get(folded);
  const meant =
    index >= HINTS_MAX ? undefined : other !== undefined && known.includes(other) ? other : findNearest(key, known);
  report("PLAN_FRONT_MATTER_KEY_UNKNOWN", placeOf(yaml, path, "key"), {
    expected: `one of ${known.join(", ")}`,
    found: quoteText(key),
    example: meant === undefined ? `\`${exampleOf([known[0] ?? ""])}\`` : `\`${meant}\`: did you mean that?`,
  });
}

function knownKeys(parent: readonly PropertyKey[]): readonly string[] {
  const last = parent.at(-1);
  if (parent.length === 0) return FRONT_MATTER_KEYS.plan;
  if (last === "gate") return FRONT_MATTER_KEYS.gate;
  return last === "external" ? FRONT_MATTER_KEYS.external : FRONT_MATTER_KEYS.item;
}

function reportValue(issue: z.core.$ZodIssue, value: unknown, yaml: ParsedYaml, report: ReportProblem): void {
  const { path } = issue;
  const found = valueAt(value, path);
  const key = path.findLast((part) => typeof part === "string") ?? "";
  const example = `\`${exampleOf(path)}\``;
  if (found === undefined && path.length > 0) {
    report("PLAN_FRONT_MATTER_KEY_MISSING", placeOf(yaml, path), {
      expected: `a key \`${key}\``,
      found: "none",
      example,
    });
    return;
  }
  report("PLAN_FRONT_MATTER_VALUE", placeOf(yaml, path), {
    expected: `${describeExpected(issue)}${key === "" ? "" : ` in \`${key}\``}`,
    found: describeValue(found),
    example,
  });
}

const TYPES: Readonly<Record<string, string>> = {
  string: "a text",
  array: "a list",
  object: "keys with values",
  boolean: "true or false",
};

function describeExpected(issue: z.core.$ZodIssue): string {
  switch (issue.code) {
    case "invalid_type":
      return TYPES[issue.expected] ?? issue.expected;
    case "invalid_value":
      return `one of ${issue.values.map(String).join(", ")}`;
    case "too_small":
      return "at least one entry";
    case "too_big":
      return `at most ${String(issue.maximum)} characters`;
    case "invalid_format":
      return issue.path.at(-1) === "id"
        ? "letters, digits and `._:-`, the first one a letter or digit,"
        : ID_KEYS.has(String(issue.path.find((part) => typeof part === "string")))
          ? "words of a to z and digits, joined by dashes,"
          : "a text that is not blank";
    default:
      return issue.message;
  }
}

const ID_KEYS: ReadonlySet<string> = new Set(["plan-id", "dependencies"]);

function describeValue(value: unknown): string {
  if (typeof value === "string") return quoteText(value);
  if (value === null) return "nothing";
  if (Array.isArray(value)) return value.length === 0 ? "an empty list" : "a list";
  if (typeof value === "object") return "keys with values";
  const isNumber = typeof value === "number" || typeof value === "bigint";
  return `the ${isNumber ? "number" : "word"} ${isNumber || typeof value === "boolean" ? String(value) : ""}, which is no text in YAML`;
}

function exampleOf(path: readonly PropertyKey[]): string {
  const keys = path.filter((part) => typeof part === "string");
  if (keys.at(-2) === "external" && keys.at(-1) === "evidence") return "evidence: human_supplied_evidence_required";
  return KEY_EXAMPLES[keys.at(-1) ?? ""] ?? "owner: '@platform'";
}

function openFrontMatter(value: unknown, yaml: ParsedYaml): FrontMatter {
  const text = (path: readonly PropertyKey[]): string => {
    const found = valueAt(value, path);
    return typeof found === "string" ? found.trim() : "";
  };
  const cells = (path: readonly PropertyKey[]): Cell[] => {
    const found = valueAt(value, path);
    return (Array.isArray(found) ? found : []).flatMap((entry: unknown, index): Cell[] =>
      typeof entry === "string" && entry.trim() !== ""
        ? [{ raw: trimBlanks(entry.replace(/\n+$/, "")).text, ...placeOf(yaml, [...path, index]) }]
        : [],
    );
  };
  const items = valueAt(value, ["items"]);
  return {
    text,
    cells,
    line: (path) => text(path).replaceAll(/\s+/g, " "),
    joined: (path) =>
      cells(path)
        .map(({ raw }) => raw.replaceAll(/\s+/g, " "))
        .join("; "),
    isTrue: (path) => valueAt(value, path) === true,
    has: (path) => valueAt(value, path) !== undefined,
    place: (path) => placeOf(yaml, path),
    itemCount: items === undefined ? undefined : Array.isArray(items) ? items.length : 0,
  };
}

/** Own keys alone: what every object has in JavaScript is nothing that somebody wrote. */
function valueAt(value: unknown, path: readonly PropertyKey[]): unknown {
  let found = value;
  for (const key of path) {
    if (typeof found !== "object" || found === null || !Object.hasOwn(found, key)) return undefined;
    found = (found as Record<PropertyKey, unknown>)[key];
  }
  return found;
}

function placeOf(yaml: ParsedYaml, path: readonly PropertyKey[], which: "key" | "value" = "value"): Place {
  const { line, column } = yaml.locate(path, which);
  return { line, offset: column - 1 };
}
