import {
  isAlias,
  isMap,
  isNode,
  isPair,
  isSeq,
  LineCounter,
  parseDocument,
  visit,
  type Document as YamlDocument,
  type Node,
} from "yaml";
import type { LocatedProblem } from "./plan.ts";

/** Limits of every YAML text that a person hands in. */
const ALIASES_MAX = 50;
const DEPTH_MAX = 32;
const BYTES_MAX = 1_048_576;

/** A parsed YAML text that can say where each of its keys stands. */
export interface LocatedYaml {
  readonly value: unknown;
  readonly problems: LocatedProblem[];
  /** Line and column of the value at a path, or of the nearest parent that exists. */
  locate(path: readonly PropertyKey[]): { line: number; column: number };
}

/**
 * Parses YAML 1.2 with unique keys, no custom tags, at most 50 aliases, at most 32 brackets within another and at most
 * 256 columns of indentation; every fault is located and carries `code`.
 */
export function parseLocatedYaml(path: string, text: string, code: string): LocatedYaml {
  const at = (line: number, column: number, message: string): LocatedProblem => ({
    path,
    line,
    column,
    severity: "error",
    code,
    message,
  });
  const nowhere = (problem: LocatedProblem): LocatedYaml => ({
    value: undefined,
    problems: [problem],
    locate: () => ({ line: 1, column: 1 }),
  });
  if (text.length > BYTES_MAX)
    return nowhere(at(1, 1, `expected at most ${BYTES_MAX} characters, found ${text.length}`));
  const lines = new LineCounter();
  // Depth is bounded before parsing: the parser itself recurses, and a thousand brackets must not exhaust its stack.
  const deep = findDepth(text);
  if (deep !== undefined) return nowhere(at(deep, 1, `expected at most ${DEPTH_MAX} levels of nesting, found more`));
  const document = parseDocument(text, {
    lineCounter: lines,
    uniqueKeys: true,
    schema: "core",
    version: "1.2",
    prettyErrors: false,
    logLevel: "error",
  });
  const problems = [...document.errors, ...document.warnings].map((fault) => {
    const start = lines.linePos(fault.pos[0]);
    const message = fault.code === "MULTIPLE_DOCS" ? "expected one YAML document, found several" : fault.message;
    return at(start.line, start.col, message.split("\n")[0] ?? "not YAML");
  });
  problems.push(
    ...findForbiddenNodes(document).map(({ offset, message }) => {
      const start = lines.linePos(offset);
      return at(Math.max(1, start.line), Math.max(1, start.col), message);
    }),
  );
  const value = problems.length > 0 ? undefined : expand(document);
  if (value === TOO_LARGE) return nowhere(at(1, 1, "expected aliases that stand for little, found too much"));
  return { value, problems, locate: (where) => locate(document.contents, where, lines) };
}

/** Custom tags, too many aliases, and aliases of anchors that no earlier text sets. */
function findForbiddenNodes(document: YamlDocument): { offset: number; message: string }[] {
  const found: { offset: number; message: string }[] = [];
  const anchors = new Set<string>();
  let aliases = 0;
  visit(document, {
    Node(_key, node) {
      const offset = node.range?.[0] ?? 0;
      if (isAlias(node)) {
        aliases += 1;
        if (!anchors.has(node.source)) found.push({ offset, message: `expected an anchor before *${node.source}` });
      } else if (node.anchor !== undefined) anchors.add(node.anchor);
      const tag = node.tag;
      if (tag !== undefined && !tag.startsWith("tag:yaml.org,2002:")) {
        found.push({ offset, message: `expected no custom tag, found ${tag}` });
      }
    },
  });
  if (aliases > ALIASES_MAX) {
    found.push({ offset: 0, message: `expected at most ${ALIASES_MAX} aliases, found ${aliases}` });
  }
  return found;
}

const TOO_LARGE = Symbol("aliases of aliases that stand for more than anybody means");

/** The value of a document without faults. The parser counts what aliases of aliases stand for, and throws at the limit. */
function expand(document: YamlDocument): unknown {
  try {
    // It counts the anchor with its aliases.
    return document.toJS({ maxAliasCount: ALIASES_MAX + 1 });
  } catch (fault) {
    if (fault instanceof ReferenceError) return TOO_LARGE;
    throw fault;
  }
}

function locate(root: Node | null, path: readonly PropertyKey[], lines: LineCounter): { line: number; column: number } {
  let node: unknown = root;
  let offset = root?.range?.[0] ?? 0;
  for (const key of path) {
    if (isMap(node)) {
      const pair = node.items.find((entry) => isPair(entry) && String(entry.key) === String(key));
      if (pair === undefined) break;
      if (isNode(pair.key)) offset = pair.key.range?.[0] ?? offset;
      node = pair.value;
    } else if (isSeq(node)) {
      node = node.items[Number(key)];
      if (isNode(node)) offset = node.range?.[0] ?? offset;
    } else break;
  }
  const start = lines.linePos(offset);
  return { line: Math.max(1, start.line), column: Math.max(1, start.col) };
}

/** The first line whose flow or indentation nesting is beyond the limit; a cheap upper bound, brackets in strings count. */
function findDepth(text: string): number | undefined {
  let depth = 0;
  let line = 1;
  for (const character of text) {
    if (character === "\n") line += 1;
    if (character === "[" || character === "{") depth += 1;
    if ((character === "]" || character === "}") && depth > 0) depth -= 1;
    if (depth > DEPTH_MAX) return line;
  }
  const tooDeep = text.split("\n").findIndex((row) => (row.match(/^(?:[ ]|- )*/)?.[0].length ?? 0) > DEPTH_MAX * 8);
  return tooDeep < 0 ? undefined : tooDeep + 1;
}
